/** What stands in the place of an embed until its service is granted. */
import { makeButton } from "../root.js";
import { h, outwardLink } from "./dom.js";

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Notice} Notice */
/** @typedef {import("../types.js").ServiceConfig} ServiceConfig */
/** @typedef {import("./format.js").Format} Format */

/** @param {Notice} notice @param {Host} host @param {Format} format
 * @param {HTMLIFrameElement} frame @param {ServiceConfig} service */
export const placePlaceholder = (notice, host, format, frame, service) => {
  const before = frame.previousElementSibling;
  const described = notice.services.find(({ id }) => id === service.id);
  if (!described || !frame.isConnected || (before && before.classList.contains("sb-embed"))) return;

  /** Adds this service to what had been chosen before, and nothing else. */
  const allow = () => {
    const choice = host.choice();
    const { purposes, services } = host.config;
    const chosen = services.map(
      ({ id }, at) => id === service.id || (choice !== null && choice.services[at]),
    );
    host.decide({
      action: "save",
      layer: "placeholder",
      purposes: purposes.map((purpose, at) =>
        purpose === service.purpose
          ? services.every((other, index) => other.purpose !== purpose || chosen[index])
          : choice !== null && choice.purposes[at],
      ),
      services: chosen,
      anonymise_ip: choice === null || choice.anonymise_ip,
    });
  };

  /** Loads this one frame for this one page, which is what the visitor asked for by the click
   * (ePrivacy Art. 5(3): a service explicitly requested). Nothing is remembered or recorded. */
  const showOnce = () => host.showOnce(frame);

  const box = h("div.embed", { lang: notice.language, role: "group", "aria-label": described.name },
    h("p", null, h("b", null, format.text("placeholder_title", { service: described.name }))),
    h("p", null, format.text("placeholder_text", { vendor: described.vendor.name }), " ",
      described.vendor.privacy_url && outwardLink(
        described.vendor.privacy_url, format.text("privacy_link", { vendor: described.vendor.name }))),
    h("div.actions", null,
      makeButton("sb-button sb-once", format.text("placeholder_once"), showOnce),
      makeButton("sb-button sb-allow", format.text("placeholder_always"), allow)));
  frame.hidden = true;
  frame.before(box);
};

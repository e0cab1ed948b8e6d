/** What stands in the place of an embed until its service is granted. */
import { h, makeButton, outwardLink } from "../dom.js";
import { fill } from "../format.js";

/** @typedef {import("../types.js").FirstNotice} FirstNotice */
/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").ServiceConfig} ServiceConfig */

/** @param {FirstNotice} notice @param {Host} host
 * @param {HTMLIFrameElement} frame @param {ServiceConfig} service */
export const placePlaceholder = ({ embeds, language, texts }, host, frame, service) => {
  const before = frame.previousElementSibling;
  const embed = embeds[service.id];
  if (!embed || !frame.isConnected || (before && before.classList.contains("sb-embed"))) return;

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
      language,
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
  const showOnce = () => {
    host.showOnce(frame);
    frame.focus();
  };

  frame.hidden = true;
  frame.before(
    h("div.embed", { lang: language, role: "group", "aria-label": embed.name },
      h("p", null, h("b", null, fill(texts.placeholder_title, { service: embed.name }))),
      h("p", null, fill(texts.placeholder_text, { vendor: embed.vendor }), " ",
        embed.privacy_url && outwardLink(
          embed.privacy_url, fill(texts.privacy_link, { vendor: embed.vendor }))),
      h("div.actions", null,
        makeButton("sb-button sb-once", texts.placeholder_once, showOnce),
        makeButton("sb-button sb-allow", texts.placeholder_always, allow))));
};

/** The second layer: a native modal dialog with a switch for each purpose and service. Closing it
 * by any means changes nothing; only its buttons decide. */
import { h, makeButton } from "../dom.js";
import { describeRecord, describeRights } from "./rights.js";
import { describeService } from "./service.js";

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Notice} Notice */
/** @typedef {import("../format.js").Format} Format */

/** @param {string} name @param {string} label */
const makeSwitch = (name, label) => {
  const input = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", role: "switch", name })
  );
  return { input, element: h("label.switch", null, input, h("span", null, label)) };
};

/** @param {Notice} notice @param {Host} host @param {Format} format */
export const makeSecondLayer = (notice, host, format) => {
  const { language, texts } = notice;
  /** @type {Record<string, HTMLInputElement>} */
  const switches = {};
  const record = h("div", null);
  const status = h("p.hidden", { role: "status" });
  /** @param {string} key */
  const say = (key) => {
    status.textContent = texts[key];
  };
  const anonymise = makeSwitch("anonymise_ip", texts.anonymise_label);

  const purposeOf = (/** @type {string} */ id) => switches[`purpose:${id}`];
  const servicesOf = (/** @type {string} */ purpose) =>
    host.config.services.filter((service) => service.purpose === purpose)
      .map(({ id }) => switches[`service:${id}`]);

  /** A purpose is on only with all its services: choosing one of them grants no more than that one.
   * @param {string} purpose */
  const summarise = (purpose) => {
    const inputs = servicesOf(purpose);
    const input = purposeOf(purpose);
    input.checked = inputs.every(({ checked }) => checked);
    input.indeterminate = !input.checked && inputs.some(({ checked }) => checked);
  };

  const sections = notice.purposes.map(({ id, name, description, necessary }) => {
    const purposeSwitch = makeSwitch(`purpose:${id}`, name);
    if (!necessary) switches[`purpose:${id}`] = purposeSwitch.input;
    purposeSwitch.input.addEventListener("change", () => {
      for (const input of servicesOf(id)) input.checked = purposeSwitch.input.checked;
      purposeSwitch.input.indeterminate = false;
    });
    return h("section.purpose", null,
      h("h3", null, necessary ? [name, h("em", null, texts.always_on)] : purposeSwitch.element),
      h("p", null, description, " ", texts[necessary ? "basis_necessary" : "basis_consent"]),
      notice.services.filter(({ purpose }) => purpose === id).map((service) => {
        const serviceSwitch = makeSwitch(`service:${service.id}`, service.name);
        if (!necessary) switches[`service:${service.id}`] = serviceSwitch.input;
        serviceSwitch.input.addEventListener("change", () => summarise(id));
        return h("div.service", null,
          h("h4", null, necessary ? service.name : serviceSwitch.element),
          describeService(service, format));
      }),
    );
  });

  /** Shows the state in force; everything off and the address anonymised where there is none. */
  const update = () => {
    const choice = host.choice();
    host.config.purposes.forEach((id, at) => {
      purposeOf(id).checked = choice !== null && choice.purposes[at];
      purposeOf(id).indeterminate = false;
    });
    host.config.services.forEach(({ id }, at) => {
      switches[`service:${id}`].checked = choice !== null && choice.services[at];
    });
    for (const id of host.config.purposes) if (servicesOf(id).length) summarise(id);
    anonymise.input.checked = choice === null || choice.anonymise_ip;
    record.replaceChildren(h("div", null, describeRecord(notice, host, format)));
  };

  const close = () => dialog.close();
  const save = () => {
    host.decide({
      action: "save",
      layer: "second",
      language,
      purposes: host.config.purposes.map((id) => purposeOf(id).checked),
      services: host.config.services.map(({ id }) => switches[`service:${id}`].checked),
      anonymise_ip: anonymise.input.checked,
    });
  };
  /** @param {() => void} decide */
  const finish = (decide) => () => {
    close();
    decide();
    say("saved_status");
  };

  const dialog = /** @type {HTMLDialogElement} */ (
    h("dialog.second", { lang: language, "aria-labelledby": "sb-second-title" },
      h("div.head", null,
        h("h2", { id: "sb-second-title" }, texts.second_title),
        makeButton("sb-button sb-close", texts.close, close)),
      h("div.body", { tabindex: "0", role: "group", "aria-labelledby": "sb-second-title" },
        h("p", null, texts.second_intro),
        sections,
        h("section.purpose", null, h("h3", null, anonymise.element), h("p", null, texts.anonymise_text)),
        h("section", null, h("h3", null, texts.record_title), record),
        h("section", null, describeRights(notice, format))),
      h("div.actions", null,
        makeButton("sb-button sb-accept", texts.accept, finish(() => host.accept("second", language))),
        makeButton("sb-button sb-reject", texts.reject, finish(() => host.refuse("second", language))),
        makeButton("sb-button sb-save", texts.save, finish(save))))
  );

  // A native dialog lets Tab leave for the browser's own controls; the ARIA practices keep it inside.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const stops = [...dialog.querySelectorAll("a, button, input, summary, [tabindex]")].filter(
      (stop) => stop.getClientRects().length > 0,
    );
    const edge = stops[event.shiftKey ? 0 : stops.length - 1];
    if (document.activeElement === edge || document.activeElement === dialog) {
      event.preventDefault();
      /** @type {HTMLElement} */ (stops[event.shiftKey ? stops.length - 1 : 0]).focus();
    }
  });

  /** @type {Element | null} */
  let cameFrom = null;
  dialog.addEventListener("close", () => {
    // Back to what opened it; where that is gone, to the control that always is there.
    const target = cameFrom && cameFrom.getClientRects().length
      ? cameFrom : host.root.querySelector(".sb-reopen");
    if (target instanceof HTMLElement) target.focus();
    host.tell("close");
  });

  return {
    element: h("div", null, dialog, status),
    update,
    say,
    /** @param {Element | null} opener */
    open: (opener) => {
      cameFrom = opener;
      update();
      if (dialog.open) return;
      dialog.showModal();
      host.tell("open");
    },
  };
};

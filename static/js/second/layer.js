/** The second layer: a native modal dialog with a switch for each purpose and service. Closing it
 * by any means changes nothing; only its buttons decide. */
import { makeContents } from "./contents.js";

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Layers} Layers */
/** @typedef {import("../types.js").SecondNotice} SecondNotice */

/** @param {SecondNotice} notice @param {Host} host @param {Layers} layers */
export const makeSecondLayer = (notice, host, layers) => {
  const { accept, decide, h, makeButton, refuse, tell } = layers;
  const { language, texts } = notice;
  const { purposes, services } = host.config;
  const contents = makeContents(notice, layers);
  /** @type {Record<string, HTMLInputElement>} */
  const switches = {};
  /** @param {string} name @param {string} label */
  const makeSwitch = (name, label) => {
    const input = /** @type {HTMLInputElement} */ (
      h("input", { type: "checkbox", role: "switch", name })
    );
    switches[name] = input;
    return h("label.switch", null, input, h("span", null, label));
  };
  const record = h("div", null);
  const outcome = h("p", { role: "status" });
  // One place that speaks: the first layer's, where there is one.
  const { status } = layers;
  const anonymise = makeSwitch("anonymise_ip", texts.anonymise_label);

  const purposeOf = (/** @type {string} */ id) => switches[`purpose:${id}`];
  const serviceOf = (/** @type {{id: string}} */ { id }) => switches[`service:${id}`];
  const servicesOf = (/** @type {string} */ id) =>
    notice.services.filter(({ purpose }) => purpose === id).map(serviceOf);

  /** A purpose is on only with all its services: choosing one of them grants no more than that one.
   * @param {string} purpose */
  const summarise = (purpose) => {
    const inputs = servicesOf(purpose);
    const input = purposeOf(purpose);
    if (inputs.length) input.checked = inputs.every(({ checked }) => checked);
    input.indeterminate = !input.checked && inputs.some(({ checked }) => checked);
  };

  const sections = notice.purposes.map(([id, name, description, necessary]) =>
    h("section.purpose", null,
      h("h3", null, necessary
        ? [name, h("em", null, texts.always_on)]
        : makeSwitch(`purpose:${id}`, name)),
      h("p", null, description, " ", texts[necessary ? "basis_necessary" : "basis_consent"]),
      notice.services.filter(({ purpose }) => purpose === id).map((service) =>
        h("div.service", null,
          h("h4", null, necessary ? service.name : makeSwitch(`service:${service.id}`, service.name)),
          contents.service(service))),
    ));
  for (const id of purposes) {
    purposeOf(id).onchange = () => {
      for (const input of servicesOf(id)) input.checked = purposeOf(id).checked;
      purposeOf(id).indeterminate = false;
    };
    for (const input of servicesOf(id)) input.onchange = () => summarise(id);
  }

  /** Shows the state in force; everything off and the address anonymised where there is none. */
  const update = () => {
    const { decision } = host.api;
    for (const service of services) {
      serviceOf(service).checked = decision !== null && decision.services[service.id];
    }
    for (const id of purposes) {
      purposeOf(id).checked = decision !== null && decision.choices[id];
      summarise(id);
    }
    switches.anonymise_ip.checked = decision === null || decision.anonymise_ip;
    record.textContent = decision ? "" : texts.record_none;
    if (decision) {
      layers.withAnswered(({ makeRecord }) => {
        if (host.api.decision) record.replaceChildren(makeRecord(host.api.decision, outcome));
      });
    }
  };

  const close = () => dialog.close();
  /** @param {HTMLInputElement[]} inputs */
  const read = (inputs) => inputs.map(({ checked }) => +checked).join("");
  const save = () =>
    decide({
      action: "save",
      layer: "second",
      language,
      purposes: read(purposes.map(purposeOf)),
      services: read(services.map(serviceOf)),
      anonymise_ip: switches.anonymise_ip.checked,
    });
  /** @param {string} name @param {string} text @param {() => void} act */
  const makeAction = (name, text, act) =>
    makeButton(`button sb-${name}`, text, () => {
      close();
      act();
      status.textContent = texts.saved_status;
    });

  const dialog = /** @type {HTMLDialogElement} */ (
    h("dialog.second", { lang: language, "aria-label": texts.second_title },
      h("div.head", null,
        h("h2", null, texts.second_title),
        makeButton("button sb-close", texts.close, close)),
      h("div.body", { tabindex: "0", role: "group", "aria-label": texts.second_title },
        h("p", null, texts.second_intro),
        notice.hand_over && h("p", null, notice.hand_over),
        sections,
        h("section.purpose", null, h("h3", null, anonymise), h("p", null, texts.anonymise_text)),
        h("section", null, h("h3", null, texts.record_title), record, outcome),
        h("section", null, contents.rights())),
      h("div.actions", null,
        makeAction("accept", texts.accept, () => accept("second", language)),
        makeAction("reject", texts.reject, () => refuse("second", language)),
        makeAction("save", texts.save, save)))
  );

  // A native dialog lets Tab leave for the browser's own controls; the ARIA practices keep it inside.
  dialog.onkeydown = (event) => {
    if (event.key !== "Tab") return;
    const stops = [...dialog.querySelectorAll("a, button, input, summary, [tabindex]")].filter(
      (stop) => stop.getClientRects().length > 0,
    );
    const edge = stops[event.shiftKey ? 0 : stops.length - 1];
    if (document.activeElement === edge || document.activeElement === dialog) {
      event.preventDefault();
      /** @type {HTMLElement} */ (stops[event.shiftKey ? stops.length - 1 : 0]).focus();
    }
  };

  // What a filter list hides must not leave the page behind it inert.
  const closeHidden = () => {
    if (!dialog.getClientRects().length) close();
  };
  new ResizeObserver(closeHidden).observe(dialog);

  /** @type {Element | null} */
  let cameFrom = null;
  dialog.onclose = () => {
    // Back to what opened it; where that is gone, to the control that always is there.
    const target = cameFrom && cameFrom.getClientRects().length
      ? cameFrom : host.root.querySelector(".sb-reopen");
    if (target instanceof HTMLElement) target.focus();
    tell("close");
  };

  return {
    element: h("div", null, dialog),
    update,
    /** @param {Element | null} opener */
    open: (opener) => {
      cameFrom = opener;
      update();
      if (dialog.open) return;
      dialog.showModal();
      tell("open");
      closeHidden();
    },
  };
};

/** The panel: both layers in one language. Fetched only when a choice is due or asked for. */
import { addStyle } from "../root.js";
import { h } from "./dom.js";
import { makeFirstLayer } from "./first.js";
import { makeFormat } from "./format.js";
import { placePlaceholder } from "./placeholder.js";
import { makeSecondLayer } from "./second.js";

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Notice} Notice */
/** @typedef {import("../types.js").Panel} Panel */

/** @param {Notice} notice @param {string} style @param {Host} host @returns {Panel} */
const makePanel = (notice, style, host) => {
  const format = makeFormat(notice);
  const status = h("p.hidden", { role: "status" });
  /** @param {"saved" | "withdrawn"} message */
  const say = (message) => {
    status.textContent = notice.texts[`${message}_status`];
  };
  const second = makeSecondLayer(notice, host, format, () => say("saved"));
  /** @type {HTMLElement | null} */
  let first = null;

  addStyle(style);
  host.root.append(second.element, status);

  return {
    ask: () => {
      if (host.choice() || first) return;
      first = makeFirstLayer(notice, host, format, second.open);
      host.root.prepend(first);
    },
    open: second.open,
    update: () => {
      if (first && host.choice()) {
        const hadFocus = first.contains(document.activeElement);
        first.remove();
        first = null;
        const control = host.root.querySelector(".sb-reopen");
        if (hadFocus && control instanceof HTMLElement) control.focus({ preventScroll: true });
      }
      second.update();
    },
    say,
    placeholder: (frame, service) => placePlaceholder(notice, host, format, frame, service),
  };
};

document.dispatchEvent(
  new CustomEvent("slagboom:panel", {
    /** @param {Host} host */
    // The server puts the notice and the theme in place of these names (bundle.py).
    // @ts-ignore -- the names exist only to be replaced
    detail: (host) => makePanel(SLAGBOOM_NOTICE, SLAGBOOM_STYLE, host),
  }),
);

/** The first part: the first layer and the placeholders of embeds, in one or more languages. */
import { addStyle, h } from "../dom.js";
import { makeFirstLayer } from "./layer.js";
import { placePlaceholder } from "./placeholder.js";

/** @typedef {import("../types.js").FirstNotice} FirstNotice */
/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Part} Part */

/** @param {string} style @param {FirstNotice} notice @param {Host} host @returns {Part} */
const makePart = (style, notice, host) => {
  const { root } = host;
  /** @type {HTMLElement | null} */
  let layer = null;
  /** @type {HTMLElement | undefined} */
  let status;
  const prepare = () => {
    if (!status) {
      addStyle(style);
      root.append((status = h("p.hidden", { role: "status" })));
    }
    return status;
  };

  return {
    show: () => {
      if (host.choice() || layer) return;
      prepare();
      layer = makeFirstLayer(notice, host);
      root.prepend(layer);
    },
    update: () => {
      if (!layer || !host.choice()) return;
      const hadFocus = layer.contains(document.activeElement);
      layer.remove();
      layer = null;
      prepare().textContent = notice.texts.saved_status;
      const control = root.querySelector(".sb-reopen");
      if (hadFocus && control instanceof HTMLElement) control.focus({ preventScroll: true });
    },
    say: (key) => {
      prepare().textContent = notice.texts[key];
    },
    placeholder: (frame, service) => {
      prepare();
      placePlaceholder(notice, host, frame, service);
    },
  };
};

// The server puts data in place of these names (bundle.py).
// @ts-ignore -- the names exist only to be replaced
const [style, notices] = [SLAGBOOM_STYLE, SLAGBOOM_FIRST];
for (const language of Object.keys(notices)) {
  document.dispatchEvent(
    new CustomEvent("slagboom:part", {
      detail: [
        `first-${language}`,
        (/** @type {Host} */ host) => makePart(style, notices[language], host),
      ],
    }),
  );
}

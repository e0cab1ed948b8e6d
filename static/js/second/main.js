/** The second part: the second layer in one language, fetched when it is opened. */
import { makeSecondLayer } from "./layer.js";

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Layers} Layers */
/** @typedef {import("../types.js").Part} Part */
/** @typedef {import("../types.js").SecondNotice} SecondNotice */

/** @param {string} style @param {SecondNotice} notice @param {Host} host @param {Layers} layers
 * @returns {Part} */
const makePart = (style, notice, host, layers) => {
  const { element, open, update } = makeSecondLayer(notice, host, layers);
  layers.addStyle(style);
  host.root.append(element);
  return { show: open, update };
};

// The server puts data in place of these names (bundle.py).
// @ts-ignore -- the names exist only to be replaced
const [style, notice] = [SLAGBOOM_STYLE, SLAGBOOM_SECOND];
document.dispatchEvent(
  new CustomEvent("slagboom:part", {
    detail: [
      `second-${notice.language}`,
      (/** @type {Host} */ host, /** @type {Layers} */ layers) => makePart(style, notice, host, layers),
    ],
  }),
);

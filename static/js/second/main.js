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

// What loads a part declares the first name around it, and the server puts data in place of the others
// (bundle.py).
// @ts-ignore -- the names are not of this script
const style = SLAGBOOM_STYLE, notice = SLAGBOOM_SECOND;
// @ts-ignore -- as above
sbParts[`second-${notice.language}`] = (/** @type {Host} */ host, /** @type {Layers} */ layers) =>
  makePart(style, notice, host, layers);

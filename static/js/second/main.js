/** The second part: the second layer in one language, fetched when it is opened. */
import { addStyle } from "../dom.js";
import { makeFormat } from "../format.js";
import { makeSecondLayer } from "./layer.js";

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Notice} Notice */
/** @typedef {import("../types.js").Part} Part */

/** @param {string} style @param {Notice} notice @param {Host} host @returns {Part} */
const makePart = (style, notice, host) => {
  const layer = makeSecondLayer(notice, host, makeFormat(notice));
  addStyle(style);
  host.root.append(layer.element);
  return { show: layer.open, update: layer.update, say: layer.say, placeholder: () => {} };
};

// The server puts data in place of these names (bundle.py).
// @ts-ignore -- the names exist only to be replaced
const [style, notice] = [SLAGBOOM_STYLE, SLAGBOOM_NOTICE];
document.dispatchEvent(
  new CustomEvent("slagboom:part", {
    detail: [
      `second-${notice.language}`,
      (/** @type {Host} */ host) => makePart(style, notice, host),
    ],
  }),
);

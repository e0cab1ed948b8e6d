/** What few pages need, and none at first: marked tags that are no scripts, what a service that is
 * not granted has stored, and words to the author of a tag. */
import { watchStored } from "./stored.js";
import { makeTagVisitor } from "./tags.js";

/** @typedef {import("../types.js").Care} Care */
/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Layers} Layers */

const KEEP_AFTER_MS = 3000;

/** @param {Host} host @param {Layers} layers @returns {Care} */
const makeCare = (host, layers) => {
  const watch = watchStored(host);
  return {
    ...makeTagVisitor(host, layers),
    watch: () => {
      watch();
      // What takes decisions comes with the gate only while a choice is due. The browser keeps it
      // from here on, so that a later page can withdraw even while the server is away.
      setTimeout(() => {
        fetch(`${host.base}choice-${host.config.build}.js`).catch(() => {});
      }, KEEP_AFTER_MS);
    },
  };
};

// @ts-ignore -- what loads a part declares the name around it (bundle.py)
sbParts.care = makeCare;

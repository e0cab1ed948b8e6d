/** Decisions the log has not acknowledged yet, oldest first, kept for the next page as well. */
import { UNSENT } from "../cookie.js";

/** @typedef {import("../types.js").Unsent} Unsent */

const MOST = 20;

/** @param {string} site
 * @param {typeof import("../cookie.js").readChoice} readChoice */
export const makeUnsent = (site, readChoice) => {
  /** A browser that refuses storage still sends while the page is open. @type {Unsent[]} */
  let waiting = [];
  return {
    read: () => {
      try {
        waiting = JSON.parse(localStorage[UNSENT] || "[]").filter(
          (/** @type {Unsent} */ [value]) => readChoice(site, value),
        );
      } catch {
        // Refused or broken: what this page knows counts.
      }
      return waiting;
    },
    waiting: () => waiting,
    /** @param {Unsent[]} next */
    keep: (next) => {
      waiting = next;
      try {
        waiting = next.slice(-MOST);
        if (next.length) localStorage[UNSENT] = JSON.stringify(waiting);
        else localStorage.removeItem(UNSENT);
      } catch {
        // Refused or full: the decision is sent from memory.
      }
    },
  };
};

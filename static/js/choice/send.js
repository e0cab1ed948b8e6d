/** Sends decisions to the log. What could not be sent is kept and sent on the next page. */

/** @typedef {import("../types.js").Unsent} Unsent */

/** Answers that say the decision itself can never be stored; any other refusal may be a fault in
 * front of the server that passes. */
const FINAL = [400, 409, 413, 422];

/** @param {string} base @param {ReturnType<typeof import("./unsent.js").makeUnsent>} unsent
 * @param {() => void} onAnswer called after each answer, which may have set the choice cookie
 * @returns {() => void} sends what waits and is not on its way */
export const makeSender = (base, unsent, onAnswer) => {
  /** Decisions go one after the other, so that the last answer belongs to the last decision.
   * @type {Promise<void>} */
  let queue = Promise.resolve();
  /** Those in the queue, or through it. @type {Set<string>} */
  const seen = new Set();

  /** @param {Unsent} decision */
  const post = async ([value, decision]) => {
    try {
      // A plain string goes as text/plain, which needs no preflight; keepalive outlives the page.
      const { status } = await fetch(`${base}decisions`, {
        method: "POST",
        body: JSON.stringify(decision),
        credentials: "include",
        keepalive: true,
      });
      if (status < 300 || FINAL.includes(status)) {
        unsent.keep(unsent.read().filter(([kept]) => kept !== value));
      }
    } catch {
      // Offline or unreachable: kept for the next page.
    }
    onAnswer();
  };

  return () => {
    for (const decision of unsent.waiting()) {
      if (seen.has(decision[0])) continue;
      seen.add(decision[0]);
      queue = queue.then(() => post(decision));
    }
  };
};

/** Sends decisions to the log. What could not be sent is kept and sent on the next page. */

/** @typedef {import("../types.js").Unsent} Unsent */

/** Answers that say the decision is stored, or that itself it can never be; any other refusal may be
 * a fault in front of the server that passes. */
const FINAL = /2..|400|409|413|422/;

/** @param {URL} base @param {ReturnType<typeof import("./unsent.js").makeUnsent>} unsent
 * @param {() => void} onAnswer called after each attempt, which may have set the choice cookie
 * @returns {() => void} sends what waits */
export const makeSender = (base, unsent, onAnswer) => {
  let isBusy = false;

  /** One after the other, so that the log hears of them in their order, and the last answer belongs to
   * the last decision: none goes before one that could not be sent. */
  return async () => {
    if (isBusy) return;
    isBusy = true;
    for (let next; (next = unsent.waiting()[0]); ) {
      const [value, decision] = next;
      try {
        // A plain string goes as text/plain, which needs no preflight; keepalive outlives the page.
        const { status } = await fetch(`${base}decisions`, {
          method: "POST",
          body: JSON.stringify(decision),
          credentials: "include",
          keepalive: true,
        });
        if (!FINAL.test(`${status}`)) break;
        unsent.keep(unsent.read().filter(([kept]) => kept !== value));
      } catch {
        // Offline or unreachable.
        break;
      } finally {
        onAnswer();
      }
    }
    isBusy = false;
  };
};

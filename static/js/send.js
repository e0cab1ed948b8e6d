/** Sends decisions to the log. What could not be sent is kept and sent on the next page. */

const KEY = "slagboom-unsent";
const MOST = 20;
/** Answers that say the decision itself can never be stored; any other refusal may be a fault in
 * front of the server that passes. */
const FINAL = [400, 409, 413, 422];

/** @typedef {[cookie: string, decision: {decision_id: string, previous: string | null, [field: string]: unknown}]} Unsent
 * a decision as the log takes it, and the cookie value of the choice it made */

/** @param {string} address where decisions are posted
 * @param {() => void} onAnswer called after each answer, which may have set the choice cookie */
export const makeSender = (address, onAnswer) => {
  /** Kept here as well: a browser that refuses storage still sends while the page is open.
   * @type {Unsent[]} */
  let waiting = [];
  /** Decisions go one after the other, so that the last answer belongs to the last decision.
   * @type {Promise<void>} */
  let queue = Promise.resolve();

  const load = () => {
    try {
      const kept = JSON.parse(localStorage[KEY] || "[]");
      waiting = kept.filter((/** @type {Unsent} */ unsent) => unsent[1].decision_id).slice(-MOST);
    } catch {
      // Refused or broken: what this page knows counts.
    }
    return waiting;
  };

  const save = () => {
    try {
      if (waiting.length) localStorage[KEY] = JSON.stringify(waiting);
      else localStorage.removeItem(KEY);
    } catch {
      // Refused or full: the decision is sent from memory.
    }
  };

  /** @param {Unsent} unsent */
  const post = async ([, decision]) => {
    try {
      // A plain string goes as text/plain, which needs no preflight; keepalive outlives the page.
      const { status } = await fetch(address, {
        method: "POST",
        body: JSON.stringify(decision),
        credentials: "include",
        keepalive: true,
      });
      if (status < 300 || FINAL.includes(status)) {
        waiting = load().filter(([, kept]) => kept.decision_id !== decision.decision_id);
        save();
      }
    } catch {
      // Offline or unreachable: kept for the next page.
    }
    onAnswer();
  };

  /** @param {Unsent} unsent */
  const enqueue = (unsent) => {
    queue = queue.then(() => post(unsent));
  };

  return {
    isWaiting: () => waiting.length > 0,
    /** The newest decision the log has not acknowledged. @returns {Unsent | undefined} */
    newest: () => load()[waiting.length - 1],
    /** @param {Unsent} unsent */
    send: (unsent) => {
      load().push(unsent);
      save();
      enqueue(unsent);
    },
    /** Sends, in order, what earlier pages could not. */
    resend: () => load().forEach(enqueue),
  };
};

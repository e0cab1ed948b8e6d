/** Sends decisions to the log. What could not be sent is kept and sent on the next page. */

const KEY = "slagboom-unsent";
const MOST = 20;
/** Answers that say the decision itself can never be stored; any other refusal may be a fault in
 * front of the server that passes. */
const FINAL = [400, 409, 413, 422];

/**
 * @typedef {object} Sendable  a decision as the log takes it
 * @property {string} decision_id
 * @property {string} consent_id
 * @property {string | null} previous
 * @property {number} revision
 * @property {string} notice
 * @property {string} language
 * @property {string} layer
 * @property {string} action
 * @property {Record<string, boolean>} choices
 * @property {Record<string, boolean>} services
 * @property {boolean} anonymise_ip
 * @property {boolean} gpc
 * @property {string} given_at
 */

/** @param {string} address where decisions are posted
 * @param {() => void} onAnswer called after each answer, which may have set the choice cookie */
export const makeSender = (address, onAnswer) => {
  /** Kept here as well: a browser that refuses storage still sends while the page is open.
   * @type {Sendable[]} */
  let waiting = [];
  /** Decisions go one after the other, so that the last answer belongs to the last decision.
   * @type {Promise<void>} */
  let queue = Promise.resolve();

  const load = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY) || "[]");
      if (Array.isArray(kept)) waiting = kept.slice(-MOST);
    } catch {
      // Refused or broken: what this page knows counts.
    }
  };

  const save = () => {
    try {
      if (waiting.length) localStorage.setItem(KEY, JSON.stringify(waiting));
      else localStorage.removeItem(KEY);
    } catch {
      // Refused or full: the decision is sent from memory.
    }
  };

  /** @param {string} id */
  const drop = (id) => {
    load();
    waiting = waiting.filter((decision) => decision.decision_id !== id);
    save();
  };

  /** @param {Sendable} decision */
  const post = async (decision) => {
    try {
      // A plain string goes as text/plain, which needs no preflight; keepalive outlives the page.
      const { status } = await fetch(address, {
        method: "POST",
        body: JSON.stringify(decision),
        credentials: "include",
        keepalive: true,
      });
      if (status < 300 || FINAL.includes(status)) drop(decision.decision_id);
    } catch {
      // Offline or unreachable: kept for the next page.
    }
  };

  /** @param {Sendable} decision */
  const enqueue = (decision) => {
    queue = queue.then(() => post(decision)).then(onAnswer);
  };

  return {
    isWaiting: () => waiting.length > 0,
    /** The newest decision the log has not acknowledged. */
    newest: () => {
      load();
      return waiting[waiting.length - 1];
    },
    /** @param {Sendable} decision */
    send: (decision) => {
      load();
      waiting.push(decision);
      save();
      enqueue(decision);
    },
    /** Sends, in order, what earlier pages could not. */
    resend: () => {
      load();
      waiting.forEach(enqueue);
    },
  };
};

/** `window.slagboom`: what the site's own scripts may ask and do. slagboom.d.ts describes it. */

/** @typedef {import("./slagboom.js").Slagboom} Slagboom */
/** @typedef {import("./slagboom.js").SlagboomDecision} SlagboomDecision */
/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Grants} Grants */

/** @typedef {object} Actions
 * @property {() => Choice | null} choice
 * @property {() => Grants} grants
 * @property {Promise<SlagboomDecision>} ready
 * @property {() => void} open
 * @property {() => void} accept
 * @property {() => void} refuse */

/** @param {string[]} ids @param {boolean[]} bits */
export const byId = (ids, bits) => Object.fromEntries(ids.map((id, at) => [id, bits[at]]));

/** @param {Config} config @param {Actions} actions @returns {Slagboom} */
export const makeApi = (config, { choice, grants, ready, open, accept, refuse }) => {
  /** @type {Slagboom} */
  const api = {
    get decision() {
      const current = choice();
      return (
        current && {
          consent_id: current.consent_id,
          decision_id: current.decision_id,
          revision: current.revision,
          given_at: new Date(current.given * 1000).toISOString(),
          anonymise_ip: current.anonymise_ip,
          gpc: current.gpc,
          choices: byId(config.purposes, current.purposes),
          services: byId(config.services.map(({ id }) => id), current.services),
        }
      );
    },
    ready,
    granted: (id) => grants().purposes[id] === true || grants().services[id] === true,
    open,
    accept,
    refuse,
    withdraw: refuse,
    on: (name, listener) => {
      const type = /** @type {const} */ (`slagboom:${name}`);
      document.addEventListener(type, listener);
      return () => document.removeEventListener(type, listener);
    },
    push: (...acts) => {
      // A mistake in one of them is the page's own, and stops neither the gate nor the others.
      for (const act of acts) Promise.resolve(api).then(act);
    },
  };
  return api;
};

/** `window.slagboom`: what the site's own scripts may ask and do. */

/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Grants} Grants */

/** @typedef {object} Actions
 * @property {() => Choice | null} choice
 * @property {() => Grants} grants
 * @property {() => void} open
 * @property {() => void} accept
 * @property {() => void} refuse */

/** @param {Config} config @param {Actions} actions */
export const makeApi = (config, { choice, grants, open, accept, refuse }) => ({
  /** The decision in force, or null while none has been made. */
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
        choices: Object.fromEntries(config.purposes.map((id, at) => [id, current.purposes[at]])),
        services: Object.fromEntries(
          config.services.map(({ id }, at) => [id, current.services[at]]),
        ),
      }
    );
  },
  /** Whether a purpose or service may run now. @param {string} id */
  granted: (id) => grants().purposes[id] === true || grants().services[id] === true,
  open,
  accept,
  refuse,
  withdraw: refuse,
  /** Calls back after each change of the choice, in any tab; returns what ends that.
   * @param {"change"} name @param {(event: Event) => void} listener */
  on: (name, listener) => {
    document.addEventListener(`slagboom:${name}`, listener);
    return () => document.removeEventListener(`slagboom:${name}`, listener);
  },
});

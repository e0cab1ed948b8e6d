/** `window.slagboom`: what the site's own scripts may ask and do. slagboom.d.ts describes it. */
import {
  CONSENT_ID,
  DAY_SECONDS,
  DECISION_ID,
  FLAGS,
  GIVEN,
  LIFETIME_DAYS,
  PURPOSES,
  REVISION,
  SERVICES,
} from "./cookie.js";

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

/** @param {string[]} ids @param {string} digits  as in the cookie */
const byId = (ids, digits) => Object.fromEntries(ids.map((id, at) => [id, digits[at] === "1"]));

/** @param {string | number} seconds since 1970 */
const toIso = (seconds) => new Date(+seconds * 1000).toISOString();

/** @param {Config} config @param {Choice | null} choice @returns {SlagboomDecision | null} */
export const describeChoice = ({ purposes, services }, choice) =>
  choice && {
    consent_id: choice[CONSENT_ID],
    decision_id: choice[DECISION_ID],
    revision: +choice[REVISION],
    given_at: toIso(choice[GIVEN]),
    valid_until: toIso(+choice[GIVEN] + +choice[LIFETIME_DAYS] * DAY_SECONDS),
    anonymise_ip: !!(+choice[FLAGS] & 1),
    gpc: +choice[FLAGS] > 1,
    choices: byId(purposes, choice[PURPOSES]),
    services: byId(services.map(({ id }) => id), choice[SERVICES]),
  };

/** @param {Config} config @param {Actions} actions @returns {Slagboom} */
export const makeApi = (config, { choice, grants, ready, open, accept, refuse }) => {
  /** @type {Slagboom} */
  const api = {
    get decision() {
      return describeChoice(config, choice());
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

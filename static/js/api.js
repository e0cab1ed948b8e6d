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
/** @typedef {import("./types.js").Host} Host */

/** @param {any[]} list  of ids, or of what has one @param {string} digits  as in the cookie */
const byId = (list, digits) =>
  Object.fromEntries(list.map((item, at) => [item.id || item, digits[at] === "1"]));

/** @param {any} seconds since 1970, a number or its digits */
const toIso = (seconds) => new Date(seconds * 1000).toISOString();

/** @param {Pick<Config, "purposes" | "services">} config @param {Choice | null} choice
 * @returns {SlagboomDecision | null} */
export const describeChoice = ({ purposes, services }, choice) =>
  choice && {
    consent_id: choice[CONSENT_ID],
    decision_id: choice[DECISION_ID],
    revision: +choice[REVISION],
    given_at: toIso(choice[GIVEN]),
    valid_until: toIso(+choice[GIVEN] + +choice[LIFETIME_DAYS] * DAY_SECONDS),
    anonymise_ip: +choice[FLAGS] % 2 > 0,
    gpc: +choice[FLAGS] > 1,
    choices: byId(purposes, choice[PURPOSES]),
    services: byId(services, choice[SERVICES]),
  };

/** @param {Pick<Host, "choice" | "config" | "grants">} host
 * @param {Pick<Slagboom, "ready" | "open" | "accept" | "refuse">} actions @returns {Slagboom} */
export const makeApi = (host, actions) => {
  /** @type {Slagboom} */
  const api = {
    ...actions,
    get decision() {
      return describeChoice(host.config, host.choice);
    },
    granted: (id) => !!host.grants[id],
    withdraw: actions.refuse,
    on: (name, listener) => {
      const type = /** @type {const} */ (`slagboom:${name}`);
      document.addEventListener(type, listener);
      return () => document.removeEventListener(type, listener);
    },
    push: (...acts) => {
      // A mistake in one of them is the page's own, and stops neither the gate nor the others.
      acts.forEach((act) => Promise.resolve(api).then(act));
    },
  };
  return api;
};

/** Starts and stops the services of the policy, and keeps their consent types. */
import { runSteps } from "./steps.js";
import { clearStored } from "./stored.js";

/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Grants} Grants */

const CONSENT_TYPES = [
  "ad_storage",
  "ad_user_data",
  "ad_personalization",
  "analytics_storage",
  "functionality_storage",
  "personalization_storage",
  "security_storage",
];

/** How many cookies are deleted again after a withdrawal, lest two who insist go on for ever. */
const MOST_DELETED_AGAIN = 99;
/** When to look again for what no event tells of. */
const LOOK_AGAIN_SECONDS = [1, 5, 25];

/** @param {Config} config @param {string} nonce */
export const makeServices = (config, nonce) => {
  /** @type {Set<string>} */
  const started = new Set();
  /** @type {Grants | null} */
  let grants = null;

  /** Every consent type as granted or denied: granted once one granted service needs it. */
  const consent = () =>
    Object.fromEntries(
      CONSENT_TYPES.map((type) => [
        type,
        config.services.some(
          (service) => grants && grants.services[service.id] && (service.types || []).includes(type),
        )
          ? "granted"
          : "denied",
      ]),
    );

  const listGranted = () =>
    config.services.filter(({ id }) => grants && grants.services[id]);

  let left = 0;
  /** Deletes what a tag that still runs has stored once more. */
  const clearAgain = () => {
    for (const service of config.services) {
      if (left > 0 && grants && !grants.services[service.id]) left -= clearStored(service, listGranted());
    }
  };
  const watch = () => {
    left = MOST_DELETED_AGAIN;
    // Adding the same listener twice adds nothing.
    if (window.cookieStore) cookieStore.addEventListener("change", clearAgain);
    document.addEventListener("visibilitychange", clearAgain);
    for (const seconds of LOOK_AGAIN_SECONDS) setTimeout(clearAgain, seconds * 1000);
  };

  return {
    /** Brings every service in line with the grants.
     * @param {Grants} next
     * @param {boolean} isDecided whether a choice is in force
     * @returns {boolean} whether only a new page can silence what was stopped */
    apply: (next, isDecided) => {
      let mustReload = false;
      const moment = grants ? 2 : +isDecided;
      grants = next;
      for (const service of config.services) {
        // Advanced consent mode: it runs ahead of any answer, and hears of each one.
        if (service.ahead) runSteps(service.ahead[moment], consent, nonce);
        if (next.services[service.id]) {
          if (!started.has(service.id)) {
            started.add(service.id);
            runSteps(service.load || [], consent, nonce, () => started.has(service.id));
          }
        } else {
          if (started.delete(service.id)) {
            runSteps(service.off || [], consent, nonce);
            mustReload = mustReload || service.reload === true;
            watch();
          }
          runSteps(service.deny || [], consent, nonce);
          clearStored(service, listGranted());
        }
      }
      return mustReload;
    },
  };
};

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

  return {
    /** Brings every service in line with the grants.
     * @param {Grants} next
     * @returns {boolean} whether only a new page can silence what was stopped */
    apply: (next) => {
      let mustReload = false;
      grants = next;
      for (const service of config.services) {
        if (next.services[service.id]) {
          if (!started.has(service.id)) {
            started.add(service.id);
            runSteps(service.load || [], consent, nonce);
          }
        } else {
          if (started.delete(service.id)) {
            runSteps(service.off || [], consent, nonce);
            mustReload = mustReload || service.reload === true;
          }
          runSteps(service.deny || [], consent, nonce);
          clearStored(service);
        }
      }
      return mustReload;
    },
  };
};

/** Trusted Types: under `require-trusted-types-for 'script'` an address or a text must be vouched
 * for before a script element takes it. What is passed here comes from the policy, or from inert
 * markup whose host the policy registers (tags.js). */

/** @typedef {{createScriptURL: (url: string) => string, createScript: (text: string) => string}} TrustPolicy */

/** @type {TrustPolicy | null | undefined} */
let policy;

const trust = () => {
  if (policy === undefined) {
    const factory = /** @type {{trustedTypes?: {createPolicy: Function}}} */ (
      /** @type {unknown} */ (window)
    ).trustedTypes;
    /** @param {string} value */
    const same = (value) => value;
    try {
      policy = factory
        ? factory.createPolicy("slagboom", { createScriptURL: same, createScript: same })
        : null;
    } catch {
      policy = null; // The page's `trusted-types` list does not name ours: the browser then decides.
    }
  }
  return policy;
};

/** @param {string} url */
export const trustedScriptUrl = (url) => {
  const vouch = trust();
  return vouch ? vouch.createScriptURL(url) : url;
};

/** @param {string} text */
export const trustedScript = (text) => {
  const vouch = trust();
  return vouch ? vouch.createScript(text) : text;
};

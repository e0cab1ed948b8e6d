/** Trusted Types: under `require-trusted-types-for 'script'` an address or a text must be vouched
 * for before a script element takes it. What is passed here comes from the policy, or from inert
 * markup whose host the policy registers (tags.js). */

/** @param {string} value */
const same = (value) => value;

export const makeTrust = () => {
  const vouching = { createScriptURL: same, createScript: same };
  try {
    // @ts-ignore -- not every engine has it
    return /** @type {typeof vouching} */ (trustedTypes.createPolicy("slagboom", vouching));
  } catch {
    // No Trusted Types here, or the page's list of them does not name ours: the browser decides.
    return vouching;
  }
};

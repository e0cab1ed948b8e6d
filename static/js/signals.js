/** What the page and the browser tell before anybody has been asked. */

/** @typedef {import("./types.js").Config} Config */

/** Global Privacy Control (https://www.w3.org/TR/gpc/). */
export const hasGpc = () =>
  /** @type {{globalPrivacyControl?: unknown}} */ (navigator).globalPrivacyControl === true;

/** The page's language where the policy has it, else the policy's first.
 * @param {Config} config */
export const pageLanguage = (config) => {
  const wanted = document.documentElement.lang.toLowerCase().split("-")[0];
  const known = Object.keys(config.languages);
  // Both written forms of Norwegian read the one file there is.
  const found = known.includes(wanted) ? wanted : wanted.replace(/^n[bn]$/, "no");
  return known.includes(found) ? found : known[0];
};

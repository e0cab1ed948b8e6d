/** The language a page is read in. */

/** @typedef {import("./types.js").Config} Config */

/** The page's language where the policy has it, else the policy's first. Both written forms of
 * Norwegian read the one file there is. @param {Config} config */
export const pageLanguage = ({ languages }) => {
  const wanted = document.documentElement.lang.slice(0, 2).toLowerCase().replace(/n[bn]/, "no");
  return languages[wanted] ? wanted : Object.keys(languages)[0];
};

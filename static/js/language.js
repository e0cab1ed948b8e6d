/** The language a page is read in. */

/** The page's language where the policy has it, else the policy's first. Both written forms of
 * Norwegian read the one file there is. @param {Record<string, unknown>} languages */
export const pageLanguage = (languages) => {
  const { lang } = document.documentElement;
  const wanted = lang.toLowerCase().replace(/-.*/, "").replace(/^n[bn]$/, "no");
  return wanted in languages ? wanted : Object.keys(languages)[0];
};

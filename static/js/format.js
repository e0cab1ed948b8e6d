/** Texts and dates in the notice's language. */

/** A text with its `{name}` places filled.
 * @param {string} text @param {Record<string, string | number>} values */
export const fill = (text, values) =>
  text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

/** A browser without the language's own forms must not fall back to its owner's.
 * @param {string} language */
export const locales = (language) => [language, "en-GB"];

/** @param {string} language @param {string} day as 2026-11-21 */
export const formatDay = (language, day) =>
  new Intl.DateTimeFormat(locales(language), { dateStyle: "long", timeZone: "UTC" }).format(
    new Date(day),
  );

/** Texts, dates and names in the notice's language. */

/** @typedef {import("./types.js").Notice} Notice */

/** @typedef {object} Format
 * @property {(key: string, values?: Record<string, string | number>) => string} text  its `{name}`
 * places filled
 * @property {(time: string | number) => string} date  of `2026-11-21`, or of milliseconds
 * @property {(code: string) => string} country  by its ISO 3166 alpha-2 code
 * @property {(names: string[]) => string} list */

/** A text with its `{name}` places filled.
 * @param {string} text @param {Record<string, string | number>} values */
export const fill = (text, values) =>
  text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

/** @param {Notice} notice @returns {Format} */
export const makeFormat = ({ language, texts }) => ({
  text: (key, values = {}) => fill(texts[key], values),

  date: (time) =>
    // A browser without the language's own forms must not fall back to its owner's.
    new Intl.DateTimeFormat(
      [language, "en-GB"],
      typeof time === "string"
        ? { dateStyle: "long", timeZone: "UTC" }
        : { dateStyle: "long", timeStyle: "short" },
    ).format(new Date(time)),

  country: (code) => new Intl.DisplayNames([language, "en-GB"], { type: "region" }).of(code) || code,

  list: (names) => new Intl.ListFormat([language, "en-GB"]).format(names),
});

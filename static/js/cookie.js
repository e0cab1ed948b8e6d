/** The choice cookie: one compact, versioned line (the same codec as cookie.py, by shared cases).
 *
 * In the browser a choice is this line's fields: every page pays for what turns them into more.
 * The checksum is no signature: a visitor may lie to their own browser. It voids a cookie that was
 * cut, mixed up, or belongs to another site of the same domain. */

/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").Config} Config */

export const COOKIE_START = "slagboom=";
export const DAY_SECONDS = 86400;
/** Where decisions the log has not acknowledged wait, as JSON. */
export const UNSENT = "slagboom-unsent";

export const REVISION = 1;
export const SCOPE = 2;
/** Seconds since 1970. */
export const GIVEN = 3;
export const LIFETIME_DAYS = 4;
export const CONSENT_ID = 5;
export const DECISION_ID = 6;
/** One digit for each purpose, in the policy's order: 1 where it was chosen. No digit at all where
 * the choice was withdrawn while the server was away: that is still to be recorded. */
export const PURPOSES = 7;
export const SERVICES = 8;
/** 1: the address is to be anonymised; 2: the browser's signal gave this answer, not a click. */
export const FLAGS = 9;
const FIELDS = 10;

/** A choice as the cookie holds it: FNV-1a, 32 bits, in base 36 behind the fields.
 * @param {string} site @param {Choice} choice */
export const encodeChoice = (site, choice) => {
  const payload = choice.join(".");
  let hash = 0x811c9dc5;
  for (const character of `${site}|${payload}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  return `${payload}.${(hash >>> 0).toString(36)}`;
};

/** @param {string} site @param {string} value @returns {Choice | null} null for anything not ours */
export const decodeChoice = (site, value) => {
  const choice = value.split(".");
  // Without the checksum. Fewer or more than there should be come out as another value.
  choice.length = FIELDS;
  return choice[0] === "1" && encodeChoice(site, choice) === value ? choice : null;
};

/** All cookies; none where a sandboxed frame refuses to tell. */
export const readCookies = () => {
  try {
    return document.cookie;
  } catch {
    return "";
  }
};

/** The newest readable choice: two cookies of different scope may stand side by side.
 * @param {string} site
 * @param {string} text  all cookies, and behind a quotation mark what has not been sent
 * @returns {Choice | null} */
export const readChoice = (site, text) => {
  /** @type {Choice | null} */
  let newest = null;
  for (const pair of text.split(/; |"/)) {
    // Another's keeps its name, with which it reads as no choice.
    const found = decodeChoice(site, pair.replace(COOKIE_START, ""));
    if (found && !(newest && +newest[GIVEN] > +found[GIVEN])) newest = found;
  }
  return newest;
};

/** Whether a choice answers what is asked now; its scope says for how many purposes and services. A
 * clock may be a day off, not more.
 * @param {Pick<Config, "days" | "scope">} config
 * @param {any} choice  or null: a comparison makes numbers of its fields
 * @param {number} now milliseconds */
export const isInForce = (config, choice, now) => {
  if (choice?.[SCOPE] !== config.scope) return false;
  const age_days = (now / 1000 - choice[GIVEN]) / DAY_SECONDS;
  return (
    choice[LIFETIME_DAYS] <= config.days && age_days > -1 && age_days < choice[LIFETIME_DAYS]
  );
};

/** The choice cookie: one compact, versioned line (the same codec as cookie.py, by shared cases).
 *
 * The checksum is no signature: a visitor may lie to their own browser. It voids a cookie that was
 * cut, mixed up, or belongs to another site of the same domain. */

/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").Config} Config */

export const COOKIE_NAME = "slagboom";
const DAY_SECONDS = 86400;

/** FNV-1a, 32 bits, in base 36. @param {string} text ASCII */
const checksum = (text) => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0).toString(36);
};

/** @param {boolean[]} bits */
const pack = (bits) => bits.map(Number).join("");
/** @param {string} text */
const unpack = (text) => [...text].map((bit) => bit === "1");

/** @param {string} site @param {Choice} choice */
export const encodeChoice = (site, choice) => {
  const payload = [
    1,
    choice.revision,
    choice.scope,
    choice.given,
    choice.lifetime_days,
    choice.consent_id,
    choice.decision_id,
    pack(choice.purposes),
    pack(choice.services),
    Number(choice.anonymise_ip) + 2 * Number(choice.gpc),
  ].join(".");
  return `${payload}.${checksum(`${site}|${payload}`)}`;
};

/** @param {string} site @param {string} value @returns {Choice | null} null for anything not ours */
export const decodeChoice = (site, value) => {
  const cut = value.lastIndexOf(".");
  const payload = value.slice(0, cut);
  if (value.slice(cut + 1) !== checksum(`${site}|${payload}`)) return null;
  const [version, revision, scope, given, lifetime, consentId, decisionId, purposes, services, flags] =
    payload.split(".");
  return version !== "1" || flags === undefined
    ? null
    : {
        revision: Number(revision),
        scope,
        given: Number(given),
        lifetime_days: Number(lifetime),
        consent_id: consentId,
        decision_id: decisionId,
        purposes: unpack(purposes),
        services: unpack(services),
        anonymise_ip: flags !== "0" && flags !== "2",
        gpc: Number(flags) > 1,
      };
};

/** All cookies, one to an item; none where a sandboxed frame refuses to tell. */
export const listCookies = () => {
  try {
    return document.cookie.split("; ");
  } catch {
    return [];
  }
};

/** Newer is more; of the same second, granting less is more. @param {Choice} choice */
const rank = (choice) =>
  choice.given - [...choice.purposes, ...choice.services].filter(Boolean).length / 100;

/** The newest readable choice: two cookies of different scope may stand side by side.
 * @param {Config} config @returns {Choice | null} */
export const readChoice = (config) => {
  /** @type {Choice | null} */
  let newest = null;
  for (const pair of listCookies()) {
    const [name, value] = pair.split("=");
    const found = name === COOKIE_NAME ? decodeChoice(config.site, value || "") : null;
    // Of two as old as each other the one that grants less: a withdrawal must not be undone.
    if (found && (!newest || rank(found) > rank(newest))) newest = found;
  }
  return newest;
};

/** Whether a choice answers what is asked now. A clock may be a day off, not more.
 * @param {Config} config @param {Choice} choice @param {number} now milliseconds */
export const isInForce = (config, choice, now) => {
  const age = now / 1000 - choice.given;
  return (
    choice.scope === config.scope &&
    choice.purposes.length === config.purposes.length &&
    choice.services.length === config.services.length &&
    choice.lifetime_days <= config.lifetime_days &&
    age > -DAY_SECONDS &&
    age < choice.lifetime_days * DAY_SECONDS
  );
};

/** @param {Config} config @param {Choice} choice */
export const writeChoice = (config, choice) => {
  const domain = config.cookie_domain ? `; domain=${config.cookie_domain}` : "";
  const secure = location.protocol === "https:" ? "; secure" : "";
  try {
    document.cookie = `${COOKIE_NAME}=${encodeChoice(config.site, choice)}; path=/; max-age=${
      choice.lifetime_days * DAY_SECONDS
    }; samesite=lax${domain}${secure}`;
  } catch {
    // A sandboxed frame refuses cookies: the choice then holds for this page.
  }
};

/** The choice cookie: one compact, versioned line (the same codec as cookie.py, by shared cases).
 *
 * The checksum is no signature: a visitor may lie to their own browser. It voids a cookie that was
 * cut, mixed up, or belongs to another site of the same domain. */
import { packUuid, unpackUuid } from "./ids.js";

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
const pack = (bits) => bits.map(Number).join("") || "-";

/** @param {string} text */
const unpack = (text) => (text === "-" ? [] : [...text].map((bit) => bit === "1"));

/** @param {string} site @param {Choice} choice */
export const encodeChoice = (site, choice) => {
  const payload = [
    1,
    choice.revision.toString(36),
    choice.scope,
    choice.given.toString(36),
    choice.lifetime_days.toString(36),
    packUuid(choice.consent_id),
    packUuid(choice.decision_id),
    pack(choice.purposes),
    pack(choice.services),
    Number(choice.anonymise_ip) + 2 * Number(choice.gpc),
  ].join(".");
  return `${payload}.${checksum(`${site}|${payload}`)}`;
};

const FORM =
  /^1\.([0-9a-z]{1,3})\.([0-9a-f]{8})\.([0-9a-z]{1,8})\.([0-9a-z]{1,3})\.([\w-]{22})\.([\w-]{22})\.([01]{1,20}|-)\.([01]{1,60}|-)\.([0-3])$/;

/** @param {string} site @param {string} value @returns {Choice | null} null for anything not ours */
export const decodeChoice = (site, value) => {
  const cut = value.lastIndexOf(".");
  const payload = value.slice(0, cut);
  const parts = FORM.exec(payload);
  if (!parts || value.slice(cut + 1) !== checksum(`${site}|${payload}`)) return null;
  const flags = Number(parts[9]);
  return {
    revision: parseInt(parts[1], 36),
    scope: parts[2],
    given: parseInt(parts[3], 36),
    lifetime_days: parseInt(parts[4], 36),
    consent_id: unpackUuid(parts[5]),
    decision_id: unpackUuid(parts[6]),
    purposes: unpack(parts[7]),
    services: unpack(parts[8]),
    anonymise_ip: (flags & 1) === 1,
    gpc: (flags & 2) === 2,
  };
};

/** The newest readable choice: two cookies of different scope may stand side by side.
 * @param {Config} config @returns {Choice | null} */
export const readChoice = (config) => {
  /** @type {Choice | null} */
  let newest = null;
  for (const pair of cookieText().split(/; */)) {
    if (pair.startsWith(`${COOKIE_NAME}=`)) {
      const found = decodeChoice(config.site, pair.slice(COOKIE_NAME.length + 1));
      if (found && (!newest || found.given > newest.given)) newest = found;
    }
  }
  return newest;
};

/** Whether a choice answers what is asked now. A clock may be a day off, not more.
 * @param {Config} config @param {Choice} choice @param {number} now milliseconds */
export const isInForce = (config, choice, now) => {
  const seconds = now / 1000;
  return (
    choice.scope === config.scope &&
    choice.purposes.length === config.purposes.length &&
    choice.services.length === config.services.length &&
    choice.lifetime_days <= config.lifetime_days &&
    choice.given <= seconds + DAY_SECONDS &&
    seconds < choice.given + choice.lifetime_days * DAY_SECONDS
  );
};

/** @param {Config} config @param {Choice} choice */
export const writeChoice = (config, choice) => {
  const domain = config.cookie_domain ? `; domain=${config.cookie_domain}` : "";
  const secure = location.protocol === "https:" ? "; secure" : "";
  const age = choice.lifetime_days * DAY_SECONDS;
  const value = encodeChoice(config.site, choice);
  try {
    document.cookie = `${COOKIE_NAME}=${value}; path=/; max-age=${age}; samesite=lax${domain}${secure}`;
  } catch {
    // A sandboxed frame refuses cookies: the choice then holds for this page.
  }
};

/** All cookies as one line; empty where a sandboxed frame refuses to tell. */
export const cookieText = () => {
  try {
    return document.cookie;
  } catch {
    return "";
  }
};

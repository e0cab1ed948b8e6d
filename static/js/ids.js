/** Identifiers made in the browser. `getRandomValues` rather than `randomUUID`: the latter is missing
 * on plain http, where a site must still be able to ask. */

/** @param {number} count bytes */
const randomHex = (count) =>
  crypto
    .getRandomValues(new Uint8Array(count))
    .reduce((text, byte) => text + (byte + 256).toString(16).slice(1), "");

/** A UUID of the version given: 4 is random, 7 begins with the time in milliseconds (RFC 9562).
 * @param {4 | 7} version
 * @param {number} now */
export const makeUuid = (version, now) => {
  const time = version === 7 ? now.toString(16).padStart(12, "0") : randomHex(6);
  const rest = randomHex(10);
  const variant = "89ab"[parseInt(rest[0], 16) & 3];
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${rest.slice(1, 4)}-${variant}${rest.slice(4, 7)}-${rest.slice(7, 19)}`;
};

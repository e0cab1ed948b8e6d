/** Identifiers made in the browser. `getRandomValues` rather than `randomUUID`: the latter is missing
 * on plain http, where a site must still be able to ask. */

/** A UUID of the version given: 4 is random, 7 begins with the time in milliseconds (RFC 9562).
 * @param {4 | 7} version
 * @param {number} now */
export const makeUuid = (version, now) =>
  crypto
    .getRandomValues(new Uint8Array(22))
    .reduce(
      (text, byte) => text + (byte + 256).toString(16).slice(1),
      version === 7 ? now.toString(16).padStart(12, "0") : "",
    )
    .replace(/^(.{8})(.{4})(...)(...)(.{12}).*/, `$1-$2-${version}$3-a$4-$5`);

/** Identifiers made in the browser. `getRandomValues` rather than `randomUUID`: the latter is missing
 * on plain http, where a site must still be able to ask. */

/** @param {Uint8Array} bytes */
const dashed = (bytes) => {
  let text = "";
  bytes.forEach((byte, at) => {
    if (at === 4 || at === 6 || at === 8 || at === 10) text += "-";
    text += (byte + 256).toString(16).slice(1);
  });
  return text;
};

/** A UUID of the version given: 4 is random, 7 begins with the time in milliseconds (RFC 9562).
 * @param {4 | 7} version
 * @param {number} now */
export const makeUuid = (version, now) => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  if (version === 7) {
    for (let at = 5, rest = now; at >= 0; at -= 1, rest = Math.floor(rest / 256)) {
      bytes[at] = rest % 256;
    }
  }
  bytes[6] = (bytes[6] & 15) | (version << 4);
  bytes[8] = (bytes[8] & 63) | 128;
  return dashed(bytes);
};

/** @param {string} uuid */
export const packUuid = (uuid) =>
  btoa(uuid.replace(/-/g, "").replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16))))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .slice(0, 22);

/** @param {string} packed 22 characters of base64url */
export const unpackUuid = (packed) =>
  dashed(
    Uint8Array.from(atob(packed.replace(/-/g, "+").replace(/_/g, "/")), (character) =>
      character.charCodeAt(0),
    ),
  );

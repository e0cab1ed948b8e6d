/** The token in an address, and the kit's answers about it. */

/** A fragment without its token and what follows it, which is the token where departure has written
 * it; undefined where there is none.
 * @param {string} hash as of a link or the location
 * @returns {(string | undefined)[]} */
export const splitHash = (hash) => hash.split(/[#&]slagboom=(.*)/);

/** Routes of an application, and directions to the browser, are no place for a token.
 * @param {string} hash */
export const isPlain = (hash) => !/^#[!/]|:~:/.test(hash);

/** @param {string} hash @param {string} token */
export const joinHash = (hash, token) => `${hash ? `${hash}&` : "#"}slagboom=${token}`;

/** A plain string goes as text/plain, which needs no preflight.
 * @param {string} address @param {object} body @param {AbortSignal} [signal]
 * @returns {Promise<{[field: string]: string} | null>} null for a refusal */
export const post = async (address, body, signal) => {
  const answer = await fetch(address, { method: "POST", body: JSON.stringify(body), signal });
  return answer.ok ? answer.json() : null;
};

/** The token in an address, and the kit's answers about it. */

/** In a fragment, alone or behind the page's own. */
const TOKEN = /[#&]slagboom=([\w-]*)/;

/** @param {string} hash as of a link or the location
 * @returns {{token: string | null, rest: string}} rest: the fragment without the token */
export const splitHash = (hash) => {
  const found = TOKEN.exec(hash);
  return { token: found && found[1], rest: hash.replace(TOKEN, "").replace(/^&/, "#") };
};

/** @param {string} rest @param {string} token */
export const joinHash = (rest, token) => `${rest ? `${rest}&` : "#"}slagboom=${token}`;

/** A plain string goes as text/plain, which needs no preflight.
 * @param {string} address @param {object} body @param {AbortSignal} [signal]
 * @returns {Promise<{[field: string]: string} | null>} null for a refusal */
export const post = async (address, body, signal) => {
  const answer = await fetch(address, { method: "POST", body: JSON.stringify(body), signal });
  return answer.ok ? answer.json() : null;
};

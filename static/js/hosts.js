/** Which registered service an address belongs to. */

/** @typedef {import("./types.js").ServiceConfig} ServiceConfig */

/** @param {string} host @param {string} pattern */
const covers = (host, pattern) =>
  pattern.startsWith("*.")
    ? host === pattern.slice(2) || host.endsWith(pattern.slice(1))
    : host === pattern;

/** @param {string[]} hosts @param {{hostname: string}} url */
export const isCovered = (hosts, url) => hosts.some((pattern) => covers(url.hostname, pattern));

/** @param {ServiceConfig[]} services @param {{hostname: string}} url
 * @returns {ServiceConfig | undefined} */
export const serviceOf = (services, url) =>
  services.find((service) =>
    isCovered([...service.hosts, ...(service.embed ? service.embed.hosts : [])], url),
  );

/** Which registered service an address belongs to. */

/** @typedef {import("./types.js").ServiceConfig} ServiceConfig */

/** @param {string[] | undefined} hosts  `*.` in front covers subdomains and the domain itself
 * @param {{hostname: string}} url */
export const isCovered = (hosts = [], { hostname }) =>
  hosts.some((pattern) =>
    pattern[0] === "*" ? `.${hostname}`.endsWith(pattern.slice(1)) : hostname === pattern,
  );

/** @template {Pick<ServiceConfig, "hosts" | "embed">} Service
 * @param {Service[]} services @param {{hostname: string}} url
 * @returns {Service | undefined} */
export const serviceOf = (services, url) =>
  services.find(({ hosts, embed }) => isCovered(hosts, url) || (embed && isCovered(embed.hosts, url)));

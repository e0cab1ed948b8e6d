/** Which registered service an address belongs to. */

/** @typedef {import("./types.js").ServiceConfig} ServiceConfig */

/** @param {string[] | undefined} hosts  ends of `//host`: one that begins so is a whole name
 * @param {{hostname: string}} url */
export const isCovered = (hosts = [], { hostname }) =>
  hosts.some((end) => `//${hostname}`.endsWith(end));

/** @template {Pick<ServiceConfig, "hosts" | "embed">} Service
 * @param {Service[]} services @param {{hostname: string}} url
 * @returns {Service | undefined} */
export const serviceOf = (services, url) =>
  services.find(({ hosts, embed }) => isCovered(hosts, url) || isCovered(embed?.hosts, url));

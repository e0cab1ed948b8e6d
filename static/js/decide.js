/** What a choice grants. Pure, and the same as decide.py (shared cases); fails closed. */
import { FLAGS, PURPOSES, SERVICES } from "./cookie.js";

/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Grants} Grants */

/** A service runs when it was chosen, unless it needs the full address and the visitor wants theirs
 * anonymised. A purpose covers the tags marked with its name; one service of it may be chosen
 * without the rest. Without a choice nothing but the necessary purposes is granted.
 * @param {Pick<Config, "necessary" | "purposes" | "services">} config
 * @param {Choice | null} choice @returns {Grants} by id of a purpose or service, which share none */
export const decide = ({ necessary, purposes, services }, choice) => {
  // Without a prototype: what a page adds to every object grants nothing.
  const grants = /** @type {Grants} */ (/** @type {unknown} */ ({ __proto__: null, ...necessary }));
  purposes.forEach((id, at) => {
    grants[id] = choice?.[PURPOSES][at] === "1";
  });
  services.forEach(({ id, full_ip }, at) => {
    grants[id] = choice?.[SERVICES][at] === "1" && !(full_ip && +choice[FLAGS] % 2);
  });
  return grants;
};

/** What a choice grants. Pure, and the same as decide.py (shared cases); fails closed. */
import { FLAGS, PURPOSES, SERVICES } from "./cookie.js";

/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Grants} Grants */

/** What a page adds to every object's prototype grants nothing. @param {any[][]} entries */
const fromEntries = (entries) => ({ __proto__: null, ...Object.fromEntries(entries) });

/** A service runs when it was chosen, unless it needs the full address and the visitor wants theirs
 * anonymised. A purpose covers the tags marked with its name; one service of it may be chosen
 * without the rest. Without a choice nothing but the necessary purposes is granted.
 * @param {Config} config @param {Choice | null} choice @returns {Grants} */
export const decide = ({ necessary, purposes, services }, choice) => {
  /** @param {number} field @param {number} at */
  const isChosen = (field, at) => choice !== null && choice[field][at] === "1";
  return {
    purposes: fromEntries([
      ...necessary.map((id) => [id, true]),
      ...purposes.map((id, at) => [id, isChosen(PURPOSES, at)]),
    ]),
    services: fromEntries(
      services.map((service, at) => [
        service.id,
        isChosen(SERVICES, at) && !(service.full_ip && choice && +choice[FLAGS] & 1),
      ]),
    ),
  };
};

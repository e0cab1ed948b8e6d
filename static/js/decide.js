/** What a choice grants. Pure, and the same as decide.py (shared cases); fails closed. */

/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Grants} Grants */

/** A service runs when it was chosen, unless it needs the full address and the visitor wants theirs
 * anonymised. A purpose covers the tags marked with its name; one service of it may be chosen
 * without the rest. Without a choice nothing but the necessary purposes is granted.
 * @param {Config} config @param {Choice | null} choice @returns {Grants} */
export const decide = (config, choice) => {
  /** @type {Grants} */
  const grants = { purposes: {}, services: {} };
  for (const id of config.necessary) grants.purposes[id] = true;
  config.purposes.forEach((id, at) => {
    grants.purposes[id] = choice !== null && choice.purposes[at] === true;
  });
  config.services.forEach((service, at) => {
    grants.services[service.id] =
      choice !== null &&
      choice.services[at] === true &&
      !(service.full_ip && choice.anonymise_ip);
  });
  return grants;
};

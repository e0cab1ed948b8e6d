/** What a site with an interface of its own needs: the notice to show, and a way to hand in the
 * answer. Served behind the gate where the policy says `interface: none`. */

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../slagboom.js").SlagboomAnswer} SlagboomAnswer */

const FIELDS = ["choices", "services", "anonymise_ip"];

/** @param {boolean} holds @param {string} problem */
const demand = (holds, problem) => {
  if (!holds) throw new TypeError(`slagboom.decide: ${problem}; nothing was decided`);
};

/** @param {unknown} given */
const isObject = (given) => typeof given === "object" && given !== null && !Array.isArray(given);

/** @param {unknown} given @param {string} field @param {string[]} known */
const checkStates = (given, field, known) => {
  demand(isObject(given), `${field} must be an object`);
  for (const [id, state] of Object.entries(/** @type {object} */ (given))) {
    demand(known.includes(id), `${field} names "${id}", which this policy does not ask about`);
    demand(typeof state === "boolean", `${field}: "${id}" must be true or false`);
  }
};

/** @param {Host} host @param {SlagboomAnswer} answer
 * @param {Record<string, string>} purposeOf  each service's, by its id */
const decide = (host, answer, purposeOf) => {
  demand(isObject(answer), "give an object");
  for (const field in answer) {
    demand(FIELDS.includes(field), `"${field}" is none of ${FIELDS.join(", ")}`);
  }
  const { purposes, services } = host.config;
  const before = host.api.decision;
  const {
    choices = {},
    services: named = {},
    anonymise_ip = before === null || before.anonymise_ip,
  } = answer;
  checkStates(choices, "choices", purposes);
  checkStates(named, "services", services.map(({ id }) => id));
  demand(typeof anonymise_ip === "boolean", "anonymise_ip must be true or false");

  const chosen = services.map(
    ({ id }) =>
      named[id] ?? choices[purposeOf[id]] ?? (before !== null && before.services[id]),
  );
  host.withChoosing((part) => part.decide({
    action: "save",
    layer: "api",
    // A purpose is on only with all its services, as in the second layer.
    purposes: purposes.map((id) => {
      const isNamed = services.some((service) => purposeOf[service.id] === id && service.id in named);
      const wanted = choices[id] ?? (isNamed || (before !== null && before.choices[id]));
      return +(wanted && services.every((service, at) => purposeOf[service.id] !== id || chosen[at]));
    }).join(""),
    services: chosen.map(Number).join(""),
    anonymise_ip,
  }));
};

/** @param {Host} host @param {Record<string, string>} notices  digests by language */
const readNotice = async ({ base, readLanguage }, notices) => {
  const answer = await fetch(`${base}notices/${notices[readLanguage()]}`);
  if (!answer.ok) throw new Error(`slagboom: the notice did not load (${answer.status})`);
  return (await answer.json()).document;
};

// The gate before this script leaves its host in the first name, and the server puts data in place of
// the other (bundle.py).
// @ts-ignore -- the names are not of this script
const { notices, purposes } = SLAGBOOM_OWN;
// @ts-ignore -- as above
const host = /** @type {Host} */ (sbParts.gateHost);
host.api.notice = () => readNotice(host, notices);
host.api.decide = (answer) => decide(host, answer, purposes);

export {};

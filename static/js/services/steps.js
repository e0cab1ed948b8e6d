/** Runs the declarative steps of a service file. A vendor is data, never code of ours. */

/** @typedef {import("../types.js").Step} Step */
/** @typedef {object} Surroundings
 * @property {() => unknown} consent  the state of the consent types
 * @property {string} nonce
 * @property {(url: string) => string} trust  vouches for a script's address
 * @property {HTMLScriptElement[]} scripts  gets those that were inserted */
/** @typedef {Record<string, unknown>} Dictionary */

/** @param {unknown} value @param {() => unknown} consent @returns {unknown} */
const resolve = (value, consent) => {
  if (value === "{now}") return new Date();
  if (value === "{consent}") return consent();
  if (Array.isArray(value)) return value.map((item) => resolve(item, consent));
  if (value && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, resolve(item, consent)]),
    );
  }
  return value;
};

/** The object that holds the last name of a dotted path, and that name.
 * @param {string} path @returns {[Dictionary | undefined, string]} */
const find = (path) => {
  const names = path.split(".");
  const last = /** @type {string} */ (names.pop());
  /** @type {unknown} */
  let holder = window;
  for (const name of names) holder = holder && /** @type {Dictionary} */ (holder)[name];
  return [/** @type {Dictionary | undefined} */ (holder), last];
};

/** What a step has put into a list: no word of the visitor's, and a script may still be on its way to it.
 * @type {WeakSet<object>} */
const own = new WeakSet();

/** @param {string} path @returns {unknown[]} */
const listAt = (path) => {
  const [holder, name] = find(path);
  if (!holder) return [];
  holder[name] = holder[name] || [];
  return /** @type {unknown[]} */ (holder[name]);
};

/** @param {Step} step @param {Dictionary} holder @param {string} name */
const makeQueue = ({ into, defer_to: deferTo, methods = [] }, holder, name) => {
  if (holder[name]) return;
  const list = /** @type {string} */ (into);
  const queue = function () {
    const later = deferTo && /** @type {Dictionary} */ (/** @type {unknown} */ (queue))[deferTo];
    // The vendors' scripts tell calls from data by the raw `arguments` object.
    if (typeof later === "function") later.apply(queue, arguments);
    else listAt(list).push(arguments);
  };
  holder[name] = queue;
  for (const method of methods) {
    /** @type {Dictionary} */ (/** @type {unknown} */ (queue))[method] = (
      /** @type {unknown[]} */ ...values
    ) => listAt(list).push([method, ...values]);
  }
};

/** @param {Step} step @param {Surroundings} around */
const run = (step, around) => {
  const { consent } = around;
  if (step.do === "script") {
    const script = document.createElement("script");
    script.async = true;
    script.nonce = around.nonce;
    for (const [name, value] of Object.entries(step.attributes || {})) {
      script.setAttribute(name, value);
    }
    const { then } = step;
    if (then) script.onload = () => runSteps(then, around);
    script.src = around.trust(/** @type {string} */ (step.src));
    around.scripts.push(script);
    (document.head || document.documentElement).append(script);
    return;
  }
  const path = /** @type {string} */ (step.path);
  const [holder, name] = find(path);
  if (!holder) return;
  if (step.do === "set") {
    if (!step.missing_only || holder[name] === undefined) holder[name] = resolve(step.value, consent);
  } else if (step.do === "push") {
    const value = resolve(step.value, consent);
    if (value instanceof Object) own.add(value);
    listAt(path).push(value);
  } else if (step.do === "queue") {
    makeQueue(step, holder, name);
  } else if (step.do === "new") {
    const [types, type] = find(/** @type {string} */ (step.of));
    const Vendor = /** @type {new (options: Dictionary) => unknown} */ ((types || {})[type]);
    const options = /** @type {Dictionary} */ (resolve(step.options || {}, consent));
    holder[name] = new Vendor({ ...options, [/** @type {string} */ (step.keep)]: holder[name] });
  } else if (typeof holder[name] === "function") {
    holder[name](...(/** @type {unknown[]} */ (resolve(step.arguments || [], consent))));
  }
};

/** Takes out of a list what the page told it before the grant, which the vendor's script would report
 * afterwards.
 * @param {string} path
 * @param {string} keep  expression for the first word of commands that stay, and with them objects that
 * are no event; empty where nothing stays
 * @throws {TypeError} for a list that cannot be changed */
export const clearQueue = (path, keep) => {
  const [holder, name] = find(path);
  const list = holder && holder[name];
  // A vendor's script that has come may have put something else in its place, and has read it.
  if (!Array.isArray(list)) return;
  /** @param {any} entry */
  const stays = (entry) =>
    keep &&
    entry &&
    typeof entry === "object" &&
    (own.has(entry) || (0 in entry ? RegExp(keep).test(entry[0]) : !("event" in entry)));
  list.splice(0, list.length, ...list.filter(stays));
};

/** Runs steps in order; one that throws must not take the page or the others with it.
 * @param {Step[]} steps @param {Surroundings} around */
export const runSteps = (steps, around) => {
  for (const step of steps) {
    try {
      run(step, around);
    } catch (error) {
      console.error("slagboom:", step, error);
    }
  }
};

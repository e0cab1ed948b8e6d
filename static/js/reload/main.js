/** The one new page a withdrawal may need. It never sends again what a form has sent, and keeps what
 * the visitor has typed and where they were.
 *
 * Both lie in the tab's own storage for that moment only, and nothing secret ever does. */

const KEY = "slagboom-typed";
/** A visitor who is asked whether to leave, and stays, is not met by old words later. */
const FRESH_MS = 60_000;
/** For how long, and how often, a page that draws itself late is looked at again. */
const PATIENCE_MS = 5000;
const PAUSE_MS = 100;
const STAYED_MS = 1000;
const CONTROLS = "input,select,textarea,[contenteditable]";
const LEFT_OUT = /^(password|file|hidden|submit|reset|button|image)$/;
/** In what autofill, the name or the id says; a password that is shown is of the type text. */
const SECRET = /\bcc-|one-time-code|passw|pwd|cvc|cvv|card.?num|\botp/i;

/** @typedef {HTMLElement & {
 *   autocomplete?: string, name?: string, options?: HTMLOptionsCollection, type?: string }} Control */
/** @typedef {boolean | boolean[] | string} State */
/** The id of what is scrolled, or nothing for the page; from the left; from the top (CSS pixels).
 * @typedef {[id: string, left: number, top: number]} Place */

const { replaceState } = history;

/** @returns {Control[]} */
const listControls = () =>
  [.../** @type {NodeListOf<Control>} */ (document.querySelectorAll(CONTROLS))].filter(
    (control) =>
      !LEFT_OUT.test(`${control.type}`) &&
      !SECRET.test([control.autocomplete, control.name, control.id].join()) &&
      (control.type || (control.isContentEditable && !control.parentElement?.isContentEditable)) &&
      !control.closest("#slagboom"),
  );

/** @param {Control} control */
const nameOf = ({ id, name, type }) => [name, id, type].join();

/** Which property holds what was typed. @param {Control} control */
const keyOf = ({ type }) =>
  !type ? "innerText" : /^(checkbox|radio)$/.test(type) ? "checked" : "value";

/** @param {Control} control @returns {State} */
const read = (control) =>
  control.options
    ? [...control.options].map((one) => one.selected)
    : Reflect.get(control, keyOf(control));

/** @param {Control} control @param {State} state */
const write = (control, state) => {
  if (JSON.stringify(read(control)) === JSON.stringify(state)) return;
  if (control.options) {
    [...control.options].forEach((one, at) => {
      one.selected = /** @type {boolean[]} */ (state)[at];
    });
  } else {
    // The browser's own setter: a framework that puts another on the control takes what comes through
    // that one for its own doing.
    Reflect.set(Object.getPrototypeOf(control), keyOf(control), state, control);
  }
  // As after typing, so that scripts which keep a copy learn of it.
  for (const name of ["input", "change"]) control.dispatchEvent(new Event(name, { bubbles: true }));
};

/** @param {string} id */
const findPlace = (id) => (id ? document.getElementById(id) : document.scrollingElement);

const keep = () => {
  const states = listControls().map((control) => [nameOf(control), read(control)]);
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  const places = ["", ...ids].flatMap((id) => {
    const { scrollLeft = 0, scrollTop = 0 } = findPlace(id) || {};
    return scrollLeft || scrollTop ? [[id, scrollLeft, scrollTop]] : [];
  });
  try {
    sessionStorage[KEY] = JSON.stringify([location.href, Date.now(), states, places]);
  } catch {
    // Storage is refused or full: what was typed is lost with the page.
  }
};

/** @param {[string, State][]} states @param {Place[]} places */
const restore = (states, places) => {
  /** @type {WeakSet<Control>} */
  const met = new WeakSet();
  const look = () => {
    /** @type {Record<string, number>} */
    const counts = {};
    for (const control of listControls()) {
      const name = nameOf(control);
      const nth = (counts[name] ??= 0);
      counts[name] += 1;
      const found = states.filter(([other]) => other === name)[nth];
      if (found && !met.has(control)) write(control, found[1]);
      met.add(control);
    }
    const isWhole = document.readyState === "complete";
    places = places.filter(([id, left, top]) => {
      const place = findPlace(id);
      place?.scrollTo({ left, top, behavior: "instant" });
      // Until it has loaded, the browser goes where the fragment says.
      return !isWhole || !place || Math.abs(place.scrollTop - top) > 1;
    });
  };
  look();
  const timer = setInterval(look, PAUSE_MS);
  setTimeout(() => clearInterval(timer), PATIENCE_MS);
  for (const name of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    addEventListener(name, () => {
      // The visitor goes where they want.
      places = [];
    }, { capture: true, once: true, passive: true });
  }
};

const leave = () => {
  // In another tab than the one the visitor acts in, what they were writing can wait for them.
  if (document.hidden && listControls().length) {
    document.addEventListener("visibilitychange", leave, { once: true });
    return;
  }
  keep();
  const { href } = location;
  // Going to its own address asks for the page, where reload() would send a form again. But with a
  // fragment nothing is asked for, unless the page stands elsewhere at that moment.
  if (href.includes("#")) {
    const elsewhere = `${href.split(/[?#]/)[0]}?slagboom`;
    /** @param {string} address */
    const stand = (address) => replaceState.call(history, history.state, "", address);
    stand(elsewhere);
    setTimeout(() => {
      // They were asked whether to leave, and stayed.
      if (location.href === elsewhere) stand(href);
    }, STAYED_MS);
  }
  location.replace(href);
};

try {
  const [address, moment, states, places] = JSON.parse(sessionStorage[KEY] || "[]");
  sessionStorage.removeItem(KEY);
  if (address === location.href && Date.now() - moment < FRESH_MS) {
    const begin = () => restore(states, places);
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
    else begin();
  }
} catch {
  // Refused or broken: the page starts as any other.
}
document.addEventListener("slagboom:reload", leave);

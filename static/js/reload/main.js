/** Keeps what a visitor has typed over the one reload a withdrawal may need; the browser itself
 * keeps where they were, and not every one keeps more.
 *
 * It lies in the tab's own storage for that moment only, and nothing secret ever does. */

const KEY = "slagboom-typed";
const CONTROLS = "input,select,textarea";
const LEFT_OUT = /^(password|file|hidden|submit|reset|button|image)$/;
const SECRET = /cc-|one-time-code|password/;

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */
/** @typedef {boolean | boolean[] | string} State */

/** @returns {Control[]} */
const listControls = () =>
  [.../** @type {NodeListOf<Control>} */ (document.querySelectorAll(CONTROLS))].filter(
    (control) =>
      !LEFT_OUT.test(control.type) &&
      !SECRET.test(control.autocomplete) &&
      !control.closest("#slagboom"),
  );

/** @param {Control} control */
const nameOf = ({ id, name, type }) => [name, id, type].join();

/** @param {Control} control @returns {State} */
const read = (control) => {
  if (control instanceof HTMLSelectElement) return [...control.options].map((one) => one.selected);
  return /^(checkbox|radio)$/.test(control.type)
    ? /** @type {HTMLInputElement} */ (control).checked
    : control.value;
};

/** @param {Control} control @param {State} state */
const write = (control, state) => {
  if (JSON.stringify(read(control)) === JSON.stringify(state)) return;
  if (Array.isArray(state)) {
    [.../** @type {HTMLSelectElement} */ (control).options].forEach((one, at) => {
      one.selected = state[at];
    });
  } else if (typeof state === "boolean") /** @type {HTMLInputElement} */ (control).checked = state;
  else control.value = state;
  // As after typing, so that scripts which keep a copy learn of it.
  for (const name of ["input", "change"]) control.dispatchEvent(new Event(name, { bubbles: true }));
};

const keep = () => {
  const states = listControls().map((control) => [nameOf(control), read(control)]);
  try {
    sessionStorage[KEY] = JSON.stringify([location.href, states]);
  } catch {
    // Storage is refused or full: what was typed is lost with the page.
  }
};

const restore = () => {
  try {
    const [address, states] = JSON.parse(sessionStorage[KEY] || "[]");
    sessionStorage.removeItem(KEY);
    if (address !== location.href) return;
    for (const control of listControls()) {
      const at = states.findIndex((/** @type {[string, State]} */ [name]) => name === nameOf(control));
      if (at >= 0) write(control, states.splice(at, 1)[0][1]);
    }
  } catch {
    // Refused or broken: the page starts as any other.
  }
};

document.addEventListener("slagboom:reload", keep);
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", restore);
else restore();

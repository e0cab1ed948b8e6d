/** Builds elements. No HTML text is ever parsed: whatever a policy says stays text. */

/** @typedef {Node | string | null | false | undefined | Child[]} Child */

/** @param {string} tag `name.class`
 * @param {Record<string, string> | null} attributes
 * @param {...Child} children
 * @returns {HTMLElement} */
export const h = (tag, attributes, ...children) => {
  const [name, className] = tag.split(".");
  const element = document.createElement(name);
  if (className) element.className = `sb-${className}`;
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  /** @param {Child[]} list */
  const append = (list) => {
    for (const child of list) {
      if (Array.isArray(child)) append(child);
      else if (child) element.append(child);
    }
  };
  append(children);
  return element;
};

/** A link to another site: new tab, and the other side learns nothing of this page.
 * @param {string} address @param {string} text */
export const outwardLink = (address, text) =>
  h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);

/** @param {string} className without its first `sb-` @param {string} text
 * @param {() => void} onClick */
export const makeButton = (className, text, onClick) => {
  const button = /** @type {HTMLButtonElement} */ (h(`button.${className}`, { type: "button" }, text));
  button.onclick = onClick;
  return button;
};

/** Gives tags that were marked for another consent tool the kit's own marks. */

/** @typedef {import("../types.js").BlockConfig} BlockConfig */

/** Where each tool's tags carry their category, and which tags those are. */
const TOOLS = {
  cookiebot: {
    tags: "[data-cookieconsent]",
    read: (/** @type {HTMLElement} */ { dataset }) => dataset.cookieconsent,
  },
  onetrust: {
    tags: '[class*="optanon-category-"]',
    // Several categories are written into one class, as optanon-category-C0002-C0004.
    read: ({ className = "" }) => (/optanon-category-([\w-]+)/.exec(className) || [])[1],
  },
  "vanilla-cookieconsent": {
    tags: 'script[type="text/plain"][data-category]',
    read: (/** @type {HTMLElement} */ { dataset }) => dataset.category,
  },
  klaro: {
    tags: 'script[type="text/plain"][data-name],iframe[data-name],img[data-name]',
    read: (/** @type {HTMLElement} */ { dataset }) => dataset.name,
  },
  orejime: {
    tags: "template[data-purpose]",
    read: (/** @type {HTMLElement} */ { dataset }) => dataset.purpose,
  },
};

/** @param {BlockConfig} config
 * @returns {(tag: HTMLElement) => void} */
export const makeTranslator = ({ markup, categories }) => (tag) => {
  for (const tool of markup) {
    const { tags, read } = TOOLS[tool];
    if (!tag.matches(tags) || tag.dataset.consent) continue;
    const names = (read(tag) || "").split(tool === "onetrust" ? "-" : /[\s,]+/);
    // The address before the mark: the gate acts on the mark.
    const { cookieblockSrc } = tag.dataset;
    if (cookieblockSrc) tag.dataset.src = cookieblockSrc;
    tag.dataset.consent = names.map((name) => categories[name] || name).join(" ");
  }
};

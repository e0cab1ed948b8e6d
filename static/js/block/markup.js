/** Gives tags that were marked for another consent tool the kit's own marks. */

/** @typedef {import("../types.js").BlockConfig} BlockConfig */
/** @typedef {import("../types.js").Host} Host */

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
    tags: 'script[type="text/plain"][data-name],iframe[data-name],img[data-name],link[data-name]',
    read: (/** @type {HTMLElement} */ { dataset }) => dataset.name,
  },
  orejime: {
    tags: "template[data-purpose]",
    read: (/** @type {HTMLElement} */ { dataset }) => dataset.purpose,
  },
};
/** Cookiebot's elements that show only with a category, or only without it. */
const SWITCHED = '[class*="cookieconsent-opt"]';

/** @param {BlockConfig} config */
export const makeTranslator = ({ markup, categories }) => {
  /** The gate's, once it is there. @type {Host | undefined} */
  let host;
  /** What some tags wait to be refused. @type {Set<string>} */
  const refusable = new Set();

  /** Grants `!statistics` where a visitor has answered and statistics are not granted. */
  const grantRefused = () => {
    if (!host) return;
    const { choice, grants } = host;
    for (const name of refusable) {
      if (name in grants) grants[`!${name}`] = !!choice && !grants[name];
    }
  };
  /** @param {string} category */
  const translateName = (category) => {
    const [, not, name] = /** @type {RegExpExecArray} */ (/^(!?)(.*)$/s.exec(category));
    const own = categories[name] || name;
    if (not) {
      refusable.add(own);
      grantRefused();
    }
    return not + own;
  };

  /** @param {Element | Document | ShadowRoot} node */
  const toggleWithin = (node) => {
    if (!host || !markup.includes("cookiebot")) return;
    const { grants } = host;
    for (const tag of [node, ...node.querySelectorAll(SWITCHED)]) {
      if (!(tag instanceof HTMLElement && tag.matches(SWITCHED))) continue;
      /** @param {string} side @returns {boolean[]} */
      const granted = (side) =>
        [...tag.className.matchAll(RegExp(`cookieconsent-opt${side}-([\\w-]+)`, "g"))].map(
          ([, name]) => !!grants[categories[name] || name],
        );
      const out = granted("out");
      if (granted("in").includes(false) || (out[0] && !out.includes(false))) {
        tag.style.display = "none";
      } else if (tag.style.display === "none") tag.style.display = "";
    }
  };

  return {
    /** @param {HTMLElement} tag */
    translate: (tag) => {
      const { dataset } = tag;
      for (const tool of markup) {
        const { tags, read } = TOOLS[tool];
        // The mark stays on the copy that the gate releases.
        if (!tag.matches(tags) || dataset.markedFor) continue;
        dataset.markedFor = tool;
        const names = (read(tag) || "").split(tool === "onetrust" ? "-" : /[\s,]+/);
        // Cookiebot leaves this tag alone, marked or not.
        if (dataset.consent || (tool === "cookiebot" && names.includes("ignore"))) return;
        // The address before the mark: the gate acts on the mark.
        if (dataset.cookieblockSrc) dataset.src = dataset.cookieblockSrc;
        dataset.consent = names.map(translateName).join(" ");
      }
    },
    toggleWithin,
    /** Brings in line with the choice what no grant releases. @param {Host} gateHost */
    update: (gateHost) => {
      host = gateHost;
      grantRefused();
      toggleWithin(document);
    },
  };
};

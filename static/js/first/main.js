/** The first part: the first layer, in one or more languages. It says who asks, for what, how to
 * withdraw, and has three buttons; it covers no content that cannot be scrolled past, and moves
 * nobody's focus. */

/** @typedef {import("../types.js").FirstNotice} FirstNotice */
/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Layers} Layers */
/** @typedef {import("../types.js").Part} Part */

/** @param {FirstNotice} notice @param {Host} host @param {Layers} layers
 * @param {Element | null} note  on an earlier answer */
const makeFirstLayer = ({ language, layout, logo, purposes, statement_url, texts, words },
  host, { accept, h, makeButton, open, outwardLink, refuse }, note) => {
  /** The layer goes behind the tags that run: the second click of a double click says nothing more.
   * @param {Layers["accept"]} act */
  const answerBy = (act) => () => host.choice || act("first", language);
  const choose = makeButton("button sb-choose", texts.choose, () => open(choose));
  const actions = h("div.actions", null,
    makeButton("button sb-accept", texts.accept, answerBy(accept)),
    makeButton("button sb-reject", texts.reject, answerBy(refuse)),
    choose,
  );
  // Who clicks leaves the keyboard's place on the page where it is.
  actions.onmousedown = (event) => event.preventDefault();

  return h(`section.first sb-${layout}`, {
    lang: language, role: "region", "aria-label": texts.first_title,
  },
    h("div.words", null,
      logo && h("img.logo", { src: logo, alt: "" }),
      h("h2", null, texts.first_title),
      note,
      h("div", null, texts.first_intro),
      h("div", { role: "list" },
        purposes.map((purpose) => h("div", { role: "listitem" }, purpose)),
      ),
      h("div", null, words, " ", statement_url && outwardLink(statement_url, texts.statement_link)),
    ),
    actions,
  );
};

/** @param {string} style @param {FirstNotice} notice @param {Host} host @param {Layers} layers
 * @returns {Part} */
const makePart = (style, notice, host, layers) => {
  /** @type {HTMLElement | null} */
  let layer = null;
  layers.addStyle(style);

  return {
    show: (note) => {
      if (host.choice || layer) return;
      layer = makeFirstLayer(notice, host, layers, note);
      host.root.prepend(layer);
      // Counted, and nothing else: neither cookie nor identifier goes along. A tab in the background,
      // or a page that the browser prepares, may never be seen, or only once another was answered.
      // Once for a page, also where that changes its language.
      const count = () => {
        layers.isCounted ||=
          !!host.choice ||
          navigator.sendBeacon?.(`${host.base}shown`, layers.notices[notice.language]);
      };
      if (document.hidden) {
        // Behind the gate, which looks for that answer when it hears of this.
        addEventListener("visibilitychange", () => setTimeout(count), { once: true });
      } else count();
    },
    update: () => {
      if (!layer || (!host.choice && host.readLanguage() === notice.language)) return;
      layer.remove();
      layer = null;
      // Where the second layer took the answer, it has said so already.
      const { saved_status: saved } = notice.texts;
      if (host.choice && layers.status.textContent !== saved) layers.status.textContent = saved;
    },
  };
};

// What loads a part declares the first name around it, and the server puts data in place of the others
// (bundle.py).
// @ts-ignore -- the names are not of this script
const style = SLAGBOOM_STYLE, notices = SLAGBOOM_FIRST;
for (const language in notices) {
  // @ts-ignore -- as above
  sbParts[`first-${language}`] = (/** @type {Host} */ host, /** @type {Layers} */ layers) =>
    makePart(style, notices[language], host, layers);
}

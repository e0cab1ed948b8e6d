/** The first part: the first layer, in one or more languages. It says who asks, for what, how to
 * withdraw, and has three buttons; it covers no content that cannot be scrolled past, and moves
 * nobody's focus. */
import { fill, formatDay } from "../format.js";

/** @typedef {import("../types.js").FirstNotice} FirstNotice */
/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Layers} Layers */
/** @typedef {import("../types.js").Part} Part */

const SAY_AFTER_MS = 99;

/** @param {FirstNotice} notice @param {Layers} layers */
const makeFirstLayer = ({ changes = [], language, layout, logo, purposes, statement_url, texts, words },
  { accept, earlier: readEarlier, h, makeButton, open, outwardLink, refuse }) => {
  const earlier = readEarlier();
  /** Why a visitor who has answered before is asked again. */
  const news = changes.filter(({ revision }) => earlier && revision > earlier.revision);
  const choose = makeButton("button sb-choose", texts.choose, () => open(choose));
  const actions = h("div.actions", null,
    makeButton("button sb-accept", texts.accept, () => accept("first", language)),
    makeButton("button sb-reject", texts.reject, () => refuse("first", language)),
    choose,
  );
  // Who clicks leaves the keyboard's place on the page where it is.
  actions.onmousedown = (event) => event.preventDefault();

  return h(`section.first sb-${layout}`, {
    lang: language, role: "region", "aria-labelledby": "sb-first-title",
  },
    h("div.words", null,
      logo && h("img.logo", { src: logo, alt: "" }),
      h("h2", { id: "sb-first-title" }, texts.first_title),
      earlier && h("div.note", null, news.length
        ? news.map(({ date, what }) => h("p", null,
          h("b", null, fill(texts.changed_title, { date: formatDay(language, date) })), ` – ${what}`))
        : texts.expired_note),
      h("p", null, texts.first_intro),
      h("ul", null,
        purposes.map(([name, description]) => h("li", null, h("b", null, `${name}: `), description)),
      ),
      h("p", null, words, " ", statement_url && outwardLink(statement_url, texts.statement_link)),
    ),
    actions,
  );
};

/** @param {string} style @param {FirstNotice} notice @param {Host} host @param {Layers} layers
 * @returns {Part} */
const makePart = (style, notice, host, layers) => {
  /** @type {HTMLElement | null} */
  let layer = null;
  const status = layers.h("p.hidden", { role: "status" });
  layers.addStyle(style);
  host.root.append(status);

  return {
    show: () => {
      if (host.choice || layer) return;
      layer = makeFirstLayer(notice, layers);
      host.root.prepend(layer);
      // Counted, and nothing else: neither cookie nor identifier goes along.
      navigator.sendBeacon(`${host.base}shown`, host.config.languages[notice.language].notice);
    },
    update: () => {
      if (!layer || !host.choice) return;
      layer.remove();
      layer = null;
      // Where the second layer took the answer, it has said so already.
      const { saved_status: saved } = notice.texts;
      if (status.textContent !== saved) status.textContent = saved;
    },
    sayWithdrawn: () => {
      // Most screen readers tell only what enters a place that has been there for a while.
      setTimeout(() => {
        status.textContent = notice.texts.withdrawn_status;
      }, SAY_AFTER_MS);
    },
  };
};

// The server puts data in place of these names (bundle.py).
// @ts-ignore -- the names exist only to be replaced
const [style, notices] = [SLAGBOOM_STYLE, SLAGBOOM_FIRST];
for (const language of Object.keys(notices)) {
  document.dispatchEvent(
    new CustomEvent("slagboom:part", {
      detail: [
        `first-${language}`,
        (/** @type {Host} */ host, /** @type {Layers} */ layers) =>
          makePart(style, notices[language], host, layers),
      ],
    }),
  );
}

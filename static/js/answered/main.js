/** What only a visitor who has answered before is told, in one language: why they are asked again,
 * that their withdrawal holds, and their own record. */
/** @typedef {import("../types.js").Answered} Answered */
/** @typedef {import("../types.js").AnsweredNotice} AnsweredNotice */
/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Layers} Layers */

const SAY_AFTER_MS = 99;

/** @param {string} style @param {AnsweredNotice} notice @param {Host} host @param {Layers} layers
 * @returns {Answered} */
const makePart = (style, { changes = [], locale, purposes, site, texts }, host, layers) => {
  const { earlier: readEarlier, forget, h, isUnsent, makeButton } = layers;
  layers.addStyle(style);

  /** @param {string} id  of the consent: the secret, so that no cookie has to go along */
  const erase = async (id) => {
    try {
      const { status } = await fetch(`${host.base}records/${id}`, {
        method: "DELETE",
        credentials: "omit",
      });
      if (status === 409) return texts.record_erase_held;
      if (status === 200 || status === 404) {
        forget();
        return texts.record_erased;
      }
    } catch {
      // Offline: nothing was erased.
    }
    return texts.record_erase_failed;
  };

  return {
    update: () => {},

    /** Why a visitor who has answered before is asked again. */
    makeNote: () => {
      const earlier = readEarlier();
      const news = changes.filter(({ revision }) => earlier && revision > earlier.revision);
      return h("div.note", null, news.length
        ? news.map(({ title, what }) => h("div", null, h("b", null, title), ` – ${what}`))
        : texts.expired_note);
    },

    sayWithdrawn: (status) => {
      // Most screen readers tell only what enters a place that has been there for a while.
      setTimeout(() => {
        status.textContent = texts.withdrawn_status;
      }, SAY_AFTER_MS);
    },

    /** The visitor's own record, made anew after each decision.
     * @param {HTMLElement} outcome  tells what came of erasing; it outlives the record that is gone */
    makeRecord: (decision, outcome) => {
      /** @param {string} key @param {string} value */
      const row = (key, value) => [h("dt", null, key), h("dd", null, value)];
      // A browser without the language must not fall back to its owner's: by numbers, as ISO 8601 has
      // them and Swedish writes them.
      const [known] = Intl.DateTimeFormat.supportedLocalesOf(locale);
      /** @param {string} time */
      const date = (time) =>
        new Intl.DateTimeFormat(known || "sv", {
          dateStyle: known ? "long" : "short",
          timeStyle: "short",
        }).format(new Date(time));
      /** @param {boolean} value */
      const named = (value) =>
        purposes.filter(([id]) => decision.choices[id] === value).map(([, name]) => name).join(", ")
          || "–";
      const id = decision.consent_id;
      return h("div", null,
        decision.gpc && h("p.note", null, texts.gpc_note),
        h("dl", null,
          row(texts.record_granted, named(true)),
          row(texts.record_refused, named(false)),
          row(texts.record_time, date(decision.given_at)),
          row(texts.record_until, date(decision.valid_until)),
          row(texts.record_revision, `${decision.revision}`),
          row(texts.record_id, id),
        ),
        isUnsent()
          ? h("p.note", null, texts.record_offline)
          : [
            h("p", null, h("a", {
              href: `${host.base}records/${id}`, download: `${site}-${id}.json`,
            }, texts.record_link)),
            h("p", null, texts.record_erase_note),
            h("p", null, makeButton("button sb-erase", texts.record_erase, async () => {
              outcome.textContent = await erase(id);
            })),
          ]);
    },
  };
};

// What loads a part declares the first name around it, and the server puts data in place of the others
// (bundle.py).
// @ts-ignore -- the names are not of this script
const style = SLAGBOOM_STYLE, notice = SLAGBOOM_ANSWERED;
// @ts-ignore -- as above
sbParts[`answered-${notice.language}`] = (/** @type {Host} */ host, /** @type {Layers} */ layers) =>
  makePart(style, notice, host, layers);

export {};

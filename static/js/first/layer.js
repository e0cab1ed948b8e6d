/** The first layer: who asks, for what, how to withdraw, and three buttons. It covers no content
 * that cannot be scrolled past, and moves nobody's focus. */
import { h, makeButton, outwardLink } from "../dom.js";
import { fill } from "../format.js";

/** @typedef {import("../types.js").FirstNotice} FirstNotice */
/** @typedef {import("../types.js").Host} Host */

/** Why a visitor who has answered before is asked again.
 * @param {FirstNotice} notice @param {Host} host */
const changedNote = ({ changes, language, texts }, host) => {
  const earlier = host.earlier();
  if (!earlier) return null;
  const news = changes.filter(({ revision }) => revision > earlier.revision);
  /** @param {string} date */
  const shown = (date) =>
    new Intl.DateTimeFormat([language, "en-GB"], { dateStyle: "long", timeZone: "UTC" }).format(
      new Date(date),
    );
  return h("div.note", null, news.length
    ? news.map(({ date, what }) =>
      h("p", null, h("b", null, fill(texts.changed_title, { date: shown(date) })), ` – ${what}`))
    : texts.expired_note);
};

/** @param {FirstNotice} notice @param {Host} host */
export const makeFirstLayer = (notice, host) => {
  const { full_ip, language, layout, logo, purposes, statement_url, texts } = notice;
  const choose = makeButton("sb-button sb-choose", texts.choose, () => host.open(choose));

  return h("section", {
    class: `sb-first sb-${layout}`, lang: language,
    role: "region", "aria-labelledby": "sb-first-title",
  },
    h("div.words", null,
      logo && h("img.logo", { src: logo, alt: "" }),
      h("h2", { id: "sb-first-title" }, texts.first_title),
      changedNote(notice, host),
      h("p", null, texts.first_intro),
      h("ul", null,
        purposes.map(([name, description]) => h("li", null, h("b", null, `${name}: `), description)),
      ),
      h("p", null,
        texts.first_vendors, " ", full_ip && `${full_ip} `, texts.first_withdraw, " ",
        statement_url && outwardLink(statement_url, texts.statement_link)),
    ),
    h("div.actions", null,
      makeButton("sb-button sb-accept", texts.accept, () => host.accept("first", language)),
      makeButton("sb-button sb-reject", texts.reject, () => host.refuse("first", language)),
      choose,
    ),
  );
};

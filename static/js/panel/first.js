/** The first layer: who asks, for what, how to withdraw, and three buttons. It covers no content
 * that cannot be scrolled past, and moves nobody's focus. */
import { makeButton } from "../root.js";
import { h, outwardLink } from "./dom.js";

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Notice} Notice */

/** @param {Notice} notice @param {Host} host @param {import("./format.js").Format} format */
const changedNote = (notice, host, format) => {
  const earlier = host.earlier();
  if (!earlier) return null;
  const changes = notice.changes.filter(({ revision }) => revision > earlier.revision);
  if (!changes.length) return h("p.note", null, format.text("expired_note"));
  return h("div.note", null, changes.map(({ date, what }) =>
    h("p", null, h("b", null, format.text("changed_title", { date: format.date(date) })), ` – ${what}`)));
};

/** @param {Notice} notice @param {Host} host @param {import("./format.js").Format} format
 * @param {(opener: Element) => void} open */
export const makeFirstLayer = (notice, host, format, open) => {
  const { controller, purposes, services, texts } = notice;
  const asked = purposes.filter(({ necessary }) => !necessary);
  const fullIp = services.filter(({ needs_full_ip }) => needs_full_ip).map(({ name }) => name);
  const choose = makeButton("sb-button sb-choose", texts.choose, () => open(choose));

  return h("section.first", { role: "region", "aria-labelledby": "sb-first-title" },
    h("div.words", null,
      h("h2", { id: "sb-first-title" }, texts.first_title),
      changedNote(notice, host, format),
      h("p", null, texts.first_intro),
      h("ul", null,
        asked.map(({ name, description }) => h("li", null, h("b", null, `${name}: `), description)),
      ),
      h("p", null,
        texts.first_vendors, " ",
        !notice.accept_anonymises && fullIp.length > 0 &&
          `${format.text("first_full_ip", { services: format.list(fullIp) })} `,
        texts.first_withdraw, " ",
        controller.statement_url && outwardLink(controller.statement_url, texts.statement_link)),
    ),
    h("div.actions", null,
      makeButton("sb-button sb-accept", texts.accept, () => host.accept("first")),
      makeButton("sb-button sb-reject", texts.reject, () => host.refuse("first")),
      choose,
    ),
  );
};

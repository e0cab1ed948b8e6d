/** The visitor's own record, their rights, and whom to turn to. */
import { h, outwardLink } from "../dom.js";

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Notice} Notice */
/** @typedef {import("../format.js").Format} Format */

const RIGHTS = [
  "access",
  "rectification",
  "erasure",
  "restriction",
  "portability",
  "objection",
  "automated_decision",
  "withdrawal",
  "complaint",
];

/** The contents of the record section, made anew after each decision.
 * @param {Notice} notice @param {Host} host @param {Format} format */
export const describeRecord = (notice, host, format) => {
  const choice = host.choice();
  if (!choice) return [h("p", null, format.text("record_none"))];
  const given = choice.given * 1000;
  const asked = notice.purposes.filter(({ necessary }) => !necessary);
  /** @param {boolean} value */
  const named = (value) =>
    format.list(asked.filter((_, at) => choice.purposes[at] === value).map(({ name }) => name)) || "–";
  /** @param {string} key @param {string} value */
  const row = (key, value) => [h("dt", null, format.text(key)), h("dd", null, value)];
  return [
    choice.gpc && h("p.note", null, format.text("gpc_note")),
    h("dl", null,
      row("record_granted", named(true)),
      row("record_refused", named(false)),
      row("record_time", format.date(given)),
      row("record_until", format.date(given + choice.lifetime_days * 86400000)),
      row("record_revision", String(choice.revision)),
      row("record_id", choice.consent_id),
    ),
    host.isUnsent()
      ? h("p.note", null, format.text("record_offline"))
      : h("p", null, h("a", {
        href: `${host.base}records/${choice.consent_id}`,
        download: `${notice.site}-${choice.consent_id}.json`,
      }, format.text("record_link"))),
  ];
};

/** @param {Notice} notice @param {Format} format */
export const describeRights = (notice, format) => {
  const { authorities, controller } = notice;
  /** @param {string | null} address */
  const mail = (address) => address && h("span", null, " ", h("a", { href: `mailto:${address}` }, address));
  return [
    h("h3", null, format.text("rights_title")),
    h("p", null, format.text(controller.email ? "rights_intro" : "rights_intro_no_email"), " ",
      format.text("response_time")),
    h("ul", null, RIGHTS.map((right) => h("li", null, format.text(`right_${right}`)))),
    h("h3", null, format.text("controller_title")),
    controller.offices.map((office) => h("p", null,
      [controller.name, office.address, format.country(office.country), office.phone, office.registration]
        .filter(Boolean).join(", "))),
    controller.email && h("p", null, mail(controller.email)),
    controller.dpo && h("p", null, controller.dpo),
    h("h3", null, format.text("authority_title")),
    authorities.map((authority) => h("p", null,
      authority.website ? outwardLink(authority.website, authority.name) : authority.name,
      `, ${[authority.address, authority.phone].filter(Boolean).join(", ")}`,
      mail(authority.email))),
    h("p", null,
      format.text("policy_date", { date: format.date(controller.statement_date) }), " ",
      format.text("revision_line", { revision: notice.revision, date: format.date(notice.effective) }), " ",
      controller.statement_url && outwardLink(controller.statement_url, format.text("statement_link"))),
  ];
};

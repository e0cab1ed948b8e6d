/** What the second layer tells besides its switches: a service's particulars, the visitor's rights,
 * and whom to turn to. */
/** @typedef {import("../types.js").Layers} Layers */
/** @typedef {import("../types.js").SecondNotice} SecondNotice */
/** @typedef {import("../types.js").SecondService} SecondService */

/** @param {SecondNotice} notice @param {Layers} layers */
export const makeContents = (notice, { h, outwardLink }) => {
  const { texts } = notice;
  /** @param {string} key @param {string} value */
  const row = (key, value) => [h("dt", null, key), h("dd", null, value)];
  /** Each in its own direction: a telephone number stays as it is among Arabic.
   * @param {(string | null)[]} parts */
  const join = (parts) =>
    parts.filter(Boolean).map((part, at) => [at > 0 && ", ", h("bdi", null, part)]);
  /** @param {string | null} address */
  const mail = (address) => address && [" ", h("a", { href: `mailto:${address}` }, address)];

  return {
    /** Vendor, place, data, and all a service would store. @param {SecondService} service */
    service: ({ description, link, name, notes = [], rows, stored }) => [
      h("p", null, description),
      notes.map((note) => h("p.note", null, note)),
      h("details", null,
        h("summary", null, texts.stored_title, h("span.hidden", null, `: ${name}`)),
        h("dl", null, rows.map(([key, value]) => row(key, value))),
        stored
          ? h("div.scroll", { tabindex: "0", role: "group", "aria-label": texts.stored_title },
            h("table", null,
              h("thead", null, h("tr", null,
                notice.columns.map((column) => h("th", { scope: "col" }, column)))),
              h("tbody", null, stored.map(([pattern, ...cells]) => h("tr", null,
                h("td", null, h("code", null, pattern)), cells.map((cell) => h("td", null, cell)))))))
          : h("p", null, texts.stored_none),
        link && h("p", null, outwardLink(...link))),
    ],

    rights: () => {
      const [email, dpo] = notice.contacts;
      return [
        h("h3", null, texts.rights_title),
        h("p", null, notice.rights_intro),
        h("ul", null, notice.rights.map((right) => h("li", null, right))),
        h("h3", null, texts.controller_title),
        notice.offices.map((office) => h("p", null, join(office))),
        email && h("p", null, mail(email)),
        dpo && h("p", null, dpo),
        h("h3", null, texts.authority_title),
        notice.authorities.map(([name, website, place, address]) => h("p", null,
          website ? outwardLink(website, name) : name, ", ", join(place), mail(address))),
        h("p", null,
          notice.dates, " ",
          notice.statement_url && outwardLink(notice.statement_url, texts.statement_link)),
      ];
    },
  };
};

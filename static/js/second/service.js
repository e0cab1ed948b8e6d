/** What the second layer tells about one service: vendor, place, data, and all it would store. */
import { h, outwardLink } from "../dom.js";

/** @typedef {import("../types.js").NoticeService} NoticeService */
/** @typedef {import("../format.js").Format} Format */

/** @param {NoticeService} service @param {Format} format */
const storedTable = ({ stored }, format) => {
  if (!stored.length) return h("p", null, format.text("stored_none"));
  const columns = ["stored_name", "stored_kind", "stored_lifetime", "stored_purpose"];
  /** @param {number | null} days */
  const lifetime = (days) =>
    days === null ? format.text("lifetime_unlimited")
      : days === 0 ? format.text("lifetime_session")
        : days === 1 ? format.text("lifetime_day")
          : format.text("lifetime_days", { days });
  return h("div.scroll", { tabindex: "0", role: "group", "aria-label": format.text("stored_title") },
    h("table", null,
      h("thead", null, h("tr", null, columns.map((key) => h("th", { scope: "col" }, format.text(key))))),
      h("tbody", null, stored.map((item) => h("tr", null,
        h("td", null, h("code", null, item.pattern)),
        h("td", null, format.text(`kind_${item.kind}`)),
        h("td", null, lifetime(item.lifetime_days)),
        h("td", null, item.purpose, item.reason && ` ${format.text("reason")}: ${item.reason}`),
      ))),
    ),
  );
};

/** @param {NoticeService} service @param {Format} format */
export const describeService = (service, format) => {
  const { vendor } = service;
  /** @param {string} key @param {string} value */
  const row = (key, value) => [h("dt", null, format.text(key)), h("dd", null, value)];
  return [
    h("p", null, service.description),
    service.needs_full_ip &&
      h("p.note", null, format.text("needs_full_ip")),
    vendor.role !== "own" && service.hosts.length > 0 &&
      h("p", null, format.text("connects_directly", { vendor: vendor.name })),
    !service.is_configured && h("p.note", null, format.text("service_not_configured")),
    h("details", null,
      h("summary", null, format.text("stored_title"), h("span.hidden", null, `: ${service.name}`)),
      h("dl", null,
        row("vendor", vendor.name),
        row("vendor_role", format.text(`role_${vendor.role}`)),
        row("countries", format.list(vendor.countries.map(format.country))),
        service.data.length > 0 && row("data", format.list(service.data)),
        service.hosts.length > 0 && row("hosts", service.hosts.join(", ")),
      ),
      storedTable(service, format),
      vendor.privacy_url &&
        h("p", null, outwardLink(vendor.privacy_url, format.text("privacy_link", { vendor: vendor.name }))),
    ),
  ];
};

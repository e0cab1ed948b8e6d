// Stand-in for Google's tag. It keeps the documented contract: dataLayer commands as `arguments`
// objects, Consent Mode v2, ga-disable, the _ga cookies and their settings, hits to /g/collect.
// Hits go to the sibling of the host this script came from, so it works under both names.
(() => {
  "use strict";

  const source = new URL(document.currentScript.src);
  const id = source.searchParams.get("id");
  const loaded = (window.google_tag_manager ??= {});
  if (!id || loaded[id]) return;
  loaded[id] = {};

  const CONSENT_TYPES = ["ad_storage", "analytics_storage", "ad_user_data", "ad_personalization"];
  const LETTERS = {
    unset: { unset: "l", denied: "m", granted: "n" },
    denied: { unset: "p", denied: "q", granted: "r" },
    granted: { unset: "t", denied: "u", granted: "v" },
  };
  const consent = { used: false, default: {}, update: {} };
  const settings = { cookie_domain: "auto", cookie_expires: 63072000, cookie_update: true };
  const now = Math.floor(Date.now() / 1000);
  const random = () => Math.floor(Math.random() * 2 ** 31);
  const page = { id: random(), client: `${random()}.${now}`, session: String(now), hits: 0 };
  let isConfigured = false;

  const sibling = (host) =>
    `${source.protocol}//${source.host.replace("www.googletagmanager.com", host)}`;
  // The real tag, too, takes a type nobody has set for granted.
  const isGranted = (type) => (consent.update[type] ?? consent.default[type]) !== "denied";
  const isDisabled = () => window[`ga-disable-${id}`] === true;

  function readCookie(name) {
    const start = `${name}=`;
    return document.cookie.split("; ").find((pair) => pair.startsWith(start))?.slice(start.length);
  }

  function writeCookie(name, value, domain) {
    const scope = domain ? `; domain=${domain}` : "";
    const expires = settings.cookie_expires ? `; max-age=${settings.cookie_expires}` : "";
    const flags = settings.cookie_flags ? `; ${settings.cookie_flags}` : "";
    document.cookie = `${name}=${value}; path=/${scope}${expires}${flags}`;
  }

  /** The domains to try, the highest first; the last one is the host alone. */
  function listDomains() {
    if (settings.cookie_domain === "none") return [""];
    if (settings.cookie_domain !== "auto") return [settings.cookie_domain];
    const labels = location.hostname.split(".");
    const domains = labels.map((_, index) => labels.slice(index).join(".")).reverse();
    return [...domains.slice(1), ""];
  }

  function storeCookie(name, value) {
    if (readCookie(name) !== undefined && !settings.cookie_update) return;
    for (const domain of listDomains()) {
      writeCookie(name, value, domain);
      if (readCookie(name) === value) return;
    }
  }

  function storeIdentifiers() {
    const known = readCookie("_ga")?.split(".").slice(-2).join(".");
    page.client = known ?? page.client;
    storeCookie("_ga", `GA1.1.${page.client}`);
    const name = `_ga_${id.replace(/^G-/, "")}`;
    page.session = readCookie(name)?.match(/\.s(\d+)/)?.[1] ?? page.session;
    const seconds = Math.floor(Date.now() / 1000);
    storeCookie(name, `GS2.1.s${page.session}$o1$g${page.hits ? 1 : 0}$t${seconds}$j60$l0$h0`);
  }

  function describeConsent() {
    const letters = CONSENT_TYPES.map(
      (type) => LETTERS[consent.default[type] ?? "unset"][consent.update[type] ?? "unset"],
    );
    const bit = (type) => (isGranted(type) ? 1 : 0);
    const state = { gcd: `13${letters.join("3")}1l1` };
    if (consent.used) state.gcs = `G1${bit("ad_storage")}${bit("analytics_storage")}`;
    const isPersonal =
      settings.allow_ad_personalization_signals !== false && isGranted("ad_personalization");
    return { ...state, npa: isPersonal ? 0 : 1 };
  }

  function sendEvent(event, extra = {}) {
    if (!isConfigured || isDisabled()) return;
    if (isGranted("analytics_storage")) storeIdentifiers();
    page.hits += 1;
    const query = new URLSearchParams({
      v: 2,
      tid: id,
      _p: page.id,
      ...describeConsent(),
      cid: page.client,
      ul: navigator.language.toLowerCase(),
      sr: `${screen.width}x${screen.height}`,
      _s: page.hits,
      sid: page.session,
      dl: location.href,
      dr: document.referrer,
      dt: document.title,
      en: event,
      ...extra,
    });
    const options = { method: "POST", mode: "no-cors", keepalive: true };
    fetch(`${sibling("www.google-analytics.com")}/g/collect?${query}`, options).catch(() => {});
    // Google signals: the join request that promises like "no other Google service" forbid.
    if (settings.allow_google_signals !== false && isGranted("ad_storage")) {
      fetch(`${sibling("stats.g.doubleclick.net")}/g/collect?${query}`, options).catch(() => {});
    }
  }

  const commands = {
    js() {},
    set(name, value) {
      Object.assign(settings, typeof name === "string" ? { [name]: value } : name);
    },
    config(target, fields = {}) {
      if (target !== id) return;
      Object.assign(settings, fields);
      isConfigured = true;
      if (settings.send_page_view !== false) sendEvent("page_view");
    },
    event(name) {
      sendEvent(name);
    },
    consent(kind, values) {
      const wasGranted = isGranted("analytics_storage");
      consent.used = true;
      Object.assign(consent[kind], values);
      if (!wasGranted && isGranted("analytics_storage")) sendEvent("page_view", { gcu: 1 });
    },
  };

  function runCommand(entry) {
    // The real tag runs `arguments` objects only; an array in the layer means something else.
    if (Object.prototype.toString.call(entry) !== "[object Arguments]") return;
    const [command, ...rest] = entry;
    commands[command]?.(...rest);
  }

  const layer = (window.dataLayer ??= []);
  const push = layer.push.bind(layer);
  layer.push = (...entries) => {
    const length = push(...entries);
    entries.forEach(runCommand);
    return length;
  };
  [...layer].forEach(runCommand);

  addEventListener("scrollend", () => sendEvent("scroll"));
  document.addEventListener("click", () => sendEvent("click"));
  addEventListener("pagehide", () => sendEvent("user_engagement"));
})();

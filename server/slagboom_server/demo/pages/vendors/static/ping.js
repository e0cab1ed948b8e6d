// Stand-in for Leadinfo's ping.js. It keeps the public contract of the snippet (the queue function
// named in GlobalLeadinfoNamespace, its site id in `t`, its calls in `q`) and, like the real one,
// knows no consent: once it runs it stores and reports until the page is gone.
// The collector's real path is not public; `/hit` is ours.
(() => {
  "use strict";

  const HEARTBEAT_MS = 3000;
  const TWO_YEARS_SECONDS = 63072000;
  const source = new URL(document.currentScript.src);
  const collector = `${source.protocol}//${source.host.replace("cdn.", "collector.")}/hit`;
  const name = window.GlobalLeadinfoNamespace?.[0] ?? "leadinfo";
  const queue = window[name];
  if (!queue?.t) return;

  const labels = location.hostname.split(".");
  const domain = labels.length > 1 ? `; domain=${labels.slice(-2).join(".")}` : "";
  const suffix = [...location.hostname]
    .reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 65536, 7)
    .toString(16)
    .padStart(4, "0");

  function keepCookie(cookie, lifetime) {
    const start = `${cookie}.${suffix}=`;
    const known = document.cookie.split("; ").find((pair) => pair.startsWith(start));
    const value = known?.slice(start.length) ?? crypto.randomUUID();
    document.cookie = `${start}${value}; path=/${domain}${lifetime}`;
    return value;
  }

  function sendHit(event) {
    const hit = {
      site: queue.t,
      event,
      visitor: keepCookie("_li_id", `; max-age=${TWO_YEARS_SECONDS}`),
      session: keepCookie("_li_ses", ""),
      url: location.href,
      title: document.title,
      referrer: document.referrer,
    };
    const body = JSON.stringify(hit);
    const options = { method: "POST", mode: "no-cors", keepalive: true, body };
    fetch(collector, options).catch(() => {});
  }

  sendHit("pageview");
  for (const call of queue.q ?? []) sendHit(String(call[0]));
  addEventListener("scrollend", () => sendHit("scroll"));
  document.addEventListener("click", () => sendHit("click"));
  setInterval(() => sendHit("heartbeat"), HEARTBEAT_MS);
})();

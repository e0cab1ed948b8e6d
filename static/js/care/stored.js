/** Deletes cookies that services left. */

/** A cookie goes only under the path and domain it was set for: each beginning of the page's path,
 * with and without a slash; the host and each parent domain. A browser ignores a deletion on a
 * public suffix, so none has to be known here. @param {string} name */
export const deleteCookie = (name) => {
  const labels = location.hostname.split(".");
  const domains = ["", ...labels.map((_, at) => `; domain=${labels.slice(at).join(".")}`)];
  // A cookie named __Secure-… is only touched by one that is secure as well, a partitioned one only
  // by one that is both.
  const secure = location.protocol === "https:" ? "; secure" : "";
  const folders = location.pathname.split("/");
  folders.forEach((_, depth) => {
    const path = folders.slice(0, depth + 1).join("/");
    for (const folder of [path, `${path}/`]) {
      for (const domain of domains) {
        for (const kind of [secure, "; secure; partitioned"]) {
          document.cookie = `${name}=; max-age=0; path=${folder}${domain}${kind}`;
        }
      }
    }
  });
};

/** How many cookies are deleted again after a decision, lest two who insist go on for ever. */
const MOST_DELETED = 99;
/** How many of these are left at least when the watch looks by itself. */
const LEAST_DELETED = 9;
/** When to look again for what no event tells of: each pause is twice the one before it. */
const FIRST_PAUSE_SECONDS = 1;
const LONGEST_PAUSE_SECONDS = 30;

/** @typedef {import("../types.js").Host} Host */

/** @param {Host} host
 * @returns {() => void} deletes what services that are not granted have stored, now and whenever a
 * tag that still runs stores it once more */
export const watchStored = (host) => {
  let left = 0;
  let pause = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const isIdle = () => host.config.services.every(({ id }) => host.grants[id]);
  /** @param {string} pair @param {boolean} state */
  const isOf = (pair, state) =>
    host.config.services.some(
      ({ cookies, id }) => cookies && host.grants[id] === state && RegExp(cookies).test(pair),
    );
  const sweep = () => {
    for (const pair of host.shared.readCookies().split("; ")) {
      // A name may be shared with a service that is granted.
      if (left > 0 && isOf(pair, false) && !isOf(pair, true)) {
        left -= 1;
        deleteCookie(pair.split("=")[0]);
      }
    }
    host.clearStored?.(host);
  };
  /** Looks now, and again for as long as the page is there and seen. */
  const look = () => {
    clearTimeout(timer);
    if (isIdle()) return;
    left = Math.max(left, LEAST_DELETED);
    sweep();
    if (document.hidden) return;
    timer = setTimeout(look, pause * 1000);
    pause = Math.min(pause * 2, LONGEST_PAUSE_SECONDS);
  };
  return () => {
    if (isIdle()) return;
    left = MOST_DELETED;
    pause = FIRST_PAUSE_SECONDS;
    look();
    // Adding the same listener twice adds nothing.
    if (window.cookieStore) cookieStore.addEventListener("change", sweep);
    document.addEventListener("visibilitychange", look);
  };
};

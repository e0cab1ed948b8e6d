/** Deletes cookies that services left. */

/** A cookie goes only under the path and domain it was set for: each beginning of the page's path,
 * with and without a slash; the host and each parent domain. A browser ignores a deletion on a
 * public suffix, so none has to be known here. @param {string} name */
export const deleteCookie = (name) => {
  const labels = location.hostname.split(".");
  const domains = ["", ...labels.map((_, at) => `; domain=${labels.slice(at).join(".")}`)];
  // A cookie named __Secure-… is only touched by one that is secure as well.
  const secure = location.protocol === "https:" ? "; secure" : "";
  const folders = location.pathname.split("/");
  folders.forEach((_, depth) => {
    const path = folders.slice(0, depth + 1).join("/");
    for (const folder of [path, `${path}/`]) {
      for (const domain of domains) {
        document.cookie = `${name}=; max-age=0; path=${folder}${domain}${secure}`;
      }
    }
  });
};

/** How many cookies are deleted again after a decision, lest two who insist go on for ever. */
const MOST_DELETED = 99;
/** When to look again for what no event tells of. */
const LOOK_AGAIN_SECONDS = [1, 5, 25];

/** @typedef {import("../types.js").Host} Host */

/** @param {Host} host
 * @returns {() => void} deletes what services that are not granted have stored, now and whenever a
 * tag that still runs stores it once more */
export const watchStored = (host) => {
  let left = 0;
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
    host.clearStorage();
  };
  return () => {
    if (host.config.services.every(({ id }) => host.grants[id])) return;
    left = MOST_DELETED;
    sweep();
    // Adding the same listener twice adds nothing.
    if (window.cookieStore) cookieStore.addEventListener("change", sweep);
    document.addEventListener("visibilitychange", sweep);
    for (const seconds of LOOK_AGAIN_SECONDS) setTimeout(sweep, seconds * 1000);
  };
};

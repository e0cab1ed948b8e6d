/** Deletes what a service left on the device, by the patterns of its file. */
import { listCookies } from "./cookie.js";

/** @typedef {import("./types.js").ServiceConfig} ServiceConfig */

/** @param {string[]} patterns `*` stands for any run of characters */
const matcher = (patterns) => {
  const form = patterns
    .map((pattern) => pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*"))
    .join("|");
  const expression = new RegExp(`^(?:${form})$`);
  return (/** @type {string} */ name) => patterns.length > 0 && expression.test(name);
};

/** The host itself and each parent domain. A browser ignores a deletion on a public suffix, so
 * none has to be known here. */
const domains = () => {
  const labels = location.hostname.split(".");
  return labels.map((_, at) => labels.slice(at).join("."));
};

/** Each beginning of the page's path, with and without a slash: a cookie is deleted only under the
 * path it was set for. */
const paths = () =>
  location.pathname.split("/").flatMap((_, at, folders) => {
    const path = folders.slice(0, at + 1).join("/");
    return [path, `${path}/`];
  });

/** @param {string} name */
const deleteCookie = (name) => {
  // A cookie named __Secure-… is only touched by one that is secure as well.
  const secure = location.protocol === "https:" ? "; secure" : "";
  for (const path of paths()) {
    const gone = `${name}=; max-age=0; path=${path}${secure}`;
    document.cookie = gone;
    for (const domain of domains()) document.cookie = `${gone}; domain=${domain}`;
  }
};

/** @param {"localStorage" | "sessionStorage"} area @param {string[]} patterns */
const clearArea = (area, patterns) => {
  if (!patterns.length) return;
  try {
    const matches = matcher(patterns);
    for (const key of Object.keys(window[area])) if (matches(key)) window[area].removeItem(key);
  } catch {
    // Storage is refused here, so nothing can lie in it.
  }
};

/** @param {string[] | undefined} patterns @param {() => Promise<(string | undefined)[]>} list
 * @param {(name: string) => unknown} remove */
const clearNamed = async (patterns, list, remove) => {
  if (!patterns) return;
  try {
    const matches = matcher(patterns);
    for (const name of await list()) if (name && matches(name)) await remove(name);
  } catch {
    // As above; and a page without TLS has no caches.
  }
};

/** @param {ServiceConfig} service
 * @param {ServiceConfig[]} granted  services whose cookies stay, also those of a shared name
 * @returns {number} how many cookies there were; what lies elsewhere does not tell */
export const clearStored = ({ stored = {} }, granted) => {
  const matches = matcher(stored.cookie || []);
  const stays = matcher(granted.flatMap((service) => (service.stored && service.stored.cookie) || []));
  const names = listCookies()
    .map((pair) => pair.split("=")[0])
    .filter((name) => matches(name) && !stays(name));
  names.forEach(deleteCookie);
  clearArea("localStorage", stored.local_storage || []);
  clearArea("sessionStorage", stored.session_storage || []);
  clearNamed(
    stored.indexed_db,
    async () => (await indexedDB.databases()).map(({ name }) => name),
    (name) => indexedDB.deleteDatabase(name),
  );
  clearNamed(stored.cache_storage, () => caches.keys(), (name) => caches.delete(name));
  return names.length;
};

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

/** Each folder of the page's path: a cookie is deleted only under the path it was set for. */
const paths = () => {
  const folders = location.pathname.split("/").slice(1, -1);
  return ["/", ...folders.flatMap((_, at) => {
    const path = `/${folders.slice(0, at + 1).join("/")}`;
    return [path, `${path}/`];
  })];
};

/** @param {string} name */
const deleteCookie = (name) => {
  for (const path of paths()) {
    const gone = `${name}=; max-age=0; path=${path}`;
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

/** @param {ServiceConfig} service */
export const clearStored = ({ stored = {} }) => {
  const matches = matcher(stored.cookie || []);
  for (const pair of listCookies()) {
    const name = pair.split("=")[0];
    if (matches(name)) deleteCookie(name);
  }
  clearArea("localStorage", stored.local_storage || []);
  clearArea("sessionStorage", stored.session_storage || []);
};

/** Deletes what a service keeps on the device elsewhere than in cookies, where a policy needs it. It
 * stands before the gate and hands itself over in the name both share (bundle.py). */

/** @typedef {import("../types.js").Host} Host */

/** @param {"localStorage" | "sessionStorage"} area @param {string | undefined} form */
const clearArea = (area, form) => {
  if (!form) return;
  try {
    const names = new RegExp(form);
    for (const key of Object.keys(window[area])) if (names.test(key)) window[area].removeItem(key);
  } catch {
    // Storage is refused here, so nothing can lie in it.
  }
};

/** @param {string | undefined} form @param {() => Promise<(string | undefined)[]>} list
 * @param {(name: string) => unknown} remove */
const clearNamed = async (form, list, remove) => {
  if (!form) return;
  try {
    const names = new RegExp(form);
    for (const name of await list()) if (name && names.test(name)) await remove(name);
  } catch {
    // As above; and a page without TLS has no caches.
  }
};

/** What the services that are not granted keep. @param {Host} host */
const clearStorage = ({ config, grants }) => {
  for (const { id, stored } of config.services) {
    if (!stored || grants[id]) continue;
    clearArea("localStorage", stored.local_storage);
    clearArea("sessionStorage", stored.session_storage);
    clearNamed(
      stored.indexed_db,
      async () => (await indexedDB.databases()).map(({ name }) => name),
      (name) => indexedDB.deleteDatabase(name),
    );
    clearNamed(stored.cache_storage, () => caches.keys(), (name) => caches.delete(name));
  }
};

// @ts-ignore -- the name stands around this script and the gate (bundle.py)
sbParts.clearStored = clearStorage;

export {};

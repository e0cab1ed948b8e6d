/** The choice this domain holds, as its cookie has it. */
import { COOKIE_START, GIVEN, SCOPE } from "../cookie.js";

/** @param {string} value @returns {number} seconds since 1970 */
const givenAt = (value) => +value.split(".")[GIVEN] || 0;

/** The newest of the choice cookies, or of those that answer one question; empty where there is
 * none. Cookies of different scope may stand side by side.
 * @param {string} [scope] */
export const readHeld = (scope) => {
  let newest = "";
  try {
    for (const pair of document.cookie.split("; ")) {
      const value = pair.startsWith(COOKIE_START) ? pair.slice(COOKIE_START.length) : "";
      if (scope && value.split(".")[SCOPE] !== scope) continue;
      if (value && (!newest || givenAt(value) > givenAt(newest))) newest = value;
    }
  } catch {
    // A sandboxed frame refuses to tell.
  }
  return newest;
};

/** Writes the choice cookie. */
import { COOKIE_START, DAY_SECONDS } from "../cookie.js";

/** @typedef {import("../types.js").Config} Config */

/** @param {Config} config @param {string} value of encodeChoice */
export const writeChoice = ({ days, domain }, value) => {
  try {
    document.cookie = `${COOKIE_START}${value}; path=/; max-age=${days * DAY_SECONDS}; samesite=lax${domain}${
      location.protocol === "https:" ? "; secure" : ""}`;
  } catch {
    // A sandboxed frame refuses cookies: the choice then holds for this page.
  }
};

/** At the end of a link: takes the token out of the address, and the choice it stands for.
 *
 * Whatever fails, nothing is granted: the gate goes on with what this domain knows, or asks. */
import { UNSENT } from "../cookie.js";
import { isPlain, post, splitHash } from "./address.js";
import { readHeld } from "./held.js";

/** How long the gate may wait before it asks all the same. */
const WAIT_MS = 3000;

/** What this domain has decided itself and the log has not heard of counts as newer: decisions that
 * wait, and a withdrawal of which only the gate knew, without its digits. */
const isWaiting = () => {
  try {
    return /slagboom=[^;]+\.\.\./.test(document.cookie) || UNSENT in localStorage;
  } catch {
    return false;
  }
};

/** The page's own fragment, which the token was in the way of.
 * @param {string} rest */
const showFragment = (rest) => {
  const scroll = () => {
    // The same address again: no new page, and no new entry in the history.
    if (!scrollY) location.replace(location.href);
  };
  if (rest.length < 2) return;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", scroll);
  else scroll();
};

/** Where the visitor comes from, as their browser says. */
const findSource = () => {
  try {
    return new URL(document.referrer).origin;
  } catch {
    return "";
  }
};

/** @param {string} scope what the site asks */
const findOwn = (scope) => readHeld(scope) || readHeld();

/** @param {string} address of the hand-over @param {string} scope @param {string} token */
const accept = async (address, scope, token) => {
  const own = findOwn(scope);
  const patience = new AbortController();
  setTimeout(() => patience.abort(), WAIT_MS);
  const answer = await post(
    `${address}/accept`,
    { token, source: findSource(), held: own || null },
    patience.signal,
  );
  // The visitor may have decided here meanwhile.
  if (!answer || findOwn(scope) !== own || isWaiting()) return;
  document.cookie = answer.cookie;
  // Some browsers keep for days only what a script has set.
  fetch(`${address}/keep`, { method: "POST", credentials: "include", keepalive: true }).catch(() => {});
};

/** @param {string} address of the hand-over @param {string} scope  what the site asks
 * @returns {Promise<void> | undefined} settles, and never fails, once the cookie tells what holds
 * here; undefined where nothing is on its way */
export const takeOver = (address, scope) => {
  const { hash } = location;
  const [rest = "", token] = splitHash(hash);
  if (token === undefined) return undefined;
  try {
    history.replaceState(history.state, "", location.pathname + location.search + rest);
  } catch {
    // Safari allows so many changes in half a minute; a token that stays in sight is not used.
    return undefined;
  }
  showFragment(rest);
  // Departure writes no token where a page's own fragment is none; whoever did wants to get past it.
  return isPlain(hash) && !isWaiting() ? accept(address, scope, token).catch(() => {}) : undefined;
};

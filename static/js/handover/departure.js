/** At the beginning of a link: asks for a token as soon as the visitor turns to a link that leads to
 * one of the named domains, and puts it into the link when they follow it.
 *
 * A click never waits: a link whose token is not there yet goes out as it is, and the other domain
 * asks. Only this script puts tokens into the addresses this page leads to: what others have put
 * there is taken out of any of them, wherever it leads and whether or not a choice goes along. */
import { isPlain, joinHash, post, splitHash } from "./address.js";
import { readHeld } from "./held.js";

/** Half of a token's life: the other half is for the next page to load. */
const FRESH_MS = 60_000;
/** After a refusal; a decision just made may not have reached the log. */
const RETRY_MS = 3000;

/** @typedef {HTMLAnchorElement | HTMLAreaElement} Link */
/** @typedef {{choice: string, token: string, until: number}} Wish
 * token: empty while the answer is awaited or was no; until: when to ask again */

/** @param {string[]} targets origins @param {string} scope  what the site asks
 * @param {string} address of the hand-over */
export const watchLinks = (targets, scope, address) => {
  /** By the origin it is for. @type {Record<string, Wish | undefined>} */
  const wishes = {};
  /** The newest token of this page's own. */
  let attached = "";
  const parsed = document.createElement("a");

  /** @param {string} address
   * @returns {string | undefined} what is left of an address with a token of somebody else's */
  const clean = (address) => {
    parsed.href = address;
    const [rest = "", token] = splitHash(parsed.hash);
    if (token === undefined || token === attached) return undefined;
    parsed.hash = rest;
    return parsed.href;
  };

  /** @param {Event} event */
  const strip = (event) => {
    for (const node of /** @type {any[]} */ (event.composedPath())) {
      const { href } = node;
      // That of an SVG link is an object.
      const address = href && clean(href.animVal ?? href);
      // A window has none, and what a page writes may still give it something of that name.
      if (address) node.setAttribute?.("href", address);
    }
  };

  /** @param {Event} event @returns {Link | null} a link that takes a choice along */
  const findLink = (event) => {
    // Seen from here, what happens inside a component happens at its host.
    const [inner] = event.composedPath();
    const link = inner instanceof Element && inner.closest("a[href], area[href]");
    const isOurs =
      (link instanceof HTMLAnchorElement || link instanceof HTMLAreaElement) &&
      targets.includes(link.origin) &&
      link.origin !== location.origin &&
      // The other side takes nothing from a page it must not know of.
      !link.relList.contains("noreferrer") &&
      isPlain(link.hash);
    return isOurs ? link : null;
  };

  /** @param {Event} event */
  const prepare = (event) => {
    const link = findLink(event);
    const choice = link && readHeld(scope);
    if (!link || !choice) return;
    const known = wishes[link.origin];
    if (known && known.choice === choice && Date.now() < known.until) return;
    /** @type {Wish} */
    const wish = { choice, token: "", until: Date.now() + FRESH_MS };
    wishes[link.origin] = wish;
    // In quotation marks the build leaves the name as the server reads it.
    post(address, { "choice": choice, to: link.origin })
      .catch(() => null)
      .then((answer) => {
        if (answer) wish.token = answer.token;
        else wish.until = Date.now() + RETRY_MS;
      });
  };

  /** @param {Link} link @param {string} token */
  const attach = (link, token) => {
    const href = link.getAttribute("href") || "";
    const { referrerPolicy } = link;
    attached = token;
    link.hash = joinHash(link.hash, token);
    // Where the page tells nobody where visitors come from, its own domain hears the origin alone.
    if (!referrerPolicy) link.referrerPolicy = "strict-origin";
    // Once it is followed the link is again what the page made it, also for who copies it.
    setTimeout(() => {
      link.setAttribute("href", href);
      link.referrerPolicy = referrerPolicy;
    });
  };

  /** @param {MouseEvent} event */
  const follow = (event) => {
    // A script's click is nobody's; of the buttons beside the first one the middle one follows.
    if (!event.isTrusted || event.button > 1) return;
    const link = findLink(event);
    if (!link) return;
    const wish = wishes[link.origin];
    if (!wish || !wish.token || Date.now() >= wish.until || wish.choice !== readHeld(scope)) return;
    delete wishes[link.origin];
    attach(link, wish.token);
  };

  // A link may be followed from its menu, or by where it is dropped, with no click that tells.
  for (const type of ["pointerdown", "focusin", "click", "auxclick", "contextmenu", "dragstart"]) {
    document.addEventListener(type, strip, true);
  }
  // Links that no event tells of, forms and scripts: where the browser asks before it leaves.
  window.navigation?.addEventListener("navigate", (event) => {
    const address = clean(event.destination.url);
    if (address) {
      event.preventDefault();
      location.href = address;
    }
  });
  for (const type of ["pointerover", "pointerdown", "focusin"]) {
    document.addEventListener(type, prepare, { capture: true, passive: true });
  }
  document.addEventListener("click", follow, true);
  document.addEventListener("auxclick", follow, true);
};

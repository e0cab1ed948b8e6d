/** Keeps marked scripts inert until their purpose or service is granted, then releases them in order:
 * `<script type="text/plain" data-consent="…">`, there from the start or at any later time.
 * care/tags.js takes back what was released here, and cares for all other marked tags. */
import { isCovered, serviceOf } from "./hosts.js";
import { whenWhole } from "./whole.js";

/** @typedef {import("./types.js").Host} Host */
/** @typedef {import("./types.js").Tags} Tags */

const TAGS = "[data-consent]";

/** An address as the page would resolve it; unlike `new URL` it never throws.
 * @param {string} address */
export const resolveAddress = (address) => {
  const link = document.createElement("a");
  link.href = address;
  return link;
};

/** @param {Host} host @param {string} nonce  of the kit's own tag, empty where it has none
 * @returns {Tags} */
export const makeTags = (host, nonce) => {
  /** Settles when every external script released so far has run or failed. @type {Promise<unknown>} */
  let released = Promise.resolve();
  /** @type {Tags["loading"]} */
  const loading = new Map();
  /** Inert tags already released, or waiting for those before them. @type {WeakSet<Node>} */
  const visited = new WeakSet();
  /** Whether a script waits for the page to be whole. */
  let isHalf = false;

  /** A tag runs when every name it carries is granted and its host is the page's own or that of a
   * granted service: a vendor nobody registered never runs.
   * @type {Tags["mayRun"]} */
  const mayRun = (tag, address) => {
    const { config, grants } = host;
    const names = (tag.dataset.consent || "").split(" ");
    // A loop asks little of methods that the page may have replaced; a list that it broke has no first.
    if (!grants[names[0]]) return false;
    for (const name of names) if (!grants[name]) return false;
    if (!address) return true;
    const url = resolveAddress(address);
    return (
      url.origin === location.origin ||
      isCovered(config.necessary_hosts, url) ||
      serviceOf(config.services.filter(({ id }) => grants[id]), url)
    );
  };

  /** Puts a script in its place, an inline one after those before it.
   * @type {Tags["run"]} */
  const run = (script, place, marked) => {
    visited.add(marked);
    script.async = script.hasAttribute("async");
    if (script.src) {
      const settled = new Promise((done) => {
        loading.set(script, [marked, done]);
        script.onload = script.onerror = (/** @type {any} */ { type }) => {
          done(0);
          // Whoever waits for the tag knows the marked one.
          marked.dispatchEvent(new Event(type));
        };
      }).then(() => loading.delete(script));
      place.replaceWith(script);
      if (!script.async) released = Promise.all([released, settled]);
    } else {
      released = released.then(() => {
        // It waited for the scripts before it, long enough for a withdrawal.
        if (mayRun(marked, null)) place.replaceWith(script);
        else visited.delete(place);
      });
    }
  };

  /** @param {HTMLScriptElement} inert */
  const releaseScript = (inert) => {
    const address = inert.dataset.src || inert.getAttribute("src");
    if (
      visited.has(inert) ||
      !mayRun(inert, address) ||
      // What came into the page between its own scripts has not their nonce; to a script made here
      // 'strict-dynamic' would grant all the same.
      (!address && nonce && nonce !== inert.nonce)
    ) return;
    isHalf ||= !address && !inert.nextSibling;
    if (isHalf && document.readyState === "loading") {
      // The parser may still be inside it; half a script must not run, nor those behind it before it.
      whenWhole(() => releaseScript(inert));
      return;
    }
    const script = document.createElement("script");
    for (const { name, value } of inert.attributes) {
      if (!/^(src|data-consent|on)/.test(name)) script.setAttribute(name, value);
    }
    script.type = inert.dataset.type || "";
    // Only the nonce the tag itself carries: lending ours would let injected markup run.
    script.nonce = inert.nonce;
    if (address) script.src = host.trust.createScriptURL(address);
    else script.text = host.trust.createScript(inert.text);
    run(script, inert, inert);
  };

  /** @param {any} tag */
  const update = (tag) => {
    if (tag.tagName !== "SCRIPT") host.withChoosing((part) => part.visit(tag));
    else if (tag.type === "text/plain") {
      try {
        releaseScript(tag);
      } catch (error) {
        // Trusted Types may refuse it: neither the choice nor other tags end with it.
        console.warn(error);
      }
    }
  };

  /** @type {Tags["visit"]} */
  const visit = (/** @type {any} */ node) => {
    // Neither a text nor the document itself can be marked.
    if (node.matches?.(TAGS)) update(node);
    else node.querySelectorAll?.(TAGS).forEach(update);
  };

  return { loading, mayRun, released: () => released, run, visit, visited };
};

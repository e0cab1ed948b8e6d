/** Keeps marked scripts inert until their purpose or service is granted, then releases them in order:
 * `<script type="text/plain" data-consent="…">`, there from the start or at any later time.
 * choice/tags.js takes back what was released here, and cares for all other marked tags. */
import { isCovered, serviceOf } from "./hosts.js";

/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Grants} Grants */
/** @typedef {import("./types.js").Tags} Tags */

const TAGS = "[data-consent]";

/** An address as the page would resolve it; unlike `new URL` it never throws.
 * @param {string} address */
export const resolveAddress = (address) => {
  const link = document.createElement("a");
  link.href = address;
  return link;
};

/** @param {Config} config
 * @param {ReturnType<typeof import("./trusted.js").makeTrust>} trust
 * @param {() => Grants} grants
 * @param {(tag: HTMLElement) => void} passOn  what is no script
 * @returns {Tags} */
export const makeTags = ({ necessary_hosts, services }, trust, grants, passOn) => {
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
    const { purposes, services: states } = grants();
    const names = (tag.dataset.consent || "").split(" ");
    if (!names.every((name) => purposes[name] === true || states[name] === true)) return false;
    if (!address) return true;
    const url = resolveAddress(address);
    return (
      url.origin === location.origin ||
      isCovered(necessary_hosts, url) ||
      !!serviceOf(services.filter(({ id }) => states[id]), url)
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
        script.onload = script.onerror = done;
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
    if (visited.has(inert) || !mayRun(inert, address)) return;
    isHalf = isHalf || (!address && !inert.nextSibling);
    if (isHalf && document.readyState === "loading") {
      // The parser may still be inside it; half a script must not run, nor those behind it before it.
      document.addEventListener("DOMContentLoaded", () => releaseScript(inert), { once: true });
      return;
    }
    const script = document.createElement("script");
    for (const { name, value } of inert.attributes) {
      if (!/^(type|src|nonce|data-(src|type|consent))$/.test(name)) script.setAttribute(name, value);
    }
    if (inert.dataset.type) script.type = inert.dataset.type;
    // Only the nonce the tag itself carries: lending ours would let injected markup run.
    script.nonce = inert.nonce;
    if (address) script.src = trust.createScriptURL(address);
    else script.text = trust.createScript(inert.text);
    run(script, inert, inert);
  };

  /** @param {Element} tag */
  const update = (tag) => {
    if (!(tag instanceof HTMLScriptElement)) passOn(/** @type {HTMLElement} */ (tag));
    else if (tag.type === "text/plain") {
      try {
        releaseScript(tag);
      } catch (error) {
        // Trusted Types may refuse it: neither the choice nor other tags end with it.
        console.error("slagboom:", error);
      }
    }
  };

  /** @type {Tags["visit"]} */
  const visit = (node) => {
    if (node instanceof Element && node.matches(TAGS)) update(node);
    else if ("querySelectorAll" in node) {
      /** @type {ParentNode} */ (node).querySelectorAll(TAGS).forEach(update);
    }
  };

  return { loading, mayRun, run, visit, visited };
};

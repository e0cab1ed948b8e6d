/** Keeps marked tags inert until their purpose or service is granted, then releases them in order.
 *
 * `<script type="text/plain" data-consent="…">`, `<iframe data-consent="…" data-src="…">` and
 * `<img …>` alike, `<template data-consent="…">`; there from the start or at any later time. */
import { isCovered, serviceOf } from "./hosts.js";
import { trustedScript, trustedScriptUrl } from "./trusted.js";

/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Grants} Grants */
/** @typedef {import("./types.js").ServiceConfig} ServiceConfig */

const TAGS = "script,iframe,img[data-consent],template[data-consent]";

/** An address as the page would resolve it; unlike `new URL` it never throws.
 * @param {string} address */
const resolve = (address) => {
  const link = document.createElement("a");
  link.href = address;
  return link;
};

/** @param {Config} config
 * @param {(frame: HTMLIFrameElement, service: ServiceConfig) => void} wantPlaceholder */
export const makeTags = (config, wantPlaceholder) => {
  /** @type {Grants} */
  let grants = { purposes: {}, services: {} };
  /** Settles when every external script released so far has run or failed. @type {Promise<void>} */
  let released = Promise.resolve();
  /** Tags about which something was said, or nothing had to be. @type {WeakSet<Node>} */
  const checked = new WeakSet();
  /** Scripts on their way, with their marked tags and what settles them.
   * @type {Map<HTMLScriptElement, [HTMLElement, (value?: unknown) => void]>} */
  const loading = new Map();
  /** Inert tags already released, or waiting for those before them. @type {WeakSet<Node>} */
  const visited = new WeakSet();

  /** @param {Element} tag @param {string} reason */
  const warn = (tag, reason) => {
    if (!checked.has(tag)) console.warn(`slagboom: ${reason}`, tag);
    checked.add(tag);
  };

  /** A tag runs when every name it carries is granted and its host is the page's own or that of a
   * granted service: a vendor nobody registered never runs.
   * @param {HTMLElement} tag @param {string | null | undefined} address */
  const mayRun = (tag, address) => {
    for (const name of (tag.dataset.consent || "").split(" ")) {
      const states = [grants.purposes[name], grants.services[name]];
      if (!states.includes(true)) {
        if (!states.includes(false)) {
          warn(tag, `held back: "${name}" is no purpose or service of this policy`);
        }
        return false;
      }
    }
    if (!address) return true;
    const url = resolve(address);
    if (url.origin === location.origin) return true;
    if (config.necessary_hosts && isCovered(config.necessary_hosts, url)) return true;
    if (!serviceOf(config.services, url)) {
      warn(tag, `held back: no service of this policy registers the host ${url.host}`);
    }
    return !!serviceOf(config.services.filter(({ id }) => grants.services[id]), url);
  };

  /** Says what loads without asking, when it is first seen. @param {HTMLElement} tag */
  const check = (tag) => {
    const { src } = /** @type {HTMLScriptElement} */ (tag);
    const service = src && serviceOf(config.services, resolve(src));
    if (tag.dataset.consent) warn(tag, 'not held back: it needs type="text/plain" or data-src');
    else if (service && !service.ahead && !grants.services[service.id]) {
      warn(tag, `not held back: ${service.id} is not granted and the tag not marked`);
    }
    checked.add(tag);
  };

  /** Puts a script in its place, an inline one after those before it.
   * @param {HTMLScriptElement} script @param {ChildNode} place @param {HTMLElement} marked */
  const run = (script, place, marked) => {
    visited.add(marked);
    script.async = script.hasAttribute("async");
    if (script.src) {
      const settled = new Promise((done) => {
        loading.set(script, [marked, done]);
        script.onload = script.onerror = done;
      }).then(() => loading.delete(script));
      place.replaceWith(script);
      if (!script.async) released = Promise.all([released, settled]).then(() => undefined);
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
    if (!address && document.readyState === "loading" && !inert.nextSibling) {
      // The parser may still be inside it; half a script must not run.
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
    if (address) script.src = trustedScriptUrl(address);
    else script.text = trustedScript(inert.text);
    run(script, inert, inert);
  };

  /** Moves out what stands in a template, which has neither run nor loaded. Its scripts are the
   * ones the browser's parser made, so not even Trusted Types wants them vouched for.
   * @param {HTMLTemplateElement} template */
  const openTemplate = (template) => {
    const { content, dataset } = template;
    const addresses = [...content.querySelectorAll("[src]")].map((tag) => tag.getAttribute("src"));
    if (visited.has(template) || ![null, ...addresses].every((src) => mayRun(template, src))) return;
    visited.add(template);
    content.querySelectorAll("iframe").forEach((frame) => {
      // From here on a marked frame, which a withdrawal ends.
      Object.assign(frame.dataset, { src: frame.getAttribute("src") }, dataset);
      frame.removeAttribute("src");
    });
    content.querySelectorAll('script:not([type="text/plain"])').forEach((found) => {
      const script = /** @type {HTMLScriptElement} */ (found);
      const place = new Comment();
      script.replaceWith(place);
      run(script, place, template);
    });
    template.after(content);
  };

  /** @param {HTMLImageElement} image */
  const updateImage = (image) => {
    const { src = "" } = image.dataset;
    if (!image.hasAttribute("src") && mayRun(image, src)) image.src = src;
  };

  /** @param {HTMLIFrameElement} frame */
  const updateFrame = (frame) => {
    const url = resolve(frame.dataset.src || "");
    const service = serviceOf(config.services, url);
    if ("consentOnce" in frame.dataset || mayRun(frame, url.href)) {
      if (service && service.embed && service.embed.use_host) url.host = service.embed.use_host;
      if (!frame.hasAttribute("src")) frame.src = url.href;
      const placeholder = frame.previousElementSibling;
      if (placeholder && placeholder.classList.contains("sb-embed")) placeholder.remove();
      frame.hidden = false;
      return;
    }
    if (frame.hasAttribute("src")) {
      // It had been allowed: only taking the frame out of the page ends what it runs.
      const fresh = /** @type {HTMLIFrameElement} */ (frame.cloneNode());
      fresh.removeAttribute("src");
      frame.replaceWith(fresh);
      frame = fresh;
    }
    if (service) wantPlaceholder(frame, service);
  };

  /** @param {Element} tag */
  const update = (tag) => {
    if (!(tag instanceof HTMLElement)) return;
    const { consent, src } = tag.dataset;
    if (tag instanceof HTMLTemplateElement) openTemplate(tag);
    else if (consent && tag instanceof HTMLScriptElement && tag.type === "text/plain") {
      releaseScript(tag);
    } else if (consent && src && tag instanceof HTMLIFrameElement) updateFrame(tag);
    else if (consent && src && tag instanceof HTMLImageElement) updateImage(tag);
    else check(tag);
  };

  /** @param {Node} node */
  const visit = (node) => {
    if (node instanceof Element && node.matches(TAGS)) update(node);
    else if ("querySelectorAll" in node) {
      /** @type {ParentNode} */ (node).querySelectorAll(TAGS).forEach(update);
    }
  };

  const observer = new MutationObserver((changes) => {
    for (const { addedNodes, attributeName, target } of changes) {
      (attributeName ? [target] : addedNodes).forEach(visit);
    }
  });

  return {
    /** @param {HTMLIFrameElement} frame */
    showOnce: (frame) => {
      // The word stands in the page for block/hold.js to see.
      frame.dataset.consentOnce = "";
      updateFrame(frame);
    },
    /** @param {Grants} next */
    apply: (next) => {
      grants = next;
      for (const [script, [marked, done]] of loading) {
        if (mayRun(marked, script.src)) continue;
        // It may still arrive, but a script of another document does not run.
        document.implementation.createHTMLDocument().adoptNode(script);
        done();
      }
      // What was shown once was shown under the answer before this one.
      document.querySelectorAll("[data-consent-once]").forEach((frame) => {
        frame.removeAttribute("data-consent-once");
      });
      observer.observe(document, {
        attributeFilter: ["data-consent"],
        childList: true,
        subtree: true,
      });
      visit(document);
    },
  };
};

/** Keeps marked tags inert until their purpose or service is granted, then releases them in order.
 *
 * `<script type="text/plain" data-consent="…">` and `<iframe data-consent="…" data-src="…">`,
 * there from the start or inserted at any later time. */
import { serviceOf } from "./hosts.js";
import { trustedScript, trustedScriptUrl } from "./trusted.js";

/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Grants} Grants */
/** @typedef {import("./types.js").ServiceConfig} ServiceConfig */

const SCRIPTS = 'script[type="text/plain"][data-consent]';
const FRAMES = "iframe[data-consent][data-src]";

/** @param {Config} config
 * @param {(frame: HTMLIFrameElement, service: ServiceConfig) => void} wantPlaceholder */
export const makeTags = (config, wantPlaceholder) => {
  /** @type {Grants} */
  let grants = { purposes: {}, services: {} };
  /** Settles when every external script released so far has run or failed. @type {Promise<void>} */
  let released = Promise.resolve();
  /** @type {WeakSet<Element>} */
  const warned = new WeakSet();
  /** Inert scripts already released, or waiting for those before them. @type {WeakSet<Element>} */
  const visited = new WeakSet();

  /** @param {Element} tag @param {string} reason */
  const warn = (tag, reason) => {
    if (!warned.has(tag)) {
      warned.add(tag);
      console.warn(`slagboom: held back: ${reason}`, tag);
    }
  };

  /** A tag runs when the name it carries is granted and its host is the page's own or that of a
   * granted service: a vendor nobody registered never runs.
   * @param {HTMLElement} tag @param {string | null} address */
  const mayRun = (tag, address) => {
    const name = tag.dataset.consent || "";
    if (!(name in grants.purposes) && !(name in grants.services)) {
      warn(tag, `"${name}" is no purpose or service of this policy`);
      return false;
    }
    if (!(grants.purposes[name] || grants.services[name])) return false;
    if (!address) return true;
    const url = new URL(address, document.baseURI);
    if (url.origin === location.origin) return true;
    const service = serviceOf(config.services, url);
    if (!service) warn(tag, `no service of this policy registers the host ${url.host}`);
    return service !== undefined && grants.services[service.id];
  };

  /** Frames a visitor asked to see once. @type {WeakSet<Element>} */
  const once = new WeakSet();

  /** @param {HTMLScriptElement} inert */
  const releaseScript = (inert) => {
    const address = inert.dataset.src || inert.getAttribute("src");
    if (visited.has(inert) || !mayRun(inert, address)) return;
    const script = document.createElement("script");
    for (const { name, value } of inert.attributes) {
      if (!/^(type|src|nonce|data-(src|type|consent))$/.test(name)) script.setAttribute(name, value);
    }
    if (inert.dataset.type) script.type = inert.dataset.type;
    // Only the nonce the tag itself carries: lending ours would let injected markup run.
    script.nonce = inert.nonce;
    script.async = inert.hasAttribute("async");
    visited.add(inert);
    if (address) {
      const settled = new Promise((resolve) => {
        script.onload = script.onerror = resolve;
      });
      script.src = trustedScriptUrl(address);
      inert.replaceWith(script);
      if (!script.async) released = Promise.all([released, settled]).then(() => undefined);
    } else {
      script.text = trustedScript(inert.text);
      released = released.then(() => {
        // It waited for the scripts before it, long enough for a withdrawal.
        if (mayRun(inert, null)) inert.replaceWith(script);
        else visited.delete(inert);
      });
    }
  };

  /** @param {HTMLIFrameElement} frame */
  const serviceOfFrame = (frame) => {
    const url = new URL(/** @type {string} */ (frame.dataset.src), document.baseURI);
    return { url, service: serviceOf(config.services, url) };
  };

  /** @param {HTMLIFrameElement} frame */
  const updateFrame = (frame) => {
    const { url, service } = serviceOfFrame(frame);
    if (once.has(frame) || mayRun(frame, url.href)) {
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

  /** @param {ParentNode} within */
  const visit = (within) => {
    within.querySelectorAll(SCRIPTS).forEach((tag) => {
      releaseScript(/** @type {HTMLScriptElement} */ (tag));
    });
    within.querySelectorAll(FRAMES).forEach((tag) => {
      updateFrame(/** @type {HTMLIFrameElement} */ (tag));
    });
  };

  const observer = new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) {
        if (node instanceof HTMLScriptElement && node.matches(SCRIPTS)) releaseScript(node);
        else if (node instanceof HTMLIFrameElement && node.matches(FRAMES)) updateFrame(node);
        else if (node instanceof Element && node.firstElementChild) visit(node);
      }
    }
  });

  return {
    /** @param {HTMLIFrameElement} frame */
    showOnce: (frame) => {
      once.add(frame);
      updateFrame(frame);
    },
    /** @param {Grants} next */
    apply: (next) => {
      grants = next;
      visit(document);
      observer.takeRecords();
      observer.observe(document, { childList: true, subtree: true });
    },
  };
};

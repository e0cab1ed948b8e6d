/** Marked tags that are no scripts, and what a tag's author should know. */

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Layers} Layers */

/** By which attributes tags other than scripts and frames load something. */
const ADDRESSES = new Map([
  ["img", ["src", "srcset"]],
  ["source", ["srcset"]],
  ["video", ["poster"]],
  ["object", ["data"]],
  ["embed", ["src"]],
  ["link", ["href"]],
]);
/** What may be one of a vendor's without a mark. */
const LOADING = "script,iframe,img,link[rel~=stylesheet],link[rel*=pre],[data-consent]";

/** @param {Host} host @param {Layers} layers */
export const makeTagVisitor = (host, layers) => {
  const { necessary_hosts, services } = host.config;
  const { mayRun, run, visited } = host.tags;
  const { isCovered, resolveAddress, serviceOf } = host.shared;
  /** What stood at a tag when it was looked at. @type {WeakMap<Node, string>} */
  const checked = new WeakMap();
  /** Held templates with a number, which copies of their frames carry. @type {WeakMap<Node, number>} */
  const copied = new WeakMap();
  let copies = 0;

  /** @param {Element} frame */
  const removePlaceholder = ({ previousElementSibling: placeholder }) => {
    if (placeholder && placeholder.matches(".sb-embed")) placeholder.remove();
  };

  /** Moves out what stands in a template, which has neither run nor loaded. Its scripts are the
   * ones the browser's parser made, so not even Trusted Types wants them vouched for.
   * @param {HTMLTemplateElement} template */
  const openTemplate = (template) => {
    const { content, dataset } = template;
    if (visited.has(template)) return;
    if (!template.nextSibling && document.readyState === "loading") {
      // The parser may still be inside it.
      document.addEventListener("DOMContentLoaded", () => openTemplate(template));
      return;
    }
    /** @param {HTMLIFrameElement} frame  from here on a marked one, which a withdrawal ends */
    const markFrame = (frame) => {
      Object.assign(frame.dataset, { src: frame.getAttribute("src") }, dataset);
      frame.removeAttribute("src");
      return frame;
    };
    const frames = [...content.querySelectorAll("iframe")];
    const addresses = [...content.querySelectorAll("[src]")].map((tag) => tag.getAttribute("src"));
    if (![null, ...addresses].every((src) => mayRun(template, src))) {
      if (copied.has(template)) return;
      copied.set(template, ++copies);
      // Nobody sees a template: copies of its frames get the placeholders.
      template.after(...frames.filter(({ src }) => serviceOf(services, resolveAddress(src))).map((frame) => {
        const copy = markFrame(/** @type {HTMLIFrameElement} */ (frame.cloneNode()));
        copy.dataset.consentCopy = `${copies}`;
        return copy;
      }));
      return;
    }
    visited.add(template);
    const root = /** @type {Document | ShadowRoot} */ (template.getRootNode());
    root.querySelectorAll(`[data-consent-copy="${copied.get(template)}"]`).forEach((copy) => {
      removePlaceholder(copy);
      copy.remove();
    });
    frames.forEach(markFrame);
    content.querySelectorAll('script:not([type="text/plain"])').forEach((found) => {
      const script = /** @type {HTMLScriptElement} */ (found);
      const place = new Comment();
      script.replaceWith(place);
      run(script, place, template);
    });
    template.after(content);
  };

  /** @param {HTMLElement} tag  one that loads something beside its content */
  const updateAddresses = (tag) => {
    for (const name of ADDRESSES.get(tag.localName) || []) {
      const inert = tag.dataset[name];
      if (!inert) continue;
      const parts = name === "srcset" ? inert.split(/[\s,]+/) : [inert];
      if (!parts.every((address) => mayRun(tag, address))) {
        // It had been allowed: only another element ends what this one runs.
        if (tag.hasAttribute(name) && /^(object|embed)$/.test(tag.localName)) {
          const fresh = /** @type {HTMLElement} */ (tag.cloneNode(true));
          fresh.removeAttribute(name);
          tag.replaceWith(fresh);
        }
      } else if (!tag.hasAttribute(name)) {
        // Some engines want the address of an object vouched for.
        tag.setAttribute(name, /** @type {string} */ (host.trust.createScriptURL(inert)));
      }
    }
  };

  /** The gate knows HTML's scripts only. @param {SVGScriptElement} inert */
  const releaseSvgScript = (inert) => {
    const address = inert.dataset.src || inert.getAttribute("href") || inert.getAttribute("xlink:href");
    if (!address || inert.type !== "text/plain" || visited.has(inert)) return;
    const marked = /** @type {HTMLElement} */ (/** @type {unknown} */ (inert));
    if (!mayRun(marked, address)) return;
    const script = document.createElement("script");
    script.type = inert.dataset.type || "";
    script.nonce = inert.nonce;
    script.src = /** @type {string} */ (host.trust.createScriptURL(address));
    run(script, inert, marked);
  };

  /** @param {HTMLIFrameElement} frame */
  const updateFrame = (frame) => {
    const { src = "" } = frame.dataset;
    const url = resolveAddress(src);
    const service = serviceOf(services, url);
    if ("consentOnce" in frame.dataset || mayRun(frame, src)) {
      if (service && service.embed && service.embed.use_host) url.host = service.embed.use_host;
      if (!frame.hasAttribute("src")) frame.src = url.href;
      removePlaceholder(frame);
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
    if (service) layers.wantPlaceholder(frame, service);
  };

  /** Tells the author of a tag, once, why it is held back or why it is not.
   * @param {HTMLElement} tag */
  const check = (tag) => {
    const { consent, markedFor, data, href, poster, src, srcset } = tag.dataset;
    // Released, or let run, as another tool's mark wants it.
    if (consent === undefined && markedFor) return;
    const inert = src || srcset || href || poster || data;
    const address = inert || tag.getAttribute("src") || tag.getAttribute("href");
    const seen = `${consent} ${address}`;
    if (checked.get(tag) === seen) return;
    checked.set(tag, seen);
    const url = resolveAddress(address || "");
    const service = address && serviceOf(services, url);
    const isScript = tag.tagName === "SCRIPT";
    const isPlain = tag.getAttribute("type") === "text/plain";
    const isInert = isPlain || inert || tag.tagName === "TEMPLATE";
    const unknown = (consent || "").split(" ").find((name) => !(name in host.grants));
    const fault =
      consent === undefined
        ? service && !service.ahead && !host.grants[service.id] && !layers.hadGrants() &&
          `not held back: ${service.id} is not granted and the tag not marked`
        : !isInert ? 'not held back: it needs type="text/plain" or data-src'
          : isScript && !isPlain ? 'never released: it needs type="text/plain"'
            : unknown ? `held back: "${unknown}" is no purpose or service of this policy`
              : address && !service && url.origin !== location.origin &&
              !isCovered(necessary_hosts, url) &&
              `held back: no service of this policy registers the host ${url.host}`;
    if (fault) console.warn(`slagboom: ${fault}`, tag);
  };
  const checkAll = () => document.querySelectorAll(LOADING).forEach((tag) => {
    if (tag instanceof HTMLElement && !visited.has(tag)) check(tag);
  });

  /** @param {HTMLElement} tag marked, and no script */
  const visit = (tag) => {
    if (tag instanceof HTMLTemplateElement) openTemplate(tag);
    else if (tag instanceof HTMLIFrameElement && tag.dataset.src) updateFrame(tag);
    else if (tag instanceof SVGScriptElement) releaseSvgScript(tag);
    else updateAddresses(tag);
  };

  checkAll();
  new MutationObserver(checkAll).observe(document, { childList: true, subtree: true });
  return {
    visit,
    /** @param {HTMLIFrameElement} frame */
    showOnce: (frame) => {
      // The word stands in the page for block/hold.js to see.
      frame.dataset.consentOnce = "";
      updateFrame(frame);
    },
  };
};

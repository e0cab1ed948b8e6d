/** Marked tags that are no scripts, and what a tag's author should know. */

/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Layers} Layers */

/** @param {Host} host @param {Layers} layers */
export const makeTagVisitor = (host, layers) => {
  const { necessary_hosts, services } = host.config;
  const { mayRun, run, visited } = host.tags;
  const { isCovered, resolveAddress, serviceOf } = host.shared;
  /** Tags about which something was said. @type {WeakSet<Node>} */
  const checked = new WeakSet();

  /** Moves out what stands in a template, which has neither run nor loaded. Its scripts are the
   * ones the browser's parser made, so not even Trusted Types wants them vouched for.
   * @param {HTMLTemplateElement} template */
  const openTemplate = (template) => {
    const { content, dataset } = template;
    const addresses = [...content.querySelectorAll("[src]")].map((tag) => tag.getAttribute("src"));
    if (visited.has(template) || ![null, ...addresses].every((src) => mayRun(template, src))) return;
    if (!template.nextSibling && document.readyState === "loading") {
      // The parser may still be inside it.
      document.addEventListener("DOMContentLoaded", () => openTemplate(template));
      return;
    }
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
    const { src = "" } = frame.dataset;
    const url = resolveAddress(src);
    const service = serviceOf(services, url);
    if ("consentOnce" in frame.dataset || mayRun(frame, src)) {
      if (service && service.embed && service.embed.use_host) url.host = service.embed.use_host;
      if (!frame.hasAttribute("src")) frame.src = url.href;
      const placeholder = frame.previousElementSibling;
      if (placeholder && placeholder.matches(".sb-embed")) placeholder.remove();
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
    if (checked.has(tag)) return;
    const { consent, src: inert } = tag.dataset;
    const address = inert || tag.getAttribute("src");
    const url = resolveAddress(address || "");
    const service = address && serviceOf(services, url);
    const isInert = tag.getAttribute("type") === "text/plain" || inert || tag.tagName === "TEMPLATE";
    const unknown = (consent || "").split(" ").find((name) => !(name in host.grants));
    const fault =
      consent === undefined
        ? service && !service.ahead && !host.grants[service.id] && !layers.hadGrants() &&
          `not held back: ${service.id} is not granted and the tag not marked`
        : !isInert ? 'not held back: it needs type="text/plain" or data-src'
          : unknown ? `held back: "${unknown}" is no purpose or service of this policy`
            : address && !service && url.origin !== location.origin &&
              !isCovered(necessary_hosts, url) &&
              `held back: no service of this policy registers the host ${url.host}`;
    if (!fault) return;
    checked.add(tag);
    console.warn(`slagboom: ${fault}`, tag);
  };
  const checkAll = () => document.querySelectorAll("script,iframe,[data-consent]").forEach((tag) => {
    if (tag instanceof HTMLElement && !visited.has(tag)) check(tag);
  });

  /** @param {HTMLElement} tag marked, and no script */
  const visit = (tag) => {
    if (tag instanceof HTMLTemplateElement) openTemplate(tag);
    else if (tag instanceof HTMLIFrameElement && tag.dataset.src) updateFrame(tag);
    else if (tag instanceof HTMLImageElement && tag.dataset.src) updateImage(tag);
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

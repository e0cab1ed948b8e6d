/** What stands in the place of an embed until its service is granted, in one language. */

/** @typedef {import("../types.js").EmbedNotice} EmbedNotice */
/** @typedef {import("../types.js").Host} Host */
/** @typedef {import("../types.js").Layers} Layers */
/** @typedef {import("../types.js").Part} Part */
/** @typedef {import("../types.js").ServiceConfig} ServiceConfig */

/** @param {EmbedNotice} notice @param {Host} host @param {Layers} layers
 * @param {HTMLIFrameElement} frame @param {ServiceConfig} service */
const makePlaceholder = ({ always, embeds, language, once, purposes: purposeOf }, host, layers, frame, service) => {
  const { h, makeButton, outwardLink } = layers;
  const [name, title, text, address, link] = embeds[service.id];

  /** Adds this service to what had been chosen before, and nothing else. */
  const allow = () => {
    const { purposes, services } = host.config;
    const { decision } = host.api;
    /** @type {Record<string, boolean>} */
    const next = { ...(decision && decision.services), [service.id]: true };
    layers.decide({
      action: "save",
      layer: "placeholder",
      language,
      purposes: purposes
        .map((id) => +(id === purposeOf[service.id]
          ? services.every((other) => purposeOf[other.id] !== id || next[other.id])
          : decision !== null && decision.choices[id]))
        .join(""),
      services: services.map(({ id }) => +(next[id] === true)).join(""),
      anonymise_ip: decision === null || decision.anonymise_ip,
    });
  };
  /** Loads this one frame for this one page, which is what the visitor asked for by the click
   * (ePrivacy Art. 5(3): a service explicitly requested). Nothing is remembered or recorded. */
  const showOnce = () => {
    layers.withCare((part) => {
      part.showOnce(frame);
      frame.focus();
    });
  };

  return h("div.embed", { lang: language, role: "group", "aria-label": name },
    h("p", null, h("b", null, title)),
    h("p", null, text, " ", address && outwardLink(address, link)),
    h("div.actions", null,
      makeButton("button sb-once", once, showOnce),
      makeButton("button sb-allow", always, allow)));
};

/** Keeps the placeholder within the box that would cut it off, as the wrappers do that give a frame
 * its proportions: what is too high for it scrolls. @param {HTMLElement} placeholder */
const fit = (placeholder) => {
  const { style } = placeholder;
  style.removeProperty("--sb-room");
  let box = placeholder.parentElement;
  while (box && getComputedStyle(box).overflowY === "visible") box = box.parentElement;
  // What the page itself cuts off is its own to scroll.
  if (!box || box.contains(document.body) || !/hidden|clip/.test(getComputedStyle(box).overflowY)) return;
  const { bottom, top } = placeholder.getBoundingClientRect();
  const room = Math.floor(box.getBoundingClientRect().bottom - box.clientTop - top);
  if (room > 0 && bottom - top > room) style.setProperty("--sb-room", `${room}px`);
};

/** @param {string} style @param {EmbedNotice} notice @param {Host} host @param {Layers} layers
 * @returns {Part} */
const makePart = (style, notice, host, layers) => {
  /** @type {Map<HTMLIFrameElement, HTMLElement>} */
  const places = new Map();
  layers.addStyle(style);
  // In the next frame: what changes a size in between is told to the page as an error.
  const sizes = new ResizeObserver(() => requestAnimationFrame(() => places.forEach(fit)));
  const update = () => {
    for (const [frame, placeholder] of places) {
      if (frame.isConnected && !frame.hasAttribute("src")) continue;
      frame.hidden = false;
      placeholder.remove();
      places.delete(frame);
    }
  };
  return {
    update,
    placeholder: (frame, service) => {
      update();
      const before = frame.previousElementSibling;
      // The one that stands there may speak another language.
      const hasOne = before && before.matches(".sb-embed");
      if (!notice.embeds[service.id] || !frame.isConnected || hasOne) return;
      const placeholder = makePlaceholder(notice, host, layers, frame, service);
      places.set(frame, placeholder);
      frame.hidden = true;
      frame.before(placeholder);
      sizes.observe(/** @type {Element} */ (placeholder.parentElement));
    },
  };
};

// What loads a part declares the first name around it, and the server puts data in place of the others
// (bundle.py).
// @ts-ignore -- the names are not of this script
const style = SLAGBOOM_STYLE, notice = SLAGBOOM_EMBED;
// @ts-ignore -- as above
sbParts[`embed-${notice.language}`] = (/** @type {Host} */ host, /** @type {Layers} */ layers) =>
  makePart(style, notice, host, layers);

export {};

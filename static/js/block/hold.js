/** Auto-blocking: makes tags inert that nobody marked, where their host belongs to a registered
 * service that is not granted. The gate's queue releases them like any other marked tag.
 *
 * Where a tag enters the page decides how it is caught. What the parser reads is seen by the
 * observer in main.js before it is acted on; what a script puts in acts at once, so whatever puts
 * nodes in, sets addresses or turns text into nodes is wrapped. document.write escapes both.
 *
 * A page may have replaced any of it, or an engine may lack it: what cannot be wrapped is left. */
import { serviceOf } from "../hosts.js";

/** @typedef {import("../types.js").BlockConfig} BlockConfig */
/** @typedef {HTMLElement | SVGScriptElement} Tag */
/** @typedef {{prototype: any}} Owner */

/** All JavaScript MIME types of the HTML standard, and modules. */
const EXECUTABLE = /^\s*$|(java|ecma|j|live)script|module/i;
/** Links that load or connect; without a kind yet it may become one. */
const LOADING_LINK = /^$|stylesheet|icon|pre(load|fetch|connect|render)/i;
/** The beginnings of tags that load as soon as a text becomes nodes. */
const LOADING_TEXT = /<(iframe|ima?ge?|source|video|object|embed|link)/i;
/** By which attributes a tag loads something. */
const ADDRESSES = new Map([
  ["script", ["src"]],
  ["iframe", ["src"]],
  ["img", ["src", "srcset"]],
  ["source", ["srcset"]],
  ["video", ["poster"]],
  ["object", ["data"]],
  ["embed", ["src"]],
  ["link", ["href"]],
]);
const ADDRESS = /^(src|srcset|href|poster|data)$/;
export const TAGS = [...ADDRESSES.keys(), "template"].join();
const INSERTING = [
  "appendChild",
  "insertBefore",
  "replaceChild",
  "moveBefore",
  "append",
  "prepend",
  "before",
  "after",
  "replaceWith",
  "replaceChildren",
  "insertAdjacentElement",
  "insertNode",
];

/** @param {unknown} node @returns {string[]} */
const attributesOf = (node) =>
  (node instanceof SVGScriptElement && ["href", "xlink:href"]) ||
  (node instanceof HTMLElement && ADDRESSES.get(node.localName)) ||
  [];

/** Puts another function in the place of a method or of what sets a property.
 * @param {Owner} owner @param {string} name
 * @param {(native: Function) => (this: any, ...values: any[]) => unknown} make */
const override = ({ prototype }, name, make) => {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  const native = descriptor && (descriptor.value || descriptor.set);
  if (!native || !descriptor.configurable) return;
  const key = descriptor.value ? "value" : "set";
  Object.defineProperty(prototype, name, { ...descriptor, [key]: make(native) });
};

/** @param {BlockConfig["services"]} services
 * @param {(root: ShadowRoot) => void} observe  what stands in a root from now on */
export const makeHolder = (services, observe) => {
  /** @param {{id: string}} service */
  const isGranted = ({ id }) => {
    const { slagboom } = window;
    return slagboom !== undefined && !Array.isArray(slagboom) && slagboom.granted(id);
  };

  /** The service to wait for, when it is that of a registered host and none of them is granted; and
   * the address as the gate knows it, without the last dot that a host's name may have.
   * @param {string} address */
  const readAddress = (address) => {
    const link = document.createElement("a");
    link.href = address;
    const isDotted = link.hostname.endsWith(".");
    if (isDotted) link.hostname = link.hostname.slice(0, -1);
    return {
      address: isDotted ? link.href : address,
      service:
        link.origin === location.origin || serviceOf(services.filter(isGranted), link)
          ? undefined
          : serviceOf(services, link),
    };
  };

  /** @param {unknown} node
   * @param {string} [name]  of the attribute that is about to be set, else all it has
   * @param {unknown} [value]
   * @returns {boolean} whether an attribute was kept from the tag */
  const hold = (node, name, value) => {
    const names = attributesOf(node);
    if (!names[0] || (name && !names.includes(name))) return false;
    const tag = /** @type {Tag} */ (node);
    const { dataset } = tag;
    const script = tag.localName === "script" && /** @type {HTMLScriptElement} */ (tag);
    if (
      // A visitor asked to see this frame once; another tool's mark lets this tag run.
      "consentOnce" in dataset || ("markedFor" in dataset && !dataset.consent) ||
      (script && !EXECUTABLE.test(script.type)) ||
      (tag instanceof HTMLLinkElement && !LOADING_LINK.test(tag.rel))
    ) return false;
    let isKept = false;
    for (const own of name ? [name] : names) {
      const given = name ? `${value}` : tag.getAttribute(own);
      if (!given) continue;
      /** @type {Set<string>} */
      const awaited = new Set();
      /** @param {string} part */
      const read = (part) => {
        const { address, service } = readAddress(part);
        if (service) awaited.add(service.id);
        return address;
      };
      // What stands beside the addresses reads as an address of the page's own.
      const kept = own === "srcset"
        ? given.replace(/[^\s,]+/g, (part) => (/[/:]/.test(part) ? read(part) : part))
        : read(given);
      if (!awaited.size) continue;
      dataset.consent = [...new Set([...(dataset.consent || "").split(" "), ...awaited])].join(" ").trim();
      if (!script) {
        dataset[own] = kept;
        tag.removeAttribute(own);
        isKept = true;
        continue;
      }
      if (script.type) dataset.type = script.type;
      script.type = "text/plain";
      if (kept !== given) dataset.src = kept;
    }
    return isKept;
  };

  /** @param {unknown} node */
  const holdWithin = (node) => {
    hold(node);
    if (node instanceof Element || node instanceof DocumentFragment) {
      node.querySelectorAll(TAGS).forEach((tag) => hold(tag));
    }
  };

  /** Wraps what puts nodes in. */
  const wrapInserting = () => {
    for (const owner of [Node, Element, CharacterData, Document, DocumentFragment, Range]) {
      for (const name of INSERTING) {
        override(owner, name, (native) => function (...values) {
          values.forEach(holdWithin);
          return native.apply(this, values);
        });
      }
    }
    // A copy of what stands in a template loads before it is put in.
    override(Document, "importNode", (native) => function (node, ...rest) {
      if (rest[0] && node instanceof Node && !node.ownerDocument?.defaultView) {
        node = node.cloneNode(true);
        holdWithin(node);
      }
      return native.call(this, node, ...rest);
    });
    override(Element, "attachShadow", (native) => function (...values) {
      const root = native.apply(this, values);
      observe(root);
      return root;
    });
  };

  /** Wraps what sets addresses. */
  const wrapAddresses = () => {
    for (const owner of [
      HTMLScriptElement,
      HTMLIFrameElement,
      HTMLImageElement,
      HTMLSourceElement,
      HTMLVideoElement,
      HTMLObjectElement,
      HTMLEmbedElement,
      HTMLLinkElement,
    ]) {
      for (const name of ["src", "srcset", "poster", "data", "href"]) {
        override(owner, name, (native) => function (value) {
          if (!hold(this, name, value)) native.call(this, value);
        });
      }
    }
    /** @param {unknown} tag @param {unknown} name  perhaps with a prefix @param {unknown} value */
    const keeps = (tag, name, value) => {
      const own = `${name}`.replace(/.*:/, "").toLowerCase();
      return ADDRESS.test(own) && hold(tag, own, value);
    };
    for (const [at, name] of ["setAttribute", "setAttributeNS"].entries()) {
      override(Element, name, (native) => function (...values) {
        if (!keeps(this, values[at], values[at + 1])) native.apply(this, values);
      });
    }
    for (const name of ["setAttributeNode", "setAttributeNodeNS"]) {
      override(Element, name, (native) => function (attribute) {
        return attribute instanceof Attr && keeps(this, attribute.name, attribute.value)
          ? null
          : native.call(this, attribute);
      });
    }
    override(Attr, "value", (native) => function (value) {
      const { ownerElement, name } = /** @type {Attr} */ (this);
      if (!ownerElement || !keeps(ownerElement, name, value)) native.call(this, value);
    });
  };

  /** Wraps what turns text into nodes: they are made in a document where nothing loads, and put in
   * from there when something of it has to wait. As nodes they need no policy of Trusted Types. */
  const wrapParsing = () => {
    if (document.contentType !== "text/html") return;
    const inert = document.implementation.createHTMLDocument("");
    const { importNode } = inert;
    const { after, append, before, prepend, replaceChildren, replaceWith } = Element.prototype;
    const fragment = DocumentFragment.prototype.replaceChildren;
    /** @type {Record<string, Function>} */
    const parsers = {};

    /** @param {ParentNode} root @returns {boolean} whether something of it has to wait */
    const holdInert = (root) => {
      let isHeld = false;
      for (const tag of root.querySelectorAll("*")) {
        // A script that comes as text runs only where it is put in as a node later.
        if (tag.localName !== "script" && hold(tag)) isHeld = true;
        if (tag.shadowRoot) {
          if (holdInert(tag.shadowRoot)) isHeld = true;
          if (isHeld) observe(tag.shadowRoot);
        }
      }
      return isHeld;
    };
    /** @param {Node} target @param {Node | null} context  what the text is parsed as the content of
     * @param {unknown} text @param {(place: Element) => void} parse
     * @returns {ChildNode[] | undefined} nothing where the browser is to act by itself */
    const prepare = (target, context, text, parse) => {
      try {
        if (!LOADING_TEXT.test(`${text}`) || !target.ownerDocument?.defaultView) return undefined;
        const place = context instanceof Element
          ? importNode.call(inert, context, false)
          : inert.createElement("body");
        parse(/** @type {Element} */ (place));
        return holdInert(/** @type {Element} */ (place)) ? [...place.childNodes] : undefined;
      } catch {
        // The browser says what is wrong with it.
        return undefined;
      }
    };

    for (const name of ["innerHTML", "setHTMLUnsafe", "setHTML"]) {
      for (const owner of [Element, ShadowRoot]) {
        override(owner, name, (native) => {
          parsers[name] ||= native;
          return function (...values) {
            const isRoot = this instanceof ShadowRoot;
            const context = isRoot ? this.host : this;
            const nodes = prepare(context, context, values[0], (place) =>
              parsers[name].apply(place, values));
            if (nodes) (isRoot ? fragment : replaceChildren).apply(this, nodes);
            else native.apply(this, values);
          };
        });
      }
    }
    override(Element, "outerHTML", (native) => function (text) {
      const parent = this.parentNode;
      const nodes = parent && parent !== document
        ? prepare(this, parent, text, (place) => parsers.innerHTML.call(place, text))
        : undefined;
      if (nodes) replaceWith.apply(this, nodes);
      else native.call(this, text);
    });
    override(Element, "insertAdjacentHTML", (native) => function (where, text) {
      const side = `${where}`.toLowerCase();
      const inside = side === "afterbegin" ? prepend : side === "beforeend" && append;
      const outside = side === "beforebegin" ? before : side === "afterend" && after;
      const parent = inside ? this : this.parentNode;
      const put = inside || outside;
      const nodes = put && parent && parent !== document
        ? prepare(this, parent, text, (place) => parsers.innerHTML.call(place, text))
        : undefined;
      if (put && nodes) put.apply(this, nodes);
      else native.call(this, where, text);
    });
    override(Range, "createContextualFragment", (native) => function (text) {
      const { startContainer: start } = /** @type {Range} */ (this);
      const context = start instanceof Element ? start : start.parentElement;
      const nodes = prepare(start, context, text, (place) => {
        const range = inert.createRange();
        range.selectNodeContents(place);
        append.call(place, native.call(range, text));
      });
      if (!nodes) return native.call(this, text);
      const made = document.createDocumentFragment();
      fragment.apply(made, nodes);
      return made;
    });
  };

  /** Knows what came too late to be held. */
  const listen = () => {
    // Engines that tell of it name the script itself, whatever brought it in.
    addEventListener(
      "beforescriptexecute",
      (event) => {
        hold(event.target);
        if (/** @type {HTMLScriptElement} */ (event.target).type === "text/plain") {
          event.preventDefault();
        }
      },
      true,
    );
    document.addEventListener(
      "load",
      ({ isTrusted, target }) => {
        const { dataset, type } = /** @type {HTMLScriptElement} */ (target);
        // document.write brought it in and it has run: it must not do so twice.
        if (isTrusted && target instanceof HTMLScriptElement && type === "text/plain") {
          delete dataset.consent;
        }
      },
      true,
    );
  };

  return {
    hold,
    wrap: () => {
      wrapInserting();
      wrapAddresses();
      wrapParsing();
      listen();
    },
  };
};

/** Auto-blocking: makes tags inert that nobody marked, where their host belongs to a registered
 * service that is not granted. The gate's queue releases them like any other marked tag.
 *
 * Where a tag enters the page decides how it is caught. What the parser reads is seen by the
 * observer in main.js before it is acted on; what a script puts in acts at once, so the methods
 * that put nodes in and set addresses are wrapped. document.write escapes both. */
import { serviceOf } from "../hosts.js";

/** @typedef {import("../types.js").BlockConfig} BlockConfig */

const EXECUTABLE = /^$|javascript|ecmascript|module/i;
export const TAGS = "script,iframe,img,template";
const INSERTING = [
  "appendChild",
  "insertBefore",
  "replaceChild",
  "append",
  "prepend",
  "before",
  "after",
  "replaceWith",
  "replaceChildren",
  "insertAdjacentElement",
  "insertNode",
];

/** @param {BlockConfig["services"]} services */
export const makeHolder = (services) => {
  /** @param {{id: string}} service */
  const isGranted = ({ id }) => {
    const { slagboom } = window;
    return slagboom !== undefined && !Array.isArray(slagboom) && slagboom.granted(id);
  };

  /** The service to wait for, when it is that of a registered host and none of them is granted.
   * @param {HTMLElement} tag @param {unknown} address */
  const serviceToAwait = (tag, address) => {
    // A visitor asked to see this frame once.
    if (!address || "consentOnce" in tag.dataset) return undefined;
    const link = document.createElement("a");
    link.href = String(address);
    return link.origin === location.origin || serviceOf(services.filter(isGranted), link)
      ? undefined
      : serviceOf(services, link);
  };

  /** @param {Node} node @param {unknown} [address] the one it is about to get, else its own
   * @returns {boolean} whether the tag must not get that address */
  const hold = (node, address) => {
    const isScript = node instanceof HTMLScriptElement;
    if (!isScript && !(node instanceof HTMLIFrameElement || node instanceof HTMLImageElement)) {
      return false;
    }
    const wanted = address || node.getAttribute("src");
    if (isScript && !EXECUTABLE.test(node.type)) return false;
    const service = serviceToAwait(node, wanted);
    if (!service) return false;
    node.dataset.consent = node.dataset.consent || service.id;
    if (isScript) {
      if (node.type) node.dataset.type = node.type;
      node.type = "text/plain";
      return false;
    }
    node.dataset.src = String(wanted);
    node.removeAttribute("src");
    node.removeAttribute("srcset");
    return true;
  };

  /** @param {unknown} node */
  const holdWithin = (node) => {
    if (!(node instanceof Node)) return;
    hold(node);
    if (node instanceof Element || node instanceof DocumentFragment) {
      node.querySelectorAll(TAGS).forEach((tag) => hold(tag));
    }
  };

  const wrap = () => {
    for (const { prototype } of [Node, Element, CharacterData, Document, DocumentFragment, Range]) {
      const methods = /** @type {Record<string, Function>} */ (/** @type {unknown} */ (prototype));
      for (const name of INSERTING) {
        if (!Object.prototype.hasOwnProperty.call(methods, name)) continue;
        const original = methods[name];
        methods[name] = function (/** @type {unknown[]} */ ...values) {
          values.forEach(holdWithin);
          return original.apply(this, values);
        };
      }
    }
    for (const { prototype } of [HTMLScriptElement, HTMLIFrameElement, HTMLImageElement]) {
      const descriptor = /** @type {Required<PropertyDescriptor>} */ (
        Object.getOwnPropertyDescriptor(prototype, "src")
      );
      Object.defineProperty(prototype, "src", {
        ...descriptor,
        set(value) {
          if (!hold(this, value)) descriptor.set.call(this, value);
        },
      });
    }
    const { setAttribute } = Element.prototype;
    Element.prototype.setAttribute = function (name, value) {
      if (!/^src$/i.test(name) || !hold(this, value)) setAttribute.call(this, name, value);
    };
    // Engines that tell of it name the script itself, whatever brought it in.
    addEventListener(
      "beforescriptexecute",
      (event) => {
        hold(/** @type {Node} */ (event.target));
        if (/** @type {HTMLScriptElement} */ (event.target).type === "text/plain") {
          event.preventDefault();
        }
      },
      true,
    );
  };

  return { hold, wrap };
};

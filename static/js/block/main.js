/** What only some sites ask: markup of other consent tools, and blocking what carries no mark.
 *
 * It stands before the gate in the same script. Observers are told in the order in which they were
 * made, so a tag that is marked here already carries its mark when the gate hears of it. */
import { makeHolder, TAGS } from "./hold.js";
import { makeTranslator } from "./markup.js";

/** @typedef {import("../types.js").BlockConfig} BlockConfig */
/** @typedef {import("../types.js").Parts} Parts */

/** @param {BlockConfig} config @param {HTMLScriptElement | SVGScriptElement | null} ownScript
 * @param {Parts} parts  of the gate, which starts behind this */
const start = (config, ownScript, parts) => {
  /** What scripts have made, and the gate does not look into. @type {Set<WeakRef<ShadowRoot>>} */
  const roots = new Set();
  const { translate, toggleWithin, update } = makeTranslator(config);
  const { hold, wrap } = makeHolder(config.services, (root) => {
    roots.add(new WeakRef(root));
    inRoots.observe(root, { childList: true, subtree: true });
    meet(root);
    parts.gateHost?.tags.visit(root);
  });

  /** @param {Node} node */
  const meet = (node) => {
    if (!(node instanceof Element || node instanceof Document || node instanceof ShadowRoot)) return;
    for (const tag of [node, ...node.querySelectorAll(TAGS)]) {
      if (tag instanceof HTMLElement) translate(tag);
      // What stands here already has run or loaded: it can be marked, no longer held.
      if (config.auto_block && node !== document) hold(tag);
    }
    toggleWithin(node);
  };
  /** @param {(node: Node) => void} [then] */
  const observer = (then) =>
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) {
          meet(node);
          then?.(node);
        }
      }
    });
  const inRoots = observer((node) => parts.gateHost?.tags.visit(node));

  meet(document);
  observer().observe(document, { childList: true, subtree: true });
  Promise.resolve().then(() => {
    const host = parts.gateHost;
    if (!host) return;
    const { visit } = host.tags;
    // The gate visits the whole document with every decision.
    host.tags.visit = (node) => {
      if (node !== document) return visit(node);
      update(host);
      visit(node);
      for (const reference of roots) {
        const root = reference.deref();
        if (root) visit(root);
        else roots.delete(reference);
      }
    };
    host.tags.visit(document);
  });

  if (!config.auto_block) return;
  wrap();
  if (ownScript instanceof HTMLScriptElement && (ownScript.async || ownScript.defer)) {
    console.warn("slagboom: auto_block holds what comes after gate.js only; load it without async");
  }
};

// The server puts the site's policy in place of the first name, and declares the last around this
// script and the gate (bundle.py).
// @ts-ignore -- the names are not of this script
start(SLAGBOOM_BLOCK, document.currentScript, sbParts);

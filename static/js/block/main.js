/** What only some sites ask: markup of other consent tools, and blocking what carries no mark.
 *
 * It stands before the gate in the same script. Observers are told in the order in which they were
 * made, so a tag that is marked here already carries its mark when the gate hears of it. */
import { makeHolder, TAGS } from "./hold.js";
import { makeTranslator } from "./markup.js";

/** @typedef {import("../types.js").BlockConfig} BlockConfig */

/** @param {BlockConfig} config @param {HTMLScriptElement | SVGScriptElement | null} ownScript */
const start = (config, ownScript) => {
  const translate = makeTranslator(config);
  const { hold, wrap } = makeHolder(config.services);

  /** @param {Node} node @param {(tag: HTMLElement) => void} act */
  const visit = (node, act) => {
    if (node instanceof HTMLElement && node.matches(TAGS)) act(node);
    else if (node instanceof Element || node instanceof Document) {
      node.querySelectorAll(TAGS).forEach((tag) => tag instanceof HTMLElement && act(tag));
    }
  };

  // What stands here already has run or loaded: it can be marked, no longer held.
  visit(document, translate);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        visit(node, (tag) => {
          translate(tag);
          if (config.auto_block) hold(tag);
        });
      }
    }
  }).observe(document, { childList: true, subtree: true });

  if (!config.auto_block) return;
  wrap();
  if (ownScript instanceof HTMLScriptElement && (ownScript.async || ownScript.defer)) {
    console.warn("slagboom: auto_block holds what comes after gate.js only; load it without async");
  }
};

// The server puts the site's policy in place of this name (bundle.py).
// @ts-ignore -- the name exists only to be replaced
start(SLAGBOOM_BLOCK, document.currentScript);

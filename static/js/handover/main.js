/** Hands a visitor's choice over between the company's own domains, which no cookie joins.
 *
 * It goes in the fragment of a link, which neither servers nor third parties see, and only when the
 * visitor follows that link. It stands in front of the gate in the same script, where the policy
 * has `hand_over`. */
import { takeOver } from "./arrival.js";
import { watchLinks } from "./departure.js";

const ownScript = document.currentScript;
// The server puts the site's policy in place of this name (bundle.py).
// @ts-ignore -- the name exists only to be replaced
const { to, scope } = SLAGBOOM_HAND_OVER;
if (ownScript instanceof HTMLScriptElement) {
  const address = new URL("hand-over", ownScript.src).href;
  // The gate asks nobody and opens nothing until it knows what has come.
  // @ts-ignore -- the name stands around this script and the gate
  sbParts.coming = takeOver(address, scope);
  watchLinks(to, scope, address);
}

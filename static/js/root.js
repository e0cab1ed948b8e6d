/** The one element the kit adds to the page, and the control that always leads back to the choice.
 *
 * Light DOM: a shadow root would hide the refuse button from the tools visitors let refuse for
 * them. */
import { addStyle, h, makeButton } from "./dom.js";

/** @typedef {import("./types.js").LanguageConfig} LanguageConfig */

/** @param {string} style
 * @param {(opener: Element) => void} open @param {() => void} onWithdraw */
export const makeRoot = (style, open, onWithdraw) => {
  const reopen = makeButton("sb-reopen", "", () => open(reopen));
  const withdraw = makeButton("sb-withdraw", "", onWithdraw);
  const control = h("section.control", null, reopen, withdraw);
  const element = h("div", { id: "slagboom" }, control);
  // Most tags listen for clicks on the document, and would report the very one that withdraws.
  element.onclick = (event) => event.stopPropagation();

  return {
    element,
    /** Puts the element where keyboards and screen readers meet it first, behind a skip link.
     * @param {string} language @param {LanguageConfig} texts @param {boolean} isGranted
     * @param {boolean} isAsking */
    show: (language, texts, isGranted, isAsking) => {
      element.lang = language;
      element.dir = texts.direction || "ltr";
      control.setAttribute("aria-label", (reopen.textContent = texts.reopen));
      withdraw.textContent = texts.withdraw;
      if (!isGranted && document.activeElement === withdraw) reopen.focus();
      withdraw.hidden = !isGranted;
      control.hidden = isAsking;
      if (element.isConnected) return;
      if (style) addStyle(style);
      style = "";
      const first = document.body.firstElementChild;
      if (first && first.matches('a[href^="#"]')) first.after(element);
      else document.body.prepend(element);
    },
  };
};

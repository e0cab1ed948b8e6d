/** The one element the kit adds to the page, and the control that always leads back to the choice.
 *
 * Light DOM: a shadow root would hide the refuse button from the tools visitors let refuse for
 * them. */

/** @typedef {import("./types.js").LanguageConfig} LanguageConfig */

/** @param {string} tag @param {string} className without its `sb-` @param {string} text
 * @param {(() => void) | null} onClick */
const make = (tag, className, text, onClick) => {
  const element = document.createElement(tag);
  element.className = `sb-${className}`;
  element.textContent = text;
  element.onclick = onClick;
  return element;
};

/** Waits for what else is added in the same turn: one sheet costs less than three. */
let waiting = "";

/** A constructed sheet, which no `style-src` forbids. @param {string} css */
export const addStyle = (css) => {
  if (!waiting) {
    Promise.resolve().then(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(waiting);
      waiting = "";
      document.adoptedStyleSheets.push(sheet);
    });
  }
  waiting += css;
};

/** @param {string} style
 * @param {(opener: Element) => void} open @param {() => void} withdraw */
export const makeRoot = (style, open, withdraw) => {
  const element = document.createElement("div");
  /** @type {HTMLElement | undefined} */
  let control;
  element.id = "slagboom";
  // Most tags listen for clicks on the document, and would report the very one that withdraws.
  element.onclick = (event) => event.stopPropagation();

  return {
    element,
    /** @param {string} language @param {LanguageConfig} texts
     * @param {boolean} hasControl @param {boolean} isGranted whether there is a grant to withdraw */
    show: (language, texts, hasControl, isGranted) => {
      const state = [language, hasControl, isGranted].join();
      if (element.dataset.state !== state) {
        element.dataset.state = state;
        element.lang = language;
        // The layers say it themselves.
        element.dir = "auto";
        if (control) control.remove();
        if (hasControl) {
          control = make("section", "control", "", null);
          control.ariaLabel = texts.reopen;
          const reopen = make("button", "reopen", texts.reopen, () => open(reopen));
          control.append(reopen);
          if (isGranted) control.append(make("button", "withdraw", texts.withdraw, withdraw));
          element.append(control);
        }
      }
      if (style) addStyle(style);
      style = "";
      if (element.isConnected) return;
      // Beside the body: what the page does to its body (transform, zoom, flex) does not reach here.
      document.body.after(element);
    },
  };
};

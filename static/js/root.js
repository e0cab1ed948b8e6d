/** The one element the kit adds to the page, and the control that always leads back to the choice.
 *
 * Light DOM: a shadow root would hide the refuse button from the tools visitors let refuse for
 * them. The style is a constructed sheet, which no `style-src` forbids. */

/** @typedef {import("./types.js").LanguageConfig} LanguageConfig */

/** @param {string} css */
export const addStyle = (css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
};

/** @param {string} className @param {string} text @param {() => void} onClick */
export const makeButton = (className, text, onClick) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = className;
  button.textContent = text;
  button.addEventListener("click", onClick);
  return button;
};

/** @param {string} style
 * @param {{open: (opener: Element) => void, withdraw: () => void}} actions */
export const makeRoot = (style, actions) => {
  const element = document.createElement("div");
  element.id = "slagboom";
  // A tag that listens for clicks on the document learns nothing of the one that withdraws.
  element.addEventListener("click", (event) => event.stopPropagation());
  const control = document.createElement("section");
  control.className = "sb-control";
  const reopen = makeButton("sb-reopen", "", () => actions.open(reopen));
  const withdraw = makeButton("sb-withdraw", "", actions.withdraw);
  control.append(reopen, withdraw);
  element.append(control);

  return {
    element,
    /** Puts the element where keyboards and screen readers meet it first, behind a skip link.
     * @param {string} language @param {LanguageConfig} texts @param {boolean} isGranted
     * @param {boolean} isAsking */
    show: (language, texts, isGranted, isAsking) => {
      element.lang = language;
      element.dir = texts.direction;
      control.setAttribute("aria-label", texts.reopen);
      reopen.textContent = texts.reopen;
      withdraw.textContent = texts.withdraw;
      withdraw.hidden = !isGranted;
      control.hidden = isAsking;
      if (!element.isConnected) {
        if (style) addStyle(style);
        style = "";
        const first = document.body.firstElementChild;
        if (first && first.matches('a[href^="#"]')) first.after(element);
        else document.body.prepend(element);
      }
    },
  };
};

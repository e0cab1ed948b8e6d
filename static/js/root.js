/** The one element the kit adds to the page, and the control that always leads back to the choice.
 *
 * Light DOM: a shadow root would hide the refuse button from the tools visitors let refuse for
 * them. */

/** @typedef {import("./types.js").Host} Host */

/** @param {Host} host @param {(opener: Element) => void} open @param {() => void} withdraw
 * @returns {() => void} draws the root and the control, in the page's language of the moment */
export const makeRoot = (host, open, withdraw) => {
  const { config, root } = host;
  // A constructed sheet, which no `style-src` forbids; one costs less than one of each part.
  const sheet = new CSSStyleSheet();
  const control = document.createElement("section");
  root.id = "slagboom";
  // Most tags listen for clicks on the document, and would report the very one that withdraws.
  root.onclick = (event) => event.stopPropagation();
  control.className = "sb-control";
  host.addStyle = (layer) => {
    if (layer) sheet.insertRule(layer, sheet.cssRules.length);
    // A page may have put a list of its own in the place of the one with this sheet.
    const { adoptedStyleSheets } = document;
    if (!adoptedStyleSheets.includes(sheet)) adoptedStyleSheets.push(sheet);
  };
  host.addStyle(config.style);

  /** @param {string} className @param {string} text @param {(button: Element) => void} act */
  const addButton = (className, text, act) => {
    const button = document.createElement("button");
    button.textContent = text;
    button.className = className;
    button.onclick = () => act(button);
    control.append(button);
  };

  return () => {
    root.lang = host.readLanguage();
    control.remove();
    const texts = config.languages[root.lang];
    if (texts && (host.choice || host.isStranded)) {
      [control.ariaLabel] = texts;
      control.textContent = "";
      addButton("sb-reopen", texts[0], open);
      if (host.hasGranted()) addButton("sb-withdraw", texts[1], withdraw);
      root.append(control);
    }
    // Beside the body: what the page does to its body (transform, zoom, flex) does not reach here.
    if (!root.isConnected) document.body.after(root);
  };
};

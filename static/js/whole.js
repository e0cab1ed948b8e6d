/** Waits for the page. */

/** Acts as soon as the page has been read to its end. @param {() => void} act */
export const whenWhole = (act) => {
  if (document.readyState !== "loading") act();
  else addEventListener("DOMContentLoaded", act);
};

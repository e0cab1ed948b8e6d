// The site's own gated tag: it says on the page that it ran.
"use strict";
(() => {
  const line = document.getElementById("own-tag");
  line.textContent = line.dataset.ran;
  line.dataset.state = "ran";
})();

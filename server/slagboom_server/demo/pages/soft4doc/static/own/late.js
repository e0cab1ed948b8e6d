// The tag that site.js inserts: it says on the page that it ran.
"use strict";
(() => {
  const line = document.getElementById("late-tag");
  line.textContent = line.dataset.ran;
  line.dataset.state = "ran";
})();

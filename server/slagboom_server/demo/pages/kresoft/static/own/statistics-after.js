// Depends on statistics.js, as a plug-in depends on its library: it must run second.
"use strict";
(() => {
  const line = document.getElementById("own-tag");
  const isInOrder = line.dataset.state === "ran";
  line.textContent = isInOrder ? `${line.textContent} ${line.dataset.after}` : line.dataset.wrong;
  line.dataset.state = isInOrder ? "complete" : "wrong";
})();

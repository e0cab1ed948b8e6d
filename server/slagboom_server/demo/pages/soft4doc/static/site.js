// Inserts a gated tag after the page has loaded, as a single-page app does.
"use strict";
document.getElementById("insert-tag").addEventListener("click", () => {
  const line = document.getElementById("late-tag");
  line.textContent = line.dataset.held;
  line.dataset.state = "held";
  const tag = document.createElement("script");
  tag.type = "text/plain";
  tag.dataset.consent = "statistics";
  tag.dataset.src = "/own/late.js";
  document.body.append(tag);
});

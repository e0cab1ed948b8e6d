import "@c15t/react/styles.css";
import { ConsentBanner, ConsentDialog, ConsentManagerProvider } from "@c15t/react";
import { createRoot } from "react-dom/client";

const options = {
  mode: "offline",
  consentCategories: ["necessary", "measurement", "marketing"],
  overrides: { country: "BE", language: "en" },
  scripts: [
    { id: "statistics", src: "/tags/statistics.js", category: "measurement" },
    { id: "marketing", src: "/tags/marketing.js", category: "marketing" },
  ],
};
const place = document.body.appendChild(document.createElement("div"));
createRoot(place).render(
  <ConsentManagerProvider options={options}>
    <ConsentBanner />
    <ConsentDialog />
  </ConsentManagerProvider>,
);

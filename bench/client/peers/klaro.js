window.klaroConfig = {
  version: 1,
  acceptAll: true,
  lang: "en",
  translations: {
    en: {
      privacyPolicyUrl: "https://example.be/privacy",
      purposes: { necessary: "Necessary", statistics: "Statistics", marketing: "Marketing" },
    },
  },
  services: [
    { name: "necessary", title: "Necessary", purposes: ["necessary"], required: true },
    { name: "statistics", title: "Statistics", purposes: ["statistics"], cookies: ["_bench_statistics"] },
    { name: "marketing", title: "Marketing", purposes: ["marketing"], cookies: ["_bench_marketing"] },
  ],
};

CookieConsent.run({
  guiOptions: { consentModal: { layout: "box", equalWeightButtons: true } },
  categories: {
    necessary: { enabled: true, readOnly: true },
    statistics: { autoClear: { cookies: [{ name: "_bench_statistics" }] } },
    marketing: { autoClear: { cookies: [{ name: "_bench_marketing" }] } },
  },
  language: {
    default: "en",
    translations: {
      en: {
        consentModal: {
          title: "Your choice",
          description: "With your consent we measure how this website is used, and our campaigns.",
          acceptAllBtn: "Accept all",
          acceptNecessaryBtn: "Refuse all",
          showPreferencesBtn: "Choose",
        },
        preferencesModal: {
          title: "Your choices",
          acceptAllBtn: "Accept all",
          acceptNecessaryBtn: "Refuse all",
          savePreferencesBtn: "Save",
          closeIconLabel: "Close",
          sections: [
            { title: "Necessary", description: "Remember your choice.", linkedCategory: "necessary" },
            { title: "Statistics", description: "Measure use.", linkedCategory: "statistics" },
            { title: "Marketing", description: "Measure campaigns.", linkedCategory: "marketing" },
          ],
        },
      },
    },
  },
});

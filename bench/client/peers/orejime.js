window.orejimeConfig = {
  privacyPolicyUrl: "https://example.be/privacy",
  purposes: [
    { id: "necessary", title: "Necessary", description: "Remember your choice.", isMandatory: true },
    { id: "statistics", title: "Statistics", description: "Measure use.", cookies: ["_bench_statistics"] },
    { id: "marketing", title: "Marketing", description: "Measure campaigns.", cookies: ["_bench_marketing"] },
  ],
};

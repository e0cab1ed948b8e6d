window.tarteaucitronForceLanguage = "en";
tarteaucitron.init({
  privacyUrl: "https://example.be/privacy",
  bodyPosition: "top",
  hashtag: "#choices",
  cookieName: "choices",
  orientation: "bottom",
  showAlertSmall: false,
  cookieslist: false,
  showIcon: true,
  iconPosition: "BottomRight",
  DenyAllCta: true,
  AcceptAllCta: true,
  highPrivacy: true,
  removeCredit: true,
});
for (const [purpose, type] of [["statistics", "analytic"], ["marketing", "ads"]]) {
  const key = `bench${purpose}`;
  tarteaucitron.services[key] = {
    key,
    type,
    name: purpose,
    needConsent: true,
    cookies: [`_bench_${purpose}`],
    uri: "https://example.be/vendor",
    js: () => tarteaucitron.addScript(`/tags/${purpose}.js`),
    fallback: () => {},
  };
  (tarteaucitron.job = tarteaucitron.job || []).push(key);
}

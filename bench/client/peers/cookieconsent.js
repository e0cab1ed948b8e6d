// It knows one answer for everything and gates nothing: the tags are put in by this callback.
const apply = (status) => {
  if (status !== "allow") return;
  for (const purpose of ["statistics", "marketing"]) {
    const tag = document.createElement("script");
    tag.src = `/tags/${purpose}.js`;
    document.head.append(tag);
  }
};
window.cookieconsent.initialise({
  type: "opt-in",
  palette: { popup: { background: "#222" }, button: { background: "#fd0" } },
  onInitialise: apply,
  onStatusChange: apply,
});

"""What is measured: a page without a banner, with ours, and with each peer.

How each peer is put on the page follows its own documentation: style sheet, set-up, script. The
set-up scripts beside `peers/package.json` ask all of them the same question.
"""

from __future__ import annotations

from dataclasses import dataclass

PURPOSES = ("statistics", "marketing")


@dataclass(frozen=True, slots=True)
class Subject:
    """One page under measurement.

    package: its npm package, empty for what is ours. head: what its page carries. tag: its markup
    for a gated script, with PURPOSE, empty where its set-up script knows them. layer, accept, more:
    selectors of the first layer, its accept button and the button that opens the second layer.
    second: selector of the second layer, empty where there is none. gates: whether it holds tags
    back at all.
    """

    name: str
    package: str = ""
    head: str = ""
    tag: str = ""
    layer: str = ""
    accept: str = ""
    more: str = ""
    second: str = ""
    gates: bool = True


BARE = Subject("bare", gates=False)

LEAST = Subject(
    "least",
    head="""<script>addEventListener("DOMContentLoaded", () => {
const layer = document.createElement("div"), accept = document.createElement("button");
layer.id = "least"; layer.style = "position: fixed; inset: auto 0 0; background: #fff";
layer.append("May we measure and advertise?", accept); accept.textContent = "Accept";
accept.onclick = () => {
  for (const inert of document.querySelectorAll("[type='text/plain']")) {
    const script = document.createElement("script");
    script.src = inert.dataset.src;
    inert.replaceWith(script);
  }
  layer.remove();
};
document.body.append(layer);
});</script>""",
    tag='<script type="text/plain" data-src="/tags/PURPOSE.js"></script>',
    layer="#least",
    accept="#least button",
)
"""The limit: what the browser itself takes for a sentence, a button and two scripts."""

OURS = Subject(
    "slagboom",
    head='<script src="/s/bench/gate.js" async></script>',
    tag='<script type="text/plain" data-consent="PURPOSE" data-src="/tags/PURPOSE.js"></script>',
    layer=".sb-first",
    accept=".sb-first .sb-accept",
    more=".sb-first .sb-choose",
    second="dialog.sb-second",
)

PEERS = (
    Subject(
        "vanilla-cookieconsent",
        "vanilla-cookieconsent",
        '<link rel="stylesheet" href="/packages/vanilla-cookieconsent/dist/cookieconsent.css">'
        '<script defer src="/packages/vanilla-cookieconsent/dist/cookieconsent.umd.js"></script>'
        '<script defer src="/set-up/vanilla-cookieconsent.js"></script>',
        '<script type="text/plain" data-category="PURPOSE" data-src="/tags/PURPOSE.js"></script>',
        "#cc-main .cm",
        "#cc-main .cm [data-role=all]",
        "#cc-main .cm [data-role=show]",
        "#cc-main .pm",
    ),
    Subject(
        "klaro",
        "klaro",
        '<link rel="stylesheet" href="/packages/klaro/dist/klaro.min.css">'
        '<script defer src="/set-up/klaro.js"></script>'
        '<script defer src="/packages/klaro/dist/klaro-no-css.js"></script>',
        '<script type="text/plain" data-type="application/javascript" data-name="PURPOSE"'
        ' data-src="/tags/PURPOSE.js"></script>',
        ".klaro .cookie-notice",
        ".klaro .cookie-notice .cm-btn-success",
        ".klaro .cookie-notice .cn-learn-more",
        ".klaro .cookie-modal .cm-modal",
    ),
    Subject(
        "tarteaucitron",
        "tarteaucitronjs",
        '<script src="/packages/tarteaucitronjs/tarteaucitron.min.js"></script>'
        '<script src="/set-up/tarteaucitron.js"></script>',
        "",
        "#tarteaucitronAlertBig",
        "#tarteaucitronPersonalize2",
        "#tarteaucitronCloseAlert",
        "#tarteaucitron",
    ),
    Subject(
        "orejime",
        "orejime",
        '<link rel="stylesheet" href="/packages/orejime/dist/orejime-standard.css">'
        '<script defer src="/set-up/orejime.js"></script>'
        '<script defer src="/packages/orejime/dist/orejime-standard-en.js"></script>',
        '<template data-purpose="PURPOSE"><script src="/tags/PURPOSE.js"></script></template>',
        ".orejime-Banner",
        ".orejime-Banner-saveButton",
        ".orejime-Banner-learnMoreButton",
        ".orejime-Modal",
    ),
    Subject(
        "osano-cookieconsent",
        "cookieconsent",
        '<link rel="stylesheet" href="/packages/cookieconsent/build/cookieconsent.min.css">'
        '<script defer src="/packages/cookieconsent/build/cookieconsent.min.js"></script>'
        '<script defer src="/set-up/cookieconsent.js"></script>',
        "",
        ".cc-window",
        ".cc-window .cc-allow",
        gates=False,
    ),
    Subject(
        "c15t",
        "@c15t/react",
        '<link rel="stylesheet" href="/bundles/c15t.css">'
        '<script defer src="/bundles/c15t.js"></script>',
        "",
        "[data-testid=consent-banner-card]",
        "[data-testid=consent-banner-accept-button]",
        "[data-testid=consent-banner-customize-button]",
        "[data-testid=consent-dialog-root]",
    ),
)

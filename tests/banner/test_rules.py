"""Each rule of the legal lint, broken once in a real file, and not broken beside it."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import pytest

from slagboom_banner.rules import RULES

ACME, KIT = "acme.yaml", "services/kit.yaml"
COUNTER, CHAT = "services/counter.yaml", "services/chat.yaml"


class Breach(NamedTuple):
    """One edit and the finding it must lead to: its place, and what the line reads there."""

    rule: str
    file: str
    old: str
    new: str
    place: tuple[str, str, str]
    severity: str = "error"


def button(rule: str, text: str) -> Breach:
    place = (ACME, "texts.nl.accept", text)
    return Breach(rule, ACME, "Aanvaarden", text, place)


def phrase(rule: str, text: str) -> Breach:
    place = (ACME, "purposes[1].description.en", text)
    return Breach(rule, ACME, "Count visits.", text, place)


CONSENT_MODE = """load:
  - do: call
    path: gtag
    arguments: [consent, default, {analytics_storage: denied}]
"""


def google(rule: str, settings: str, place: tuple[str, str], severity: str = "error") -> Breach:
    return Breach(
        rule,
        ACME,
        "purposes:\n",
        f"google_consent: {settings}\npurposes:\n",
        (ACME, *place),
        severity,
    )


def origin(text: str) -> Breach:
    return Breach("origins", ACME, "https://acme.example]", f"{text}]", (ACME, "origins[1]", text))


def hand_over(origins: str, targets: str, place: int) -> Breach:
    target = targets.split(", ")[place]
    return Breach(
        "hand-over",
        ACME,
        "https://www.acme.example, https://acme.example]\ncookie_domain: acme.example\n",
        f"{origins}]\nhand_over: {{to: [{targets}]}}\n",
        (ACME, f"hand_over.to[{place}]", target),
    )


BREACHES = [
    hand_over("https://acme.example, https://acme.test", "https://other.test", 0),
    hand_over("https://acme.example, https://acme.test", "https://acme.test/shop", 0),
    hand_over("https://acme.example, https://acme.test", "https://acme.test, https://acme.test", 1),
    hand_over("https://acme.example", "https://acme.example", 0),
    Breach(
        "hand-over",
        ACME,
        "cookie_domain: acme.example\n",
        "cookie_domain: acme.example\nhand_over: {to: [https://acme.example]}\n",
        (ACME, "hand_over", "{to:"),
        "warning",
    ),
    Breach(
        "necessary-reason",
        KIT,
        "    reason: {nl: Anders",
        "# {nl: Anders",
        (KIT, "stored[0].reason", "kind: cookie"),
    ),
    Breach(
        "necessary-vendor",
        KIT,
        "role: own",
        "role: controller, countries: [BE], privacy_url: https://acme.example/privacy",
        (ACME, "services[0]", "id: kit"),
    ),
    Breach(
        "consent-lifetime",
        ACME,
        "days: 182",
        "days: 396",
        (ACME, "consent_lifetime_days", "396"),
    ),
    Breach(
        "hosts-registered",
        COUNTER,
        "cdn.counter.example",
        "counter.example",
        (COUNTER, "load[2].src", '"https://counter.example'),
    ),
    Breach(
        "hosts-registered",
        COUNTER,
        "cdn.counter",
        "cdn.x-counter",
        (COUNTER, "load[2].src", '"https://cdn.x-counter'),
    ),
    Breach(
        "hosts-registered",
        COUNTER,
        "cdn.counter",
        "[cdn.counter",
        (COUNTER, "load[2].src", '"https://[cdn'),
    ),
    Breach(
        "hosts-registered",
        CHAT,
        "  hosts: [frame.chat.example]",
        "  hosts: [other.chat.example]",
        (CHAT, "embed.hosts[0]", "other"),
    ),
    Breach(
        "hosts-registered",
        CHAT,
        "embed:",
        "embed:\n  use_host: other.chat.example",
        (CHAT, "embed.use_host", "other"),
    ),
    Breach(
        "vendor-privacy-url",
        CHAT,
        "https://chat",
        "http://chat",
        (CHAT, "vendor.privacy_url", "http://chat"),
    ),
    Breach(
        "export-outside-eea",
        COUNTER,
        "[DE, FI]",
        "[DE, US, CH]",
        (ACME, "services[1]", "id: counter"),
    ),
    Breach(
        "ip-passed-on",
        CHAT,
        "\nhosts: [frame.chat.example]",
        "\nhosts: [frame.chat.example, more.chat.example]",
        (ACME, "services[2]", "id: chat"),
    ),
    button("neutral-buttons", "Ja graag"),
    button("neutral-buttons", "Akkoord"),
    button("neutral-buttons", "Aanvaarden!"),
    button("neutral-buttons", "Aanvaard 🍪"),
    button("equal-buttons", "Alle cookies aanvaarden"),
    button("equal-buttons", "AANVAARDEN"),
    button("equal-buttons", "weigeren"),
    phrase("continued-browsing", "By continuing you agree."),
    phrase("continued-browsing", "DOOR  VERDER te surfen stemt u in."),
    phrase("continued-browsing", "En poursuivant votre visite."),
    phrase("continued-browsing", "Durch weiteres Surfen."),
    phrase("legitimate-interest", "Our Legitimate interest."),
    phrase("legitimate-interest", "Ons gerechtvaardigd belang."),
    Breach(
        "language-complete",
        ACME,
        "languages: [nl, en]",
        "languages: [nl, en, fr]",
        (ACME, "languages[2]", "fr]"),
    ),
    Breach(
        "language-complete",
        ACME,
        "{nl: Contact, en: Contact}",
        "{nl: Contact}",
        (ACME, "purposes[2].name.en", "{nl: Contact}"),
    ),
    Breach(
        "language-complete",
        COUNTER,
        ", en: Pages viewed",
        "",
        (COUNTER, "data[0].en", "{nl: Bekeken"),
    ),
    Breach(
        "language-complete",
        CHAT,
        "en: Keeps the talk.",
        "en: ' '",
        (CHAT, "stored[0].purpose.en", "' '"),
    ),
    Breach(
        "same-placeholders",
        ACME,
        "accept: Aanvaarden",
        "intro: Wij vragen uw toestemming.",
        (ACME, "texts.nl.intro", "Wij vragen"),
    ),
    Breach("known-texts", ACME, "accept: A", "acept: A", (ACME, "texts.nl.acept", "Aanvaarden")),
    Breach(
        "known-texts", ACME, "  nl:\n    accept", "  fr:\n    accept", (ACME, "texts.fr", "accept:")
    ),
    Breach(
        "changes",
        ACME,
        "revision: 2\neffective",
        "revision: 3\neffective",
        (ACME, "revision", "3"),
    ),
    Breach(
        "changes",
        ACME,
        "  - revision: 2",
        "  - revision: 1",
        (ACME, "changes[1].revision", "1"),
    ),
    Breach(
        "changes",
        ACME,
        "revision: 2\neffective: 2026-11-21",
        "revision: 1\neffective: 2026-01-10",
        (ACME, "changes[1].revision", "2"),
    ),
    Breach(
        "changes",
        ACME,
        "date: 2026-01-10",
        "date: 2026-12-10",
        (ACME, "changes[1].date", "2026-11-21"),
    ),
    Breach(
        "effective",
        ACME,
        "effective: 2026-11-21",
        "effective: 2026-11-22",
        (ACME, "effective", "2026-11-22"),
    ),
    Breach(
        "authority",
        ACME,
        "country: NL",
        "country: LU",
        (ACME, "controller.offices[1].country", "LU"),
    ),
    Breach(
        "https-address",
        ACME,
        "website: https",
        "website: http",
        (ACME, "authorities.BE.website", "http:"),
    ),
    Breach(
        "https-address",
        ACME,
        "nl: https://www.acme.example",
        "nl: www.acme.example",
        (ACME, "controller.privacy_statement.nl", "www"),
    ),
    origin("https://acme.example:443"),
    origin("https://acme.example:0443"),
    origin("http://localhost:80"),
    origin("http://acme.example"),
    origin("https://acme.example/"),
    origin("https://x@acme.example"),
    origin("https://Acme.example"),
    origin("http://localhost.acme.example"),
    Breach(
        "cookie-domain",
        ACME,
        "cookie_domain: acme",
        "cookie_domain: www.acme",
        (ACME, "cookie_domain", "www"),
    ),
    Breach(
        "cookie-domain",
        ACME,
        "cookie_domain: acme.example",
        "cookie_domain: '*.acme.example'",
        (ACME, "cookie_domain", "'*"),
    ),
    Breach(
        "cookie-domain",
        ACME,
        "cookie_domain: acme.example\n",
        "",
        (ACME, "origins", "[https://www.acme.example"),
        "warning",
    ),
    Breach(
        "consent-lifetime",
        ACME,
        "days: 182",
        "days: 183",
        (ACME, "consent_lifetime_days", "183"),
        "warning",
    ),
    Breach(
        "cookie-lifetime",
        COUNTER,
        "days: 390",
        "days: 396",
        (COUNTER, "stored[0].lifetime_days", "396"),
        "warning",
    ),
    Breach(
        "cookie-lifetime",
        KIT,
        "pattern: slagboom\n    lifetime_days: 182",
        "pattern: basket\n    lifetime_days: 401",
        (KIT, "stored[0].lifetime_days", "401"),
        "warning",
    ),
    Breach(
        "cookie-lifetime",
        COUNTER,
        "days: 390",
        "days: null",
        (COUNTER, "stored[0].lifetime_days", "null"),
        "warning",
    ),
    Breach(
        "choice-cookie",
        KIT,
        "days: 182",
        "days: 90",
        (KIT, "stored[0].lifetime_days", "90"),
        "warning",
    ),
    Breach(
        "one-purpose",
        CHAT,
        "kind: session_storage\n    pattern: chat",
        "kind: cookie\n    pattern: _count*",
        (CHAT, "stored[0].pattern", "_count*"),
        "warning",
    ),
    Breach(
        "purpose-in-use",
        ACME,
        "  - id: chat\n",
        "",
        (ACME, "purposes[2]", "id: contact"),
        "warning",
    ),
    Breach(
        "full-address",
        CHAT,
        "embed:",
        "needs_full_ip: true\nembed:",
        (ACME, "services[2]", "id: chat"),
        "warning",
    ),
    Breach(
        "contrast",
        ACME,
        "consent_lifetime_days: 182",
        'consent_lifetime_days: 182\nlook: {light: {accent: "#dddddd"}}',
        (ACME, "look.light.accent", '"#dddddd"'),
    ),
    google("advanced-consent-mode", "{mode: advanced}", ("google_consent.mode", "advanced")),
    google(
        "granted-default",
        "{defaults: [{regions: [US-CA, BE], types: {ad_storage: granted}}]}",
        ("google_consent.defaults[0].regions[1]", "BE"),
    ),
    google(
        "click-identifiers",
        "{url_passthrough: true}",
        ("google_consent.url_passthrough", "true"),
        "warning",
    ),
    google(
        "click-identifiers",
        "{ads_data_redaction: false}",
        ("google_consent.ads_data_redaction", "false"),
        "warning",
    ),
    google("google-consent-in-use", "{mode: basic}", ("google_consent", "{mode"), "warning"),
    Breach(
        "own-interface",
        ACME,
        "consent_lifetime_days: 182",
        "consent_lifetime_days: 182\ninterface: none",
        (ACME, "interface", "none"),
        "warning",
    ),
    Breach(
        "unknown-value",
        ACME,
        "email: privacy@acme.example",
        "email: 'unknown: cut off'",
        (ACME, "controller.email", "'unknown: cut off'"),
        "warning",
    ),
    Breach(
        "unknown-value",
        ACME,
        "site_id: C-1234",
        "site_id: 'unknown: not asked yet'",
        (ACME, "services[1].parameters.site_id", "'unknown"),
        "warning",
    ),
    Breach(
        "unknown-value",
        CHAT,
        "https://chat.example/privacy",
        "'unknown: not found'",
        (CHAT, "vendor.privacy_url", "'unknown"),
        "warning",
    ),
]

ALLOWED = [
    (ACME, "https://acme.example]", "https://shop.acme.example:8443]"),
    (ACME, ", https://acme.example]\ncookie_domain: acme.example\n", "]\n"),
    (ACME, ", https://acme.example]\ncookie_domain: acme.example\n", ", https://acme.test]\n"),
    (
        ACME,
        ", https://acme.example]\ncookie_domain: acme.example\n",
        ", https://acme.test]\nhand_over: {to: [https://acme.test, https://www.acme.example]}\n",
    ),
    (ACME, "{nl: Contact, en: Contact}", "{nl: Contact, en: Contact, pl: Kontakt}"),
    (ACME, "export_outside_eea: excluded", "export_outside_eea: allowed"),
    (ACME, "accept: Aanvaarden", "accept: Ook cookies"),
    (ACME, "accept: Aanvaarden", "intro: Mag het van {controller}?"),
    (ACME, "Count visits.", "Count visits; scrolling or going on is no consent."),
    (COUNTER, "[DE, FI]", "[DE, NO, LI, IS]"),
    (COUNTER, "lifetime_days: 390", "lifetime_days: 395"),
    (COUNTER, '["*.counter.example"]', "[cdn.counter.example]"),
    (COUNTER, "cdn.counter", "{site_id}.counter"),
    (CHAT, "hosts: [frame.chat.example]\nstored", 'hosts: ["*.chat.example"]\nstored'),
    (KIT, "purpose: necessary", "purpose: necessary\nhosts: [www.acme.example]"),
    (CHAT, "  hosts: [f", "  use_host: frame.chat.example\n  hosts: [g"),
    (CHAT, "lifetime_days: 0", "lifetime_days: null"),
]


def test_a_faultless_policy_has_no_findings(policy_folder: Any) -> None:
    assert policy_folder.check() == []


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: f"{breach.rule}: {breach.new!r}")
def test_a_breach_is_found_by_its_rule_at_its_place(policy_folder: Any, breach: Breach) -> None:
    if breach.rule == "ip-passed-on":
        policy_folder.edit(ACME, "ip_passed_on: allowed", "ip_passed_on: excluded")
    if breach.rule == "origins":
        policy_folder.edit(ACME, "cookie_domain: acme.example\n", "")
    if breach.rule == "consent-lifetime":
        policy_folder.edit(KIT, "pattern: slagboom", "pattern: basket")
    if breach.rule in {"advanced-consent-mode", "granted-default", "click-identifiers"}:
        policy_folder.edit(COUNTER, "load:\n", CONSENT_MODE)
    policy_folder.edit(breach.file, breach.old, breach.new)

    findings = policy_folder.check()

    found = [finding for finding in findings if finding.severity == breach.severity]
    assert {finding.rule for finding in found} == {breach.rule}
    places = [policy_folder.place(finding) for finding in found]
    file, path, text = breach.place
    assert any(place[:2] == (file, path) and place[2].startswith(text) for place in places), places


@pytest.mark.parametrize(("file", "old", "new"), ALLOWED)
def test_what_is_allowed_is_not_remarked_on(
    policy_folder: Any, file: str, old: str, new: str
) -> None:
    policy_folder.edit(file, old, new)

    assert policy_folder.check() == []


def test_a_local_origin_may_go_without_tls(policy_folder: Any) -> None:
    policy_folder.edit(ACME, "cookie_domain: acme.example\n", "")
    policy_folder.edit(
        ACME,
        "https://www.acme.example, https://acme.example]",
        "http://localhost:8000, http://acme.localhost:8000]",
    )

    assert policy_folder.check() == []


def test_a_host_of_the_sites_own_receives_no_passed_on_address(policy_folder: Any) -> None:
    policy_folder.edit(ACME, "ip_passed_on: allowed", "ip_passed_on: excluded")
    policy_folder.edit(KIT, "purpose: necessary", "purpose: necessary\nhosts: [www.acme.example]")

    paths = {finding.path for finding in policy_folder.check()}

    assert paths == {"services[1]", "services[2]"}


def test_every_rule_is_broken_by_these_tests() -> None:
    assert {breach.rule for breach in BREACHES} == {rule.id for rule in RULES}


def test_every_rule_names_its_source_in_its_docstring_and_in_its_findings() -> None:
    for rule in RULES:
        assert "Source: " in (inspect.getdoc(rule.check) or ""), rule.id
        assert rule.source, rule.id


EXCEPTION = """exceptions:
  - rule: export-outside-eea
    service: counter
    reason: The contract keeps the data in Germany.
    reviewed_by: An Peeters
    reviewed_on: 2026-10-01
"""


def test_a_reviewed_exception_turns_its_error_into_a_warning_with_the_reason(
    policy_folder: Any,
) -> None:
    policy_folder.edit(COUNTER, "[DE, FI]", "[DE, US]")
    policy_folder.edit(ACME, "texts:\n", f"{EXCEPTION}texts:\n")

    [line] = policy_folder.lines()

    assert line == (
        "acme.yaml:54:5 services[1]: warning: Counter GmbH processes in US, while this policy "
        "excludes export outside the EEA; accepted on 2026-10-01 by An Peeters: The contract keeps "
        "the data in Germany. [GDPR Art. 44; the policy's own promise]"
    )


def test_an_exception_for_one_service_leaves_another_an_error(policy_folder: Any) -> None:
    policy_folder.edit(COUNTER, "[DE, FI]", "[DE, US]")
    policy_folder.edit(CHAT, "countries: [NL]", "countries: [US]")
    policy_folder.edit(ACME, "texts:\n", f"{EXCEPTION}texts:\n")

    severities = {finding.path: finding.severity for finding in policy_folder.check()}

    assert severities == {"services[1]": "warning", "services[2]": "error"}


def test_a_rule_of_law_cannot_be_excepted(policy_folder: Any) -> None:
    policy_folder.edit(COUNTER, "cdn.counter", "cdn.x-counter")
    exception = EXCEPTION.replace("export-outside-eea", "hosts-registered")
    policy_folder.edit(ACME, "texts:\n", f"{exception}texts:\n")

    severities = {finding.rule: finding.severity for finding in policy_folder.check()}

    assert severities == {"hosts-registered": "error", "unused-exception": "warning"}


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("rule: export-outside-eea", "rule: export-outside-eea", "exceptions[0]", "is not needed"),
        ("rule: export-outside-eea", "rule: export", "exceptions[0].rule", "cannot be excepted"),
        (
            "rule: export-outside-eea",
            "rule: consent-lifetime",
            "exceptions[0].rule",
            "cannot be excepted",
        ),
        ("service: counter", "service: conter", "exceptions[0].service", "did you mean 'counter'?"),
    ],
)
def test_an_exception_without_effect_is_a_warning(
    policy_folder: Any, old: str, new: str, path: str, words: str
) -> None:
    policy_folder.edit(ACME, "texts:\n", f"{EXCEPTION}texts:\n".replace(old, new))

    [finding] = policy_folder.check()

    assert (finding.severity, finding.rule, finding.path) == ("warning", "unused-exception", path)
    assert words in finding.message


def check_texts(policy_folder: Any, language: str, **changes: str) -> Any:
    texts = {
        "en": {"accept": "Accept", "reject": "Refuse", "choose": "Choose", "save": "Save choice"},
        "nl": {"accept": "Ja", "reject": "Nee", "choose": "Kiezen", "save": "Keuze opslaan"},
    }
    texts[language].update(changes)
    return policy_folder.check(texts)


def test_a_fault_in_the_texts_of_the_kit_points_at_the_language_that_brings_it(
    policy_folder: Any,
) -> None:
    policy_folder.edit(ACME, "texts:\n  nl:\n    accept: Aanvaarden\n", "")

    findings = check_texts(policy_folder, "en", choose="Enjoy")

    assert [finding.rule for finding in findings] == ["neutral-buttons"]
    assert policy_folder.place(findings[0]) == (ACME, "languages[1]", "en]")


def test_a_text_missing_in_one_language_is_named(policy_folder: Any) -> None:
    policy_folder.edit(ACME, "texts:\n  nl:\n    accept: Aanvaarden\n", "")

    [finding] = check_texts(policy_folder, "en", close="Close")

    assert (finding.rule, finding.path) == ("language-complete", "languages[0]")
    assert "lacks the texts close in nl" in finding.message

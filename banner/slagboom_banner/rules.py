"""The legal lint: which rules there are, what they rest on, and how their findings are made.

Each rule is one function that is given the policy and the kit's texts; the table names the law,
guideline or decision beside it. A rule of which the answer is the company's own to give can be
answered for in the policy (`exceptions`); its error then becomes a warning that repeats the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slagboom_banner import rules_consent as consent
from slagboom_banner import rules_google as google
from slagboom_banner import rules_look as look
from slagboom_banner import rules_policy as particulars
from slagboom_banner import rules_sharing as sharing
from slagboom_banner import rules_texts as words
from slagboom_banner import rules_vendors as vendors
from slagboom_banner.errors import Finding
from slagboom_banner.load import LoadedPolicy, collect_policies, sort_findings
from slagboom_banner.wording import suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from slagboom_banner.model import ReviewedException
    from slagboom_banner.remark import Remark, Texts


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. may_be_excepted: whether a company can answer for it with a reviewed exception."""

    id: str
    source: str
    check: Callable[[LoadedPolicy, Texts], Iterator[Remark]]
    may_be_excepted: bool = False


EPRIVACY = "ePrivacy Directive Art. 5(3)"
EDPB_PATTERNS = "EDPB Guidelines 03/2022"
TASKFORCE = "EDPB Cookie Banner Taskforce report, 2023"

RULES = (
    Rule("necessary-reason", f"{EPRIVACY}; GBA checklist 2023", consent.check_necessary_reason),
    Rule(
        "necessary-vendor",
        f"{EPRIVACY}; WP29 opinion 04/2012",
        consent.check_necessary_vendor,
        may_be_excepted=True,
    ),
    Rule("consent-lifetime", "EDPB Guidelines 05/2020; CNIL", consent.check_consent_lifetime),
    Rule("cookie-lifetime", "CNIL 2020-091; RFC 6265bis", consent.check_cookie_lifetime),
    Rule("choice-cookie", "CJEU C-673/17", consent.check_choice_cookie),
    Rule("one-purpose", "GBA cookie guidance", consent.check_one_purpose),
    Rule("purpose-in-use", f"GDPR Art. 5(1)(c); {EDPB_PATTERNS}", consent.check_purpose_in_use),
    Rule("full-address", "GDPR Art. 5(1)(a)", consent.check_full_address),
    Rule("hosts-registered", "GDPR Art. 13(1)(e)", vendors.check_hosts),
    Rule("vendor-privacy-url", "GDPR Art. 13 and 14", vendors.check_privacy_url),
    Rule(
        "export-outside-eea",
        "GDPR Art. 44; the policy's own promise",
        vendors.check_export,
        may_be_excepted=True,
    ),
    Rule(
        "ip-passed-on",
        "GDPR Art. 5(1)(a); the policy's own promise",
        vendors.check_ip_passed_on,
        may_be_excepted=True,
    ),
    Rule(
        "advanced-consent-mode",
        f"{EPRIVACY}; EDPB Guidelines 2/2023; support.google.com/analytics/answer/13802165",
        google.check_advanced_mode,
        may_be_excepted=True,
    ),
    Rule("granted-default", "GDPR Art. 4(11) and 7", google.check_granted_defaults),
    Rule(
        "click-identifiers",
        f"{EPRIVACY}; EDPB Guidelines 2/2023",
        google.check_click_identifiers,
    ),
    Rule("google-consent-in-use", "GDPR Art. 5(1)(a)", google.check_in_use),
    Rule("own-interface", f"GDPR Art. 7; {EDPB_PATTERNS}", particulars.check_own_interface),
    Rule("neutral-buttons", EDPB_PATTERNS, words.check_neutral_buttons),
    Rule("equal-buttons", f"GBA 113/2024; {TASKFORCE}", words.check_equal_buttons),
    Rule("contrast", f"WCAG 2.2, 1.4.3; {TASKFORCE}", look.check_contrast),
    Rule(
        "continued-browsing",
        "GDPR Art. 4(11); EDPB Guidelines 05/2020",
        words.check_continued_browsing,
    ),
    Rule("legitimate-interest", f"{EPRIVACY}; {TASKFORCE}", words.check_legitimate_interest),
    Rule("language-complete", f"GDPR Art. 12(1); {EDPB_PATTERNS}", words.check_language_complete),
    Rule("same-placeholders", "GDPR Art. 12(1)", words.check_placeholders),
    Rule("known-texts", "GDPR Art. 12(1)", words.check_known_texts),
    Rule("changes", "GDPR Art. 7(1); GBA checklist 2023", particulars.check_changes),
    Rule("effective", "GDPR Art. 5(1)(a)", particulars.check_effective),
    Rule("authority", "GDPR Art. 13(2)(d) and 77", particulars.check_authorities),
    Rule("https-address", "GDPR Art. 32", particulars.check_addresses),
    Rule("origins", "RFC 6454; GDPR Art. 32", particulars.check_origins),
    Rule("cookie-domain", "RFC 6265", particulars.check_cookie_domain),
    Rule("hand-over", "GDPR Art. 4(11); EDPB Guidelines 05/2020", sharing.check_hand_over),
    Rule("unknown-value", "GDPR Art. 13", particulars.check_unknown_values),
)


def check_policies(
    directory: Path, texts: Texts
) -> tuple[dict[str, LoadedPolicy], tuple[Finding, ...]]:
    """The policies of a folder that read well, and every finding of form and law together."""
    policies, findings = collect_policies(directory)
    linted = [finding for loaded in policies.values() for finding in check_policy(loaded, texts)]
    shared = sharing.check_shared_cookies(policies.values())
    return policies, sort_findings([*findings, *linted, *shared])


def check_policy(loaded: LoadedPolicy, texts: Texts) -> tuple[Finding, ...]:
    """Every error and warning of one policy and its services, by file and place."""
    open_exceptions = {
        (entry.rule, entry.service): entry for entry in reversed(loaded.policy.exceptions)
    }
    used: set[tuple[str, str]] = set()
    findings: list[Finding] = []
    for rule in RULES:
        for remark in rule.check(loaded, texts):
            key = (rule.id, remark.service)
            exception = open_exceptions.get(key) if rule.may_be_excepted else None
            if exception is not None:
                used.add(key)
            findings.append(_place(loaded, rule, remark, exception))
    findings.extend(_check_exceptions(loaded, used))
    return sort_findings(findings)


def _place(
    loaded: LoadedPolicy, rule: Rule, remark: Remark, exception: ReviewedException | None
) -> Finding:
    positions = loaded.positions
    if remark.in_service:
        positions = loaded.service_positions[remark.service]
    severity, message = remark.severity, remark.message
    if exception is not None:
        severity = "warning"
        problem = message.partition("; ")[0]  # the advice is settled
        message = (
            f"{problem}; accepted on {exception.reviewed_on} by {exception.reviewed_by}: "
            f"{exception.reason}"
        )
    line, column = positions.locate(remark.path)
    return Finding(
        severity, rule.id, positions.file, line, column, remark.path, message, rule.source
    )


def _check_exceptions(loaded: LoadedPolicy, used: set[tuple[str, str]]) -> Iterator[Finding]:
    """Exceptions that except nothing, so that none lies about unnoticed."""
    rules = {rule.id for rule in RULES if rule.may_be_excepted}
    services = {service.id for service in loaded.services}
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(loaded.policy.exceptions):
        path = f"exceptions[{index}]"
        key = (entry.rule, entry.service)
        if entry.rule not in rules:
            path, message = f"{path}.rule", f"{entry.rule!r} cannot be excepted"
            message = f"{message}; {suggest(entry.rule, rules)}"
        elif entry.service not in services:
            path, message = f"{path}.service", f"{entry.service!r} is not used in this policy"
            message = f"{message}; {suggest(entry.service, services)}"
        elif key not in used:
            message = f"is not needed: {entry.service} keeps {entry.rule}; remove it"
        elif key in seen:
            message = "stands here a second time and the first one counts; remove it"
        else:
            seen.add(key)
            continue
        line, column = loaded.locate(path)
        yield Finding("warning", "unused-exception", loaded.file, line, column, path, message)

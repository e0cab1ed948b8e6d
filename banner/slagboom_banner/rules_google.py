"""Rules on Google Consent Mode: what a Google tag may do before and without consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slagboom_banner.google_consent import is_google_tag, runs_ahead
from slagboom_banner.regime import rule
from slagboom_banner.remark import Remark, Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slagboom_banner.load import LoadedPolicy


def check_advanced_mode(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """No Google tag runs ahead of the visitor's answer.

    Google's own page names what a ping without consent can hold: the user agent, the screen
    resolution and the IP address (https://support.google.com/analytics/answer/13802165).
    Source: ePrivacy Art. 5(3); EDPB Guidelines 2/2023.
    """
    for service in loaded.services:
        if runs_ahead(service, loaded.policy.google_consent):
            yield Remark(
                "google_consent.mode",
                f"has {service.name} contact Google before consent and send the user agent, the "
                "screen resolution and the IP address, also of visitors who refuse; write basic, "
                "or a reviewed exception (rule: advanced-consent-mode, "
                f"service: {service.id})",
                service.id,
            )


def check_granted_defaults(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """No consent type counts as granted before the answer where the law asks first.

    Source: GDPR Art. 4(11), and the other laws of `regime`.
    """
    settings = loaded.policy.google_consent
    for index, default in enumerate(settings.defaults if settings else ()):
        if "granted" not in default.types.values():
            continue
        for at, region in enumerate(default.regions):
            ruling = rule(region.partition("-")[0], has_gpc=False)
            if not ruling.starts_granted:
                yield Remark(
                    f"google_consent.defaults[{index}].regions[{at}]",
                    f"is {region}, where consent comes first ({ruling.source}); "
                    "write denied for every type there",
                )


def check_click_identifiers(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """A refusal of advertising is not gone round by identifiers in addresses.

    Source: EDPB Guidelines 2/2023, on links and addresses that carry identifiers.
    """
    settings = loaded.policy.google_consent
    if settings is None:
        return
    if settings.url_passthrough:
        yield Remark(
            "google_consent.url_passthrough",
            "carries the identifier of an advertisement from page to page in the address where its "
            "cookie was refused; write false, or ask the DPO",
            severity="warning",
        )
    if not settings.ads_data_redaction:
        yield Remark(
            "google_consent.ads_data_redaction",
            "leaves the identifier of an advertisement in requests to Google where ad_storage was "
            "refused; write true, or ask the DPO",
            severity="warning",
        )


def check_in_use(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """Settings for Google's tags stand only where there is such a tag.

    Source: GDPR Art. 5(1)(a): what a policy says is what happens.
    """
    if loaded.policy.google_consent and not any(map(is_google_tag, loaded.services)):
        yield Remark(
            "google_consent",
            "applies to nothing: no service here speaks Consent Mode; remove it",
            severity="warning",
        )

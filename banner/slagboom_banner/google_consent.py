"""Google Consent Mode v2 as a policy words it, resolved into plain steps.

The gate knows steps and nothing of Google. A service file declares every consent type denied by one
call, `gtag("consent", "default", {…})`; the policy's `google_consent` says what stands beside it.
Source: https://developers.google.com/tag-platform/security/guides/consent
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from slagboom_banner.model import CallStep, ConsentType, SetStep, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

    from slagboom_banner.model import GoogleConsent, Service

_DEFAULT = ["consent", "default"]


@dataclass(frozen=True, slots=True)
class Steps:
    """When the gate runs what: see `Service`.

    ahead: run whatever is granted, where the tag does not wait for a grant: for a visitor who has
    not answered, for one who has, and at each later answer.
    """

    load: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    deny: tuple[Step, ...] = ()
    off: tuple[Step, ...] = ()
    ahead: tuple[tuple[Step, ...], ...] = ()


def is_google_tag(service: Service) -> bool:
    """Whether the service's steps speak Consent Mode."""
    return any(_is_default(step) for step in service.load)


def runs_ahead(service: Service, settings: GoogleConsent | None) -> bool:
    """Whether the tag starts before the visitor has answered."""
    return settings is not None and settings.mode == "advanced" and is_google_tag(service)


def plan_steps(service: Service, settings: GoogleConsent | None) -> Steps:
    """The service's steps, those of a Google tag as the policy's settings have them."""
    if settings is None or not is_google_tag(service):
        return Steps(service.load, service.after, service.deny, service.off)
    load = tuple(_rewrite(service.load, settings))
    if not runs_ahead(service, settings):
        return Steps(load, service.after, service.deny, service.off)
    # The off-switches would keep the tag from sending what this mode is chosen for.
    told = tuple(step for step in service.off if not isinstance(step, SetStep))
    return Steps(ahead=(tuple(step for step in load if step not in told), load, told))


def _is_default(step: Step) -> bool:
    return (
        isinstance(step, CallStep) and step.path == "gtag" and list(step.arguments[:2]) == _DEFAULT
    )


def _gtag(*arguments: JsonValue) -> CallStep:
    return CallStep(do="call", path="gtag", arguments=arguments)


def _rewrite(steps: tuple[Step, ...], settings: GoogleConsent) -> Iterator[Step]:
    for step in steps:
        if _is_default(step):
            yield from _declare(settings)
        elif not (isinstance(step, CallStep) and "ads_data_redaction" in step.arguments):
            yield step


def _declare(settings: GoogleConsent) -> Iterator[Step]:
    """The default everywhere, then those of regions: to Google the narrower region counts."""
    everywhere: dict[str, JsonValue] = dict.fromkeys(get_args(ConsentType), "denied")
    if settings.wait_for_update_ms:
        everywhere["wait_for_update"] = settings.wait_for_update_ms
    yield _gtag(*_DEFAULT, everywhere)
    for default in settings.defaults:
        types: dict[str, JsonValue] = dict(default.types.items())
        yield _gtag(*_DEFAULT, {**everywhere, **types, "region": list(default.regions)})
    if settings.ads_data_redaction:
        yield _gtag("set", "ads_data_redaction", True)  # noqa: FBT003 -- the value Google's call takes
    if settings.url_passthrough:
        yield _gtag("set", "url_passthrough", True)  # noqa: FBT003 -- the value Google's call takes

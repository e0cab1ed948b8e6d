"""A decision and the notice it answers, made into the record that is kept.

Nothing a browser says is taken on trust: the offer is read from the notice that was stored when it
was published, and every answer must be one that this notice could lead to. What cannot be decided
from here (two clocks, two signals) is kept with a flag instead of refused.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from slagboom_banner.decide import grants
from slagboom_banner.model import Action, Decision, Layer
from slagboom_banner.regime import Regime, rule
from slagboom_server.anonymise import Client, Device, families, truncate
from slagboom_server.errors import RecordRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from slagboom_server.geo import Countries

MAX_CLOCK_AHEAD: Final = dt.timedelta(days=1)
MAX_CLOCK_BEHIND: Final = dt.timedelta(days=400)
"""Beyond these the visitor's clock is called wrong; an answer may rightly arrive days late."""

_REFUSALS: Final = frozenset({Action.REJECT_ALL, Action.WITHDRAW, Action.GPC, Action.EXPIRE})


class Flag(StrEnum):
    """What did not agree, or needs to be known, about one record.

    earlier_notice: the notice answered was no longer the current one. gpc_differs: the page and
    the request header disagree on Global Privacy Control. full_ip_withheld: a service was granted
    that needs the full address, while the visitor kept the address anonymised, so it did not run.
    """

    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEHIND = "clock_behind"
    EARLIER_NOTICE = "earlier_notice"
    GPC_DIFFERS = "gpc_differs"
    FULL_IP_WITHHELD = "full_ip_withheld"


@dataclass(frozen=True, slots=True)
class OfferedService:
    """A service a notice asks for, under the purpose it serves."""

    id: str
    purpose: str
    needs_full_ip: bool


@dataclass(frozen=True, slots=True)
class OfferedNotice:
    """What one published notice offers.

    digest: SHA-256 of its document, 64 hex digits. purposes: those that need consent, in the
    notice's order, as are the services. accept_anonymises: whether accepting everything leaves
    the address anonymised. ip: what the record keeps of an address.
    """

    site: str
    digest: str
    revision: int
    language: str
    purposes: tuple[str, ...]
    services: tuple[OfferedService, ...]
    accept_anonymises: bool
    consent_lifetime_days: int
    ip: Literal["omitted", "truncated"]


class RequestFacts(NamedTuple):
    """What a request tells beside its body; must not outlive the request.

    origin: the Origin header. gpc_header: the Sec-GPC header, None where there was none.
    """

    address: str
    user_agent: str
    origin: str | None
    gpc_header: str | None


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One decision as it is kept, the unit of the consent log.

    seq: its number in the log, None until it is stored. granted: the services that may run, which
    follows from the choice and the notice. received_at, valid_until: the server's
    clock; given_at: the visitor's; all UTC in whole milliseconds. ip: a truncated network or None.
    origin: scheme, host and port. browser, system: families without versions.
    """

    decision_id: UUID
    consent_id: UUID
    previous: UUID | None
    received_at: dt.datetime
    given_at: dt.datetime
    site: str
    revision: int
    notice: str
    language: str
    layer: Layer
    action: Action
    choices: Mapping[str, bool]
    services: Mapping[str, bool]
    anonymise_ip: bool
    granted: tuple[str, ...]
    gpc: bool
    regime: Regime
    country: str | None
    ip: str | None
    browser: str
    system: str
    device: Device
    origin: str | None
    valid_until: dt.datetime
    flags: tuple[Flag, ...]
    seq: int | None = None


def build_record(  # noqa: PLR0913 -- the four facts of a record, and the two look-ups of the process
    decision: Decision,
    notice: OfferedNotice,
    request: RequestFacts,
    received_at: dt.datetime,
    *,
    is_current: bool,
    countries: Countries,
    clients: Callable[[str], Client] = families,
) -> ConsentRecord:
    """The record of a decision.

    notice: the stored one whose digest the decision names. received_at: the server's clock, UTC.
    is_current: whether the site still shows this notice.
    Raises RecordRejected where the decision does not fit the notice or contradicts itself.
    """
    _require_fit(decision, notice)
    country = countries.country(request.address)
    client = clients(request.user_agent)
    received = _whole_milliseconds(received_at)
    granted = granted_services(notice, decision.services, anonymise_ip=decision.anonymise_ip)
    return ConsentRecord(
        decision_id=decision.decision_id,
        consent_id=decision.consent_id,
        previous=decision.previous,
        received_at=received,
        given_at=_whole_milliseconds(decision.given_at),
        site=notice.site,
        revision=notice.revision,
        notice=notice.digest,
        language=notice.language,
        layer=decision.layer,
        action=decision.action,
        choices={purpose: decision.choices[purpose] for purpose in notice.purposes},
        services={service.id: decision.services[service.id] for service in notice.services},
        anonymise_ip=decision.anonymise_ip,
        granted=granted,
        gpc=decision.gpc,
        regime=_regime(country),
        country=country,
        ip=truncate(request.address) if notice.ip == "truncated" else None,
        browser=client.browser,
        system=client.system,
        device=client.device,
        origin=bare_origin(request.origin),
        valid_until=received + dt.timedelta(days=notice.consent_lifetime_days),
        flags=_flags(decision, granted, request, received, is_current=is_current),
    )


def granted_services(
    notice: OfferedNotice, services: Mapping[str, bool], *, anonymise_ip: bool
) -> tuple[str, ...]:
    """The services of a notice that an answer lets run, in the notice's order."""
    granted = grants(notice.services, services, anonymise_ip=anonymise_ip)
    return tuple(name for name, may_run in granted.items() if may_run)


@lru_cache(maxsize=1024)
def _regime(country: str | None) -> Regime:
    # The signal changes no regime.
    return rule(country, has_gpc=False).regime


# The origins of a few policies come again with each decision.
@lru_cache(maxsize=1024)
def bare_origin(origin: str | None) -> str | None:
    """Scheme, host and port of an origin or address; None for an opaque or missing one."""
    if origin is None:
        return None
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")


def _whole_milliseconds(time: dt.datetime) -> dt.datetime:
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _require_fit(decision: Decision, notice: OfferedNotice) -> None:
    """Refuses what no visitor of this notice could have sent."""
    _require_version("decision_id", decision.decision_id, 7)
    _require_version("consent_id", decision.consent_id, 4)
    if decision.revision != notice.revision:
        _reject(f"revision {decision.revision} is not the notice's, which is {notice.revision}")
    if decision.language != notice.language:
        _reject(f"language {decision.language!r} is not the notice's, {notice.language!r}")
    _require_same("purpose", decision.choices, notice.purposes)
    _require_same("service", decision.services, [service.id for service in notice.services])
    if decision.action is Action.ACCEPT_ALL:
        _require_all_granted(decision, notice)
    if decision.action in _REFUSALS:
        for name, is_granted in (*decision.choices.items(), *decision.services.items()):
            if is_granted:
                _reject(f"action {decision.action.value!r} cannot grant {name!r}")
    if decision.action is Action.WITHDRAW and decision.previous is None:
        _reject("action 'withdraw' names no previous decision; only what was given is withdrawn")
    if decision.action is Action.GPC and not decision.gpc:
        _reject("action 'gpc' comes without the signal; gpc must be true")


def _require_version(field: str, value: UUID, version: int) -> None:
    if value.version != version:
        _reject(f"{field} is not a UUID of version {version}")


def _require_same(kind: str, answered: Mapping[str, bool], offered: Sequence[str]) -> None:
    for name in answered:
        if name not in offered:
            _reject(f"{kind} {name!r} is not offered by this notice")
    for name in offered:
        if name not in answered:
            _reject(f"{kind} {name!r} is offered by this notice and not answered")


def _require_all_granted(decision: Decision, notice: OfferedNotice) -> None:
    if decision.anonymise_ip is not notice.accept_anonymises:
        stated = "true" if notice.accept_anonymises else "false"
        _reject(f"action 'accept_all' leaves anonymise_ip {stated} under this notice")
    for purpose in notice.purposes:
        if not decision.choices[purpose]:
            _reject(f"action 'accept_all' leaves purpose {purpose!r} refused")
    for service in notice.services:
        # An anonymised address keeps such a service off, whatever button was pressed.
        is_kept_off = service.needs_full_ip and decision.anonymise_ip
        if not decision.services[service.id] and not is_kept_off:
            _reject(f"action 'accept_all' leaves service {service.id!r} refused")


def _reject(reason: str) -> None:
    raise RecordRejected(reason)


def _flags(
    decision: Decision,
    granted: tuple[str, ...],
    request: RequestFacts,
    received_at: dt.datetime,
    *,
    is_current: bool,
) -> tuple[Flag, ...]:
    raised: list[Flag] = []
    ahead = decision.given_at - received_at
    if ahead > MAX_CLOCK_AHEAD:
        raised.append(Flag.CLOCK_AHEAD)
    if ahead < -MAX_CLOCK_BEHIND:
        raised.append(Flag.CLOCK_BEHIND)
    if not is_current:
        raised.append(Flag.EARLIER_NOTICE)
    if (request.gpc_header == "1") is not decision.gpc:
        raised.append(Flag.GPC_DIFFERS)
    if len(granted) < sum(decision.services.values()):
        raised.append(Flag.FULL_IP_WITHHELD)
    return tuple(raised)

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from log_samples import NOON, REQUEST, decision_id, make_decision, make_offer

from slagboom_banner.regime import Regime
from slagboom_server.errors import RecordRejected
from slagboom_server.geo import NoCountry
from slagboom_server.record import (
    ConsentRecord,
    Flag,
    OfferedNotice,
    RequestFacts,
    bare_origin,
    build_record,
)

DAY = dt.timedelta(days=1)
NOTHING = {"choices": {"statistics": False, "marketing": False}}
NO_SERVICE = {"services": {"google-analytics": False, "leadinfo": False}}


class OneCountry:
    def __init__(self, code: str) -> None:
        self._code = code

    def country(self, _: str) -> str:
        return self._code


def build(
    *,
    offer: OfferedNotice | None = None,
    request: RequestFacts = REQUEST,
    is_current: bool = True,
    country: str | None = None,
    **changes: Any,
) -> ConsentRecord:
    offer = offer or make_offer()
    return build_record(
        make_decision(1, offer, **changes),
        offer,
        request,
        NOON,
        is_current=is_current,
        countries=NoCountry() if country is None else OneCountry(country),
    )


def test_a_record_holds_the_decision_and_little_of_the_request() -> None:
    record = build(country="BE")

    assert record.choices == {"statistics": True, "marketing": True}
    assert record.services == {"google-analytics": True, "leadinfo": True}
    assert record.seq is None
    assert record.site == "dsoft"
    assert record.country == "BE"
    assert record.regime is Regime.OPT_IN
    assert record.ip == "198.51.100.0/24"
    assert (record.browser, record.system, record.device.value) == ("Firefox", "Linux", "computer")
    assert record.flags == ()


def test_no_address_and_no_user_agent_stay_in_a_record() -> None:
    for policy in ("omitted", "truncated"):
        text = str(build(offer=make_offer(ip=policy)))

        assert "198.51.100.77" not in text
        assert "Mozilla" not in text
        assert "132" not in text


def test_a_policy_that_omits_addresses_keeps_no_network() -> None:
    assert build(offer=make_offer(ip="omitted")).ip is None


def test_a_choice_is_valid_for_the_lifetime_of_its_notice() -> None:
    assert build(offer=make_offer(consent_lifetime_days=30)).valid_until == NOON + 30 * DAY


def test_times_are_kept_in_whole_milliseconds() -> None:
    record = build(given_at=NOON.replace(microsecond=123_999))

    assert record.given_at == NOON.replace(microsecond=123_000)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"revision": 2}, "revision 2 is not the notice's, which is 1"),
        ({"language": "fr"}, "language 'fr' is not the notice's, 'nl'"),
        (
            {"choices": {"statistics": True, "marketing": True, "profiling": True}},
            "purpose 'profiling' is not offered by this notice",
        ),
        ({"choices": {"statistics": True}}, "purpose 'marketing' is offered by this notice and"),
        (
            {"services": {"google-analytics": True, "leadinfo": True, "hotjar": True}},
            "service 'hotjar' is not offered by this notice",
        ),
        ({"services": {"leadinfo": True}}, "service 'google-analytics' is offered by this"),
        (
            {"choices": {"statistics": True, "marketing": False}, **NO_SERVICE},
            "action 'accept_all' leaves purpose 'marketing' refused",
        ),
        (
            {"services": {"google-analytics": False, "leadinfo": True}},
            "action 'accept_all' leaves service 'google-analytics' refused",
        ),
        (
            {"services": {"google-analytics": True, "leadinfo": False}},
            "action 'accept_all' leaves service 'leadinfo' refused",
        ),
        (
            {"anonymise_ip": True},
            "action 'accept_all' leaves anonymise_ip false under this notice",
        ),
        (
            {"action": "gpc", **NOTHING, **NO_SERVICE},
            "action 'gpc' comes without the signal",
        ),
        (
            {"action": "withdraw", **NOTHING, **NO_SERVICE},
            "action 'withdraw' names no previous decision",
        ),
        (
            {"decision_id": UUID("5a1ecafe-0000-4000-8000-000000000001")},
            "decision_id is not a UUID of version 7",
        ),
        (
            {"consent_id": UUID("01a20000-0000-7000-8000-000000000001")},
            "consent_id is not a UUID of version 4",
        ),
    ],
)
def test_a_decision_that_does_not_fit_its_notice_is_rejected(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RecordRejected) as error:
        build(**changes)

    assert reason in error.value.reason
    assert error.value.status == 422


def test_one_service_may_be_granted_without_the_rest_of_its_purpose() -> None:
    record = build(granted={"leadinfo"})

    assert record.choices == {"statistics": False, "marketing": False}
    assert record.services == {"google-analytics": False, "leadinfo": True}


def test_a_purpose_may_be_granted_without_its_services() -> None:
    record = build(granted={"statistics"})

    assert record.choices == {"statistics": True, "marketing": False}
    assert record.services == {"google-analytics": False, "leadinfo": False}


@pytest.mark.parametrize("action", ["reject_all", "withdraw", "gpc", "expire"])
@pytest.mark.parametrize("granted", [{"statistics"}, {"marketing", "leadinfo"}])
def test_a_refusal_never_grants(action: str, granted: set[str]) -> None:
    with pytest.raises(RecordRejected, match=f"action '{action}' cannot grant"):
        build(action=action, granted=granted)

    refused = build(
        action=action, gpc=action == "gpc", previous=decision_id(9), **NOTHING, **NO_SERVICE
    )
    assert not any(refused.choices.values())
    assert refused.granted == ()


def test_accepting_all_leaves_out_what_an_anonymised_address_keeps_off() -> None:
    offer = make_offer(accept_anonymises=True)
    services = {"google-analytics": True, "leadinfo": False}
    record = build(offer=offer, anonymise_ip=True, services=services)

    assert record.flags == ()
    assert record.services["leadinfo"] is False


@pytest.mark.parametrize("accept_anonymises", [True, False])
def test_accepting_all_leaves_the_address_as_the_notice_said(*, accept_anonymises: bool) -> None:
    offer = make_offer(accept_anonymises=accept_anonymises)

    assert build(offer=offer, anonymise_ip=accept_anonymises).anonymise_ip is accept_anonymises
    with pytest.raises(RecordRejected, match="'accept_all' leaves anonymise_ip"):
        build(offer=offer, anonymise_ip=not accept_anonymises)


ALL = {"statistics", "marketing", "google-analytics", "leadinfo"}


@pytest.mark.parametrize(
    ("changes", "granted"),
    [
        ({"granted": ALL}, ("google-analytics", "leadinfo")),
        ({"granted": ALL, "anonymise_ip": True}, ("google-analytics",)),
        ({"granted": {"marketing", "leadinfo"}, "anonymise_ip": True}, ()),
        ({"granted": {"statistics", "marketing"}}, ()),
    ],
)
def test_a_record_says_which_services_may_run(
    changes: dict[str, Any], granted: tuple[str, ...]
) -> None:
    assert build(**changes).granted == granted


def test_the_order_is_the_notice_and_not_the_browser() -> None:
    record = build(
        choices={"marketing": True, "statistics": True},
        services={"leadinfo": True, "google-analytics": True},
    )

    assert list(record.choices) == ["statistics", "marketing"]
    assert list(record.services) == ["google-analytics", "leadinfo"]


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"given_at": NOON + DAY}, ()),
        ({"given_at": NOON + DAY + dt.timedelta(seconds=1)}, (Flag.CLOCK_AHEAD,)),
        ({"given_at": NOON - 400 * DAY}, ()),
        ({"given_at": NOON - 401 * DAY}, (Flag.CLOCK_BEHIND,)),
        ({"is_current": False}, (Flag.EARLIER_NOTICE,)),
        ({"gpc": True}, (Flag.GPC_DIFFERS,)),
        ({"anonymise_ip": True, "granted": {"leadinfo"}}, (Flag.FULL_IP_WITHHELD,)),
        ({"anonymise_ip": True, "granted": {"statistics"}}, ()),
        ({"is_current": False, "gpc": True}, (Flag.EARLIER_NOTICE, Flag.GPC_DIFFERS)),
    ],
)
def test_what_does_not_agree_is_flagged_and_kept(
    changes: dict[str, Any], flags: tuple[Flag, ...]
) -> None:
    assert build(**changes).flags == flags


@pytest.mark.parametrize(
    ("header", "gpc", "flags"),
    [
        ("1", True, ()),
        (None, False, ()),
        ("0", False, ()),
        ("1", False, (Flag.GPC_DIFFERS,)),
        ("0", True, (Flag.GPC_DIFFERS,)),
    ],
)
def test_the_header_and_the_page_must_agree_on_gpc(
    header: str | None,
    gpc: bool,  # noqa: FBT001 -- a parameter of the test
    flags: tuple[Flag, ...],
) -> None:
    request = REQUEST._replace(gpc_header=header)

    assert build(request=request, gpc=gpc).flags == flags


@pytest.mark.parametrize(
    ("origin", "kept"),
    [
        ("https://www.dsoft.be", "https://www.dsoft.be"),
        ("https://www.dsoft.be/contact?name=Jan#top", "https://www.dsoft.be"),
        ("https://jan:secret@www.dsoft.be:8443/", "https://www.dsoft.be:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("null", None),
        ("", None),
        ("https://x:notaport", None),
        ("https://[broken", None),
        (None, None),
    ],
)
def test_of_an_origin_only_scheme_host_and_port_stay(origin: str | None, kept: str | None) -> None:
    assert bare_origin(origin) == kept

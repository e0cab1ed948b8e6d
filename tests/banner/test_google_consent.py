"""Google Consent Mode as a policy words it, and the steps the gate is given for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from bundle_samples import END, make_sources, read_config, read_literal

from slagboom_banner.assets import policies_directory
from slagboom_banner.bundle import build_bundle
from slagboom_banner.document import read_document
from slagboom_banner.google_consent import is_google_tag, plan_steps
from slagboom_banner.model import ConsentType, GoogleConsent, Service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slagboom_banner.model import Step

ACME, COUNTER = "acme.yaml", "services/counter.yaml"
TYPES = set(get_args(ConsentType))
DENIED = dict.fromkeys(TYPES, "denied")
GOOGLE_TAGS = ["google-ads", "google-analytics", "google-tag-manager"]
SPEAKS = """load:
  - {do: queue, path: gtag, into: dataLayer}
  - do: call
    path: gtag
    arguments: [consent, default, {analytics_storage: denied}]
  - {do: call, path: gtag, arguments: [consent, update, "{consent}"]}
"""
IS_TOLD = """off:
  - {do: call, path: gtag, arguments: [consent, update, "{consent}"]}
"""


@pytest.fixture
def google_folder(policy_folder: Any) -> Any:
    """A policy in advanced mode, with a counter that speaks Consent Mode."""
    policy_folder.edit(COUNTER, "load:\n", SPEAKS)
    policy_folder.edit(COUNTER, "deny:\n", f"{IS_TOLD}deny:\n")
    policy_folder.edit(ACME, "purposes:\n", "google_consent: {mode: advanced}\npurposes:\n")
    return policy_folder


def read_service(name: str) -> Service:
    file = policies_directory() / "services" / f"{name}.yaml"
    return Service.model_validate(read_document(file).value)


def settings(**values: Any) -> GoogleConsent:
    return GoogleConsent.model_validate(values)


def gtag_calls(steps: Iterable[Step], *begins: str) -> list[Any]:
    """What is handed to gtag after the words a call begins with."""
    calls = [list(step.arguments) for step in steps if step.do == "call" and step.path == "gtag"]
    return [call[len(begins) :] for call in calls if call[: len(begins)] == list(begins)]


def test_the_tags_of_google_are_known_by_their_steps_alone() -> None:
    names = sorted(file.stem for file in (policies_directory() / "services").glob("*.yaml"))

    assert [name for name in names if is_google_tag(read_service(name))] == GOOGLE_TAGS


@pytest.mark.parametrize("name", GOOGLE_TAGS)
def test_without_settings_the_steps_of_the_file_stand(name: str) -> None:
    service = read_service(name)
    plan = plan_steps(service, None)

    assert (plan.load, plan.deny, plan.off) == (service.load, service.deny, service.off)
    assert plan.ahead == ()


def test_a_service_of_another_vendor_is_left_alone() -> None:
    service = read_service("microsoft-clarity")
    plan = plan_steps(service, settings(mode="advanced"))

    assert plan.load == service.load
    assert plan.ahead == ()


@pytest.mark.parametrize("name", GOOGLE_TAGS)
@pytest.mark.parametrize("mode", ["basic", "advanced"])
def test_every_type_is_denied_before_the_tag_hears_anything_else(name: str, mode: str) -> None:
    plan = plan_steps(read_service(name), settings(mode=mode))
    for steps in (plan.load,) if mode == "basic" else plan.ahead[:2]:
        calls = gtag_calls(steps)

        assert calls[0] == ["consent", "default", DENIED]
        assert len(gtag_calls(steps, "consent", "default")) == 1
        assert gtag_calls(steps, "set", "ads_data_redaction") == [[True]]
        assert gtag_calls(steps, "set", "url_passthrough") == []


def test_a_region_gets_its_own_default_beside_the_one_for_everywhere() -> None:
    plan = plan_steps(
        read_service("google-analytics"),
        settings(
            defaults=[{"regions": ["US-CA", "US"], "types": {"analytics_storage": "granted"}}],
            wait_for_update_ms=500,
        ),
    )
    everywhere, region = (call[0] for call in gtag_calls(plan.load, "consent", "default"))

    assert everywhere == {**DENIED, "wait_for_update": 500}
    assert region == {
        **DENIED,
        "analytics_storage": "granted",
        "wait_for_update": 500,
        "region": ["US-CA", "US"],
    }


def test_redaction_and_passthrough_follow_the_policy() -> None:
    plan = plan_steps(
        read_service("google-ads"), settings(ads_data_redaction=False, url_passthrough=True)
    )

    assert gtag_calls(plan.load, "set") == [["url_passthrough", True]]


@pytest.mark.parametrize("name", GOOGLE_TAGS)
def test_basic_mode_runs_nothing_ahead_of_the_grant(name: str) -> None:
    service = read_service(name)
    plan = plan_steps(service, settings())

    assert plan.ahead == ()
    assert (plan.deny, plan.off) == (service.deny, service.off)


@pytest.mark.parametrize("name", GOOGLE_TAGS)
def test_advanced_mode_runs_ahead_and_tells_the_state_only_once_there_is_one(name: str) -> None:
    plan = plan_steps(read_service(name), settings(mode="advanced"))
    undecided, decided, after = plan.ahead

    assert (plan.load, plan.deny, plan.off) == ((), (), ())
    assert gtag_calls(undecided, "consent", "update") == []
    assert [step.do for step in undecided][-1] == [step.do for step in decided][-1] == "script"
    for steps in (decided, after):
        assert gtag_calls(steps, "consent", "update") == [["{consent}"]]
    assert not [step for step in after if step.do in {"set", "script"}]


def test_the_gate_is_given_plain_steps_with_parameters_filled_in(google_folder: Any) -> None:
    counter, chat = read_config(build_bundle(google_folder.read(), make_sources()))["services"]

    undecided, decided, after = counter["ahead"]
    assert undecided[-1]["src"] == "https://cdn.counter.example/count.js?id=C-1234"
    assert decided[-1] == undecided[-1]
    assert after == [
        {"do": "call", "path": "gtag", "arguments": ["consent", "update", "{consent}"]}
    ]
    assert not {"load", "deny", "off"} & counter.keys()
    assert "ahead" not in chat


def test_a_tag_whose_parameter_is_unknown_runs_in_no_mode(google_folder: Any) -> None:
    google_folder.edit(ACME, "site_id: C-1234", "site_id: 'unknown: not asked yet'")
    counter = read_config(build_bundle(google_folder.read(), make_sources()))["services"][0]

    assert not {"ahead", "load", "deny", "off"} & counter.keys()


def test_advanced_mode_says_what_it_sends_and_an_exception_answers_for_it(
    google_folder: Any,
) -> None:
    [error] = google_folder.check()
    google_folder.edit(
        ACME,
        "texts:\n",
        """exceptions:
  - rule: advanced-consent-mode
    service: counter
    reason: The DPO has weighed the pings.
    reviewed_by: An Peeters
    reviewed_on: 2026-10-01
texts:
""",
    )
    [warning] = google_folder.check()

    assert error.severity == "error"
    for sent in ("user agent", "screen resolution", "IP address"):
        assert sent in error.message
    assert "support.google.com/analytics/answer/13802165" in str(error)
    assert warning.severity == "warning"
    assert "The DPO has weighed the pings." in warning.message


def test_a_site_with_its_own_interface_is_never_sent_the_first_layer(policy_folder: Any) -> None:
    sources = make_sources()
    usual = build_bundle(policy_folder.read(), sources)
    policy_folder.edit(ACME, "purposes:\n", "interface: none\npurposes:\n")
    own = build_bundle(policy_folder.read(), sources)

    assert set(own.asking_gates.values()) == {own.gate}
    behind = own.gate.decode().partition("own(")[2]
    handed = read_literal(behind.removesuffix(f");{END}"))
    assert handed["notices"] == {name: notice.digest for name, notice in own.notices.items()}
    assert handed["purposes"] == {"counter": "statistics", "chat": "contact"}
    # Whoever has decided may decide again in the site's own interface, which is acted on at once.
    assert b"choice(" in own.gate
    assert b"first(" not in own.gate
    assert set(read_config(usual)["languages"]) == set(own.notices)
    assert b"languages:{nl:null,en:null}" in own.gate
    assert b"own" not in usual.gate
    assert own.notices == usual.notices

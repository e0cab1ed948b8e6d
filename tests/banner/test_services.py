"""The service catalogue: each file by itself, and in a policy that uses nothing else."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from slagboom_banner.assets import texts_directory
from slagboom_banner.document import read_document
from slagboom_banner.model import (
    CallStep,
    ConsentType,
    PushStep,
    QueueStep,
    ScriptStep,
    Service,
)
from slagboom_banner.references import check_service
from slagboom_banner.rules import RULES, check_policies
from slagboom_banner.rules_vendors import covers
from slagboom_banner.texts import read_texts
from slagboom_banner.wording import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slagboom_banner.model import Localised, Step

FILES = sorted((Path(__file__).parents[2] / "policies" / "services").glob("*.yaml"))
LANGUAGES = ("en", "nl", "fr", "de")
PROMISES = {rule.id for rule in RULES if rule.may_be_excepted}
"""What a company promises of itself: a vendor that breaks it is the company's to leave out."""
KEPT = ("slagboom", "slagboom-unsent", "PHPSESSID", "JSESSIONID", "sessionid", "csrftoken", "lang")
"""The kit's own items, and names a site is likely to use itself: no withdrawal may delete them."""
NO_QUEUES = {"GlobalLeadinfoNamespace", "_linkedin_data_partner_ids"}
"""Lists of names and numbers of the vendor's own, which no script takes for commands."""
EVENTS = (
    *("event", "track", "trackPageView", "trackEvent", "trackCustom", "page", "pageview", "view"),
    *("identify", "setUserId", "setCustomVariable", "setEcommerceView", "addEcommerceItem", "send"),
    *("update", "trackCustomBehavioralEvent", "trackSingle", "do", "get", "Signup", "init", "load"),
)
"""Commands that report a visitor or what they did, in the words of one vendor or another."""
_UUID = "01234567-89ab-cdef-0123-456789abcdef"
EXAMPLES = {
    "crisp": {"website_id": _UUID},
    "google-analytics": {"measurement_id": "G-DEMO000000"},
    "intercom": {"app_id": "abc12345", "api_base": "https://api-iam.eu.intercom.io"},
    "leadinfo": {"site_id": "LI-0123456789ABC"},
    "mailchimp": {"user": "0123456789abcdef012345678", "site": "876543210fedcba9876543210"},
    "recaptcha": {"site_key": "6L" + 38 * "x"},
    "tawk-to": {"property_id": "0123456789abcdef01234567", "widget_id": "default"},
    "zendesk-chat": {"widget_key": _UUID},
}
"""Values of the form a vendor gives. A service without them here is tried with unknown ones."""


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    """A file of the catalogue."""
    found: Path = request.param
    return found


@pytest.fixture
def service(file: Path) -> Service:
    """What that file says."""
    return Service.model_validate(read_document(file).value)


def steps(service: Service) -> Iterator[Step]:
    yield from (*service.load, *service.after, *service.deny, *service.off)


def localised(service: Service) -> Iterator[Localised]:
    yield service.description
    yield from service.data
    for item in service.stored:
        yield item.purpose
        if item.reason is not None:
            yield item.reason


def write_policy(directory: Path, service: Service) -> None:
    """A policy with one service and no more than the law asks. JSON is YAML too."""
    text = dict.fromkeys(LANGUAGES, "Alone")
    parameters = dict.fromkeys(service.parameters, "unknown: the company has not said it yet")
    basis = "strictly_necessary" if service.purpose == "necessary" else "consent"
    purpose = {"id": service.purpose, "legal_basis": basis, "name": text, "description": text}
    policy = {
        "site": "alone",
        "origins": ["https://alone.example"],
        "controller": {
            "name": "Alone nv",
            "offices": [{"country": "BE", "address": "Dorp 1, 9820 Merelbeke"}],
            "email": "privacy@alone.example",
            "privacy_statement": dict.fromkeys(LANGUAGES, "https://alone.example/privacy"),
            "statement_date": "2026-11-21",
        },
        "authorities": {"BE": {"name": text, "address": "Drukpersstraat 35, 1000 Brussel"}},
        "languages": LANGUAGES,
        "revision": 1,
        "effective": "2026-11-21",
        "changes": [{"revision": 1, "date": "2026-11-21", "what": text}],
        "export_outside_eea": "excluded",
        "ip_passed_on": "excluded",
        "purposes": [purpose],
        "services": [
            {"id": service.id, "parameters": parameters | EXAMPLES.get(service.id, {})},
        ],
    }
    (directory / "alone.yaml").write_text(json.dumps(policy), encoding="utf-8")


def test_a_file_is_a_valid_service_of_its_own_name(file: Path) -> None:
    document = read_document(file)

    service, findings = validate(Service, document)

    assert service is not None
    assert not [*findings, *document.findings, *check_service(service, document.positions, file)]


def test_every_text_is_in_every_language(service: Service) -> None:
    for versions in localised(service):
        assert versions.keys() >= set(LANGUAGES), versions


def test_what_a_service_loads_comes_from_its_registered_hosts(service: Service) -> None:
    for step in steps(service):
        if isinstance(step, ScriptStep):
            host = step.src.removeprefix("https://").partition("/")[0]

            assert any(item == host or covers(item, host) for item in service.hosts), step.src


def test_every_parameter_is_used_described_and_checked_whole(service: Service) -> None:
    content = [step.model_dump_json() for step in steps(service)]
    used = set(re.findall(r"\{(\w+)\}", " ".join([*content, *service.hosts])))

    assert used - {"now", "consent"} == service.parameters.keys()
    for name, parameter in service.parameters.items():
        example = EXAMPLES.get(service.id, {}).get(name)

        assert parameter.description.endswith(".")
        assert re.fullmatch(r"\^.+\$", parameter.pattern), f"{name} accepts a part of a value"
        assert not re.fullmatch(parameter.pattern, "</script>")
        assert example is None or re.fullmatch(parameter.pattern, example), example


def test_a_withdrawal_deletes_nothing_of_the_kit_or_the_site(service: Service) -> None:
    items = () if service.vendor.role == "own" else service.stored

    for item in items:
        for name in KEPT:
            assert not fnmatchcase(name, item.pattern), f"{item.pattern} is too wide"


def test_every_list_that_waits_for_a_script_is_cleared_at_the_grant(service: Service) -> None:
    declared = {queue.path for queue in service.queues}
    # What the steps make for the vendor's script to work off; a page can make it earlier.
    filled = {step.into for step in service.load if isinstance(step, QueueStep)} | {
        step.path for step in service.load if isinstance(step, PushStep)
    }
    filled |= {
        step.path.removesuffix(".push")
        for step in service.load
        if isinstance(step, CallStep) and step.path.endswith(".push")
    }

    assert filled - NO_QUEUES <= declared


def test_services_that_share_a_list_keep_the_same_of_it() -> None:
    kept: dict[str, set[tuple[str, ...]]] = {}
    for file in FILES:
        for queue in Service.model_validate(read_document(file).value).queues:
            kept.setdefault(queue.path, set()).add(tuple(sorted(queue.keep)))

    assert "dataLayer" in kept
    assert {path: ways for path, ways in kept.items() if len(ways) > 1} == {}


def test_what_stays_of_a_list_is_never_an_event(service: Service) -> None:
    for queue in service.queues:
        for word in EVENTS:
            for pattern in queue.keep:
                assert not fnmatchcase(word, pattern), f"{pattern} of {queue.path} keeps {word}"


def test_a_file_names_its_sources(service: Service) -> None:
    assert service.sources
    for source in service.sources:
        assert source.startswith("https://"), source


def test_what_was_loaded_ends_by_an_off_switch_or_a_new_page(service: Service) -> None:
    loads = any(isinstance(step, ScriptStep) for step in service.load)

    assert not loads or service.off or service.on_withdrawal == "reload"


def test_a_consent_command_names_only_the_seven_types(service: Service) -> None:
    for step in steps(service):
        if isinstance(step, CallStep) and step.arguments[:1] == ("consent",):
            for argument in step.arguments:
                if isinstance(argument, dict):
                    assert argument.keys() <= set(get_args(ConsentType))


def test_a_policy_with_this_service_alone_breaks_only_the_companys_own_promises(
    file: Path, service: Service, tmp_path: Path
) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / file.name).write_bytes(file.read_bytes())
    write_policy(tmp_path, service)

    policies, findings = check_policies(tmp_path, read_texts(texts_directory()))

    assert "alone" in policies
    assert not [
        str(finding)
        for finding in findings
        if finding.severity == "error" and finding.rule not in PROMISES
    ]

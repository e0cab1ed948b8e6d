"""Reading policies: what is refused, in which words, at which place; and nothing else escapes."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from slagboom_banner.document import MAX_BYTES, read_document
from slagboom_banner.errors import PolicyError
from slagboom_banner.load import read_policies, read_policy
from slagboom_banner.rules import check_policies
from slagboom_banner.schema import build_schema
from slagboom_banner.wording import PATTERN_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parent / "data" / "policies"
ROOT = Path(__file__).parents[2]
ACME, KIT = "acme.yaml", "services/kit.yaml"
COUNTER, CHAT = "services/counter.yaml", "services/chat.yaml"


def test_a_policy_is_read_with_its_services_in_its_own_order(policy_folder: Any) -> None:
    loaded = policy_folder.read()

    assert [service.id for service in loaded.services] == ["kit", "counter", "chat"]
    assert loaded.policy.effective == dt.date(2026, 11, 21)
    assert loaded.policy.controller.offices[0].phone == "+32 9 000 00 00"
    assert loaded.file == str(policy_folder.directory / "acme.yaml")


@pytest.mark.parametrize(
    ("value", "hosts"),
    [("stats.acme.example", ("stats.acme.example",)), ("'unknown: not rented yet'", ())],
    ids=["known", "unknown"],
)
def test_a_host_that_is_a_parameter_is_the_policys_own(
    policy_folder: Any, value: str, hosts: tuple[str, ...]
) -> None:
    policy_folder.edit(COUNTER, 'hosts: ["*.counter.example"]', 'hosts: ["{server}"]')
    policy_folder.edit(COUNTER, "https://cdn.counter.example/", "https://{server}/")
    policy_folder.edit(
        COUNTER,
        "parameters:\n",
        "parameters:\n  server: {description: Its host., pattern: '^[a-z.]+$'}\n",
    )
    policy_folder.edit(ACME, "site_id: C-1234\n", f"site_id: C-1234\n      server: {value}\n")

    assert policy_folder.read().services[1].hosts == hosts
    assert "hosts-registered" not in {finding.rule for finding in policy_folder.check()}


def test_a_policy_overrides_the_purpose_of_a_service(policy_folder: Any) -> None:
    policy_folder.edit(ACME, "  - id: chat\n", "  - {id: chat, purpose: statistics}\n")

    loaded = policy_folder.read()

    assert loaded.services[2].purpose == "statistics"


def test_one_policy_is_read_without_the_others(policy_folder: Any) -> None:
    (policy_folder.directory / "other.yaml").write_text("site: [", encoding="utf-8")

    loaded = read_policy(policy_folder.directory / ACME, policy_folder.directory / "services")

    assert loaded.policy.site == "acme"


def test_a_policy_is_not_read_beside_a_broken_service_file(policy_folder: Any) -> None:
    services = policy_folder.directory / "services"
    (services / "unused.yaml").write_text("id: unused\n", encoding="utf-8")

    with pytest.raises(PolicyError) as caught:
        read_policy(policy_folder.directory / ACME, services)

    assert {finding.file for finding in caught.value.findings} == {str(services / "unused.yaml")}


def test_a_country_named_no_stays_a_country(policy_folder: Any) -> None:
    policy_folder.edit(ACME, "  NL:\n", "  no:\n")

    assert policy_folder.lines() == [
        "acme.yaml:23:3 authorities.no: is 'no'; write the country in capitals, as NO"
    ]


@pytest.mark.parametrize("word", ["no", "off", "yes", "on", "NO"])
def test_only_true_and_false_are_booleans(policy_folder: Any, word: str) -> None:
    policy_folder.edit(ACME, "  name: Acme nv", f"  name: {word}")

    assert policy_folder.read().policy.controller.name == word


def test_three_mistakes_give_three_lines_with_their_places(policy_folder: Any) -> None:
    policy_folder.edit(ACME, "revision: 2\neffective", "revison: 2\neffective")
    policy_folder.edit(ACME, "country: NL", "country: nl")
    policy_folder.edit(
        ACME,
        "- id: contact\n    legal_basis: consent",
        "- id: contact\n    legal_basis: legitimate_interest",
    )

    assert "\n".join(policy_folder.lines()) == (
        "acme.yaml:2:1 revision: is missing; add it\n"
        "acme.yaml:11:16 controller.offices[1].country: is 'nl'; write the country in capitals, "
        "as NL\n"
        "acme.yaml:27:1 revison: is no field; did you mean 'revision'?\n"
        "acme.yaml:49:18 purposes[2].legal_basis: is 'legitimate_interest'; it is no ground for "
        "storing or reading on a device, only a visitor's consent or strict necessity is; write "
        "consent, or strictly_necessary where the site cannot work without it "
        "[ePrivacy Directive Art. 5(3)]"
    )


def test_the_findings_of_all_files_come_at_once_and_in_order(policy_folder: Any) -> None:
    other = policy_folder.directory / "other.yaml"
    shutil.copy(policy_folder.directory / ACME, other)
    policy_folder.edit("other.yaml", "site: acme", "site: other")
    policy_folder.edit("other.yaml", "consent_lifetime_days: 182", "consent_lifetime_days: 500")
    policy_folder.edit(ACME, "site: acme", "site: 7")
    policy_folder.edit(ACME, "- id: chat", "- id: chatt")
    policy_folder.edit(CHAT, "  role: controller", "  role: friend")
    (policy_folder.directory / "services" / "broken.yaml").write_text("a: [", encoding="utf-8")
    (policy_folder.directory / "services" / "kit2.yaml").write_text("id: x\nid: y", "utf-8")

    lines = policy_folder.lines()

    assert [line.split(": ")[0] for line in lines] == [
        "acme.yaml:2:7 site",
        "acme.yaml:57:9 services[2].id",
        "services/broken.yaml:1:5",
        "services/chat.yaml:5:9 vendor.role",
        "services/kit2.yaml:1:1 description",
        "services/kit2.yaml:1:1 name",
        "services/kit2.yaml:1:1 purpose",
        "services/kit2.yaml:1:1 vendor",
        "services/kit2.yaml:2:1 id",
    ]


def test_findings_of_the_law_stand_among_those_of_the_form(policy_folder: Any) -> None:
    shutil.copy(policy_folder.directory / ACME, policy_folder.directory / "other.yaml")
    policy_folder.edit("other.yaml", "site: acme", "site: 7")
    policy_folder.edit(ACME, "consent_lifetime_days: 182", "consent_lifetime_days: 500")

    rules = [(finding.rule, Path(finding.file).name) for finding in policy_folder.check()]

    assert ("consent-lifetime", "acme.yaml") in rules
    assert ("schema", "other.yaml") in rules


MISTAKES = YAML(typ="safe", pure=True).load(DATA.parent / "mistakes.yaml")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["new"][:40])
def test_a_mistake_is_told_in_plain_words_at_its_place(
    policy_folder: Any, mistake: dict[str, str]
) -> None:
    policy_folder.edit(mistake["file"], mistake["old"], mistake["new"])

    assert f"{mistake['file']}:{mistake['line']}" in policy_folder.lines()


def test_lists_with_faulty_items_are_not_called_empty(policy_folder: Any) -> None:
    policy_folder.edit(ACME, "languages: [nl, en]", "languages: [NL]")

    [line] = policy_folder.lines()

    assert line == (
        "acme.yaml:26:13 languages[0]: is 'NL'; write the language as two or three lower-case "
        "letters, as nl"
    )


def refused(folder: Path) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read_policies(folder)
    return [str(finding).removeprefix(f"{folder}/") for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "acme.yaml:1:1: is empty; write the fields, one `name: value` a line"),
        (b"# nothing\n", "acme.yaml:1:1: is empty; write the fields, one `name: value` a line"),
        (b"- a\n", "acme.yaml:1:1: is no mapping; write the fields as `name: value`"),
        (b"site: a\xe9\n", "acme.yaml:1:8: is not UTF-8; save the file as UTF-8"),
        (
            b"# " + b"x" * MAX_BYTES,
            "acme.yaml:1:1: is larger than 256 KiB; split it or shorten it",
        ),
    ],
)
def test_a_file_that_is_no_policy_at_all_is_one_line(
    policy_folder: Any, content: bytes, line: str
) -> None:
    (policy_folder.directory / ACME).write_bytes(content)

    assert refused(policy_folder.directory) == [line]


def test_a_bomb_of_aliases_is_refused_before_it_grows(tmp_path: Path) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 20))
    (tmp_path / ACME).write_text(f"l0: &l0 [lol]\n{levels}", encoding="utf-8")

    assert refused(tmp_path) == ["acme.yaml:2:10: uses an alias (*name); write the value out"]


def test_a_file_or_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        read_policy(tmp_path / ACME, tmp_path)

    assert str(caught.value) == (
        f"{tmp_path / ACME}:1:1: cannot be read (No such file or directory); "
        "check the name and the rights"
    )
    with pytest.raises(PolicyError, match=r"holds no policy; write one as <site>\.yaml"):
        read_policies(tmp_path / "nowhere")


def test_two_policies_for_one_site_are_refused(policy_folder: Any) -> None:
    shutil.copy(policy_folder.directory / ACME, policy_folder.directory / "twin.yaml")

    [line] = refused(policy_folder.directory)

    assert line == (
        f"twin.yaml:2:7 site: is 'acme', as in {policy_folder.directory / ACME}; "
        "give each its own site"
    )


def test_the_first_of_two_equal_keys_keeps_its_place(tmp_path: Path) -> None:
    file = tmp_path / ACME
    file.write_text("a:\n  b: 1\nc: 2\na:\n  b: 3\n", encoding="utf-8")

    document = read_document(file)

    assert document.value == {"a": {"b": 1}, "c": 2}
    assert document.positions.locate("a.b") == (2, 6)
    assert [str(finding) for finding in document.findings] == [
        f"{file}:4:1 a: stands here a second time, first at line 1; keep one of the two"
    ]


def test_plain_values_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    file = tmp_path / ACME
    file.write_text(
        "a: ~\nb: [true, FALSE, 12, -3, 1.5, 1e999, .inf, 0o7, 12:30:00, 2026-11-21, '7', null]\n"
        "no: |\n  text\n",
        encoding="utf-8-sig",
    )

    assert read_document(file).value == {
        "a": None,
        "b": [
            *(True, False, 12, -3, 1.5),
            *("1e999", ".inf", "0o7", "12:30:00", "2026-11-21", "7", None),
        ],
        "no": "text\n",
    }


def test_the_schema_file_is_up_to_date() -> None:
    """If not: python -m slagboom_banner.schema > policies/schema.json."""
    assert (ROOT / "policies" / "schema.json").read_text(encoding="utf-8") == build_schema()


def test_every_pattern_of_the_model_has_words() -> None:
    def patterns(node: Any) -> set[str]:
        if isinstance(node, list):
            return set().union(*map(patterns, node))
        if not isinstance(node, dict):
            return set()
        own = {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
        keys = set(node.get("patternProperties", {}))
        return own.union(keys, *map(patterns, node.values()))

    assert patterns(json.loads(build_schema())) == set(PATTERN_WORDS)


def cut(rng: random.Random, text: str) -> str:
    start = rng.randrange(len(text))
    return text[:start] + text[start + rng.randrange(40) :]


def swap_lines(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return "".join(lines)


def replace_value(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    index = rng.randrange(len(lines))
    name = lines[index].partition(":")[0]
    values = ["null", "[]", "{}", "-1", "1e9", "true", "no", "'*'", "*a", "&a b", "!x y", "\\"]
    values += ["'{x}'", '"\\0"', "[[[", "unknown: x", "'unknown: x'", "https://[", "\u2028", "| "]
    lines[index] = f"{name}: {rng.choice(values)}\n"
    return "".join(lines)


def insert(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text))
    return text[:place] + rng.choice(":-?[]{}#&*!|>'\"%@`\t\n\0\\é\U0001f36a,") + text[place:]


MUTATIONS: list[Callable[[random.Random, str], str]] = [cut, swap_lines, replace_value, insert]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32),
    file=st.sampled_from([ACME, KIT, COUNTER, CHAT]),
    times=st.integers(1, 4),
)
@example(seed=0, file=ACME, times=1)
def test_a_mutilated_file_is_a_policy_or_findings_and_nothing_else(
    policy_folder: Any, seed: int, file: str, times: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 mutations need no secrecy
    text = (DATA / file).read_text(encoding="utf-8")
    for _ in range(times):
        text = rng.choice(MUTATIONS)(rng, text) or "a"
    for name in (ACME, KIT, COUNTER, CHAT):
        shutil.copy(DATA / name, policy_folder.directory / name)
    (policy_folder.directory / file).write_text(text, encoding="utf-8")

    policies, findings = check_policies(policy_folder.directory, {})

    assert policies or findings
    for finding in findings:
        assert len(str(finding).splitlines()) == 1
        assert finding.line >= 1
        assert finding.column >= 1

"""The gate and its parts: the policy put in as data, whatever its texts are."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bundle_samples import (
    make_sources,
    read_ahead,
    read_asking_gate,
    read_config,
    read_literal,
    read_part,
)

from slagboom_banner.assets import static_directory
from slagboom_banner.bundle import Bundle, build_bundle, to_javascript
from slagboom_banner.load import read_policies
from slagboom_banner.rules import check_policies

DATA = Path(__file__).parent / "data" / "policies"
SOURCES = make_sources()
BUILT = {
    file.stem: file.read_text("utf-8")
    for file in sorted((static_directory() / "js" / "dist").glob("*.js"))
}
BUILD = Path(__file__).parents[2] / "tools" / "build.mjs"
ACME = "acme.yaml"
COUNTER = "services/counter.yaml"
NASTY = {
    "an end of the script": "</script><script>alert(1)</script>",
    "a comment": "<!-- a --> ]]> // b /* c */",
    "quotes": """He said "no", she said 'yes', they said `maybe ${1}`""",
    "line separators": "one\u2028two\u2029three\nfour\r",
    "backslashes": r"\ \\ \u003c \n \1 \g<0> \x00",
    "the second layer's name": "SLAGBOOM_SECOND and SLAGBOOM_SECOND",
    "the placeholders' name": "SLAGBOOM_EMBED",
    "the style's name": "SLAGBOOM_STYLE",
    "the config's name": "SLAGBOOM_CONFIG",
    "the first layer's name": "SLAGBOOM_FIRST",
    "all the names": "SLAGBOOM_STYLESLAGBOOM_SECONDSLAGBOOM_FIRSTSLAGBOOM_CONFIG",
    "places": "{reopen} {controller} {} {{count}}",
    "characters beyond the first plane": "😀 é ﷽ \U0010ffff",
}


def to_yaml(text: str) -> str:
    return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'


def build(policy_folder: Any) -> Bundle:
    policies, findings = check_policies(policy_folder.directory, SOURCES.texts)
    assert [str(found) for found in findings if found.severity == "error"] == []
    return build_bundle(policies["acme"], SOURCES)


@pytest.fixture(scope="module")
def plain() -> Bundle:
    """What the policy of `policy_folder` gives before a test changes it."""
    return build_bundle(read_policies(DATA)["acme"], SOURCES)


def replace_everywhere(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [replace_everywhere(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: replace_everywhere(item, old, new) for key, item in value.items()}
    return value


@pytest.mark.parametrize("what", NASTY)
def test_a_name_changes_nothing_but_itself(policy_folder: Any, plain: Bundle, what: str) -> None:
    policy_folder.edit(ACME, "name: Acme nv\n", f"name: {to_yaml(NASTY[what])}\n")
    nasty = build(policy_folder)

    for name in ("first-nl", "first-en", "second-nl", "second-en"):
        style, data = read_part(nasty, name)
        plain_style, plain_data = read_part(plain, name)
        assert replace_everywhere(data, NASTY[what], "Acme nv") == plain_data
        assert data != plain_data
        assert style == plain_style
    assert read_part(nasty, "second-en")[1]["offices"][0][0] == NASTY[what]
    layers = read_asking_gate(nasty, "en")
    assert replace_everywhere(layers, NASTY[what], "Acme nv") == read_asking_gate(plain, "en")


@pytest.mark.parametrize("what", [what for what in NASTY if what != "places"])
def test_a_text_of_the_gate_changes_nothing_but_itself(
    policy_folder: Any, plain: Bundle, what: str
) -> None:
    plain_config = read_config(plain)
    text = to_yaml(NASTY[what])
    policy_folder.edit(ACME, "accept: Aanvaarden", f"accept: Aanvaarden\n    withdraw: {text}")
    # Places that differ from the English ones are an error, and here they are wanted.
    loaded = policy_folder.read()
    nasty = build_bundle(loaded, SOURCES)
    config = read_config(nasty)

    assert config["languages"]["nl"].pop() == NASTY[what]
    plain_config["languages"]["nl"].pop()
    # With the digest of the notice, which holds the text, the parts change their names.
    assert config.pop("build") != plain_config.pop("build")
    assert config == plain_config


@pytest.mark.parametrize("what", NASTY)
def test_data_means_the_same_wherever_it_stands_inside_a_script(what: str) -> None:
    text = NASTY[what]
    script = to_javascript({text: [text]})

    assert read_literal(script) == {text: [text]}
    for character in ("<", "\u2028", "\u2029"):
        assert character not in script


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ("gate", ["SLAGBOOM_CONFIG"]),
        ("block", ["SLAGBOOM_BLOCK"]),
        ("handover", ["SLAGBOOM_HAND_OVER"]),
        ("reload", []),
        ("services", []),
        ("storage", []),
        ("choice", ["SLAGBOOM_CHOOSING"]),
        ("care", []),
        ("first", ["SLAGBOOM_FIRST", "SLAGBOOM_STYLE"]),
        ("embed", ["SLAGBOOM_EMBED", "SLAGBOOM_STYLE"]),
        ("second", ["SLAGBOOM_SECOND", "SLAGBOOM_STYLE"]),
        ("answered", ["SLAGBOOM_ANSWERED", "SLAGBOOM_STYLE"]),
        ("own", ["SLAGBOOM_OWN"]),
    ],
)
def test_each_name_stands_once_in_the_built_script(script: str, names: list[str]) -> None:
    assert sorted(re.findall(r"SLAGBOOM_\w+", BUILT[script])) == names


@pytest.mark.parametrize("script", BUILT)
def test_a_built_script_ends_where_the_next_one_may_begin(script: str) -> None:
    """Several stand in one answer: without its semicolon, one would call the one before it."""
    assert BUILT[script].startswith("(()=>{")
    assert BUILT[script].endswith("})();")


@pytest.mark.parametrize("gate", ["start(config)", "SLAGBOOM_CONFIG,SLAGBOOM_CONFIG"])
def test_a_script_without_its_name_is_never_served(policy_folder: Any, gate: str) -> None:
    scripts = {**SOURCES.scripts, "gate": gate}
    with pytest.raises(ValueError, match="SLAGBOOM_CONFIG must stand exactly once"):
        build_bundle(policy_folder.read(), dataclasses.replace(SOURCES, scripts=scripts))


def test_the_same_policy_gives_the_same_bytes_in_any_process(policy_folder: Any) -> None:
    program = (
        "import hashlib, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from bundle_samples import make_sources\n"
        "from slagboom_banner.bundle import build_bundle\n"
        "from slagboom_banner.load import read_policies\n"
        "bundle = build_bundle(read_policies(Path(sys.argv[1]))['acme'], make_sources())\n"
        "bodies = [bundle.gate, *bundle.asking_gates.values(), *bundle.parts.values()]\n"
        "print(*bundle.parts, hashlib.sha256(b''.join(bodies)).hexdigest())\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program, policy_folder.directory, Path(__file__).parents[1]],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }

    (line,) = printed
    assert line.split()[:-1] == list(build(policy_folder).parts)


def test_a_parameter_is_filled_in_wherever_it_stands(policy_folder: Any) -> None:
    policy_folder.edit(
        COUNTER,
        "load:\n",
        """load:
  - {do: push, path: queue, value: [["{site_id}"], {deep: [{er: "a {site_id} b {site_id}"}]}]}
  - {do: queue, path: "counter-{site_id}", into: queue}
""",
    )
    service = read_config(build(policy_folder))["services"][0]

    assert service["load"] == [
        {
            "do": "push",
            "path": "queue",
            "value": [["C-1234"], {"deep": [{"er": "a C-1234 b C-1234"}]}],
        },
        {"do": "queue", "path": "counter-C-1234", "into": "queue"},
        {"do": "set", "path": "counter.off-C-1234", "value": False},
        {
            "do": "call",
            "path": "counter",
            "arguments": [{"id": "C-1234", "at": "{now}", "granted": "{consent}"}],
        },
        {"do": "script", "src": "https://cdn.counter.example/count.js?id=C-1234"},
    ]
    assert service["deny"] == [{"do": "set", "path": "counter.off-C-1234", "value": True}]


def test_the_lists_of_a_service_say_which_commands_stay_in_them(policy_folder: Any) -> None:
    policy_folder.edit(
        COUNTER,
        "load:\n",
        """queues:
  - {path: "queue-{site_id}"}
  - {path: counter.q, keep: [set*, "a:b"]}
after:
  - {do: call, path: counter, arguments: ["{site_id}"]}
load:
""",
    )
    service = read_config(build(policy_folder))["services"][0]

    assert service["queues"] == [["queue-C-1234", ""], ["counter.q", "^(set.*|a:b)$"]]
    assert service["after"] == [{"do": "call", "path": "counter", "arguments": ["C-1234"]}]


def test_a_service_with_an_unknown_parameter_starts_nothing(policy_folder: Any) -> None:
    policy_folder.edit(
        COUNTER,
        "deny:\n",
        """off:
  - {do: set, path: "off-{site_id}", value: 1}
after:
  - {do: call, path: counter}
queues:
  - {path: "queue-{site_id}"}
deny:
""",
    )
    policy_folder.edit(ACME, "site_id: C-1234", "site_id: 'unknown: not asked yet'")
    bundle = build(policy_folder)
    service = read_config(bundle)["services"][0]

    assert not {"queues", "load", "after", "deny", "off"} & service.keys()
    assert b"unknown" not in bundle.gate
    assert b"site_id" not in bundle.gate
    # What it left behind in earlier times is still taken away.
    assert service["cookies"] == "(^|; )(_count[^=;]*)="


def test_the_gate_is_told_what_asks_for_care(policy_folder: Any, plain: Bundle) -> None:
    usual = read_config(plain)["services"]
    policy_folder.edit(
        "services/chat.yaml", "embed:\n", "needs_full_ip: true\non_withdrawal: reload\nembed:\n"
    )
    careful = read_config(build(policy_folder))["services"]

    assert not {"full_ip", "reload"} & usual[1].keys()
    assert (careful[1]["full_ip"], careful[1]["reload"]) == (True, True)
    assert careful[1]["embed"]["hosts"] == ["//frame.chat.example"]
    assert careful[0] == usual[0]


def test_the_gate_asks_nobody_about_what_is_necessary(plain: Bundle) -> None:
    config = read_config(plain)

    assert config["purposes"] == ["statistics", "contact"]
    assert config["necessary"] == {"necessary": True}
    assert [service["id"] for service in config["services"]] == ["counter", "chat"]
    assert "necessary_hosts" not in config


def test_the_gate_knows_the_hosts_of_what_is_necessary(policy_folder: Any) -> None:
    policy_folder.edit(
        "services/kit.yaml",
        "purpose: necessary\n",
        "purpose: necessary\nhosts: [pay.example, '*.pay.example']\n",
    )
    config = read_config(build(policy_folder))

    assert config["necessary_hosts"] == ["//pay.example", ".pay.example"]
    assert [service["id"] for service in config["services"]] == ["counter", "chat"]


def list_texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for item in value for text in list_texts(item)] if isinstance(value, list) else []


def test_the_gate_carries_no_text_but_the_names_of_its_two_controls(plain: Bundle) -> None:
    gate = plain.gate.decode()
    for language in ("nl", "en"):
        _, notice = read_part(plain, f"second-{language}")
        texts = plain.notices[language].document["texts"]
        own = {texts["reopen"], texts["withdraw"]}
        shown = {*list_texts(notice), *list_texts(texts)}
        sentences = {text for text in shown if " " in text}

        assert len(sentences) > 50
        assert {text for text in sentences if text in gate} <= own
        assert all(text in gate for text in own)


def test_the_first_layer_comes_in_the_visitors_language_and_the_policys_first(
    plain: Bundle,
) -> None:
    assert list(read_asking_gate(plain, "nl")) == ["nl"]
    assert list(read_asking_gate(plain, "en")) == ["nl", "en"]
    for language in ("nl", "en"):
        (layer,) = read_part(plain, f"first-{language}")[1].values()
        assert read_asking_gate(plain, language)[language] == layer


def test_another_word_gives_another_notice_and_other_parts(
    policy_folder: Any, plain: Bundle
) -> None:
    policy_folder.edit(ACME, "accept: Aanvaarden", "accept: Toestaan")
    after = build(policy_folder)

    assert after.notices["nl"].digest != plain.notices["nl"].digest
    assert after.notices["en"] == plain.notices["en"]
    assert not after.parts.keys() & plain.parts.keys()
    assert after.gate != plain.gate
    assert after.asking_gates["nl"] != plain.asking_gates["nl"]
    assert after.offer.scope == plain.offer.scope
    assert read_part(after, "second-en") == read_part(plain, "second-en")


def test_another_style_gives_other_parts_and_the_same_notice(
    policy_folder: Any, plain: Bundle
) -> None:
    themes = {"plain": SOURCES.themes["plain"] + "\n.sb-second { color: red }\n"}
    after = build_bundle(policy_folder.read(), dataclasses.replace(SOURCES, themes=themes))

    assert not after.parts.keys() & plain.parts.keys()
    assert after.notices == plain.notices


def test_a_part_is_named_after_the_build_that_the_gate_asks_for(plain: Bundle) -> None:
    build_name = read_config(plain)["build"]
    spoken = {
        f"{layer}-{language}-{build_name}.js"
        for layer in ("answered", "first", "second", "embed")
        for language in ("nl", "en")
    }

    assert plain.parts.keys() == {f"choice-{build_name}.js", f"care-{build_name}.js", *spoken}


def test_only_a_policy_with_embeds_has_what_stands_in_their_place(policy_folder: Any) -> None:
    policy_folder.edit("services/chat.yaml", "embed:\n  hosts: [frame.chat.example]\n", "")

    assert not any(name.startswith("embed-") for name in build(policy_folder).parts)


def test_the_gate_of_a_visitor_who_has_decided_takes_no_decision(plain: Bundle) -> None:
    """What it leaves out comes with the first layer, or is fetched by the name of this build."""
    for part in (b"choice(", b"answered(", b"first(", b"second(", b"embed(", b"care("):
        assert part not in plain.gate
    for language, gate in plain.asking_gates.items():
        assert gate.count(b"choice(") == 1
        assert list(read_asking_gate(plain, language))[-1] == language
        for part in (b"answered(", b"second(", b"embed(", b"care("):
            assert part not in gate


@pytest.mark.parametrize(
    "mark", ["sendBeacon", "keepalive", "getRandomValues", "globalPrivacyControl", "max-age=${"]
)
def test_the_built_gate_holds_no_code_of_the_part_that_decides(mark: str) -> None:
    assert mark not in BUILT["gate"]


def test_the_built_part_that_decides_holds_what_these_tests_look_for() -> None:
    for mark in ("keepalive", "getRandomValues", "globalPrivacyControl", "max-age=${"):
        assert mark in BUILT["choice"]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        # A step that starts, stops or denies, or a new page that silences.
        (COUNTER, "", "", "services();storage();"),
        ("services/chat.yaml", "session_storage", "cookie", "services();"),
        (COUNTER, "load:", "deny_nothing", "storage();"),
    ],
)
def test_the_gate_brings_only_what_the_policy_needs(
    policy_folder: Any, file: str, old: str, new: str, expected: str
) -> None:
    if new == "deny_nothing":
        path = policy_folder.directory / file
        path.write_text(path.read_text("utf-8").partition("load:")[0], "utf-8")
    elif old:
        policy_folder.edit(file, f"kind: {old}", f"kind: {new}")
    bundle = build(policy_folder)

    assert read_ahead(bundle) == expected
    for gate in bundle.asking_gates.values():
        assert gate.count(b"services();") == ("services" in expected)
        assert gate.count(b"storage();") == ("storage" in expected)


@pytest.mark.parametrize(
    "line",
    [
        "off:\n  - {do: set, path: gone, value: 1}",
        "on_withdrawal: reload",
        "queues:\n  - {path: list}",
    ],
)
def test_a_service_that_only_stops_by_itself_needs_the_steps_too(
    policy_folder: Any, line: str
) -> None:
    path = policy_folder.directory / COUNTER
    path.write_text(path.read_text("utf-8").partition("load:")[0] + line + "\n", "utf-8")

    assert "services();" in read_ahead(build(policy_folder))


def list_names(value: Any) -> set[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        return {*value, *(name for item in value.values() for name in list_names(item))}
    if isinstance(value, list | tuple):
        return {name for item in value for name in list_names(item)}
    return set()


def test_no_name_that_the_build_shortens_is_one_the_server_writes(policy_folder: Any) -> None:
    """The scripts would look for the short name, and find nothing."""
    policy_folder.edit(
        ACME,
        "languages: [nl, en]\n",
        "languages: [nl, en]\nauto_block: true\nmarkup: [klaro]\n",
    )
    bundle = build(policy_folder)
    written = list_names([read_config(bundle), *(n.document for n in bundle.notices.values())])
    for language in ("nl", "en"):
        for part in ("answered", "first", "second", "embed"):
            written |= list_names(read_part(bundle, f"{part}-{language}")[1])
    block, _, _ = read_ahead(bundle).partition(");")
    written |= list_names(read_literal(block.removeprefix("block(")))
    internal = BUILD.read_text("utf-8").partition("const INTERNAL = [")[2].partition("]")[0]
    shortened = set(re.findall(r'"(\w+)"', internal))
    api = (static_directory() / "js" / "slagboom.d.ts").read_text("utf-8")

    assert len(written) > 60
    assert len(shortened) > 20
    assert shortened & written == set()
    # Nor one that the site's own scripts may use.
    assert shortened & set(re.findall(r"^  (?:readonly )?(\w+)[(?:]", api, re.MULTILINE)) == set()


def test_a_language_of_the_company_alone_is_served_from_the_policy(policy_folder: Any) -> None:
    own = {key: f"{text} (li)" for key, text in SOURCES.texts["nl"].items()}
    policy = policy_folder.directory / ACME
    text = policy.read_text("utf-8").replace("[nl, en]", "[nl, li]").replace(" en:", " li:")
    policy.write_text(text + f"  li: {json.dumps(own)}\n", "utf-8")
    for service in policy_folder.directory.glob("services/*.yaml"):
        service.write_text(service.read_text("utf-8").replace(" en:", " li:"), "utf-8")
    bundle = build(policy_folder)

    assert read_config(bundle)["languages"]["li"][0] == own["reopen"]
    assert read_part(bundle, "second-li")[1]["texts"]["accept"] == own["accept"]


def test_the_shipped_texts_and_theme_build_with_the_built_scripts(policy_folder: Any) -> None:
    bundle = build_bundle(policy_folder.read(), dataclasses.replace(SOURCES, scripts=BUILT))

    for script in (bundle.gate, *bundle.asking_gates.values(), *bundle.parts.values()):
        assert b"SLAGBOOM_" not in script
    assert re.search(r"choice-|first-|second-|embed-|care-", bundle.gate.decode()) is None

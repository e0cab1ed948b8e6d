"""Policies published, compared and shown again years later, on the command line."""

from __future__ import annotations

import dataclasses
import json
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from kit_samples import NOON, copy_policies, edit
from log_samples import decision_id, make_record

from slagboom_banner.load import read_policies
from slagboom_server.publishing import publish
from slagboom_server.sites import build_site, read_sources
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from command import Run

    from slagboom_server.store_sql import SqlStore

WORDS = ("accept: Aanvaarden", "accept: Toestaan")


@pytest.fixture
def run(slagboom: Run, policies: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `slagboom policy …`."""
    monkeypatch.setenv("SLAGBOOM_POLICIES", str(policies))
    return partial(slagboom, "policy")


def raise_revision(policies: Path, site: str = "acme") -> None:
    edit(policies / f"{site}.yaml", "revision: 2\neffective", "revision: 3\neffective")
    edit(
        policies / f"{site}.yaml",
        "consent_lifetime_days: 182",
        "  - revision: 3\n    date: 2026-11-21\n    what: {nl: Meer., en: More.}\n"
        "consent_lifetime_days: 182",
    )


def test_publishing_tells_what_by_whom_and_when(run: Run) -> None:
    code, out, err = run("publish", "--author", "Ann Peeters")

    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first.startswith("acme: revision 2, published as #1 on 20")
    assert first.endswith("Z by Ann Peeters")
    assert second.startswith("other: revision 2, published as #1")


def test_only_the_sites_that_are_named_are_published(run: Run) -> None:
    run("publish", "other")

    assert run("list")[1].startswith("other#1")
    assert "acme" not in run("list")[1]


def test_publishing_again_says_that_nothing_is_new(run: Run) -> None:
    run("publish", "--author", "Ann")

    code, out, _ = run("publish", "--author", "Ben", "acme")

    assert code == 0
    assert out.startswith("acme: nothing new; revision 2, published as #1 on ")
    assert out.endswith("by Ann\n")


def test_publishing_other_words_tells_the_difference(run: Run, policies: Path) -> None:
    run("publish")
    edit(policies / "acme.yaml", *WORDS)

    _, out, _ = run("publish", "--author", "Ben", "acme")

    assert out.splitlines()[1:] == [
        '  texts.nl.accept was "Aanvaarden", is "Toestaan"',
        "Nobody needs to be asked again.",
    ]


def test_another_question_under_the_same_revision_is_refused(run: Run, policies: Path) -> None:
    run("publish")
    edit(policies / "services" / "counter.yaml", "role: processor", "role: joint_controller")

    code, out, err = run("publish", "--author", "Ben")

    assert (code, out) == (2, "")
    assert "'counter' has other vendor than was published" in err
    assert "raise revision to 3" in err
    assert "#2" not in run("list")[1]


def test_another_question_under_a_higher_revision_is_published(run: Run, policies: Path) -> None:
    run("publish")
    edit(policies / "services" / "counter.yaml", "role: processor", "role: joint_controller")
    raise_revision(policies)

    code, out, err = run("publish", "--author", "Ben", "acme")

    assert (code, err) == (0, "")
    assert out.startswith("acme: revision 3, published as #2")
    assert "Every visitor must be asked again" in out
    assert "'counter' has other vendor" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("publish", "nobody"), "holds no policy of a site 'nobody'"),
        (("publish", "--author", " "), "--author: write a name"),
        (("publish", "--author", "a\nb"), "--author: write a name"),
        (("publish", "--author", "a" * 201), "--author: write a name"),
        (("show", "acme@1"), "'acme@1' was never published here"),
        (("diff", "acme@1", "acme@2"), "'acme@1' was never published here"),
        (("render", "acme"), "'acme' was never published here"),
        (("render", str(decision_id(1))), "no such decision in this log"),
        (("list", "--format", "xml"), "--format 'xml': choose one of table, json"),
    ],
)
def test_a_mistake_is_one_clear_line(run: Run, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_the_list_says_from_when_until_when(run: Run, policies: Path) -> None:
    assert "Nothing was published yet" in run("list")[1]
    run("publish", "--author", "Ann")
    edit(policies / "acme.yaml", *WORDS)
    run("publish", "--author", "Ben")

    lines = run("list")[1].splitlines()
    [first, second] = json.loads(run("list", "acme", "--format", "json")[1])

    assert [line.split()[0] for line in lines] == ["acme#1", "acme#2", "other#1"]
    since, until = first["published_at"], second["published_at"]
    assert lines[0] == f"acme#1  revision 2  {since} to {until}  by Ann"
    assert lines[1] == f"acme#2  revision 2  {until} to now  by Ben"
    assert second["previous"] is not None


def test_a_publication_is_shown_with_its_scripts_notices_and_difference(
    run: Run, policies: Path
) -> None:
    run("publish", "--author", "Ann")
    edit(policies / "acme.yaml", *WORDS)
    run("publish", "--author", "Ben")
    site = build_site(read_policies(policies)["acme"], read_sources())

    _, out, _ = run("show", "acme@2")
    data = json.loads(run("show", "acme#1", "--format", "json")[1])

    for notice in site.bundle.notices.values():
        assert f"Notice {notice.digest}  {notice.language}\n" in out
    assert "  gate.js\n" in out
    assert "Since acme#1:\n" in out
    assert '  texts.nl.accept was "Aanvaarden", is "Toestaan"\n' in out
    assert data["policy"]["texts"]["nl"]["accept"] == "Aanvaarden"
    assert [service["id"] for service in data["services"]] == ["kit", "counter", "chat"]


def test_files_and_publications_can_be_compared(run: Run, policies: Path, tmp_path: Path) -> None:
    earlier = shutil.copytree(policies, tmp_path / "earlier")
    run("publish")
    edit(policies / "acme.yaml", *WORDS)

    with_file = run("diff", "acme@2", policies / "acme.yaml")
    two_files = run("diff", earlier / "acme.yaml", policies / "acme.yaml")
    edit(policies / "services" / "counter.yaml", "role: processor", "role: joint_controller")
    again = run("diff", earlier / "acme.yaml", policies / "acme.yaml")

    assert with_file == two_files
    assert with_file[0] == 0
    assert with_file[1].endswith("Nobody needs to be asked again.\n")
    assert again[0] == 1
    assert "Every visitor must be asked again" in again[1]


def publish_with(store: SqlStore, policies: Path, theme: str = "") -> Any:
    """Publishes `acme`. theme: more style for the first layer."""
    sources = read_sources()
    mark = "/* --- first layer --- */"
    themes = {name: css.replace(mark, mark + theme) for name, css in sources.themes.items()}
    site = build_site(read_policies(policies)["acme"], dataclasses.replace(sources, themes=themes))
    publish(store, site, "Ann", NOON)
    return site


def test_an_old_layer_is_drawn_byte_for_byte_as_then(
    run: Run, policies: Path, store: SqlStore, tmp_path: Path
) -> None:
    site = publish_with(store, policies)
    offer = site.notices[site.bundle.notices["nl"].digest]
    store.append([make_record(1, offer, NOON, anonymise_ip=True)])
    file = tmp_path / "then.html"
    run("render", decision_id(1), "--html", file)
    published = run("render", "acme#1")[1]

    edit(policies / "acme.yaml", *WORDS)
    edit(policies / "acme.yaml", "nl: Bezoeken tellen.", "nl: Alles tellen.")
    raise_revision(policies)
    publish_with(store, policies, "\n#slagboom .sb-first { color: red }\n")
    later = tmp_path / "later.html"
    run("render", decision_id(1), "--html", later)

    assert later.read_bytes() == file.read_bytes()
    assert run("render", "acme#1")[1] == published
    then, now = file.read_text("utf-8"), run("render", "acme@3")[1]
    assert "Bezoeken tellen." in then
    assert ">Aanvaarden</button>" in then
    assert "Alles tellen." in now
    assert ">Toestaan</button>" in now
    assert "color:red!important" in now
    assert "red" not in then.partition("</head>")[0]


def test_a_layer_says_what_it_belongs_to(run: Run, policies: Path, store: SqlStore) -> None:
    site = publish_with(store, policies)
    offer = site.notices[site.bundle.notices["en"].digest]
    store.append(
        [
            make_record(1, offer, NOON, anonymise_ip=True),
            make_record(2, offer, NOON, layer="second", previous=decision_id(1), granted=set()),
        ]
    )

    _, first, _ = run("render", decision_id(1))
    _, second, _ = run("render", decision_id(2))

    assert f"<dd>{decision_id(1)}</dd>" in first
    assert f"<dd>{offer.digest}</dd>" in first
    assert "publication acme#1 of 2026-11-21T12:00:00.000Z by Ann" in first
    assert "sb-note" not in first.partition("</style>\n</head>")[2]
    assert "This decision was not taken on the layer shown here." in second
    assert site.bundle.notices["en"].document["texts"]["expired_note"] in second


def test_a_notice_from_before_publications_is_drawn_and_says_so(
    run: Run, policies: Path, store: SqlStore
) -> None:
    site = build_site(read_policies(policies)["acme"], read_sources())
    notice = site.bundle.notices["nl"]
    store.remember_notice(site.notices[notice.digest], notice.document, NOON)
    store.append([make_record(1, site.notices[notice.digest], NOON, anonymise_ip=True)])

    code, out, _ = run("render", decision_id(1))

    assert code == 0
    assert "not kept with this notice: drawn by this version" in out
    assert ">Aanvaarden</button>" in out


def test_a_publication_is_drawn_in_its_languages(run: Run) -> None:
    run("publish")

    assert ">Aanvaarden</button>" in run("render", "acme@2")[1]
    assert ">Aanvaarden</button>" not in run("render", "acme@2", "--language", "en")[1]
    code, _, err = run("render", "acme@2", "--language", "fr")
    assert code == 2
    assert "--language 'fr': acme@2 has en, nl" in err


def test_a_site_with_an_interface_of_its_own_has_no_layer(run: Run, policies: Path) -> None:
    edit(policies / "acme.yaml", "export_outside_eea", "interface: none\nexport_outside_eea")
    run("publish", "acme")

    code, _, err = run("render", "acme")

    assert code == 2
    assert "asked in an interface of its own" in err


def test_publishing_needs_no_running_server(tmp_path: Path, run: Run, database_url: str) -> None:
    run("publish", "--policies", copy_policies(tmp_path / "more"))

    store = open_store(database_url)
    notices = store.offers()
    store.close()
    assert {offer.site for offer in notices} == {"acme", "other"}

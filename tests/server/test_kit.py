"""Reading the policies again: every site anew, or none."""

from __future__ import annotations

import dataclasses
import re
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from kit_samples import NOON, edit, make_kit

from slagboom_banner.errors import PolicyError
from slagboom_server.geo import NoCountry
from slagboom_server.kit import Kit
from slagboom_server.sites import build_site, read_sources
from slagboom_server.store_sql import open_store
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    from pathlib import Path

    from slagboom_banner.load import LoadedPolicy
    from slagboom_server.store_sql import SqlStore


def read_wrongly(kit: Kit) -> list[str]:
    """The lines that say why the policies were not taken; nothing served has changed."""
    before = (kit.sites, kit.notices, dict(kit.parts), kit.store.offers())
    with pytest.raises(PolicyError) as error:
        kit.read()

    assert (kit.sites, kit.notices, dict(kit.parts), kit.store.offers()) == before
    return str(error.value).splitlines()


def test_a_kit_serves_every_policy_of_its_folder(kit: Kit) -> None:
    assert kit.sites.keys() == {"acme", "other"}
    assert len(kit.notices) == 4
    assert {site for site, _ in kit.notices} == {"acme", "other"}


def test_every_notice_is_in_the_log_before_anybody_can_answer_it(kit: Kit) -> None:
    for name, site in kit.sites.items():
        for digest, offer in site.notices.items():
            stored = kit.store.notice(name, digest)
            assert stored is not None
            assert stored.offer == offer
            assert stored.first_seen == NOON
            assert stored.document == site.bundle.notices[offer.language].document


def test_reading_the_same_policies_again_changes_nothing(kit: Kit) -> None:
    before, offers = kit.sites, kit.store.offers()
    kit.read()

    assert kit.store.offers() == offers
    for name, site in kit.sites.items():
        assert site.bundle == before[name].bundle
        # What is as it was is not compressed once more.
        assert site.gate is before[name].gate


def test_what_a_kit_serves_is_published_by_itself_once(kit: Kit, policies: Path) -> None:
    kit.read()
    edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
    kit.read()

    made = kit.store.publications.all()
    assert [(each.site, each.number) for each in made] == [("acme", 1), ("acme", 2), ("other", 1)]
    assert {each.author for each in made} == {"slagboom serve"}
    site = kit.sites["acme"]
    assert made[1].served["notices"] == {
        language: notice.digest for language, notice in site.bundle.notices.items()
    }
    served = made[1].served["scripts"]
    assert served["gate.js"] == sha256(site.gate.bodies["identity"]).hexdigest()
    for language, gate in site.asking_gates.items():
        assert served[f"gate.js {language}"] == sha256(gate.bodies["identity"]).hexdigest()
    for name, part in site.parts.items():
        assert served[name] == sha256(part.bodies["identity"]).hexdigest()


def test_a_wrong_policy_publishes_nothing(kit: Kit, policies: Path) -> None:
    edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
    edit(policies / "other.yaml", "consent_lifetime_days: 182", "consent_lifetime_days: 999")
    before = kit.store.publications.all()
    read_wrongly(kit)

    assert kit.store.publications.all() == before


def test_one_wrong_policy_keeps_every_site_as_it_was(kit: Kit, policies: Path) -> None:
    edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
    edit(policies / "other.yaml", "consent_lifetime_days: 182", "consent_lifetime_days: 999")
    lines = read_wrongly(kit)

    assert len(lines) == 1
    assert re.match(rf"{re.escape(str(policies))}/other\.yaml:\d+:\d+ consent_life", lines[0])


def test_a_file_that_is_no_yaml_keeps_every_site_as_it_was(kit: Kit, policies: Path) -> None:
    (policies / "broken.yaml").write_text("site: [", "utf-8")

    assert read_wrongly(kit)[0].startswith(f"{policies / 'broken.yaml'}:1:")


def test_a_folder_that_is_gone_keeps_every_site_as_it_was(kit: Kit, policies: Path) -> None:
    policies.rename(policies.with_name("elsewhere"))

    assert "holds no policy" in read_wrongly(kit)[0]


OTHER_QUESTIONS = {
    "a purpose": (
        "acme.yaml",
        "  - id: chat\n",
        "  - {id: chat, purpose: statistics}\n",
        "57:5 services[2]",
    ),
    "the full address": (
        "services/chat.yaml",
        "stored:\n",
        "needs_full_ip: true\nstored:\n",
        "57:5 services[2]",
    ),
    "a vendor": ("services/chat.yaml", "Chat B.V.", "Talk Inc.", "57:5 services[2]"),
    "a country": ("services/chat.yaml", "[NL]", "[NL, BE]", "57:5 services[2]"),
    "a lifetime": ("services/counter.yaml", "days: 390", "days: 391", "54:5 services[1]"),
    "a host": (
        "services/counter.yaml",
        '["*.counter.example"]',
        '["*.counter.example", spy.example]',
        "54:5 services[1]",
    ),
}


@pytest.mark.parametrize("what", OTHER_QUESTIONS)
def test_another_question_needs_a_higher_revision(kit: Kit, policies: Path, what: str) -> None:
    file, old, new, place = OTHER_QUESTIONS[what]
    (policies / "other.yaml").unlink()
    edit(policies / file, old, new)
    (line,) = (line for line in read_wrongly(kit) if "revision" in line)

    assert line.startswith(f"{policies / 'acme.yaml'}:{place}: ")
    assert "raise revision to 3" in line


def raise_revision(policies: Path) -> None:
    edit(policies / "acme.yaml", "revision: 2\neffective", "revision: 3\neffective")
    edit(
        policies / "acme.yaml",
        "consent_lifetime_days",
        "  - {revision: 3, date: 2026-11-21, what: {nl: Ja., en: Yes.}}\nconsent_lifetime_days",
    )


def test_a_higher_revision_may_ask_something_else(kit: Kit, policies: Path) -> None:
    raise_revision(policies)
    edit(policies / "acme.yaml", "  - id: chat\n", "  - {id: chat, purpose: statistics}\n")
    edit(
        policies / "acme.yaml",
        """  - id: contact
    legal_basis: consent
    name: {nl: Contact, en: Contact}
    description: {nl: Chatten met ons., en: Chat with us.}
""",
        "",
    )
    kit.read()

    assert kit.sites["acme"].bundle.offer.purposes == ("statistics",)
    assert len([site for site, _ in kit.notices if site == "acme"]) == 4


def test_a_revision_never_goes_back(kit: Kit, policies: Path) -> None:
    original = (policies / "acme.yaml").read_text("utf-8")
    raise_revision(policies)
    kit.read()
    (policies / "acme.yaml").write_text(original, "utf-8")
    (line,) = read_wrongly(kit)

    assert line.startswith(f"{policies / 'acme.yaml'}:27:11 revision: is 2, lower than the 3 ")


def test_the_log_remembers_the_revision_over_a_restart(
    kit: Kit, policies: Path, database_url: str
) -> None:
    kit.writer.close()
    edit(policies / "acme.yaml", "  - id: chat\n", "  - {id: chat, purpose: statistics}\n")
    opened = open_store(database_url)
    with Writer(opened) as writer, pytest.raises(PolicyError, match="raise revision to 3"):
        make_kit(policies, opened, writer)
    opened.close()


def test_other_words_need_no_higher_revision(kit: Kit, policies: Path) -> None:
    edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
    before = set(kit.sites["acme"].notices)
    kit.read()

    assert set(kit.sites["acme"].notices) != before
    assert {digest for site, digest in kit.notices if site == "acme"} > before


def test_a_site_that_is_taken_away_is_served_no_longer(kit: Kit, policies: Path) -> None:
    (policies / "other.yaml").unlink()
    kit.read()

    assert kit.sites.keys() == {"acme"}


def test_what_is_doubtful_is_told_and_served(kit: Kit, policies: Path) -> None:
    edit(policies / "acme.yaml", "site_id: C-1234", "site_id: 'unknown: not asked yet'")
    warnings = kit.read()

    assert [(finding.severity, finding.rule) for finding in warnings] == [
        ("warning", "unknown-value")
    ]
    assert str(warnings[0]).startswith(f"{policies / 'acme.yaml'}:")


def test_a_kit_may_adapt_what_it_serves_and_never_what_is_checked(
    policies: Path, store: SqlStore
) -> None:
    def adapt(loaded: LoadedPolicy) -> LoadedPolicy:
        policy = loaded.policy.model_copy(update={"origins": ("http://localhost:8000",)})
        return dataclasses.replace(loaded, policy=policy)

    with Writer(store) as writer:
        kit = Kit(
            policies=policies,
            store=store,
            writer=writer,
            countries=NoCountry(),
            clock=lambda: NOON,
            adapt=adapt,
        )
        kit.read()

    assert kit.sites["acme"].loaded.policy.origins == ("http://localhost:8000",)


def test_two_kits_in_one_process_know_nothing_of_each_other(
    kit: Kit, policies: Path, store: SqlStore
) -> None:
    (policies / "other.yaml").unlink()
    with Writer(store) as writer:
        second = make_kit(policies, store, writer)

    assert second.sites.keys() == {"acme"}
    assert kit.sites.keys() == {"acme", "other"}


def test_a_site_is_built_alike_each_time(kit: Kit) -> None:
    loaded = kit.sites["acme"].loaded

    assert build_site(loaded, read_sources()) == kit.sites["acme"]

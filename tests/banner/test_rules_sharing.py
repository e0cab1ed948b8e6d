"""What holds on several hosts: a hand-over that visitors are told of, a cookie of one site only."""

from __future__ import annotations

from typing import Any

ACME = "acme.yaml"
JOINED = ", https://acme.example]\ncookie_domain: acme.example\n"
HANDED = ", https://acme.test]\nhand_over: {to: [https://acme.test]}\n"


def copy_policy(policy_folder: Any, site: str, *changes: tuple[str, str]) -> None:
    text = (policy_folder.directory / ACME).read_text("utf-8")
    for old, new in (("site: acme\n", f"site: {site}\n"), *changes):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (policy_folder.directory / f"{site}.yaml").write_text(text, "utf-8")


def test_two_sites_never_keep_their_choices_in_one_cookie(policy_folder: Any) -> None:
    copy_policy(
        policy_folder, "shop", ("[https://www.acme.example,", "[https://shop.acme.example,")
    )

    (finding,) = policy_folder.check()

    assert (finding.severity, finding.rule) == ("error", "shared-cookie")
    assert policy_folder.place(finding) == ("shop.yaml", "cookie_domain", "acme.example")
    assert "as for site 'acme'" in finding.message


def test_a_site_below_another_ones_domain_may_have_a_cookie_of_its_own(policy_folder: Any) -> None:
    copy_policy(
        policy_folder,
        "shop",
        ("https://www.acme.example, https://acme.example", "https://shop.acme.example"),
        ("cookie_domain: acme.example\n", "cookie_domain: shop.acme.example\n"),
    )
    copy_policy(
        policy_folder,
        "blog",
        ("https://www.acme.example, https://acme.example", "https://blog.acme.example"),
        ("cookie_domain: acme.example\n", ""),
    )

    assert policy_folder.check() == []


def test_a_site_with_an_interface_of_its_own_is_told_to_say_where_a_choice_holds(
    policy_folder: Any,
) -> None:
    policy_folder.edit(ACME, JOINED, HANDED + "interface: none\n")

    findings = {finding.rule: finding for finding in policy_folder.check()}

    assert findings.keys() == {"own-interface", "hand-over"}
    assert findings["hand-over"].severity == "warning"
    assert "hand_over_text" in findings["hand-over"].message


def test_a_text_of_the_companys_own_still_names_the_domains(policy_folder: Any) -> None:
    policy_folder.edit(ACME, JOINED, HANDED)
    policy_folder.edit(ACME, "accept: Aanvaarden", "hand_over_text: Ook op onze andere sites.")
    texts = {
        "en": {"accept": "Accept", "reject": "Refuse", "hand_over_text": "Also on {domains}."},
        "nl": {"accept": "Ja graag", "reject": "Nee, dank", "hand_over_text": "Ook op {domains}."},
    }

    places = [found for found in policy_folder.check(texts) if found.rule == "same-placeholders"]

    assert [found.path for found in places] == ["texts.nl.hand_over_text"]

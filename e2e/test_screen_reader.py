"""What a screen reader is given: roles, names, order and states, and each outcome said once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Company, KitProcess, Visitor

ROLES = "region|dialog|heading|button|link|switch|status|group|list"
# A live region is said when its text changes, once a task has ended; not when it comes into the
# page with a text in it.
LISTEN = """
  window.said = [];
  const changed = new Set();
  const say = () => {
    for (const { textContent } of changed) if (textContent) said.push(textContent);
    changed.clear();
  };
  new MutationObserver((changes) => {
    const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
    for (const { target } of changes) {
      const element = target.closest ? target : target.parentElement;
      const region = element && element.closest("#slagboom [role=status]");
      if (region && !added.some((node) => node.contains(region))) changed.add(region);
    }
    setTimeout(say);
  }).observe(document, { childList: true, subtree: true, characterData: true });"""


def read(visitor: Visitor, selector: str = "#slagboom") -> list[str]:
    """What has a role of the ones that matter, in reading order, as `role "name" [states]`."""
    lines = visitor.page.locator(selector).aria_snapshot().splitlines()
    found = (line.strip().removeprefix("- ").removesuffix(":") for line in lines)
    return [line for line in found if re.match(rf"({ROLES})\b", line)]


@pytest.fixture
def kresoft(companies: dict[str, Company]) -> Company:
    return companies["kresoft"]


def test_the_first_layer_is_a_named_region_with_its_answers_at_the_end(
    kit: KitProcess, visitor: Visitor, kresoft: Company
) -> None:
    visitor.open(kit.address(kresoft, "/en/"))
    visitor.asked()

    assert read(visitor) == [
        'region "Your privacy choices"',
        'heading "Your privacy choices" [level=2]',
        "list",
        'link "Privacy statement"',
        'button "Accept"',
        'button "Refuse"',
        'button "Choose"',
        "status",
    ]


def test_the_second_layer_is_a_named_dialog_of_switches_under_headings(
    kit: KitProcess, visitor: Visitor, kresoft: Company
) -> None:
    page = visitor.page
    visitor.open(kit.address(kresoft, "/en/"))
    visitor.asked()
    page.click(".sb-choose")
    page.locator("dialog[open]").wait_for()
    before = read(visitor, "dialog")
    page.locator('dialog [name="purpose:statistics"]').check()
    after = read(visitor, "dialog")

    assert before[:13] == [
        'dialog "Choose per purpose and per service"',
        'heading "Choose per purpose and per service" [level=2]',
        'button "Close"',
        'group "Choose per purpose and per service"',
        'heading "Necessary Always on" [level=3]',
        'heading "Slagboom" [level=4]',
        'group: "Stored on your device : Slagboom"',
        'heading "Statistics" [level=3]',
        'switch "Statistics"',
        'heading "Google Analytics" [level=4]',
        'switch "Google Analytics"',
        'group: "Stored on your device : Google Analytics"',
        'heading "Anonymise my IP address" [level=3]',
    ]
    assert before[-3:] == ['button "Accept"', 'button "Refuse"', 'button "Save choice"']
    assert [line for line in after if line not in before] == [
        'switch "Statistics" [checked]',
        'switch "Google Analytics" [checked]',
    ]
    assert page.evaluate("() => document.activeElement.closest('dialog') !== null")
    # The rest of the page is not read while the dialog is open.
    assert page.evaluate("() => document.querySelector('dialog').matches(':modal')")


@pytest.mark.parametrize("layer", ["first", "second"])
def test_each_outcome_is_said_once(
    kit: KitProcess, visitor: Visitor, kresoft: Company, layer: str
) -> None:
    page = visitor.page
    page.add_init_script(LISTEN)
    visitor.open(kit.address(kresoft, "/en/"))
    visitor.asked()
    if layer == "second":
        page.click(".sb-choose")
        page.locator("dialog[open]").wait_for()
    page.click(f".sb-{layer} .sb-accept")
    page.locator(".sb-withdraw").wait_for()
    page.wait_for_function("() => said.length")
    visitor.settled()
    assert page.evaluate("() => said") == ["Your choice is saved."]
    assert 'region "Privacy choices"' in read(visitor)

    page.reload()
    page.click(".sb-withdraw")
    page.wait_for_function("() => said.length")
    visitor.settled()
    assert page.evaluate("() => said") == [
        "Your consent is withdrawn. The services that needed it no longer run."
    ]
    assert 'button "Withdraw consent"' not in read(visitor)

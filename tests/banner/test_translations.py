"""The texts of services in further languages: all there, and safe to get wrong."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from slagboom_banner.assets import texts_directory
from slagboom_banner.document import read_document
from slagboom_banner.errors import PolicyError
from slagboom_banner.load import read_policy
from slagboom_banner.localised import localised_texts
from slagboom_banner.model import Service
from slagboom_banner.texts import read_texts
from slagboom_banner.translations import Translations

if TYPE_CHECKING:
    from typing import Any

SERVICES = Path(__file__).parents[2] / "policies" / "services"
FILES = sorted((SERVICES / "texts").glob("*.yaml"))
MOST_GROWTH = 1.9
"""How much longer than English a translation of a whole sentence may be."""


def catalogue() -> list[Service]:
    files = sorted(SERVICES.glob("*.yaml"))
    return [Service.model_validate(read_document(file).value) for file in files]


def sentences() -> set[str]:
    found: set[str] = set()
    for service in catalogue():
        found |= {text["en"] for text in (service.description, *service.data)}
        for item in service.stored:
            found.add(item.purpose["en"])
            if item.reason is not None:
                found.add(item.reason["en"])
    return found


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def translation(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One language, by the English wording."""
    document = read_document(request.param)
    assert not document.findings
    return document.value


def test_every_language_of_the_kit_has_the_texts_of_every_service() -> None:
    own = set(catalogue()[0].description)

    assert own | {file.stem for file in FILES} == set(read_texts(texts_directory()))


def test_a_language_has_every_sentence_of_the_catalogue_and_no_other(
    translation: dict[str, Any],
) -> None:
    assert translation.keys() == sentences()


def test_a_translation_is_none_of_the_english_and_about_as_long(
    translation: dict[str, Any],
) -> None:
    for english, text in translation.items():
        assert text != english
        assert text == text.strip()
        assert len(text) < MOST_GROWTH * len(english) + 20, text
        assert text.endswith((".", "。")) == english.endswith("."), text


def test_a_policy_in_any_language_of_the_kit_lacks_no_text_of_its_services(tmp_path: Path) -> None:
    languages = set(read_texts(texts_directory()))
    folder = Path(shutil.copytree(SERVICES.parent, tmp_path / "policies"))
    file = folder / "kresoft.yaml"
    spoken = f"languages: [{', '.join(languages)}]"
    file.write_text(file.read_text("utf-8").replace("languages: [nl, en]", spoken), "utf-8")
    loaded = read_policy(file, folder / "services")

    assert set(loaded.policy.languages) == languages
    for path, versions, service in localised_texts(loaded):
        assert not service or versions.keys() == languages, path


def test_a_file_that_is_wrong_is_told_with_its_place_and_translates_nothing(tmp_path: Path) -> None:
    (tmp_path / "pl.yaml").write_text('"Your IP address": [a]\n"Other": "Inne"\n', "utf-8")
    (tmp_path / "cs.yaml").write_text("- no mapping\n", "utf-8")
    translations = Translations(tmp_path)
    [service] = (each for each in catalogue() if each.id == "calendly")
    completed = translations.complete(service, ["pl", "cs", "sk", "en"])

    assert completed.description == service.description
    assert completed.data == service.data
    assert [(Path(found.file).name, found.line) for found in translations.findings] == [
        ("pl.yaml", 1),
        ("cs.yaml", 1),
    ]
    assert "write this sentence in the language of the file" in translations.findings[0].message


def test_a_services_own_wording_counts_before_a_translation(tmp_path: Path) -> None:
    (tmp_path / "nl.yaml").write_text('"Your IP address": "Anders"\n', "utf-8")
    [service] = (each for each in catalogue() if each.id == "calendly")
    completed = Translations(tmp_path).complete(service, ["nl"])

    assert completed.data[0] == service.data[0]
    assert completed.data[0]["nl"] != "Anders"


def test_a_wrong_file_keeps_a_policy_from_being_served(policy_folder: Any) -> None:
    folder = policy_folder.directory / "services" / "texts"
    folder.mkdir(exist_ok=True)
    (folder / "nl.yaml").write_text('"Your IP address": 5\n', "utf-8")
    with pytest.raises(PolicyError) as refused:
        policy_folder.read()

    assert [Path(found.file).name for found in refused.value.findings] == ["nl.yaml"]

"""The texts of services in the languages their own files leave out.

A service file has its texts in a few languages. `policies/services/texts/<language>.yaml` holds
them in another one, by their English wording: what several services say alike is translated once,
and a sentence that changes in English is missing until it is translated anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slagboom_banner.document import read_document
from slagboom_banner.errors import PolicyError
from slagboom_banner.positions import join_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from slagboom_banner.errors import Finding
    from slagboom_banner.model import Localised, Service

_SOURCE = "en"


class Translations:
    """A folder of such files, each of which is read when a policy wants its language.

    findings: what was wrong in those that were read; none of their texts is used.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[str, Mapping[str, str]] = {}
        self.findings: list[Finding] = []

    def complete(self, service: Service, languages: Iterable[str]) -> Service:
        """The service with the texts of these languages that its own file leaves out."""
        wanted = {language: self._read(language) for language in languages}

        def add(texts: Localised) -> Localised:
            english = texts.get(_SOURCE, "")
            found = {
                language: known[english] for language, known in wanted.items() if english in known
            }
            return {**found, **texts}

        stored = tuple(
            item.model_copy(
                update={"purpose": add(item.purpose), "reason": item.reason and add(item.reason)}
            )
            for item in service.stored
        )
        return service.model_copy(
            update={
                "description": add(service.description),
                "data": tuple(add(data) for data in service.data),
                "stored": stored,
            }
        )

    def _read(self, language: str) -> Mapping[str, str]:
        if language not in self._known:
            file = self._directory / f"{language}.yaml"
            self._known[language] = self._read_file(file) if file.exists() else {}
        return self._known[language]

    def _read_file(self, file: Path) -> Mapping[str, str]:
        try:
            document = read_document(file)
        except PolicyError as error:
            self.findings.extend(error.findings)
            return {}
        findings = list(document.findings)
        texts: dict[str, str] = {}
        for english, text in document.value.items():
            if isinstance(text, str) and text.strip():
                texts[english] = text
            else:
                message = "is no text; write this sentence in the language of the file"
                path = join_path("", english)
                findings.append(document.positions.schema_error(path, message))
        self.findings.extend(findings)
        return {} if findings else texts

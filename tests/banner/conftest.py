"""A folder of policies that a test can break in one place and read again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from slagboom_banner.load import read_policies
from slagboom_banner.rules import check_policies

if TYPE_CHECKING:
    from slagboom_banner.errors import Finding
    from slagboom_banner.load import LoadedPolicy

DATA = Path(__file__).parent / "data" / "policies"
TEXTS = {
    "en": {
        "accept": "Accept",
        "reject": "Refuse",
        "choose": "Choose",
        "save": "Save choice",
        "intro": "{controller} asks for your consent.",
    },
    "nl": {
        "accept": "Accepteren",
        "reject": "Weigeren",
        "choose": "Kiezen",
        "save": "Keuze opslaan",
        "intro": "{controller} vraagt uw toestemming.",
    },
}


@dataclass(frozen=True)
class PolicyFolder:
    """A copy of the faultless policy and its services."""

    directory: Path

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces the one place where `old` stands in a file."""
        path = self.directory / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def read(self) -> LoadedPolicy:
        """The policy, which must read well."""
        return read_policies(self.directory)["acme"]

    def check(self, texts: dict[str, dict[str, str]] | None = None) -> list[Finding]:
        """Every finding, of form and of law."""
        _, findings = check_policies(self.directory, TEXTS if texts is None else texts)
        return list(findings)

    def place(self, finding: Finding) -> tuple[str, str, str]:
        """Where a finding points: the file, the path, and what the line reads from there on."""
        line = Path(finding.file).read_text(encoding="utf-8").splitlines()[finding.line - 1]
        file = Path(finding.file).relative_to(self.directory)
        return str(file), finding.path, line[finding.column - 1 :]

    def lines(self) -> list[str]:
        """The findings as printed, with file names relative to the folder."""
        return [str(finding).removeprefix(f"{self.directory}/") for finding in self.check()]


@pytest.fixture
def policy_folder(tmp_path: Path) -> PolicyFolder:
    """The faultless policy `acme` with the services kit, counter and chat."""
    return PolicyFolder(Path(shutil.copytree(DATA, tmp_path / "policies")))

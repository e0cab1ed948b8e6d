"""The error tree of the banner package.

SlagboomError            a mistake its reader can mend; the message says what, where and what to do
└── PolicyError          a policy, service or text file is wrong; carries every finding at once
"""

from __future__ import annotations

from dataclasses import dataclass


class SlagboomError(Exception):
    """A mistake the reader of the message can mend."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, or doubtful, in one file.

    severity: `error` stops the start, `warning` is shown. rule: the lint rule's id or `schema`.
    line, column: one-based. path: where in the document, as `purposes[1].legal_basis`.
    source: the law, guideline or contract the rule rests on.
    """

    severity: str
    rule: str
    file: str
    line: int
    column: int
    path: str
    message: str
    source: str = ""

    def __str__(self) -> str:
        """One line: `file:line:column path: what is wrong; what to do [source]`."""
        source = f" [{self.source}]" if self.source else ""
        where = f"{self.file}:{self.line}:{self.column} {self.path}".rstrip()
        prefix = "warning: " if self.severity == "warning" else ""
        return f"{where}: {prefix}{self.message}{source}"


class PolicyError(SlagboomError):
    """A policy cannot be used. `findings` holds every error, in file order."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__("\n".join(str(finding) for finding in findings))

"""What a rule of the legal lint says, before it is placed in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Texts = Mapping[str, Mapping[str, str]]
"""The kit's own texts: `{language: {key: text}}`."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing a rule found.

    path: in the policy, or in the service's file where `in_service`. service: the id of the service
    it is about, which a reviewed exception may name.
    """

    path: str
    message: str
    service: str = ""
    in_service: bool = False
    severity: Literal["error", "warning"] = "error"

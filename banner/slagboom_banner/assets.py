"""Where the files stand that are no Python: in a checkout, or inside an installed wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def _root() -> Path:
    """The folder that holds `static` and `policies`."""
    installed = _PACKAGE / "_assets"
    return installed if installed.is_dir() else _PACKAGE.parent.parent


def static_directory() -> Path:
    """The built client scripts, as `js/dist/gate.js`."""
    return _root() / "static"


def policies_directory() -> Path:
    """The shipped policies, and `services/` beneath."""
    return _root() / "policies"


def texts_directory() -> Path:
    """One YAML file per language."""
    return _PACKAGE / "texts"


def themes_directory() -> Path:
    """One CSS file per theme."""
    return _PACKAGE / "themes"

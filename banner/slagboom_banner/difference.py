"""What differs between two policies, in words, and whether it asks visitors again.

Policies are compared as data, so that one that was published years ago under an older model can
still be read beside today's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from slagboom_banner.rules_revision import compare_substance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from slagboom_banner.load import LoadedPolicy

    Data = Mapping[str, Any]

_IDENTITIES: Final = ("id", "revision", "pattern", "rule", "country")
"""What tells the entries of a list apart, the first one that all of them have."""

_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """changed: a line for each change. asks_again: why an earlier answer does not cover it."""

    changed: tuple[str, ...]
    asks_again: tuple[str, ...]


def policy_data(loaded: LoadedPolicy) -> dict[str, Any]:
    """A policy and the services it uses, as JSON: everything that decides what a site serves."""
    return {
        "policy": loaded.policy.model_dump(mode="json"),
        "services": [service.model_dump(mode="json") for service in loaded.services],
    }


def compare_policies(before: Data, after: Data) -> Difference:
    """The way from one policy to another, both as `policy_data` gives them."""
    changed = list(_compare("", before["policy"], after["policy"]))
    old, new = (_by(data["services"], "id") for data in (before, after))
    for name in (name for name in old if name in new):
        changed += _compare(f"service {name}: ", old[name], new[name])
    reasons = compare_substance(_as_notice(before), _as_notice(after))
    return Difference(tuple(changed), tuple(f"{path}: {said}" for path, said in reasons))


def _as_notice(data: Data) -> dict[str, Any]:
    """The part of a notice's document that `substance` reads."""
    policy = data["policy"]
    return {
        "accept_anonymises": policy["accept_all_anonymises_ip"],
        "purposes": [
            {"id": purpose["id"], "necessary": purpose["legal_basis"] == "strictly_necessary"}
            for purpose in policy["purposes"]
        ],
        "services": data["services"],
    }


def _compare(path: str, old: object, new: object) -> Iterator[str]:
    """Lines for what differs. path: where, ready to have a name put behind it."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _compare_objects(path, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(path, old, new)
    else:
        yield f"{_name(path)} was {_show(old)}, is {_show(new)}"


def _compare_objects(path: str, old: Data, new: Data) -> Iterator[str]:
    for key in dict.fromkeys((*old, *new)):
        if key not in new:
            yield f"{path}{key} is gone; it was {_show(old[key])}"
        elif key not in old:
            yield f"{path}{key} is new: {_show(new[key])}"
        else:
            yield from _compare(f"{path}{key}.", old[key], new[key])


def _compare_lists(path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
    identity = _find_identity((*old, *new))
    if identity is not None:
        yield from _compare_objects(path, _by(old, identity), _by(new, identity))
        shared = [key for key in _by(old, identity) if key in _by(new, identity)]
        if shared != [key for key in _by(new, identity) if key in shared]:
            yield f"{_name(path)} stand in another order"
        return
    gone = [entry for entry in old if entry not in new]
    added = [entry for entry in new if entry not in old]
    if gone:
        yield f"{_name(path)} no longer has {', '.join(map(_show, gone))}"
    if added:
        yield f"{_name(path)} also has {', '.join(map(_show, added))}"
    if not gone and not added:
        yield f"{_name(path)} stand in another order"


def _find_identity(entries: Sequence[Any]) -> str | None:
    """The field that names each entry, None where they have none or some share it."""
    if not all(isinstance(entry, dict) for entry in entries):
        return None
    return next((key for key in _IDENTITIES if all(key in entry for entry in entries)), None)


def _by(entries: Sequence[Any], key: str) -> dict[str, Any]:
    return {str(entry[key]): entry for entry in entries}


def _name(path: str) -> str:
    return path.rstrip(".")


def _show(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

"""What may not change without a higher revision, which asks every visitor again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slagboom_banner.errors import Finding
from slagboom_banner.substance import substance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from slagboom_banner.load import LoadedPolicy

    Document = Mapping[str, Any]
    Entry = Mapping[str, Any]


def check_revision(
    loaded: LoadedPolicy, published: Document, offered: Document
) -> tuple[Finding, ...]:
    """Whether a policy asks again where it must; each finding is an error.

    published: the document of a notice of the highest revision that was published. offered: one of
    a notice of this policy, in any language. Another wording needs no new revision.

    Source: GDPR Art. 4(11) and 7(1): a consent covers what was asked, and that must be provable.
    """
    old, new = published["revision"], offered["revision"]
    if new > old:
        return ()
    if new < old:
        said = f"is {new}, lower than the {old} that was published; write {old} or more"
        return (_finding(loaded, "revision", said),)
    advice = f"raise revision to {old + 1} and say under changes what is new"
    return tuple(
        _finding(loaded, path, f"{said}, under the same revision {old}; {advice}")
        for path, said in compare_substance(published, offered)
    )


def _finding(loaded: LoadedPolicy, path: str, message: str) -> Finding:
    line, column = loaded.locate(path)
    source = "GDPR Art. 4(11) and 7(1)"
    return Finding("error", "revision-raised", loaded.file, line, column, path, message, source)


def compare_substance(published: Document, offered: Document) -> Iterator[tuple[str, str]]:
    """Where two documents ask another question: the path in the policy, and what is other."""
    old, new = substance(published), substance(offered)
    if old["accept_anonymises"] != new["accept_anonymises"]:
        yield "accept_all_anonymises_ip", "is not what was published"
    for name in ("purposes", "services"):
        yield from _compare_entries(name, old[name], new[name])


def _compare_entries(
    name: str, published: Sequence[Entry], offered: Sequence[Entry]
) -> Iterator[tuple[str, str]]:
    old = {entry["id"]: entry for entry in published}
    new = {entry["id"]: entry for entry in offered}
    gone = ", ".join(repr(identifier) for identifier in old if identifier not in new)
    if gone:
        yield name, f"{gone} is gone"
    for index, (identifier, entry) in enumerate(new.items()):
        if identifier not in old:
            yield f"{name}[{index}]", f"{identifier!r} is new"
            continue
        changed = [field for field in entry if entry[field] != old[identifier][field]]
        if changed:
            said = f"{identifier!r} has other {', '.join(changed)} than was published"
            yield f"{name}[{index}]", said
    if old.keys() == new.keys() and list(old) != list(new):
        yield name, "stand in another order"

"""Rules on what holds on more than one host: the hand-over between domains, and shared cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slagboom_banner.errors import Finding
from slagboom_banner.remark import Remark, Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from slagboom_banner.load import LoadedPolicy


def check_hand_over(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """A choice goes only where the notice says that it goes, and where this policy asks.

    Source: GDPR Art. 4(11); EDPB Guidelines 05/2020, section 3.3: consent is informed, also of
    where it holds.
    """
    policy = loaded.policy
    if policy.hand_over is None:
        return
    targets = policy.hand_over.to
    for index, target in enumerate(targets):
        path = f"hand_over.to[{index}]"
        if target in targets[:index]:
            yield Remark(path, f"is {target!r} a second time; remove it")
        elif target not in policy.origins:
            yield Remark(
                path,
                f"is {target!r}, which is not among origins; add it there, since a choice holds "
                "only where the same policy asks",
            )
        elif set(policy.origins) == {target}:
            yield Remark(
                path, f"is {target!r}, the only origin; add those that link to it to origins"
            )
    if policy.cookie_domain is not None:
        yield Remark(
            "hand_over",
            f"is not needed: cookie_domain {policy.cookie_domain} joins every origin; remove one "
            "of the two",
            severity="warning",
        )
    if policy.interface == "none":
        yield Remark(
            "hand_over",
            "has to be told by the site's own interface before it takes an answer; show the text "
            "hand_over_text of the notice there",
            severity="warning",
        )


def check_shared_cookies(policies: Iterable[LoadedPolicy]) -> Iterator[Finding]:
    """No two sites keep their choices in one cookie: each answer would take the other's place.

    Source: EDPB Guidelines 03/2022 (continuous prompting).
    """
    owners: dict[str, str] = {}
    for loaded in policies:
        domain = loaded.policy.cookie_domain
        if domain is None:
            continue
        owner = owners.setdefault(domain, loaded.policy.site)
        if owner == loaded.policy.site:
            continue
        message = (
            f"is {domain!r}, as for site {owner!r}: each answer would replace the other's, and "
            "visitors be asked again and again; write one policy for both, or remove the line here"
        )
        line, column = loaded.locate("cookie_domain")
        yield Finding(
            "error",
            "shared-cookie",
            loaded.file,
            line,
            column,
            "cookie_domain",
            message,
            "EDPB Guidelines 03/2022",
        )

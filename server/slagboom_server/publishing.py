"""Policies read, built and published: by a server for what it serves, or by the command line."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from slagboom_banner.errors import PolicyError
from slagboom_banner.rules import check_policies
from slagboom_banner.rules_revision import check_revision
from slagboom_server.publication import describe_served
from slagboom_server.sites import build_site, read_sources

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from slagboom_banner.errors import Finding
    from slagboom_banner.load import LoadedPolicy
    from slagboom_server.publication import Publication
    from slagboom_server.sites import Site
    from slagboom_server.store import Store


def build_sites(
    policies: Path,
    store: Store,
    adapt: Callable[[LoadedPolicy], LoadedPolicy] | None = None,
    only: Collection[str] = (),
) -> tuple[Mapping[str, Site], tuple[Finding, ...]]:
    """The sites of a folder of policies, and the lint's warnings; takes seconds.

    adapt: as for a `Kit`. only: these sites, all where it is empty.
    Raises PolicyError where any policy is wrong or asks another question under its old revision.
    """
    sources = read_sources()
    loaded, findings = check_policies(policies, sources.texts)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise PolicyError(tuple(errors))
    sites = {
        name: build_site(adapt(policy) if adapt else policy, sources)
        for name, policy in loaded.items()
        if not only or name in only
    }
    errors = [error for site in sites.values() for error in _check_revision(store, site)]
    if errors:
        raise PolicyError(tuple(errors))
    return sites, findings


def _check_revision(store: Store, site: Site) -> tuple[Finding, ...]:
    """An answer belongs to a question: the same revision must go on asking the same."""
    published = store.latest_notices(site.loaded.policy.site)
    if not published:
        return ()
    offered = next(iter(site.bundle.notices.values()))
    return check_revision(site.loaded, published[-1].document, offered.document)


def publish(store: Store, site: Site, author: str, now: dt.datetime) -> Publication | None:
    """Keeps what a site serves from now on; None where the log has just that as its newest."""
    for notice in site.bundle.notices.values():
        store.remember_notice(site.notices[notice.digest], notice.document, now)
    return store.publications.add(describe_served(site, version("slagboom")), author, now)

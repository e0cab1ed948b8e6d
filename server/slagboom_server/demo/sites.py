"""The three company sites: plain pages with one script tag, in each company's languages.

Company facts and promises are quoted from their own privacy statements; the rest of the copy is
an example. A site is a folder in `pages/`: templates, one text file per language, static files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from slagboom_server.demo.hosts import VendorMode, site_origin, vendor_origin
from slagboom_server.demo.security import SecurityHeaders, build_csp
from slagboom_server.demo.templates import PAGES, read_templates

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.requests import Request
    from starlette.types import ASGIApp

SITE_PAGES = ("home", "services", "privacy")
_VIDEO = "slagboom001"


@dataclass(frozen=True, slots=True)
class Site:
    """A company's site. languages: the default one first. The rest: vendor hosts, by what for."""

    id: str
    name: str
    languages: tuple[str, ...]
    script_hosts: tuple[str, ...]
    collect_hosts: tuple[str, ...]
    frame_hosts: tuple[str, ...] = ()


_GOOGLE_SCRIPTS = ("www.googletagmanager.com",)
_GOOGLE_COLLECTS = ("www.google-analytics.com", "region1.google-analytics.com")

SITES = {
    site.id: site
    for site in (
        Site(
            "dsoft",
            "D Soft",
            ("nl", "en"),
            ("cdn.leadinfo.net",),
            ("collector.leadinfo.net", "collector4.leadinfo.net"),
        ),
        Site("kresoft", "Kresoft Systems", ("nl", "en"), _GOOGLE_SCRIPTS, _GOOGLE_COLLECTS),
        Site(
            "soft4doc",
            "SOFT4DOC",
            ("en", "fr"),
            _GOOGLE_SCRIPTS,
            _GOOGLE_COLLECTS,
            ("www.youtube.com", "www.youtube-nocookie.com"),
        ),
    )
}


def read_site_texts(site: Site) -> dict[str, dict[str, object]]:
    """A site's texts by language; every language has the same keys."""
    reader = YAML(typ="safe", pure=True)
    return {
        language: reader.load(PAGES / site.id / f"{language}.yaml") for language in site.languages
    }


def build_site(site: Site, port: int, vendors: VendorMode) -> ASGIApp:
    """The pages of a site: `/`, `/{language}/`, `/{language}/services`, `/{language}/privacy`.

    `/` redirects to the default language. Every answer carries the strict policy that allows
    the own origin and the site's vendors, and nothing inline.
    """

    def origins(hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(vendor_origin(host, vendors, port) for host in hosts)

    async def redirect_home(_: Request) -> Response:
        return RedirectResponse(f"/{site.languages[0]}/")

    templates = read_templates()
    video = f"{vendor_origin('www.youtube.com', vendors, port)}/embed/{_VIDEO}"
    routes: list[Route | Mount] = [Route("/", redirect_home)]
    for language, texts in read_site_texts(site).items():
        for page in SITE_PAGES:
            path = f"/{language}/" if page == "home" else f"/{language}/{page}"
            context = {
                "site": site,
                "language": language,
                "page": page,
                "pages": SITE_PAGES,
                "t": texts,
                "video": video,
                "received": f"http://localhost:{port}/received",
                "origin": site_origin(site.id, port),
            }
            html = templates.get_template(f"{site.id}/{page}.html").render(context)
            routes.append(Route(path, _serve(html)))
    routes.append(Mount("/", StaticFiles(directory=PAGES / site.id / "static")))
    csp = build_csp(
        scripts=origins(site.script_hosts),
        connections=origins(site.collect_hosts),
        frames=origins(site.frame_hosts),
    )
    return SecurityHeaders(Starlette(routes=routes), csp)


def _serve(html: str) -> Callable[[Request], Coroutine[None, None, Response]]:
    async def serve(_: Request) -> Response:
        return HTMLResponse(html)

    return serve

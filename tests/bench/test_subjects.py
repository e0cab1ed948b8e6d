from __future__ import annotations

import json

from bench.client.packages import PEERS_DIRECTORY
from bench.client.subjects import BARE, LEAST, OURS, PEERS, PURPOSES
from bench.client.website import compose_page


def test_every_peer_is_pinned_to_one_version() -> None:
    manifest = json.loads(PEERS_DIRECTORY.joinpath("package.json").read_text(encoding="utf-8"))
    for version in manifest["dependencies"].values():
        assert version[0].isdigit()
    assert {peer.package for peer in PEERS} <= set(manifest["dependencies"])


def test_every_page_shows_the_same_article_and_names_each_gated_tag_once() -> None:
    bare = compose_page(BARE)
    article = bare[bare.index("<main>") : bare.index("</main>")]
    for subject in (LEAST, OURS, *PEERS):
        page = compose_page(subject)
        assert article in page
        assert subject.head in page[: page.index("</head>")]
        for purpose in PURPOSES:
            assert page.count(f"/tags/{purpose}.js") == (1 if subject.tag else 0)
    assert "<script" not in bare


def test_no_tag_is_left_to_run_without_its_banner() -> None:
    for subject in (LEAST, OURS, *PEERS):
        assert not subject.tag or subject.tag.startswith(('<script type="text/plain"', "<template"))

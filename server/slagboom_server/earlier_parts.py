"""Parts of the client script that are not served any more, for the pages that still want them.

A page keeps the gate it was loaded with for as long as it is open, and asks for the parts of that
gate: also after the server was started again with another policy or version, and also the node
beside the one that sent the gate.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from slagboom_server.publication import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slagboom_server.publication import Publications

LOOK_SECONDS: Final = 1.0
"""A site's publications are read no more often, whatever is asked for."""


class EarlierParts:
    """Finds parts among the publications of a log.

    monotonic: seconds of a clock that is never set. One instance serves any number of threads.
    """

    def __init__(self, publications: Publications, monotonic: Callable[[], float]) -> None:
        self._publications = publications
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Mapping[str, str]]] = {}

    def find(self, site: str, file: str) -> bytes | None:
        """A part by its file's name; None where the site never published it, or keeps it no more.

        Raises StoreUnavailable.
        """
        key = self._list_scripts(site, file).get(file)
        text = None if key is None else self._publications.find(key)
        # What somebody altered in the log is not run in a visitor's browser.
        return None if text is None or digest(text) != key else text.encode()

    def _list_scripts(self, site: str, wanted: str) -> Mapping[str, str]:
        """The digests of a site's scripts by name, read again where the wanted one is not there."""
        with self._lock:
            read_at, scripts = self._known.get(site, (float("-inf"), {}))
            now = self._monotonic()
            if wanted not in scripts and now - read_at >= LOOK_SECONDS:
                scripts = {
                    name: key
                    for publication in self._publications.all(site)
                    for name, key in publication.served["scripts"].items()
                }
                self._known[site] = now, scripts
        return scripts

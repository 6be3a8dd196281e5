"""Prepares pages of long recordings in the background, so that nobody waits in front of a blank window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait

from starlette.requests import Request
from starlette.responses import Response

from appwitness.api.browsing import State
from appwitness.web.query import PageRequest

LONG = 10_000
"""Number of reads and uploads above which a recording is long."""
WAIT_S = 0.2
"""How long a page may take before its reader is told that it is being prepared."""
AGAIN_S = 1
"""Seconds after which a browser requests the page again."""
KEPT_S = 60.0
"""How long a finished page is kept if nobody requests it."""
MOST = 8
"""Maximum number of pages that are being prepared or kept; further ones wait."""


class Preparation:
    """Prepares pages, each in a separate thread; a finished page goes to the next request for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[str, Future[Response]] = {}
        self.ready: dict[str, float] = {}
        """Path -> when its page was finished."""

    def page(self, address: str, make: Callable[[], Response]) -> Response | None:
        """The page at an address; None while it is being prepared. Raises whatever `make` raised."""
        with self._lock:
            self._forget()
            found = self._begun.get(address)
            if found is None and len(self._begun) < MOST:
                found = self._begun[address] = Future()
                # a daemon thread: at exit, nothing waits for a page that nobody wants any more
                threading.Thread(target=self._prepare, args=(address, found, make), daemon=True).start()
        if found is None or not wait([found], WAIT_S).done:
            return None
        with self._lock:
            if self._begun.get(address) is found:
                del self._begun[address]
        return found.result()

    def _prepare(self, address: str, found: Future[Response], make: Callable[[], Response]) -> None:
        try:
            made = make()
        except Exception as error:
            found.set_exception(error)
        else:
            found.set_result(made)
        with self._lock:
            self.ready[address] = time.monotonic()

    def _forget(self) -> None:
        """Drop finished pages that nobody has requested."""
        before = time.monotonic() - KEPT_S
        for address in [each for each, since in self.ready.items() if since < before]:
            del self.ready[address]
            if address in self._begun and self._begun[address].done():
                del self._begun[address]


def may_wait(request: Request) -> bool:
    """Whether the response may be a notice to wait, for a person to read; programs, files and parts of a page get
    the whole response at once."""
    query = request.query_params
    looked_at = request.headers.get("sec-fetch-dest", "document") == "document"
    return looked_at and query.get("format") != "json" and "download" not in query


def is_long(state: State) -> bool:
    """Whether a recording has so many lines that its pages take long."""
    counts = dict(state.lines)
    return counts.get("access", 0) + counts.get("upload", 0) > LONG


def being_prepared(asked: PageRequest) -> Response:
    """What the index can say at once about a long recording: how much there is, and the findings of each rule."""
    counts = dict(asked.state.lines)
    facts = {
        "recording": asked.recording,
        "judged": asked.state.judged_by is not None,
        "counts": {"uploads": counts.get("upload", 0), "reads": counts.get("access", 0)},
        "found": asked.site.index.lists.counted(asked.recording),
        "again": AGAIN_S,
        "_titles": {rule.id: rule.title for rule in asked.site.index.known.rules},
    }
    return asked.answer("being_prepared.html", facts, 202)

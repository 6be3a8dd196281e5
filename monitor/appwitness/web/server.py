"""The web server: one process at one address; clients cannot exhaust its memory or keep it from stopping."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import ClassVar

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from appwitness.web.query import Site
from appwitness.web.routes import PATIENCE, app

# limits for one client: 10 s for a request, a few incomplete requests at a time, a few log lines

WHOLE_WITHIN_S = 10.0
"""Time limit in seconds for a whole request, from the connection or its first byte on; for a file that one of our
forms sends, the limit between two pieces."""
HALF_AT_A_TIME = 32
"""Maximum number of incomplete requests from one address; a further one closes the oldest."""
LINES, WITHIN_S = 20, 60.0
"""Maximum number of log lines in a period, and the period in seconds."""


class BoundedConnection(H11Protocol):
    """A connection that is closed if a request is not complete in time."""

    half: ClassVar[defaultdict[str, dict[BoundedConnection, asyncio.TimerHandle]]] = defaultdict(dict)
    """Client address -> its connections with incomplete requests, the oldest first, and the timer that closes each."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request, and restart or stop the timer."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            if self.conn.their_state is h11.SEND_BODY and self.scope.get(PATIENCE):
                self._wait_no_more()
            self._wait()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._wait_no_more()
        super().connection_lost(exc)

    @property
    def address(self) -> str:
        """The client's address."""
        return self.client[0] if self.client else ""

    def _wait(self) -> None:
        waiting = self.half[self.address]
        if self in waiting or self.transport.is_closing():
            return
        if len(waiting) >= HALF_AT_A_TIME:
            next(iter(waiting)).end()
        self.half[self.address][self] = self.loop.call_later(WHOLE_WITHIN_S, self.end)

    def _wait_no_more(self) -> None:
        timer = self.half[self.address].pop(self, None)
        if timer:
            timer.cancel()
        if not self.half[self.address]:
            del self.half[self.address]

    def end(self) -> None:
        """Close the connection at once."""
        self._wait_no_more()
        self.transport.abort()


class FewLines(logging.Filter):
    """Passes at most LINES log lines in each period of WITHIN_S; the last one says that more are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.since, self.told = float("-inf"), 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is logged; the last one of a period is replaced by a notice that others are left out."""
        now = time.monotonic()
        if now - self.since >= WITHIN_S:
            self.since, self.told = now, 0
        self.told += 1
        if self.told == LINES:
            record.msg, record.args, record.exc_info = f"Further lines are suppressed for {WITHIN_S:.0f} s.", (), None
        return self.told <= LINES


def server(site: Site, address: str = "127.0.0.1", names: Iterable[str] = ()) -> uvicorn.Server:
    """A server that is ready to run; see `appwitness.web.routes.app` for what it shows to whom."""

    def ending() -> bool:
        return made.should_exit

    config = uvicorn.Config(
        app(site, address, ending, names),
        http=BoundedConnection,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    logging.getLogger("uvicorn.error").addFilter(FewLines())
    made = uvicorn.Server(config)
    return made

"""Tells a page that what it shows has changed: server-sent events, by looking at how far the index is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

SOON_S = 0.05
"""Between two looks while a run goes on."""
LATER_S = 1.0
"""Between two looks else, and at whether a run still goes on."""
SHARE = 20
"""A look that takes long is followed by a pause of so many times that."""
QUIET_S = 15.0
"""After which something is said, so that it is noticed when nobody listens any more."""


class Watched(NamedTuple):
    """What a page is told of."""

    state: Callable[[], str]
    """Another text whenever it changed."""
    is_live: Callable[[], bool]
    """Whether it is likely to change soon."""
    ending: Callable[[], bool]
    """Whether the server is about to end."""
    pause_s: float = LATER_S
    """Between two looks while it is not."""


def events(request: Request, watched: Watched) -> StreamingResponse:
    """An event with the new state whenever it is another; the first at once."""
    return StreamingResponse(_changes(request, watched), media_type="text/event-stream")


async def _changes(request: Request, watched: Watched) -> AsyncIterator[str]:
    told, live = "", False
    look_at = asked_at = said_at = 0.0
    while not watched.ending() and not await request.is_disconnected():
        now = time.monotonic()
        if now - asked_at >= LATER_S:
            live, asked_at = await run_in_threadpool(watched.is_live), now
        if live or now >= look_at:
            found = await run_in_threadpool(watched.state)
            look_at = now + max(watched.pause_s, SHARE * (time.monotonic() - now))
            if found != told:
                told, said_at = found, now
                yield f"data: {found}\n\n"
        if now - said_at >= QUIET_S:
            said_at = now
            yield ": nothing new\n\n"
        await asyncio.sleep(SOON_S)

"""The server of the pages: one process, one address, and no stream that keeps it from ending."""

from __future__ import annotations

import uvicorn

from monitor.knowledge import Knowledge
from monitor.store import Store
from monitor.web.pages import app


def server(
    store: Store, known: Knowledge | None = None, *, token: str, reveal: bool = False, address: str = "127.0.0.1"
) -> uvicorn.Server:
    """A server that is ready to run; see `monitor.web.pages.app` for what it lets whom see."""
    pages = app(store, known, token=token, reveal=reveal, address=address, ending=lambda: made.should_exit)
    config = uvicorn.Config(
        pages, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=5
    )
    made = uvicorn.Server(config)
    return made

"""The server of the pages: one process, one address, and no stream that keeps it from ending."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import uvicorn

from appwitness.web.bounded_connection import BoundedConnection, FewLines
from appwitness.web.query import Site
from appwitness.web.routes import app


def server(site: Site, address: str = "127.0.0.1", names: Iterable[str] = ()) -> uvicorn.Server:
    """A server that is ready to run; see `appwitness.web.routes.app` for what it lets whom see."""

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

"""Ends the proxy when the helper that mode local redirects traffic by has ended: it would run on, and see nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable

from mitmproxy import master
from mitmproxy.addonmanager import Loader

ENDED = "redirector] exited"
"""In what mitmproxy says of it, and all that it does."""


class Redirector:
    """Listens to what mitmproxy says; whoever started the proxy finds it ended, with the reason on stderr."""

    def __init__(self, lean: master.Master) -> None:
        self.lean = lean

    def load(self, _: Loader) -> None:
        logging.getLogger().addHandler(_Ear(self.lean.shutdown))


class _Ear(logging.Handler):
    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__(logging.ERROR)
        self.then = then

    def emit(self, record: logging.LogRecord) -> None:
        if ENDED in record.getMessage():
            self.then()

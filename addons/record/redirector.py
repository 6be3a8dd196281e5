"""Stops the proxy when the helper that redirects traffic in mode `local` has ended; without it the proxy would see
nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable

from mitmproxy import master
from mitmproxy.addonmanager import Loader

ENDED = "redirector] exited"
"""Part of the message that mitmproxy logs in this case; it does nothing else about it."""


class Redirector:
    """Listens to mitmproxy's log. The process that started the proxy sees the proxy end, with the reason on stderr."""

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

"""Tells a SOCKS5 client why a server could not be reached; mitmproxy always answers `host unreachable`.

Replaces `Socks5Proxy` in mitmproxy's `layers.modes`. What the operating system said is in the error of the connection.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Generator
from typing import Any

from mitmproxy.proxy import commands, layer
from mitmproxy.proxy.layers import modes

from addons.mitm.replacing import replace

REPLIES = {"ENETUNREACH": 3, "EADDRNOTAVAIL": 3, "EHOSTUNREACH": 4, "ECONNREFUSED": 5, "ETIMEDOUT": 6}
"""Reply codes of SOCKS5 (RFC 1928, 6); `TTL expired` is used for a timeout."""
FAILED = b"\x05\x04"
NUMBER = re.compile(r"\[Errno (\d+)\]")


class ExactSocks5(modes.Socks5Proxy):
    """mitmproxy's, with the reason in its answer."""

    def state_connect(self) -> layer.CommandGenerator[None]:
        """As mitmproxy's."""
        steps: Generator[commands.Command, Any, None] = super().state_connect()
        said = None
        while True:
            try:
                command = steps.send(said)
            except StopIteration:
                return
            if isinstance(command, commands.SendData) and command.data.startswith(FAILED):
                command.data = bytes([5, reply(self.context.server.error or "")]) + command.data[2:]
            said = yield command


def reply(error: str) -> int:
    """The code for what the operating system said of a connection, as Python writes it."""
    number = NUMBER.search(error)
    name = errno.errorcode.get(int(number[1]), "") if number else ""
    return REPLIES.get(name, FAILED[1])


def bound() -> None:
    """Have every proxy of this process answer so."""
    replace(
        [(modes, "Socks5Proxy", ExactSocks5)], "an app that is redirected does not learn why a server is not reached."
    )

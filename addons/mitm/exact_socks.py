"""Tells a SOCKS5 client why a server could not be reached; mitmproxy always answers `host unreachable`.

Replaces `Socks5Proxy` in mitmproxy's `layers.modes`. The reason is in the connection's error, as given by the operating
system.
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
    """mitmproxy's SOCKS5 layer, with the reason in its reply."""

    def state_connect(self) -> layer.CommandGenerator[None]:
        """Like mitmproxy's, with the reply code replaced."""
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
    """The SOCKS5 reply code for an operating system error, from the error text of a connection."""
    number = NUMBER.search(error)
    name = errno.errorcode.get(int(number[1]), "") if number else ""
    return REPLIES.get(name, FAILED[1])


def bound() -> None:
    """Make all proxies of this process reply in this way."""
    replace([(modes, "Socks5Proxy", ExactSocks5)], "a redirected app is not told why a server could not be reached.")

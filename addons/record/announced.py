"""Reads the name under which the agent announces a connection to the proxy: the SOCKS5 user name
(hooks/watch/redirect.ts).

It joins uploads to the app's connections even where ports changed on the way.
"""

from __future__ import annotations

import re

from mitmproxy import connection
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy.layers.modes import Socks5AuthData

NAME = re.compile(r"[0-9]{1,10}\.[0-9]{1,10}")
"""The process, and the number of its connection."""


class Announced:
    """Admits only clients of SOCKS5 that give such a name."""

    def load(self, loader: Loader) -> None:
        # This is what mitmproxy's SOCKS5 looks at, by this name; its own addon for it is not among ours.
        loader.add_option("proxyauth", bool, False, "Mode socks5 asks for the name of each connection.")

    def socks5_auth(self, data: Socks5AuthData) -> None:
        data.valid = NAME.fullmatch(data.username) is not None
        if data.valid:
            setattr(data.client_conn, "announced", data.username)  # noqa: B010 no field of mitmproxy's


def announced(client: connection.Client) -> str | None:
    """The name that a connection came with; None: it came with none."""
    return getattr(client, "announced", None)

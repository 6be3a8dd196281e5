"""Reads the name that the agent announces for a connection: the SOCKS5 user name (hooks/watch/redirect.ts).

The name joins uploads to the app's connections even when ports changed on the way.
"""

from __future__ import annotations

import re

from mitmproxy import connection
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy.layers.modes import Socks5AuthData

NAME = re.compile(r"[0-9]{1,10}\.[0-9]{1,10}")
"""Process id and number of the connection."""


class Announced:
    """Admits only SOCKS5 clients that announce such a name."""

    def load(self, loader: Loader) -> None:
        # mitmproxy's SOCKS5 reads an option with this name; the mitmproxy addon that defines it is not used here.
        loader.add_option("proxyauth", bool, False, "In mode socks5, clients must announce the name of a connection.")

    def socks5_auth(self, data: Socks5AuthData) -> None:
        data.valid = NAME.fullmatch(data.username) is not None
        if data.valid:
            setattr(data.client_conn, "announced", data.username)  # noqa: B010 no field of mitmproxy's


def announced(client: connection.Client) -> str | None:
    """The name that a connection announced; None when it announced none."""
    return getattr(client, "announced", None)

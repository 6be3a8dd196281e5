"""Redirects named hosts: the lab's servers run on loopback under their own names."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from mitmproxy import ctx, exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy import server_hooks


class Hosts:
    """Maps the address of a connection to a server; URL, Host header, SNI and certificate check stay as requested."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[str, int]] = {}
        self.asked: dict[str, tuple[str, int]] = {}

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "hosts",
            Sequence[str],
            [],
            "Actual addresses of hosts: name=address:port, or name:port=address:port for one port; comma-separated.",
        )

    def configure(self, updated: set[str]) -> None:
        if "hosts" in updated:
            entries = (entry.strip() for value in ctx.options.hosts for entry in value.split(","))
            self.places = dict(place_of(entry) for entry in entries if entry)

    def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        server = data.server
        if not server.address or server.via:
            return
        host, port, *_ = server.address
        place = self.places.get(f"{host}:{port}".lower()) or self.places.get(host.lower())
        if place:
            self.asked[server.id] = (host, port)
            if server.sni is None:
                server.sni = data.client.sni or (None if _is_address(host) else host)
            server.address = place

    def server_connected(self, data: server_hooks.ServerConnectionHookData) -> None:
        # mitmproxy builds URLs from this address, and looks connections up by it. It does not let the address change
        # while the connection is open, because that would not move the connection; here that is intended.
        asked = self.asked.pop(data.server.id, None)
        if asked:
            object.__setattr__(data.server, "address", asked)

    server_connect_error = server_connected


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def place_of(entry: str) -> tuple[str, tuple[str, int]]:
    """The host of an entry `name=address:port`, in lower case, and its place. Raises OptionsError."""
    name, _, place = entry.partition("=")
    address, _, port = place.rpartition(":")
    if not name or not address or not port.isdecimal() or int(port) > 65535:
        raise exceptions.OptionsError(f"hosts: {entry!r} is not name=address:port.")
    return name.lower(), (address.strip("[]"), int(port))


addons = [Hosts()]

"""Admits this machine and the given addresses; otherwise anybody could use the proxy as an open relay."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from mitmproxy import connection, ctx, exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy import mode_specs

from addons.record.recorder import Recorder

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Admission:
    """Refuses all other clients, and reports them in gaps: a client may be the device with a new address."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.networks: list[Network] = []

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "admit", Sequence[str], [], "Addresses or networks, besides this machine, that may use the proxy; commas."
        )

    def configure(self, updated: set[str]) -> None:
        if "admit" in updated:
            entries = [entry.strip() for value in ctx.options.admit for entry in value.split(",")]
            try:
                self.networks = [ipaddress.ip_network(entry, strict=False) for entry in entries if entry]
            except ValueError as error:
                raise exceptions.OptionsError(f"admit: {error}. Write addresses like 192.168.1.20.") from error

    def client_connected(self, client: connection.Client) -> None:
        if isinstance(client.proxy_mode, mode_specs.WireGuardMode | mode_specs.LocalMode):
            return  # WireGuard has verified the client's key; mode local receives only this machine's traffic
        address = ipaddress.ip_address(client.peername[0].partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_loopback or any(address in network for network in self.networks):
            return
        client.error = "not admitted"
        self.recorder.gap(
            str(address), "protocol_unsupported", "a client that is not this run's device was refused (admit)"
        )

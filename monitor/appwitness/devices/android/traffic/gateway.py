"""A device that uses this machine as its gateway: recognises the app's TCP by its TTL and redirects it to the proxy.

On the device, a rule for the app's user ID selects a separate route, which sets the TTL; nft on this machine redirects
packets with that TTL. The client's port and the real target stay known, as the proxy listens in mode transparent.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import fault

TABLE = 90
"""Number of the routing table; Android's own are 97 to 99 and from 1000 on."""
PRIORITY = 9000
"""Comes before all rules of Android's netd, which begin at 10000."""
TTL = 77
"""A TTL that is no system's default: those are 64, 128 and 255."""
NFT_S = 5.0
_ROUTE = re.compile(r"via (\S+) dev (\S+).*? src (\S+)")


@dataclass(frozen=True)
class Link:
    """The link between the device and this machine."""

    gateway: str
    """This machine's address on the link."""
    interface: str
    """The device's network interface."""
    device: str
    """The device's address."""


def found(control: Control) -> Link | None:
    """The link on which this machine is the device's gateway and may redirect its traffic; None: it is not, or may
    not."""
    if os.geteuid() != 0 or nft() is None or control.shell.rooted() is None:
        return None
    route = _ROUTE.search(control.shell.user("ip -4 route get 198.51.100.1").out)
    return Link(*route.groups()) if route and is_here(route[1]) else None


def is_here(address: str) -> bool:
    """Whether an address is this machine's."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return True
    return False


def nft() -> str | None:
    """The path of the program nft; None: not installed."""
    return shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")


class Redirect:
    """The nft table on this machine. It disappears with the process that made it, however that ends (nft's flag
    owner)."""

    def __init__(self, link: Link, port: int, run: str) -> None:
        self._link = link
        self._port = port
        self._table = f"appwitness_{run}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Create the table. Raises DeviceFault `host-nft-failed` if it does not exist after NFT_S seconds."""
        program = nft() or "nft"
        self._process = subprocess.Popen(
            [program, "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        rule = f"ip saddr {self._link.device} ip ttl {TTL} meta l4proto tcp redirect to :{self._port}"
        for line in (
            f"add table inet {self._table} {{ flags owner; }}",
            f"add chain inet {self._table} prerouting {{ type nat hook prerouting priority dstnat; }}",
            f"add rule inet {self._table} prerouting {rule}",
        ):
            with suppress(BrokenPipeError):  # it has ended: noticed below
                print(line, file=self._process.stdin, flush=True)
        end = time.monotonic() + NFT_S
        listing = [program, "list", "table", "inet", self._table]
        while "redirect" not in subprocess.run(listing, capture_output=True, text=True, check=False).stdout:
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise fault("host-nft-failed", table=self._table)
            time.sleep(0.02)

    def stop(self) -> None:
        """Remove the table."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(OSError):
                try:
                    process.communicate(timeout=NFT_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def lead(control: Control, link: Link, uid: int) -> None:
    """Route the app's IPv4 to the gateway with a TTL of its own, and block its IPv6, until undo. Needs root."""
    who = f"uidrange {uid}-{uid} priority {PRIORITY}"
    route = shlex.join(["default", "via", link.gateway, "dev", link.interface, "table", str(TABLE)])
    control.change(
        f"route uid {uid} to {link.gateway}",
        f"ip route replace {route} hoplimit {TTL} && ip rule add {who} lookup {TABLE} && "
        f"ip -6 rule add {who} unreachable",
        f"while ip rule del {who} lookup {TABLE} 2>/dev/null; do :; done\n"
        f"while ip -6 rule del {who} unreachable 2>/dev/null; do :; done\n"
        f"ip route del {route} 2>/dev/null\n:",
        root=True,
        lost_by_reboot=True,
    )

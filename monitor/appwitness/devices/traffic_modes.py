"""The traffic modes: the routes from a device to the proxy, and what each requires."""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken


@dataclass(frozen=True)
class Mode:
    """One traffic mode of a device."""

    spec: str
    """The mode as mitmproxy writes it; `redirect` is appwitness's own."""
    why: str
    """Why it was chosen, in one sentence."""
    sees: str
    """What it sees, and what it does not."""
    todo: str = ""
    """What a person has to do on the device or around it."""


KINDS = {
    "regular": (
        Spoken(
            "Traffic that apps send through the system's proxy setting. Apps that ignore the setting, and QUIC, bypass "
            "the proxy: the agent counts their connections as gaps."
        ),
        "",
    ),
    "wireguard": (
        Spoken("All IP traffic of the device, also of apps that ignore the proxy setting, DNS and QUIC included."),
        Spoken("Install the WireGuard app on the device and load the configuration file named below."),
    ),
    "transparent": (
        Spoken("All TCP that a router hands on, also of apps that ignore the proxy setting."),
        Spoken(
            "On the router, redirect the device's TCP to the proxy (nft: tcp redirect in prerouting), drop its UDP "
            "to port 443 so that apps fall back from QUIC, and run appwitness there."
        ),
    ),
    "local": (
        Spoken(
            "What an emulator of this machine sends by TCP and UDP, also apps that ignore the proxy setting; not the "
            "first moment after the start."
        ),
        Spoken(
            "Name the emulator's program, --mode local:qemu-system; without a name, all programs of this machine "
            "are taken."
        ),
    ),
    "redirect": (
        Spoken(
            "All TCP that the app's hooked processes send through the C library, even if it ignores the proxy setting; "
            "each connection is linked to the code that opened it. Their QUIC is refused. Not seen: connections that "
            "were open before, connections that Go or io_uring open without the C library, other UDP, and DNS queries, "
            "which the system sends."
        ),
        "",
    ),
    "reverse": (
        Spoken("Traffic to one server, from clients that were given the proxy's address instead of the server's."),
        "",
    ),
}
"""Kind -> what it sees, and what has to be done."""
GROUPS = Path("/sys/fs/cgroup")
"""Where mitmproxy's redirector looks on Linux for the control group whose programs it captures."""


def choose(wanted: str, can: Mapping[str, Sequence[str]], *, hooks: bool = True) -> Mode:
    """The mode for a device; `wanted` is `auto`, a kind, or a mode as mitmproxy writes it.

    `can` maps each kind possible on the device, the one for `auto` first, to the reason for choosing it and, if they
    differ from KINDS, to what it sees and what has to be done. `hooks`: whether the agent enters the app, which
    `redirect` needs. Raises UserError.
    """
    if not hooks:
        if wanted == "redirect":
            raise UserError(
                "Mode redirect works through the hooks, which are switched off.", "Leave out --mode or --no-hooks."
            )
        can = {kind: said for kind, said in can.items() if kind != "redirect"}
    kind = next(iter(can)) if wanted == "auto" else wanted.partition(":")[0].partition("@")[0]
    if kind not in KINDS:
        raise UserError(
            Spoken("There is no mode {wanted!r}.", wanted=wanted),
            Spoken("Name auto or one of {kinds}.", kinds=", ".join(KINDS)),
        )
    if kind not in can:
        raise UserError(
            Spoken("This device cannot use mode {kind}.", kind=kind),
            Spoken("Leave --mode out, or name one of those it can: {can}.", can=", ".join(can)),
        )
    if kind == "reverse" and "://" not in wanted:
        raise UserError("Mode reverse needs a server.", "Write it as --mode reverse:https://api.example.com.")
    if kind == "local":
        _check_local()
    why, *said = can[kind]
    sees, todo = said or KINDS[kind]
    return Mode(kind if wanted == "auto" else wanted, why if wanted == "auto" else "you chose it", sees, todo)


def _check_local() -> None:
    """Raise UserError if mitmproxy's redirector cannot run on this Linux; on other systems the redirector
    reports problems itself."""
    if not sys.platform.startswith("linux"):
        return
    sudo = shutil.which("sudo")
    if sudo is None:
        reason = ("mitmproxy starts its redirector by sudo, which is not installed", "Install sudo")
    elif os.geteuid() != 0 and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode:
        reason = ("its redirector needs root, and sudo asks for a password", "Run appwitness as root")
    elif not (GROUPS / "cgroup.controllers").exists():
        reason = (
            f"its redirector needs control groups of version 2 at {GROUPS}",
            "Start Linux with systemd.unified_cgroup_hierarchy=1",
        )
    else:
        return
    raise UserError(
        Spoken("Mode local cannot run here: {reason}.", reason=reason[0]),
        Spoken("{reason}, or use --mode wireguard.", reason=reason[1]),
    )


def admitted(listen: str, mode: Mode, device_address: str | None) -> tuple[str, ...]:
    """The addresses besides this machine's own that may use a proxy listening on `listen`: only the device's.

    Raises UserError if anybody could use the proxy, or `device_address` is not an address.
    """
    if device_address is not None:
        try:
            ipaddress.ip_address(device_address)
        except ValueError:
            raise UserError(
                Spoken("{device_address!r} is not an address.", device_address=device_address),
                "Name the device's, like --device-address 192.168.1.20.",
            ) from None
        return (device_address,)
    if _is_loopback(listen) or mode.spec.startswith(("wireguard", "local")):
        return ()
    raise UserError(
        Spoken("A proxy that listens on {listen} would serve anybody who reaches it.", listen=listen),
        "Name the device that it is for: --device-address 192.168.1.20 (the phone shows it under About phone, Status).",
    )


def _is_loopback(listen: str) -> bool:
    try:
        return ipaddress.ip_address(listen).is_loopback
    except ValueError:
        return listen == "localhost"

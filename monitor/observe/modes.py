"""How a device's traffic comes to the proxy: the ways there are, which one is taken, and what it takes."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from monitor.errors import UserError


@dataclass(frozen=True)
class Mode:
    """One way of a device's traffic to the proxy."""

    spec: str
    """In mitmproxy's words."""
    why: str
    """Why it was taken, in one sentence."""
    sees: str
    """What it sees, and what it does not."""
    todo: str = ""
    """What has to be done on the device or around it, where nobody does it for us."""


KINDS = {
    "regular": (
        "What apps send through the system's proxy setting. An app that ignores the setting, and QUIC, go past it: "
        "the agent counts their connections as gaps.",
        "",
    ),
    "wireguard": (
        "All IP traffic of the device, also of apps that ignore the proxy setting, DNS and QUIC included.",
        "Install the WireGuard app on the device and load the configuration file named below.",
    ),
    "transparent": (
        "All TCP that a router hands on, also of apps that ignore the proxy setting.",
        "On the router, redirect the device's TCP to the proxy (nft: tcp redirect in prerouting), drop its UDP to port "
        "443 so that apps fall back from QUIC, and run appwitness there.",
    ),
    "local": ("What processes of this machine send (an emulator, say).", "Needs root (Linux) or an administrator."),
    "reverse": ("What is sent to one server, by clients that are told that the proxy is it.", ""),
}
"""Kind -> what it sees, what has to be done."""


def choose(wanted: str, device: str) -> Mode:
    """The mode for a device of a kind (`lab`, `emulator`, `phone`); `wanted` is `auto`, a kind, or mitmproxy's words.

    `auto` takes the proxy setting: it needs nothing on the device, and what goes past it is counted. Raises UserError.
    """
    if wanted == "auto":
        sees, todo = KINDS["regular"]
        why = (
            "the lab device honours the proxy setting"
            if device == "lab"
            else "the proxy setting needs nothing on the device; --mode wireguard also sees apps that ignore it"
        )
        return Mode("regular", why, sees, todo)
    kind = wanted.partition(":")[0].partition("@")[0]
    if kind not in KINDS:
        raise UserError(f"There is no mode {wanted!r}.", f"Name auto or one of {', '.join(KINDS)}.")
    if kind == "reverse" and "://" not in wanted:
        raise UserError("Mode reverse needs a server.", "Write it as --mode reverse:https://api.example.com.")
    if device == "lab" and kind in ("wireguard", "transparent"):
        raise UserError(
            f"The lab device cannot use mode {kind}: it is a process of this machine.",
            "Leave --mode out, or observe a phone or an emulator.",
        )
    return Mode(wanted, "you asked for it", *KINDS[kind])


def admitted(listen: str, mode: Mode, device_address: str | None) -> tuple[str, ...]:
    """Which addresses besides this machine's own may use a proxy that listens on `listen`: the device's alone.

    Raises UserError when it would have to let in anybody, or `device_address` is none.
    """
    if device_address is not None:
        try:
            ipaddress.ip_address(device_address)
        except ValueError:
            raise UserError(
                f"{device_address!r} is no address.", "Name the device's, like --device-address 192.168.1.20."
            ) from None
        return (device_address,)
    if _is_loopback(listen) or mode.spec.startswith(("wireguard", "local")):
        return ()
    raise UserError(
        f"A proxy that listens on {listen} would serve anybody who reaches it.",
        "Name the device that it is for: --device-address 192.168.1.20 (the phone shows it under About phone, Status).",
    )


def _is_loopback(listen: str) -> bool:
    try:
        return ipaddress.ip_address(listen).is_loopback
    except ValueError:
        return listen == "localhost"

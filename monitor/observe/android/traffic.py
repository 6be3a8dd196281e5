"""The ways of a device's traffic to the proxy: what each needs, sees and keeps, which one is taken, and how it is made.

Each change goes through the journal, so that each is undone. Not tried on Android: netd's own rules beside ours.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.errors import UserError
from monitor.observe.android.control import Control
from monitor.observe.android.faults import fault
from monitor.observe.modes import KINDS

RENEW_S = 2.0
"""How often `adb reverse` is looked after: a VPN, `adb root` or the cable takes it away."""
PRIVATE_DNS_API = 28
PROXY_SETTINGS = ("global_http_proxy_exclusion_list", "global_http_proxy_host", "global_http_proxy_port")
TUNNELS = re.compile(r"^\d+: ((?:tun|tap|wg|ppp)\d+)\s", re.MULTILINE)
"""Interfaces of a VPN, in `ip -o addr`."""
SETTING_SEES = (
    "What apps send through the system's proxy setting: HttpURLConnection, OkHttp, WebView, Cronet. Flutter, Go, "
    "libcurl, game engines and raw sockets go past it: the agent counts their connections as gaps."
)


@dataclass(frozen=True)
class Way:
    """One way of a device's traffic to the proxy."""

    name: str
    """reverse, address, or by-hand."""
    kind: str
    """The proxy's mode (modes.KINDS)."""
    why: str
    """Why it is taken, in a clause."""
    sees: str
    """What it sees, and what it does not."""
    keeps_port: bool
    """Whether the proxy sees the port that the app's socket has: connections are joined by it."""
    host: str | None = None
    """Address at which the device finds this machine, where it is not the proxy's own."""
    todo: str = ""
    """What somebody has to do by hand."""


REVERSE = Way(
    "reverse",
    "regular",
    "the proxy setting through adb needs neither root nor a network",
    SETTING_SEES,
    keeps_port=False,
    host="127.0.0.1",
)


def ways(control: Control) -> dict[str, Way]:
    """Mode -> the way that this device has for it, the one for `auto` first."""
    get = control.facts.properties.get
    setting = REVERSE
    if not get("ro.genymotion.version") and (get("ro.kernel.qemu") == "1" or get("ro.boot.qemu") == "1"):
        why = "the emulator finds this machine at 10.0.2.2, and the proxy setting needs no root"
        setting = Way("address", "regular", why, SETTING_SEES, keeps_port=False, host="10.0.2.2")
    there = [setting, *(_by_hand(kind) for kind in ("wireguard", "transparent", "reverse"))]
    if control.facts.kind == "emulator":
        there.append(_by_hand("local"))
    return {way.kind: way for way in there}


def modes(control: Control) -> dict[str, tuple[str, str, str]]:
    """As modes.choose takes it: mode -> why, what it sees, what is left to do by hand."""
    return {kind: (way.why, way.sees, way.todo) for kind, way in ways(control).items()}


def choose(control: Control, wanted: str) -> Way:
    """The way for `auto`, a mode, or mitmproxy's words for one. Raises UserError: the device has none for it."""
    there = ways(control)
    kind = next(iter(there)) if wanted == "auto" else wanted.partition(":")[0].partition("@")[0]
    if kind not in there:
        raise UserError(f"This device has no way for mode {wanted}.", f"Name auto or one of {', '.join(there)}.")
    return there[kind]


def _by_hand(kind: str) -> Way:
    sees, todo = KINDS[kind]
    return Way("by-hand", kind, "you asked for it", sees, keeps_port=True, todo=todo)


class Route:
    """A way made for one run; what it changes is in the journal."""

    def __init__(self, control: Control, way: Way, proxy: tuple[str, int], uid: int | None = None) -> None:
        """`proxy`: address and port that it listens on; `uid`: the app's, for what can be done for it alone."""
        self.way = way
        self._control = control
        self._host, self._here = proxy
        self._port = self._here
        self._uid = uid
        self._looked = 0.0
        self._quic: str | None = None

    def start(self) -> None:
        """Make it. Raises DeviceFault: `vpn-always-on`, `vpn-up`, or a change that the device refused."""
        no_other_vpn(self._control)
        match self.way.name:
            case "reverse":
                self._reverse()
                set_proxy(self._control, "127.0.0.1", self._port)
            case "address":
                set_proxy(self._control, self.way.host or self._host, self._port)
        if self.way.kind == "regular" and self._uid is not None and self._control.shell.rooted():
            self._quic = block_quic(self._control, self._uid)

    def renew(self) -> list[str]:
        """Called as often as wanted during the run; looks each RENEW_S, and says what had to be made again."""
        if self.way.name != "reverse" or time.monotonic() - self._looked < RENEW_S:
            return []
        self._looked = time.monotonic()
        if self._port in self._control.shell.adb.reversed():
            return []
        self._control.shell.adb.reverse(self._port, self._here)
        return [f"adb reverse of port {self._port} was lost and made again: what was sent meanwhile failed"]

    def describe(self) -> Mapping[str, Any]:
        """For run.json."""
        return {
            "way": self.way.name,
            "mode": self.way.kind,
            "why": self.way.why,
            "sees": self.way.sees,
            "keeps_port": self.way.keeps_port,
            "quic": "blocked" if self._quic == "" else self._quic or "open",
        }

    def _reverse(self) -> None:
        """A port of the device's loopback that nobody else's `adb reverse` has."""
        taken = self._control.shell.adb.reversed()
        while self._port in taken:
            self._port += 1
        self._control.reverse(self._port, self._here)
        self._looked = time.monotonic()


def set_proxy(control: Control, host: str, port: int) -> None:
    """The system's proxy setting, until undo; where there was none, undo writes `:0`: a deleted one works on.

    Undo goes in reverse: first http_proxy, which Android copies to the others, then those.
    """
    _delete(control, "global_proxy_pac_url")
    _delete(control, PROXY_SETTINGS[0])
    control.put("global", PROXY_SETTINGS[1], host)
    control.put("global", PROXY_SETTINGS[2], str(port))
    control.put("global", "http_proxy", f"{host}:{port}", restore=":0")


def private_dns_off(control: Control) -> None:
    """Names are asked for in the clear until undo, where Android is new enough to do otherwise."""
    if control.facts.api >= PRIVATE_DNS_API:
        control.put("global", "private_dns_mode", "off")


def no_other_vpn(control: Control) -> None:
    """Raises DeviceFault where a VPN takes the traffic before we can."""
    said = control.shell.user("settings get secure always_on_vpn_app; ip -o addr show up").out
    always, _, interfaces = said.partition("\n")
    serial = control.shell.serial
    if always.strip() not in ("", "null"):
        raise fault("vpn-always-on", serial=serial, app=always.strip())
    if found := TUNNELS.search(interfaces):
        raise fault("vpn-up", serial=serial, interface=found[1])


def block_quic(control: Control, uid: int) -> str:
    """Refuse the app's UDP to port 443 until undo, so that it falls back to TCP. Needs root.

    Gives why it could not be done, or nothing. Rules are in a chain of our own: a rule of somebody else's stays.
    """
    chain, of_app = control.run, f"-m owner --uid-owner {uid}"
    rule = "-p udp --dport 443 -j REJECT"
    do = f"""for tables in iptables ip6tables; do
  $tables -w -N {chain} && $tables -w -A {chain} {rule} && $tables -w -I OUTPUT {of_app} -j {chain} || exit 1
done"""
    undo = f"""for tables in iptables ip6tables; do
  while $tables -w -D OUTPUT {of_app} -j {chain} 2>/dev/null; do :; done
  while $tables -w -D {chain} {rule} 2>/dev/null; do :; done
  $tables -w -X {chain} 2>/dev/null
done
:"""
    if not control.shell.root("iptables -w -S OUTPUT && ip6tables -w -S OUTPUT").ok:
        return "open: the device has no iptables"
    control.change(f"block QUIC of uid {uid}", do, undo, root=True, lost_by_reboot=True)
    return ""


def _delete(control: Control, name: str) -> None:
    was = control.shell.check(f"settings get global {name}").strip()
    if was not in ("null", ""):
        undo = f"settings put global {name} {shlex.quote(was)}"
        control.change(f"delete global {name}", f"settings delete global {name}", undo, was=was)

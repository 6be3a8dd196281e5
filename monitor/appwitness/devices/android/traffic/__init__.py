"""Routes from a device to the proxy: what each needs and sees, how one is chosen, and how it is set up.

All changes to the device go through the journal and are undone. Not tried on Android: netd's own rules beside ours.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import fault
from appwitness.devices.android.traffic import gateway, wireguard
from appwitness.devices.traffic_modes import KINDS
from appwitness.events import OwnRequest
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

RENEW_S = 2.0
"""Interval at which `adb reverse` is checked: a VPN, `adb root` or unplugging removes it."""
PRIVATE_DNS_API = 28
LOOPBACK = "127.0.0.1"
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 for comparison only
PROXY_SETTINGS = ("global_http_proxy_exclusion_list", "global_http_proxy_host", "global_http_proxy_port")
TUNNELS = re.compile(r"^\d+: ((?:tun|tap|wg|ppp)\d+)\s", re.MULTILINE)
"""Interfaces of a VPN in the output of `ip -o addr`."""
_IPV4 = re.compile(r"\d+(\.\d+){3}")
SETTING_SEES = Spoken(
    "Traffic that apps send through the system's proxy setting: HttpURLConnection, OkHttp, WebView, Cronet. Flutter, "
    "Go, libcurl, game engines and raw sockets bypass the proxy: the agent counts their connections as gaps. "
    "With root, --mode redirect captures most of them, too."
)
WITHOUT_ROOT = Spoken(
    "without root, the agent, which Frida's gadget brings into the app, redirects the app's connections itself, "
    "including many that ignore the proxy setting (unlike --mode regular), and links each one to the code that opened "
    "it; not tried with Android's own C library"
)


@dataclass(frozen=True)
class TrafficWay:
    """One route from a device to the proxy."""

    name: str
    """reverse, address, routed, redirect, wireguard, or by-hand."""
    kind: str
    """The proxy's mode (traffic_modes.KINDS)."""
    why: str
    """Why it is chosen, in a clause."""
    sees: str
    """What it sees, and what it does not."""
    keeps_port: bool
    """Whether the proxy sees the port of the app's socket, by which connections are joined."""
    host: str | None = None
    """Address at which the device finds this machine, if it is not the proxy's own."""
    """For `routed`, the proxy must also listen on this address."""
    todo: str = ""
    """What has to be done by hand."""
    link: gateway.Link | None = None


REVERSE = TrafficWay(
    "reverse",
    "regular",
    Spoken("the proxy setting through adb needs neither root nor a network"),
    SETTING_SEES,
    keeps_port=False,
    host=LOOPBACK,
)


def ways(control: Control, listen: str = LOOPBACK, *, gadget: bool = False) -> dict[str, TrafficWay]:
    """Mode -> the way that this device has for it, the one for `auto` first. `listen`: address on which the proxy
    listens.

    `gadget`: Frida's gadget loads the agent into the app, with or without root.
    """
    setting = _setting(control, listen)
    there = [setting, _tunnel(control, setting.host or LOOPBACK), _by_hand("transparent"), _by_hand("reverse")]
    if control.facts.kind == "emulator":
        there.append(_by_hand("local"))
    if link := gateway.found(control):
        there[2] = routed = _routed(link, listen)
        if not routed.todo:
            there = [routed, *(way for way in there if way is not routed)]
    if _IPV4.fullmatch(host := setting.host or listen):
        if control.shell.rooted():
            there.append(_redirect(host))  # not by default: it changes the app, and was not tried on Android
        elif gadget:
            there.insert(0, replace(_redirect(host), why=WITHOUT_ROOT))
    return {way.kind: way for way in there}


def modes(control: Control, listen: str = LOOPBACK, *, gadget: bool = False) -> dict[str, tuple[str, str, str]]:
    """The ways as traffic_modes.choose takes them: mode -> why, what it sees, what is left to do by hand."""
    return {kind: (way.why, way.sees, way.todo) for kind, way in ways(control, listen, gadget=gadget).items()}


def choose(control: Control, wanted: str, listen: str = LOOPBACK, *, gadget: bool = False) -> TrafficWay:
    """The way for `auto`, a mode, or a mode as mitmproxy writes it. Raises UserError if the device has none."""
    there = ways(control, listen, gadget=gadget)
    kind = next(iter(there)) if wanted == "auto" else wanted.partition(":")[0].partition("@")[0]
    if kind not in there:
        raise UserError(
            Spoken("This device does not support mode {wanted}.", wanted=wanted),
            Spoken("Name auto or one of {there}.", there=", ".join(there)),
        )
    return there[kind]


def _setting(control: Control, listen: str) -> TrafficWay:
    get = control.facts.properties.get
    if get("ro.genymotion.version"):
        at, why = "10.0.3.2", Spoken("Genymotion finds this machine at 10.0.3.2, and the proxy setting needs no root")
    elif get("ro.kernel.qemu") == "1" or get("ro.boot.qemu") == "1":
        at, why = "10.0.2.2", Spoken("the emulator finds this machine at 10.0.2.2, and the proxy setting needs no root")
    elif listen in ANYWHERE or listen.startswith("127.") or listen == "localhost":
        return REVERSE
    else:
        told = Spoken("the device's proxy setting points to {listen}", listen=listen)
        return TrafficWay("address", "regular", told, SETTING_SEES, True, listen)
    return TrafficWay("address", "regular", why, SETTING_SEES, False, at)


def _tunnel(control: Control, host: str) -> TrafficWay:
    if host == LOOPBACK or not wireguard.is_there(control):
        return _by_hand("wireguard")
    sees = Spoken("All IP traffic of the app. The app can see that a VPN is up.")
    why = Spoken("the WireGuard app is set up and switched on by root")
    return TrafficWay("wireguard", "wireguard", why, sees, True, host)


def _routed(link: gateway.Link, listen: str) -> TrafficWay:
    todo = (
        ""
        if listen in (link.gateway, *ANYWHERE)
        else Spoken(
            "Start with --listen {gateway} --device-address {device}: the proxy has to be where the device's traffic "
            "passes.",
            gateway=link.gateway,
            device=link.device,
        )
    )
    why = Spoken("this machine is the device's gateway, and root routes the app's uid to the proxy")
    sees = Spoken(
        "All IPv4 TCP of the app's user ID, including what ignores the proxy setting. Its IPv6 is refused, and QUIC "
        "where the device has iptables; other UDP, and DNS queries, which the system sends, bypass the proxy."
    )
    return TrafficWay("routed", "transparent", why, sees, True, link.gateway, todo, link)


def _redirect(host: str) -> TrafficWay:
    """The way in which the app's agent redirects connections to the proxy at `host`."""
    sees, todo = KINDS["redirect"]
    return TrafficWay("redirect", "redirect", Spoken("you chose it"), sees, keeps_port=False, host=host, todo=todo)


def _by_hand(kind: str) -> TrafficWay:
    sees, todo = KINDS[kind]
    return TrafficWay("by-hand", kind, Spoken("you chose it"), sees, keeps_port=True, todo=todo)


class TrafficRoute:
    """A route set up for one run; its changes are in the journal."""

    def __init__(
        self,
        control: Control,
        way: TrafficWay,
        proxy: tuple[str, int],
        uid: int | None = None,
        *,
        package: str | None = None,
        tunnel: str | None = None,
    ) -> None:
        """`proxy`: address and port it listens on; `uid`, `package`: the app's, for what is set up only for the app;
        `tunnel`: the proxy's WireGuard configuration, in that mode."""
        self.way = way
        self._control = control
        self._host, self._here = proxy
        self._port = self._here
        self._uid = uid
        self._package = package
        self._tunnel = tunnel
        self._redirect: gateway.Redirect | None = None
        self._looked = 0.0
        self._reversed = False
        self._quic: str | None = None

    @property
    def proxy(self) -> tuple[str, int]:
        """Address and port that the proxy listens on."""
        return self._host, self._here

    def start(self) -> None:
        """Set up the route. Raises DeviceFault: `vpn-always-on`, `vpn-up`, or a change that the device refused."""
        no_other_vpn(self._control)
        match self.way.name:
            case "address" if self._is_reached():
                set_proxy(self._control, self.way.host or self._host, self._port)
            case "address" | "reverse":
                self._reverse()
                set_proxy(self._control, LOOPBACK, self._port)
            case "redirect":
                if self.way.host == LOOPBACK or not self._is_reached():
                    self._reverse()
                no_proxy(self._control)
            case "routed":
                self._route()
            case "wireguard":
                private_dns_off(self._control)
                wireguard.start(self._control, self._tunnel or "", self.way.host or self._host, self._package or "")
        by_tcp = self.way.name in ("address", "reverse", "routed", "redirect")
        if by_tcp and self._uid is not None and self._control.shell.rooted():
            self._quic = block_quic(self._control, self._uid)

    def stop(self) -> None:
        """Undo what was changed on this machine; changes to the device are undone by the journal."""
        if self._redirect is not None:
            self._redirect.stop()

    def renew(self) -> list[str]:
        """Restore a lost `adb reverse`; returns a sentence for each that was restored. May be called often: it checks
        only every RENEW_S seconds."""
        if not self._reversed or time.monotonic() - self._looked < RENEW_S:
            return []
        self._looked = time.monotonic()
        if self._port in self._control.shell.adb.reversed():
            return []
        self._control.shell.adb.reverse(self._port, self._here)
        return [f"adb reverse of port {self._port} was lost and made again: what was sent meanwhile failed"]

    def describe(self) -> Mapping[str, Any]:
        """Facts for run.json."""
        host, port = self.at
        return {
            "way": self.way.name,
            "mode": self.way.kind,
            "why": self.way.why,
            "sees": self.way.sees,
            "keeps_port": self.way.keeps_port,
            "host": host,
            "port": port,
            "quic": self._quic_is(),
        }

    @property
    def at(self) -> tuple[str, int]:
        """Address and port at which the device finds the proxy."""
        return self.way.host or self._host, self._port

    def _quic_is(self) -> str:
        if self._quic == "":
            return "blocked"
        if self.way.name == "redirect":
            return "refused by the agent"
        return self._quic or "open"

    def _is_reached(self) -> bool:
        """Whether the device reaches the proxy at that address, tested with nc; if not, the route is changed to one
        through adb."""
        at = "{} {}".format(*self.at)
        done = self._control.shell.user(f"nc -w 3 {at} < /dev/null")
        self._control.requests.append(OwnRequest(what="proxy_reached", to=at.replace(" ", ":")))
        if not done.ok:
            tried = Spoken("has no nc to try") if done.code == 127 else Spoken("does not reach")
            agent = self.way.name == "redirect"
            why = Spoken(
                "the device {tried} the proxy at {at}: the {way} leads through adb instead",
                tried=tried,
                at=at.replace(" ", ":"),
                way=Spoken("agent") if agent else Spoken("setting"),
            )
            self.way = replace(self.way, why=why, host=LOOPBACK) if agent else replace(REVERSE, why=why)
        return done.ok

    def _route(self) -> None:
        """Redirect the app's traffic on its way through this machine. Raises DeviceFault `no-uid-to-route`,
        `host-nft-failed`."""
        if self._uid is None or self.way.link is None:
            raise fault("no-uid-to-route", serial=self._control.shell.serial)
        self._redirect = gateway.Redirect(self.way.link, self._here, self._control.run)
        self._redirect.start()
        gateway.lead(self._control, self.way.link, self._uid)

    def _reverse(self) -> None:
        """Forward a port of the device's loopback to the proxy, avoiding ports taken by other `adb reverse`."""
        taken = self._control.shell.adb.reversed()
        while self._port in taken:
            self._port += 1
        self._control.reverse(self._port, self._here)
        self._reversed = True
        self._looked = time.monotonic()


def set_proxy(control: Control, host: str, port: int) -> None:
    """Set the system's proxy until undo; if none was set, undo writes `:0`, as a deleted setting stays in effect.

    Undo reverses the order: first http_proxy, which Android copies to the other settings, then those settings.
    """
    delete_setting(control, "global_proxy_pac_url")
    delete_setting(control, PROXY_SETTINGS[0])
    control.put("global", PROXY_SETTINGS[1], host)
    control.put("global", PROXY_SETTINGS[2], str(port))
    control.put("global", "http_proxy", f"{host}:{port}", restore=":0")


def no_proxy(control: Control) -> None:
    """Remove the user's proxy setting until undo: else, the agent would redirect the connections made to that proxy."""
    delete_setting(control, "global_proxy_pac_url")
    if control.shell.check("settings get global http_proxy").strip() not in ("null", "", ":0"):
        control.put("global", "http_proxy", ":0")


def private_dns_off(control: Control) -> None:
    """Switch private DNS off until undo, if Android is new enough to have it."""
    if control.facts.api >= PRIVATE_DNS_API:
        control.put("global", "private_dns_mode", "off")


def no_other_vpn(control: Control) -> None:
    """Raise DeviceFault if a VPN takes the traffic before the proxy can."""
    said = control.shell.user("settings get secure always_on_vpn_app; ip -o addr show up").out
    always, _, interfaces = said.partition("\n")
    serial = control.shell.serial
    if always.strip() not in ("", "null"):
        raise fault("vpn-always-on", serial=serial, app=always.strip())
    if found := TUNNELS.search(interfaces):
        raise fault("vpn-up", serial=serial, interface=found[1])


def block_quic(control: Control, uid: int) -> str:
    """Block the app's UDP to port 443 until undo, so that it falls back to TCP. Needs root.

    Returns why it could not be done; empty if it was. The rules are in a separate chain, so other rules stay.
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


def delete_setting(control: Control, name: str) -> None:
    """Delete a global setting, if the device has it; undoing puts it back."""
    was = control.shell.check(f"settings get global {name}").strip()
    if was not in ("null", ""):
        undo = f"settings put global {name} {shlex.quote(was)}"
        control.change(f"delete global {name}", f"settings delete global {name}", undo, was=was)

"""Each way of a device's traffic to the proxy: made, looked after, and taken back to what was there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from monitor.errors import UserError
from monitor.observe.android import traffic
from monitor.observe.android.control import Control
from monitor.observe.android.faults import DeviceFault
from tests.adb.rig.phone import Phone

UID = 10123
needs_iptables = pytest.mark.skipif(not shutil.which("iptables"), reason="apt-get install iptables")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"http_proxy": "10.1.2.3:3128", "global_http_proxy_host": "10.1.2.3", "global_http_proxy_port": "3128"},
        {"global_proxy_pac_url": "http://wpad.test/it's.pac", "global_http_proxy_exclusion_list": "*.test,a b"},
    ],
)
@pytest.mark.parametrize("api", [24, 36])
def test_the_proxy_setting_through_adb(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], api: int, settings: dict[str, str]
) -> None:
    phone = phone_of(api=api, su="", state={"settings": {"global": settings, "secure": {}, "system": {}}})
    control = control_of(phone)
    control.shell.adb.reverse(8080, 9)
    route = traffic.Route(control, traffic.choose(control, "auto"), ("127.0.0.1", 8080), UID)

    route.start()

    assert phone.read()["settings"]["global"] == {
        "global_http_proxy_host": "127.0.0.1",
        "global_http_proxy_port": "8081",
        "http_proxy": "127.0.0.1:8081",
    }
    assert sorted(control.shell.adb.reversed()) == [8080, 8081]
    assert control.journal.undo_all(control.take_back) == []
    assert phone.read()["settings"]["global"] == {"http_proxy": ":0", **settings}
    assert control.shell.adb.reversed() == [8080], "somebody else's stays"


def test_a_lost_reverse_is_made_again(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], monkeypatch: pytest.MonkeyPatch
) -> None:
    control = control_of(phone_of())
    route = traffic.Route(control, traffic.REVERSE, ("127.0.0.1", 8080))
    route.start()
    assert route.renew() == []
    monkeypatch.setattr(traffic, "RENEW_S", 0.0)
    assert route.renew() == []

    control.shell.adb.unreverse(8080)

    assert "port 8080" in route.renew()[0]
    assert control.shell.adb.reversed() == [8080]
    assert control.journal.undo_all(control.take_back) == []
    assert control.shell.adb.reversed() == []


@pytest.mark.parametrize(
    ("options", "wanted", "expected"),
    [
        ({}, "auto", ("reverse", "regular", "127.0.0.1")),
        ({"emulator": True}, "auto", ("address", "regular", "10.0.2.2")),
        ({}, "wireguard@51820", ("by-hand", "wireguard", None)),
        ({"emulator": True}, "local:qemu", ("by-hand", "local", None)),
        ({}, "local", None),
        ({}, "sideways", None),
    ],
)
def test_which_way(
    phone_of: Callable[..., Phone],
    control_of: Callable[[Phone], Control],
    options: dict[str, Any],
    wanted: str,
    expected: tuple[str, ...] | None,
) -> None:
    control = control_of(phone_of(**options))
    if expected is None:
        with pytest.raises(UserError, match="no way for mode"):
            traffic.choose(control, wanted)
        return
    way = traffic.choose(control, wanted)
    assert (way.name, way.kind, way.host) == expected


def test_another_vpn_is_a_fault(phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]) -> None:
    phone = phone_of(state={"settings": {"global": {}, "secure": {"always_on_vpn_app": "org.vpn"}, "system": {}}})
    control = control_of(phone)
    route = traffic.Route(control, traffic.REVERSE, ("127.0.0.1", 8080))
    with pytest.raises(DeviceFault, match=r"org\.vpn") as raised:
        route.start()
    assert raised.value.code == "vpn-always-on"

    control.shell.check("settings delete secure always_on_vpn_app")
    control.shell.check(
        "ip tuntap add tun0 mode tun && ip addr add 10.9.9.9/24 dev tun0 && ip link set tun0 up", root=True
    )
    with pytest.raises(DeviceFault) as raised:
        route.start()
    assert raised.value.code == "vpn-up"
    assert control.journal.open == ()

    control.shell.check("ip link del tun0", root=True)
    route.start()


@needs_iptables
def test_quic_of_the_app_alone_is_refused(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]
) -> None:
    control = control_of(phone_of())
    rules = "iptables -S; ip6tables -S"
    control.shell.check(f"iptables -A OUTPUT -m owner --uid-owner {UID} -p udp --dport 443 -j REJECT", root=True)
    before = control.shell.root(rules).out
    route = traffic.Route(control, traffic.REVERSE, ("127.0.0.1", 8080), UID)

    route.start()

    assert route.describe()["quic"] == "blocked"
    for tables, family, address in (("iptables", "AF_INET", "127.0.0.1"), ("ip6tables", "AF_INET6", "::1")):
        refused = []
        for uid, port in ((UID, 443), (UID, 53), (UID + 1, 443)):
            program = (
                f"import os, socket; os.setuid({uid}); s = socket.socket(socket.{family}, socket.SOCK_DGRAM); "
                f"s.sendto(b'x', ('{address}', {port}))"
            )
            control.shell.root(f'/usr/bin/python3 -c "{program}"')
            refused.append(int(control.shell.root(f"{tables} -nvxL {control.run}").out.splitlines()[2].split()[0]))
        assert refused == [1, 1, 1]
    assert control.journal.undo_all(control.take_back) == []
    assert control.shell.root(rules).out == before

"""Each way of a device's traffic to the proxy: made, looked after, and taken back to what was there."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from appwitness.devices.android import traffic
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.journal import Journal
from appwitness.devices.android.traffic import gateway, wireguard
from appwitness.support.errors import UserError
from tests.adb.rig.phone import Phone

UID = 10123
needs_iptables = pytest.mark.skipif(not shutil.which("iptables"), reason="apt-get install iptables")


@pytest.mark.parametrize(
    ("api", "settings"),
    [
        (24, {}),
        (36, {"http_proxy": "10.1.2.3:3128", "global_http_proxy_host": "10.1.2.3", "global_http_proxy_port": "3128"}),
        (24, {"global_proxy_pac_url": "http://wpad.test/it's.pac", "global_http_proxy_exclusion_list": "*.test,a b"}),
    ],
)
def test_the_proxy_setting_through_adb(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], api: int, settings: dict[str, str]
) -> None:
    phone = phone_of(api=api, su="", state={"settings": {"global": settings, "secure": {}, "system": {}}})
    control = control_of(phone)
    control.shell.adb.reverse(8080, 9)
    route = traffic.TrafficRoute(control, traffic.choose(control, "auto"), ("127.0.0.1", 8080), UID)

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
    route = traffic.TrafficRoute(control, traffic.REVERSE, ("127.0.0.1", 8080))
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
    ("options", "expected"),
    [
        (
            {},
            {
                "auto": ("reverse", "regular", "127.0.0.1"),
                "auto gadget": ("reverse", "regular", "127.0.0.1"),
                "redirect": ("redirect", "redirect", "127.0.0.1"),
                "wireguard@51820": ("by-hand", "wireguard", None),
                "local": None,
                "sideways": None,
            },
        ),
        (
            {"emulator": True},
            {
                "auto": ("address", "regular", "10.0.2.2"),
                "redirect": ("redirect", "redirect", "10.0.2.2"),
                "local:qemu": ("by-hand", "local", None),
            },
        ),
        (
            {"su": ""},
            {
                "auto": ("reverse", "regular", "127.0.0.1"),
                "auto gadget": ("redirect", "redirect", "127.0.0.1"),
                "regular gadget": ("reverse", "regular", "127.0.0.1"),
                "redirect": None,
            },
        ),
    ],
)
def test_which_way(
    phone_of: Callable[..., Phone],
    control_of: Callable[[Phone], Control],
    options: dict[str, Any],
    expected: dict[str, tuple[str | None, ...] | None],
) -> None:
    control = control_of(phone_of(**options))
    for wanted, found in expected.items():
        mode, _, gadget = wanted.partition(" ")
        if found is None:
            with pytest.raises(UserError, match="does not support mode"):
                traffic.choose(control, mode)
        else:
            way = traffic.choose(control, mode, gadget=bool(gadget))
            assert (way.name, way.kind, way.host) == found, wanted


def test_the_redirect_takes_a_port_of_the_device_and_puts_a_proxy_of_the_users_aside(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"http_proxy": "10.1.2.3:3128", "global_proxy_pac_url": "http://wpad.test/a.pac"}
    phone = phone_of(state={"settings": {"global": settings, "secure": {}, "system": {}}})
    control = control_of(phone)
    control.shell.adb.reverse(8080, 9)
    route = traffic.TrafficRoute(control, traffic.choose(control, "redirect"), ("127.0.0.1", 8080), UID)

    route.start()

    assert route.at == ("127.0.0.1", 8081)
    told = route.describe()
    assert (told["way"], told["keeps_port"], told["host"], told["port"]) == ("redirect", False, "127.0.0.1", 8081)
    assert told["quic"] in ("blocked", "refused by the agent")
    assert phone.read()["settings"]["global"] == {"http_proxy": ":0"}
    monkeypatch.setattr(traffic, "RENEW_S", 0.0)
    control.shell.adb.unreverse(8081)
    assert "port 8081" in route.renew()[0]
    assert control.journal.undo_all(control.take_back) == []
    assert phone.read()["settings"]["global"] == settings
    assert control.shell.adb.reversed() == [8080]


def test_an_adb_server_elsewhere_cannot_lead_the_device_here(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], monkeypatch: pytest.MonkeyPatch
) -> None:
    control = control_of(phone_of(su=""))
    monkeypatch.setenv("ADB_SERVER_SOCKET", "tcp:192.0.2.1:5037")

    with pytest.raises(DeviceFault) as error:
        control.reverse(8080, 8080)

    assert error.value.code == "adb-server-elsewhere"
    assert "192.0.2.1:5037" in error.value.what
    assert not control.journal.open


def test_another_vpn_is_a_fault(phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]) -> None:
    phone = phone_of(state={"settings": {"global": {}, "secure": {"always_on_vpn_app": "org.vpn"}, "system": {}}})
    control = control_of(phone)
    route = traffic.TrafficRoute(control, traffic.REVERSE, ("127.0.0.1", 8080))
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


@pytest.mark.parametrize("reached", [True, False])
def test_the_emulators_address_is_tried(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], reached: bool
) -> None:
    phone = phone_of(emulator=True)
    control = control_of(phone)
    if reached:
        program = (
            "import socket; s = socket.create_server(('10.0.2.2', 8080)); [s.accept()[0].close() for _ in range(9)]"
        )
        control.shell.check(
            "ip addr add 10.0.2.2/32 dev lo\n"
            f'setsid /usr/bin/python3 -c "{program}" < /dev/null > /dev/null 2>&1 &\n'
            "until nc -w 1 10.0.2.2 8080 < /dev/null; do sleep 0.05; done",
            root=True,
        )
    route = traffic.TrafficRoute(control, traffic.choose(control, "auto"), ("127.0.0.1", 8080))

    route.start()

    told = route.describe()
    assert [(each.what, each.to) for each in control.requests] == [("proxy_reached", "10.0.2.2:8080")]
    host = "10.0.2.2" if reached else "127.0.0.1"
    assert told["way"] == ("address" if reached else "reverse")
    assert ("does not reach the proxy at 10.0.2.2:8080" in told["why"]) != reached
    assert phone.read()["settings"]["global"]["http_proxy"] == f"{host}:8080"
    assert control.shell.adb.reversed() == ([] if reached else [8080])


@pytest.fixture
def bridge(phone_of: Callable[..., Phone]) -> Iterator[tuple[Phone, str, str]]:
    """A phone that has this machine as its gateway, as a container has: with the addresses of both."""
    phone = phone_of(emulator=True)
    name, ours, its = f"aw{phone.port}", "10.213.77.1", "10.213.77.2"
    inside = ["nsenter", "-t", str(phone.init), "-n", "ip"]
    try:
        made = ["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(phone.init)]
        subprocess.run(made, check=True)
        subprocess.run(["ip", "addr", "add", f"{ours}/30", "dev", name], check=True)
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        for words in (
            ["addr", "add", f"{its}/30", "dev", "eth0"],
            ["link", "set", "eth0", "up"],
            ["-6", "addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad"],
            ["route", "add", "default", "via", ours],
        ):
            subprocess.run([*inside, *words], check=True)
        yield phone, ours, its
    finally:
        subprocess.run(["ip", "link", "del", name], check=False, capture_output=True)


needs_gateway = pytest.mark.skipif(gateway.nft() is None or os.geteuid() != 0, reason="needs root and nft")
CONNECT = (
    "import os, socket; os.setuid({uid}); s = socket.create_connection(('198.51.100.7', 443), timeout=2); "
    "print(s.getsockname()[1]); s.sendall(b'x'); s.recv(1)"
)


@needs_gateway
@needs_iptables
def test_the_apps_traffic_alone_is_routed_to_the_proxy(
    bridge: tuple[Phone, str, str], control_of: Callable[[Phone], Control]
) -> None:
    phone, ours, its = bridge
    control = control_of(phone)
    state = "ip rule; ip -6 rule; ip route show table 90; iptables -S; ip6tables -S"
    control.shell.root("iptables -S; ip6tables -S")
    before = control.shell.root(state).out
    with socket.create_server((ours, 0)) as proxy:
        proxy.settimeout(5)
        port = proxy.getsockname()[1]
        way = traffic.choose(control, "auto", ours)
        assert (way.name, way.kind, way.link) == ("routed", "transparent", gateway.Link(ours, "eth0", its))
        assert way.keeps_port
        route = traffic.TrafficRoute(control, way, (ours, port), UID)

        route.start()

        with ThreadPoolExecutor() as threads:
            app = threads.submit(control.shell.root, f'/usr/bin/python3 -c "{CONNECT.format(uid=UID)}"')
            connection, client = proxy.accept()
            target = connection.getsockopt(socket.SOL_IP, 80, 16)  # SO_ORIGINAL_DST
            connection.sendall(b"y")
            connection.close()
            assert client == (its, int(app.result().out))
        assert (socket.inet_ntoa(target[4:8]), int.from_bytes(target[2:4])) == ("198.51.100.7", 443)
        other = control.shell.root(f'/usr/bin/python3 -c "{CONNECT.format(uid=UID + 1)}"')
        assert not other.ok, "another app's does not come here"
        six = [
            control.shell.root(
                f'/usr/bin/python3 -c "import os, socket; os.setuid({uid}); '
                "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect(('2001:db8::1', 53))\""
            ).ok
            for uid in (UID, UID + 1)
        ]
        assert six == [False, True]
        route.stop()
        made = control.journal.open
        assert control.journal.undo_all(control.take_back) == []
        assert control.shell.root(state).out == before
        for entry in reversed(made):  # twice is as good as once
            control.take_back(entry.undo)
    assert control.shell.root(state).out == before
    assert control.run not in ruleset()


def ruleset() -> str:
    return subprocess.run([gateway.nft() or "", "list", "ruleset"], check=True, capture_output=True, text=True).stdout


@needs_gateway
def test_what_this_machine_redirects_ends_with_the_run_however_it_ends() -> None:
    program = (
        "from appwitness.devices.android.traffic.gateway import Link, Redirect; import time; "
        "Redirect(Link('192.0.2.1', 'x', '192.0.2.2'), 9, 'dead0001').start(); print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        run.stdout.readline()
        assert "appwitness_dead0001" in ruleset()
        run.kill()
    end = time.monotonic() + 5
    while "appwitness_dead0001" in ruleset() and time.monotonic() < end:
        time.sleep(0.05)
    assert "appwitness_dead0001" not in ruleset()


@pytest.mark.parametrize("script", ["exit 1", "exec sleep 60"])
def test_an_nft_that_takes_no_table_is_said_and_mode_regular_does(
    phone_of: Callable[..., Phone],
    control_of: Callable[[Phone], Control],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    script: str,
) -> None:
    program = tmp_path / "nft"
    program.write_text(f'#!/bin/sh\n[ "$1" = list ] && exit 1\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setattr(gateway, "nft", lambda: str(program))
    monkeypatch.setattr(gateway, "NFT_S", 0.5)
    control = control_of(phone_of())
    link = gateway.Link("192.0.2.1", "eth0", "192.0.2.2")
    routed = traffic.TrafficWay("routed", "transparent", "", "", True, link.gateway, link=link)

    with pytest.raises(DeviceFault) as raised:
        traffic.TrafficRoute(control, routed, (link.gateway, 9), UID).start()

    assert raised.value.code == "host-nft-failed"
    assert "--mode regular" in raised.value.next_step
    assert control.journal.open == ()
    traffic.TrafficRoute(control, traffic.choose(control, "regular"), ("127.0.0.1", 9), UID).start()  # the remedy
    assert control.shell.adb.reversed() == [9]
    assert control.journal.undo_all(control.take_back) == []


@needs_gateway
def test_where_the_proxy_listens_elsewhere_it_is_said(
    bridge: tuple[Phone, str, str], control_of: Callable[[Phone], Control]
) -> None:
    phone, ours, its = bridge
    control = control_of(phone)
    assert traffic.choose(control, "auto").kind == "regular"
    assert f"--listen {ours} --device-address {its}" in traffic.modes(control)["transparent"][2]
    route = traffic.TrafficRoute(control, traffic.choose(control, "transparent"), (ours, 9))
    with pytest.raises(DeviceFault) as raised:
        route.start()
    assert raised.value.code == "no-uid-to-route"


CONFIGURATION = """[Interface]
PrivateKey = 8CqVmJcBHQ9dpVEIRTDFjZHkzEKZ8q1S3GjhmDbBHkE=
Address = 10.0.0.1/32
DNS = 10.0.0.53

[Peer]
PublicKey = 3p3OYhlYzBhSHtHDiUWXmKpCpYuOyvOKGZjSCzqvmmg=
AllowedIPs = 0.0.0.0/0
Endpoint = 172.17.0.1:51820"""


@pytest.mark.parametrize("settings", [b"", b"\x0a\x14\x0a\x0edark_theme_now\x12\x02\x08\x01"])
def test_the_wireguard_app_is_set_up_without_a_hand(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], settings: bytes
) -> None:
    """`settings`: what the user has in the app, none or some."""
    uid = 10200
    phone = phone_of(emulator=True)
    control = control_of(phone)
    app = {"uid": uid, "path": "/data/app/wg/base.apk", "versionName": "1", "versionCode": 1}
    assert traffic.choose(control, "wireguard").name == "by-hand"
    phone.write(packages={wireguard.APP: app})
    phone.write(settings={"global": {"private_dns_mode": "hostname"}, "secure": {}, "system": {}})
    folder = phone.root / wireguard.FILES.lstrip("/")
    folder.mkdir(parents=True)
    os.chown(folder, uid, uid)
    if settings:
        (folder / "datastore").mkdir()
        (folder / "datastore/settings.preferences_pb").write_bytes(settings)

    def content() -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def there() -> tuple[object, ...]:
        state = phone.read()
        appops = state.get("appops", {}).get(wireguard.APP, {}).get("ACTIVATE_VPN", {}).get("mode", "default")
        return content(), state["settings"], appops, control.shell.user("ip -o addr").out

    before = there()
    way = traffic.choose(control, "wireguard@51820")
    assert (way.name, way.todo) == ("wireguard", "")
    route = traffic.TrafficRoute(
        control, way, ("127.0.0.1", 51820), UID, package="com.example.app", tunnel=CONFIGURATION
    )

    route.start()

    assert "tun0" in control.shell.user("ip -o addr show up").out
    written = content()[f"{control.run}.conf"].decode()
    assert "[Interface]\nIncludedApplications = com.example.app\nPrivateKey" in written
    assert "Endpoint = 10.0.2.2:51820" in written
    assert content()["datastore/settings.preferences_pb"].startswith(settings)
    assert phone.read()["settings"]["global"]["private_dns_mode"] == "off"
    assert control.journal.undo_all(control.take_back) == []
    assert there() == before


@needs_iptables
def test_quic_of_the_app_alone_is_refused(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]
) -> None:
    control = control_of(phone_of())
    rules = "iptables -S; ip6tables -S"
    control.shell.check(f"iptables -A OUTPUT -m owner --uid-owner {UID} -p udp --dport 443 -j REJECT", root=True)
    before = control.shell.root(rules).out
    route = traffic.TrafficRoute(control, traffic.REVERSE, ("127.0.0.1", 8080), UID)

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


@needs_iptables
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This process")
@pytest.mark.parametrize("before_it", [True, False])
def test_killed_after_any_entry_of_the_journal_it_is_taken_back(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path, before_it: bool
) -> None:
    """The run is killed with the entry written, before or after its change is made; another process takes it back."""
    theirs = {"global_proxy_pac_url": "http://wpad.test/a.pac", "http_proxy": "10.1.2.3:3128"}
    phone = phone_of(state={"settings": {"global": theirs, "secure": {}, "system": {}}})
    control = control_of(phone)

    def state() -> tuple[object, ...]:
        rules = control.shell.root("iptables -S; ip6tables -S").out
        return phone.read()["settings"], sorted(control.shell.adb.reversed()), rules

    before = state()
    for number in itertools.count(1):
        ended = start_and_die(control, number, before_it)
        journal = Journal(tmp_path / "devices", control.facts.serial, control.facts.boot)
        assert journal.open
        assert journal.undo_all(control.take_back) == []
        assert state() == before
        if ended:
            assert number == (7 if before_it else 6), "a port, four settings and QUIC, each had its turn"
            return


def start_and_die(control: Control, number: int, before_it: bool) -> bool:
    """In a process that kills itself at that entry of the journal, or at the next; whether it came to its end."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            write, entries = control.journal.before, itertools.count(1)

            def die(*arguments: Any, **named: Any) -> Any:
                this = next(entries)
                if not before_it and this > number:
                    os.kill(os.getpid(), signal.SIGKILL)
                entry = write(*arguments, **named)
                if before_it and this == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return entry

            control.journal.before = die  # type: ignore[method-assign]
            traffic.TrafficRoute(control, traffic.REVERSE, ("127.0.0.1", 8080), UID).start()
        os._exit(0)
    return os.WIFEXITED(os.waitpid(pid, 0)[1])

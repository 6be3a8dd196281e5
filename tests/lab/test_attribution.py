"""Both ends of what the sample apps do: read here by this code of that SDK, sent there by that code of that SDK."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import urllib.request
from contextlib import suppress

import pytest

from appwitness.agent.sources import load as sources
from appwitness.api.expected import load, shown
from appwitness.correlate import correlate, knowledge, report
from appwitness.devices.lab.apps import LINE1
from appwitness.devices.lab.lab_device import LabDevice
from appwitness.events import Connection, Upload
from appwitness.observe.order import Order
from appwitness.observe.run import observe
from appwitness.recording import Recording
from appwitness.reports import render
from appwitness.store import Store
from hatch_build import build_agent, build_lab
from tests.lab.test_trust import ROOT

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]


@pytest.fixture(scope="module", autouse=True)
def built():
    build_agent(ROOT)
    build_lab(ROOT)


class Seen:
    """A run of a sample app, judged."""

    def __init__(self, recording, room):
        self.recording = recording
        store = Store(room / "index.sqlite")
        correlate(recording, store, knowledge())
        self.report = report(store, recording.run.id, knowledge())

    def ends(self, rule):
        """Recipient -> who read and who sent it."""
        found = {}
        for finding in self.report.findings:
            if finding.rule == rule and finding.recipient:
                ends = [(end.code, end.owner) if end else None for end in (finding.read_by, finding.sent_by)]
                found[finding.recipient.host] = tuple(ends)
        return found


def play(device, room, plan):
    with device:
        recording = observe(device, room / "recording", sources(), Order(plan=plan, confdir=room / "proxy"))
    return Seen(recording, room)


@pytest.fixture(scope="module")
def seen(circle, tmp_path_factory):
    return Seen(Recording.open(circle.recording), tmp_path_factory.mktemp("circle"))


def test_the_stacks_at_both_ends_are_in_the_findings(seen):
    ends = seen.ends("sent-before-consent")
    assert ends == {
        "sync.friendgraph.test": (
            ("com.friendgraph.sdk.FriendGraph.collect", "FriendGraph"),
            ("com.friendgraph.sdk.FriendGraph.upload", "FriendGraph"),
        ),
        "api.circle.test": (
            None,  # an SDK had read the same values before some of these uploads
            ("com.example.circle.CircleApi.post", None),
        ),
    }
    assert {flow.carrier.by for flow in seen.report.flows if flow.carrier} == {"port"}
    assert {flow.carrier.app for flow in seen.report.flows if flow.carrier} == {"com.example.circle"}


def test_each_report_tells_them(seen):
    text = " ".join(render(seen.report, "text", lang="en").split())
    assert "(FriendGraph)" in text
    page = render(seen.report, "html")
    assert "com.friendgraph.sdk.FriendGraph" in page
    assert "Sent by" in page
    findings = json.loads(render(seen.report, "json"))["findings"]
    assert {finding["sent_by"]["owner"] for finding in findings if finding.get("sent_by")} == {"FriendGraph", None}


def test_a_connection_names_its_host_and_how_much_went_out(seen):
    lines = list(seen.recording.events(Connection))
    assert {line.host for line in lines} == {"api.circle.test", "sync.friendgraph.test"}
    sent = {line.local.port: line.sent for line in lines if line.op == "close"}
    for upload in seen.recording.events(Upload):
        assert upload.client is not None
        assert upload.client.port not in sent or (sent[upload.client.port] or 0) > upload.size


class Relayed(LabDevice):
    """A device whose ports do not reach the proxy as they are, as behind an emulator's network or `adb reverse`."""

    def prepare(self, proxy_host, proxy_port, ca_pem, **options):
        self.relay = socket.create_server(("127.0.0.1", 0))
        self.ends = [self.relay]
        threading.Thread(target=self._serve, args=((proxy_host, proxy_port),), daemon=True).start()
        super().prepare("127.0.0.1", self.relay.getsockname()[1], ca_pem)

    def undo(self):
        for end in self.ends:
            with suppress(OSError):
                end.close()
        super().undo()

    def _serve(self, proxy):
        with suppress(OSError):
            while True:
                near, _ = self.relay.accept()
                far = socket.create_connection(proxy)
                self.ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass(source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.mark.slow
def test_where_ports_change_on_the_way_it_is_joined_by_host_and_time(tmp_path):
    seen = play(Relayed("skies", "accept", tmp_path / "work", cache=tmp_path / "lab"), tmp_path, "accept")
    assert shown(seen.report.findings) == load()["skies"]["accept"]
    carriers = [flow.carrier for flow in seen.report.flows]
    assert all(carriers)
    assert {carrier.by for carrier in carriers if carrier} == {"host"}
    assert all(carrier.confidence < 1 for carrier in carriers if carrier)
    assert not any(flow.other_app for flow in seen.report.flows)
    _, sent_by = seen.ends("sent-before-consent")["ads.adnet.test"]
    assert sent_by == ("com.adnet.sdk.AdNet.send", "AdNet")


class Shared(LabDevice):
    """A device on which another app sends the same number through the same proxy."""

    def prepare(self, proxy_host, proxy_port, ca_pem, **options):
        self.other = f"http://{proxy_host}:{proxy_port}"
        super().prepare(proxy_host, proxy_port, ca_pem)

    def stop(self):
        if self.other:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            handlers = [
                urllib.request.ProxyHandler({"https": self.other}),
                urllib.request.HTTPSHandler(context=context),
            ]
            opener = urllib.request.build_opener(*handlers)
            self.other = ""
            opener.open("https://api.corner.test/other", json.dumps({"number": LINE1}).encode(), timeout=20).read()
        super().stop()


@pytest.mark.slow
def test_another_apps_uploads_are_marked_and_no_finding_rests_on_them(tmp_path):
    seen = play(Shared("corner", "accept", tmp_path / "work", cache=tmp_path / "lab"), tmp_path, "accept")
    assert shown(seen.report.findings) == load()["corner"]["accept"]
    other = [flow for flow in seen.report.flows if flow.other_app]
    assert [flow.carrier for flow in other] == [None]
    assert [gap.subject for gap in seen.report.gaps if gap.why == "process_not_instrumented"] == ["api.corner.test"]
    assert [flow.carrier.by for flow in seen.report.flows if flow.carrier] == ["port"]

"""Files that mitmproxy itself wrote, as flows and as HAR, of the same real traffic: imported, linked and reported."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.events import Upload
from appwitness.exchange import Origin, guess, imported
from appwitness.support.errors import UserError

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

NUMBER = "+8613800138000"
BODIES = [json.dumps({"tel": NUMBER}).encode(), gzip.compress(json.dumps({"u": NUMBER}).encode()), b"x" * 200_000]


class Answer(BaseHTTPRequestHandler):
    """Takes what it is sent and says thank you."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(201)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with out.flows and out.har, as stock mitmdump wrote them."""
    folder = tmp_path_factory.mktemp("captured")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    mitmdump = str(Path(sys.executable).with_name("mitmdump"))
    settings = [f"confdir={folder}/conf", "listen_host=127.0.0.1", "listen_port=0", f"hardump={folder}/out.har"]
    command = [mitmdump, "-w", f"{folder}/out.flows", *(word for setting in settings for word in ("--set", setting))]
    said_at_once = {**os.environ, "PYTHONUNBUFFERED": "1"}
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=said_at_once)
    try:
        assert proxy.stdout is not None
        port = next(found[1] for line in proxy.stdout if (found := re.search(rb"listening at .*:(\d+)", line))).decode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{port}"}))
        for body in BODIES:
            opener.open(f"http://127.0.0.1:{server.server_port}/sync", body).read()
    finally:
        proxy.terminate()
        proxy.communicate()
        server.shutdown()
        server.server_close()
    return folder


@pytest.mark.parametrize(("name", "kind"), [("out.flows", "flows"), ("out.har", "har")])
def test_real_traffic_is_imported_whole(captured, tmp_path, name, kind) -> None:
    assert guess(captured / name) == kind
    recording = imported([captured / name], tmp_path / "r", Origin("com.example.circle"))
    uploads = list(recording.events(Upload))
    assert [recording.body(upload.body or "") for upload in uploads] == BODIES
    assert {(upload.method, upload.status, upload.truncated) for upload in uploads} == {("POST", 201, False)}
    assert list(recording.read("gap")) == []
    assert recording.run.source[0].format == kind


def test_a_planted_value_is_found_in_it(captured, tmp_path) -> None:
    command = ["import", str(captured / "out.flows"), "--app", "com.example.circle", "--output", str(tmp_path / "r")]
    done = CliRunner().invoke(main, [*command, "--value", f"phone_number={NUMBER}"])
    assert done.exit_code == 0, done.output
    assert "3 uploads, 0 reads, 0 gaps" in done.output
    command = ["report", str(tmp_path / "r"), "--format", "json", "--db", str(tmp_path / "db.sqlite")]
    report = json.loads(CliRunner().invoke(main, command).stdout)
    assert [(flow["upload"], flow["access"], flow["data"]) for flow in report["flows"]] == [
        ("uploads.jsonl:1", None, "phone_number"),
        ("uploads.jsonl:2", None, "phone_number"),
    ]
    assert CliRunner().invoke(main, ["verify", str(tmp_path / "r")]).exit_code == 0


def test_what_is_no_flow_file_is_refused(tmp_path) -> None:
    path = tmp_path / "a.flows"
    path.write_bytes(b"12:not a flow at all")
    with pytest.raises(UserError, match="cannot be read as a mitmproxy flow file"):
        imported([path], tmp_path / "r", Origin("com.example.circle"), "flows")

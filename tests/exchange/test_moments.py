"""What a bundle has of each finding: its lines, both stacks, the one exchange as HAR, and the screen as last seen."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from appwitness.recording import Recording
from tests.recording.test_signing import appwitness
from tests.recordings.builder.case import Case, write
from tests.recordings.builder.reads import DEVICE, NUMBER, PHONE

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(40)
LOGIN = "com.example.shop.Login.prefill(Login.java:31)"
SEND = "com.adnet.sdk.Sync.send(Sync.java:9)"


def bundled(case: Case, place: Path) -> Path:
    """The folder of the case's unpacked bundle."""
    write([case], place)
    with Recording.open(place / case.name) as recording:
        recording.stamp(final=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APPWITNESS_HOME", str(place / "home"))
        appwitness("bundle", place / case.name, "--output", place / "b.zip", "--db", place / "db.sqlite")
    with zipfile.ZipFile(place / "b.zip") as archive:
        archive.extractall(place / "b")
    return place / "b"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    case = Case("moment", "Sent before an answer, while a dialog was on the screen.", plan="silent").launched()
    case.asked(0.5).read(1, NUMBER, LOGIN)
    case.sent(2, "https://log.adnet.test/v1", {"tel": PHONE}, by=SEND).sent(3, "https://api.shop.test/other", {"a": 1})
    digest = hashlib.sha256(PICTURE).hexdigest()
    case.bodies[digest] = PICTURE
    case.line("screen", 1.5, image=digest, package="com.example.shop", why="consent", by="host", pid=None)
    case.line("screen", 40, image=None, package="com.example.shop", why="plan", by="host", pid=None)
    return bundled(case, tmp_path_factory.mktemp("moments"))


def test_each_finding_has_its_moment(unpacked):
    folders = {path.name.partition("-")[2]: path for path in (unpacked / "moments").iterdir()}
    assert {"sent-before-consent", "read-before-consent"} <= folders.keys()
    sent = folders["sent-before-consent"]
    lines = [json.loads(line) for line in (sent / "lines.jsonl").read_text("utf-8").splitlines()]
    assert {"accesses.jsonl:1", "uploads.jsonl:1", "connections.jsonl:1"} <= {line["ref"] for line in lines}
    stacks = (sent / "stacks.txt").read_text("utf-8")
    assert LOGIN in stacks
    assert SEND in stacks
    (entry,) = json.loads((sent / "exchange.har").read_text("utf-8"))["log"]["entries"]
    assert entry["request"]["url"] == "https://log.adnet.test/v1"
    assert json.loads((sent / "screen.json").read_text("utf-8"))["ref"] == "screens.jsonl:1"
    assert (sent / "screen.png").read_bytes() == PICTURE
    page = (sent / "index.html").read_text("utf-8")
    for said in ("sent", "500 ms", SEND, "exchange.har", "screen.png"):
        assert said in page
    assert PHONE not in page
    chinese = (sent / "index.zh.html").read_text("utf-8")
    for said in ("当时的屏幕", "承载该信息的连接", SEND, 'href="index.html"'):
        assert said in chinese
    assert "The screen then" not in chinese
    assert PHONE not in chinese


def test_what_was_not_seen_is_said(unpacked):
    read = next(path for path in (unpacked / "moments").iterdir() if path.name.endswith("read-before-consent"))
    page = (read / "index.html").read_text("utf-8")
    if not (read / "exchange.har").exists():
        assert "No HTTP message belongs to it." in page


def test_the_moment_of_a_read_is_its_own_and_not_that_of_the_question_before(tmp_path):
    case = Case("moment", "Read while a dialog was on the screen.", plan="silent").launched()
    case.asked(0.5).read(1, DEVICE, LOGIN).read(3, NUMBER, LOGIN)
    for at in (0.2, 2):
        case.line("screen", at, image=None, package="com.example.shop", why="plan", by="host", pid=None)
    screens = [
        json.loads((folder / "screen.json").read_text("utf-8"))["ref"]
        for folder in (bundled(case, tmp_path) / "moments").iterdir()
        if '"accesses.jsonl:2"' in (folder / "lines.jsonl").read_text("utf-8").partition("\n")[0]
    ]
    assert screens
    assert set(screens) == {"screens.jsonl:2"}


def test_the_bundle_still_verifies(unpacked):
    assert "intact" in appwitness("verify", unpacked.with_name("b.zip"))

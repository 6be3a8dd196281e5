"""What is forgotten is nowhere any more, the seal explains it, and nothing is concluded from the hole."""

import gzip
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appwitness.care import shared, to_forget
from appwitness.cli.settings import KINDS
from appwitness.cli.verbs import main
from appwitness.correlate import report_on
from appwitness.events import (
    FILES,
    Access,
    AppIdentity,
    DeviceIdentity,
    Gap,
    Run,
    Screen,
    Transform,
    Upload,
    Value,
    blob,
)
from appwitness.exchange import har
from appwitness.recording import Recording, verify
from appwitness.reports import FORMATS, render
from appwitness.store import Store
from appwitness.support.errors import UserError
from tests.care.test_sharing import NAME, PHONE, START, Judge
from tests.recordings.written import RECORDINGS

APP = "com.example.shop"
VALUE = Value(type="phone_number", text=PHONE)
LINE: dict[str, Any] = {"at": START, "app": APP, "pid": 1}


def run(**more) -> Run:
    device = DeviceIdentity(serial="lab", kind="lab")
    return Run(id="run-1", app=AppIdentity(package=APP), device=device, started=START, **more)


def sealed(case: str, into: Path) -> Recording:
    """A recording of tests with a stamp."""
    shutil.copytree(RECORDINGS / case, into)
    (into / "expected.json").unlink()
    recording = Recording.open(into)
    recording.stamp(final=True)
    return recording


def with_a_phone_number(path: Path) -> Recording:
    """One that reads a number and a name, and sends each in several ways."""
    recording = Recording.create(path, run(persona=(VALUE, Value(type="name", text=NAME))))
    for value in (VALUE, Value(type="name", text=NAME)):
        recording.append(Access(**LINE, source="a.b.C.d", data=value.type, values=(value,), outcome="returned"))
    recording.append(
        Transform(**LINE, op="digest", algorithm="MD5", input=blob(PHONE.encode()), output=blob(b"0" * 16))
    )
    for body in (
        json.dumps({"tel": PHONE}).encode(),
        gzip.compress(json.dumps({"t": {"n": PHONE}}).encode(), mtime=0),
        json.dumps({"name": NAME}).encode(),
        b"nothing",
    ):
        digest = recording.put_body(body)
        recording.append(Upload(**LINE, via="http", url="https://a.test/x", host="a.test", body=digest, size=len(body)))
    recording.append(Upload(**LINE, via="http", url=f"https://a.test/{PHONE.replace('+', '%2B')}", host="a.test"))
    digest = recording.put_body(json.dumps({"tel": PHONE}).encode())
    recording.append(
        Gap(**LINE, where="proxy", subject="a.test", why="body_truncated", detail=f"body {digest}, 3 of 9")
    )
    tree = recording.put_body(f'<node text="{PHONE}"/>'.encode())
    recording.append(Screen(**LINE, tree=tree, image=recording.put_body(b"\x89PNG of it"), why="plan", by="host"))
    recording.append(Screen(**LINE, image=recording.put_body(b"\x89PNG of another"), why="plan", by="host"))
    recording.update_run(ended=START + timedelta(minutes=1))
    return recording


def everything(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in sorted(path.rglob("*")) if each.is_file())


def test_a_value_is_forgotten_with_all_that_holds_it_and_others_stay(tmp_path):
    recording = with_a_phone_number(tmp_path / "r")
    judge = Judge(recording)
    plan = to_forget(recording, [VALUE])
    assert plan.lines == {
        "access": {1}, "transform": {1}, "upload": {1, 2, 5}, "gap": {1}, "screen": {1},
    }  # fmt: skip
    assert [ref.partition("/")[0] for ref in plan.unsearched] == ["bodies"]  # a picture
    plan.forget()
    assert (verify(tmp_path / "r").outcome, verify(tmp_path / "r").problems) == ("intact", ())
    assert verify(tmp_path / "r").remarks == ()
    assert PHONE[1:].encode() not in everything(tmp_path / "r")
    assert recording.run.persona == (Value(type="name", text=NAME),)
    assert [each.host for each in recording.events(Upload)] == ["a.test", "a.test"]
    assert [seen for seen in judge.finds(recording) if seen] != []  # the name is there still
    assert not to_forget(recording, [VALUE])
    to_forget(recording, [Value(type="name", text=NAME)]).forget()
    assert list(judge.finds(recording)) == []


def test_a_whole_recording_leaves_that_there_was_a_run(tmp_path):
    recording = with_a_phone_number(tmp_path / "r")
    left = tmp_path / "r/bodies/.4711-1.part"
    left.write_bytes(PHONE.encode())
    what = to_forget(recording).forget("retention of 30 days")
    assert verify(tmp_path / "r").outcome == "intact"
    assert list((tmp_path / "r/bodies").iterdir()) == []
    assert sum(what.lines.values()) == 11
    assert all(read.forgotten for kind in FILES for read in recording.read(kind))
    assert NAME.encode() not in everything(tmp_path / "r")
    assert (recording.run.app.package, recording.run.persona) == (APP, ())
    assert not to_forget(recording)


def test_single_kinds_go_with_their_bodies_and_no_others(tmp_path):
    recording = with_a_phone_number(tmp_path / "r")
    plan = to_forget(recording, kinds=["screen"])
    assert plan.lines == {"screen": {1, 2}}
    assert len(plan.bodies) == 3
    plan.forget()
    assert verify(tmp_path / "r").outcome == "intact"
    assert len(list(recording.events(Upload))) == 5


@pytest.mark.parametrize(
    "kinds", [(), ("access",), ("upload",), ("consent",), ("phase",), ("connection",), ("screen",)]
)
@pytest.mark.parametrize("case", ["sent-after-refusal", "witness-disagrees", "no-first-run-notice", "read-never-sent"])
def test_nothing_is_concluded_from_the_hole(tmp_path, known, case, kinds):
    """Fewer findings, and none that was not there before; it is said that lines were forgotten."""
    recording = sealed(case, tmp_path / "r")
    with Store(tmp_path / "index.sqlite") as store:
        before = {finding.rule for finding in report_on(recording, store, known).findings}
        plan = to_forget(recording, kinds=kinds)
        plan.forget("a reason")
        report = report_on(recording, store, known)
    assert {finding.rule for finding in report.findings} <= before
    gone = {FILES[kind] for kind in plan.lines}
    assert {gap.subject for gap in report.gaps if gap.why == "forgotten"} == gone
    assert report.coverage["unreadable_lines"] == 0
    if gone:
        assert report.verified
        assert report.verified.outcome == "intact"
        names = ("json",) if kinds else FORMATS
        said = [render(report, name) for name in names if report.findings or not name.startswith("complaint")]
        assert all("a reason" in text for text in said)
    assert kinds or not report.findings


def test_every_reader_copes(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    recording = with_a_phone_number(tmp_path / "r")
    to_forget(recording, [VALUE]).forget()
    assert len(json.loads(har.write(recording))["log"]["entries"]) == 2
    copy = Recording.open(shared(tmp_path / "r", tmp_path / "copy").path)
    assert verify(copy.path).outcome == "intact"
    assert [read.forgotten for read in copy.read("upload")] == [True, True, False, False, True]
    assert b'"forgotten":null' in (copy.path / "uploads.jsonl").read_bytes()


def test_a_value_that_was_planted_and_never_seen_is_in_run_json_alone(tmp_path, known):
    recording = Recording.create(tmp_path / "r", run(persona=(VALUE,), notes=(f"of {PHONE}",)))
    recording.update_run(ended=START + timedelta(minutes=1))
    plan = to_forget(recording, [VALUE])
    assert (plan.lines, plan.bodies) == ({}, ())
    plan.forget()
    assert (recording.run.persona, recording.run.notes) == ((), ("forgotten",))
    assert verify(tmp_path / "r").outcome == "intact"
    with Store(tmp_path / "index.sqlite") as store:
        assert "parts of it other than lines were forgotten" in render(report_on(recording, store, known), "sarif")


def test_what_holds_a_value_and_stays_is_told(tmp_path):
    recording = Recording.create(tmp_path / "r", run(place=f"the desk of {PHONE}", notes=(f"of {PHONE}",)))
    recording.update_run(ended=START + timedelta(minutes=1))
    plan = to_forget(recording, [VALUE])
    assert plan.left == ("place",)
    assert plan.run is not None
    assert plan.run.notes == ("forgotten",)


def test_no_digest_of_a_body_that_is_gone_is_left_in_another_line(tmp_path):
    recording = Recording.create(tmp_path / "r", run())
    first, second = recording.put_body(PHONE.encode() * 9), recording.put_body(b"another")
    recording.append(
        Gap(**LINE, where="proxy", subject="a.test", why="body_truncated", detail=f"of {first}", body=second)
    )
    recording.append(Upload(**LINE, via="http", url="https://a.test/", host="a.test", body=first, size=126))
    recording.append(Gap(**LINE, where="proxy", subject="a.test", why="overflow", detail=f"after {second}"))
    recording.update_run(ended=START + timedelta(minutes=1))
    to_forget(recording, kinds=["upload"]).forget()
    assert list((tmp_path / "r/bodies").iterdir()) == []
    left = (tmp_path / "r/gaps.jsonl").read_text() + (tmp_path / "r/uploads.jsonl").read_text()
    assert not any(digest in left for digest in (first, second))
    assert verify(tmp_path / "r").outcome == "intact"


def test_what_is_being_made_and_what_says_nothing_of_anybody_is_not_forgotten(tmp_path):
    recording = Recording.create(tmp_path / "r", run())
    with recording.sealing(60), pytest.raises(UserError, match="is being recorded"):
        to_forget(recording)
    with pytest.raises(UserError, match="which identifies nobody"):
        to_forget(recording, [Value(type="phone_number", text="0000000000")])


# the verb


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recordings").mkdir()
    return tmp_path


def appwitness(*arguments: object, code: int = 0, typed: str | None = None) -> str:
    ended = CliRunner().invoke(main, list(map(str, arguments)), input=typed)
    assert ended.exit_code == code, ended.output
    return ended.output


def ended_days_ago(path: Path, days: int) -> Path:
    recording = with_a_phone_number(path)
    recording.update_run(ended=datetime.now(UTC) - timedelta(days=days))
    recording.close()
    return path


def is_forgotten(path: Path) -> bool:
    return all(read.forgotten for kind in FILES for read in Recording.open(path).read(kind))


def test_the_verb_asks_and_a_dry_run_changes_nothing(place):
    path = ended_days_ago(place / "recordings/a", 1)
    before = everything(path)
    assert "5 of uploads.jsonl" in appwitness("forget", path, "--dry-run")
    appwitness("forget", path, typed="n\n", code=130)
    assert everything(path) == before
    appwitness("forget", path, typed="y\n")
    assert is_forgotten(path)
    assert "forgotten: 0 lines" in appwitness("forget", path, "--yes")
    said = appwitness("verify", path)
    assert "forgotten on purpose at" in said
    assert json.loads(appwitness("verify", path, "--format", "json"))["forgotten"][0]["before"] == "intact"


def test_older_ones_and_those_with_a_value_are_found_among_all(place):
    old, new = ended_days_ago(place / "recordings/old", 40), ended_days_ago(place / "recordings/new", 2)
    (place / "recordings/link").symlink_to(old)
    appwitness("forget", "--older-than", "30d", "--yes")
    assert is_forgotten(old)
    assert not is_forgotten(new)
    appwitness("forget", "--value", "-", "--yes", typed="phone_number=13800138000\n")
    assert PHONE.encode() not in everything(new)
    assert not is_forgotten(new)
    appwitness("forget", code=2)
    appwitness("forget", "--older-than", "tomorrow", code=2)
    appwitness("forget", new, "--only", "nothings", code=2)


def test_one_that_cannot_be_forgotten_keeps_none_of_the_others_and_is_told(place):
    for name in ("a", "b", "c"):
        ended_days_ago(place / f"recordings/{name}", 40)
    (place / "recordings/b/run.json").write_text("{}")
    (place / "recordings/other.zip").write_bytes(b"of somebody")
    said = appwitness("forget", "--older-than", "30d", "--yes", code=2)
    assert "2 recordings could not be forgotten" in said
    assert is_forgotten(place / "recordings/a")
    assert is_forgotten(place / "recordings/c")
    with Recording.open(ended_days_ago(place / "recordings/d", 40)).sealing(60):
        assert "is being recorded" in appwitness("forget", "--older-than", "30d", "--yes", code=2)
        appwitness("forget", "recordings/d", "--yes", code=2)


def test_an_archive_is_replaced_by_one_without_it_and_a_bundle_is_left_alone(place):
    path = ended_days_ago(place / "recordings/a", 40)
    appwitness("pack", path, "--output", "recordings/packed.zip")
    appwitness("bundle", path, "--output", "recordings/bundle.zip")
    shutil.rmtree(path)
    bundle = (place / "recordings/bundle.zip").read_bytes()
    packed = place / "recordings/packed.zip"
    appwitness("forget", packed, "--only", "screens", typed="n\n", code=130)
    assert b"PNG of another" in packed.read_bytes()
    appwitness("forget", "--value", f"phone_number={PHONE}", "--yes")
    assert PHONE.encode() not in packed.read_bytes()
    assert NAME.encode() in packed.read_bytes()
    appwitness("forget", "--older-than", "30d", "--yes")
    assert NAME.encode() not in packed.read_bytes()
    assert "forgotten on purpose at" in appwitness("verify", packed)
    assert (place / "recordings/bundle.zip").read_bytes() == bundle
    assert "is a bundle" in appwitness("forget", "recordings/bundle.zip", "--yes", code=2)
    assert {each.name for each in packed.parent.iterdir()} == {"packed.zip", "bundle.zip"}


def test_a_campaign_is_forgotten_and_others_stay(place):
    for name in ("one", "two"):
        ended_days_ago(place / f"recordings/{name}", 1)
        recording = Recording.open(place / f"recordings/{name}")
        recording.update_run(campaign=name)
        run = json.loads((recording.path / "run.json").read_text())
        assert run["campaign"] == name
    appwitness("forget", "--campaign", "one", "--yes")
    assert is_forgotten(place / "recordings/one")
    assert not is_forgotten(place / "recordings/two")
    assert Recording.open(place / "recordings/one").run.campaign == "one"


def test_the_index_has_nothing_of_it_any_more(place):
    path = ended_days_ago(place / "recordings/a", 1)
    appwitness("report", path, code=1)
    index = place / "home/appwitness.sqlite"
    assert any(PHONE.encode() in each.read_bytes() for each in index.parent.iterdir())
    appwitness("forget", path, "--yes")
    assert not any(PHONE[1:].encode() in each.read_bytes() for each in index.parent.iterdir() if each.is_file())
    with Store(index) as store:
        assert store.recordings() == []


@pytest.mark.parametrize(
    ("settings", "whole", "screens"),
    [
        ('[retention]\nrecordings = "30d"\n', True, True),
        ('[retention]\nscreens = "2w"\n', False, True),
        ('[retention]\nrecordings = "50d"\nuploads = "60d"\n', False, False),
    ],
)
def test_retention(place, settings, whole, screens):
    (place / "appwitness.toml").write_text(settings)
    old, new = ended_days_ago(place / "recordings/old", 40), ended_days_ago(place / "recordings/new", 2)
    appwitness("forget", "--by-retention", "--yes")
    assert is_forgotten(old) == whole
    assert all(read.forgotten for read in Recording.open(old).read("screen")) == screens
    assert not any(read.forgotten for kind in FILES for read in Recording.open(new).read(kind))
    assert "retention" in appwitness("config")


def test_a_strangers_settings_rule_over_the_strangers_folder_alone(place, monkeypatch):
    """Recordings are kept elsewhere; somebody stands in a project that is not theirs."""
    ours = ended_days_ago(place / "recordings/ours", 40)
    project = place / "project"
    (project / "recordings").mkdir(parents=True)
    (project / "appwitness.toml").write_text('[retention]\nrecordings = "1h"\n')
    (project / "recordings/ours").symlink_to(ours)
    monkeypatch.chdir(project)
    appwitness("forget", "--by-retention", "--yes")
    monkeypatch.setenv("APPWITNESS_RECORDINGS", str(ours.parent))
    assert "Nothing says how long" in appwitness("forget", "--by-retention", "--yes", code=2)
    assert not is_forgotten(ours)


@pytest.mark.parametrize("line", ['recordings = "soon"', "recordings = 30", 'everything = "30d"', 'recordings = "0d"'])
def test_a_retention_that_says_nothing_is_named_with_its_line(place, line):
    (place / "appwitness.toml").write_text(f"[retention]\n{line}\n")
    assert "appwitness.toml:2" in appwitness("forget", "--by-retention", code=2)


def test_the_kinds_have_their_names():
    assert {name: f"{stem}.jsonl" for stem, name in KINDS.items()} == FILES

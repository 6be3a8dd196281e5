"""Recordings handed over by somebody: regular files only, nothing outside is touched, what no stamp covers is told."""

import json
import os
import shutil
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appwitness.correlate import correlate, knowledge, report, with_coverage
from appwitness.events import FILES, Access, AppIdentity, Consent, DeviceIdentity, Gap, Phase, Run, Upload, Value, dump
from appwitness.recording import Recording, Verification, files, verify
from appwitness.recording.files import NotAFile
from appwitness.reports import render
from appwitness.store import Store
from appwitness.support.errors import FileError, UserError

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
RUN = Run(
    id="hostile",
    app=AppIdentity(package="com.example.circle"),
    device=DeviceIdentity(serial="lab", kind="lab"),
    started=START,
)
NUMBER = "+8613800138000"
BODY = json.dumps({"phone": NUMBER}).encode()
SECRET = "what is outside"


def access(second: float = 1) -> Access:
    return Access(
        at=START + timedelta(seconds=second),
        app=RUN.app.package,
        pid=1,
        source="android.telephony.TelephonyManager.getLine1Number",
        data="phone_number",
        values=(Value(type="phone_number", text=NUMBER),),
        outcome="returned",
    )


def upload(body: str, second: float = 2) -> Upload:
    return Upload(
        at=START + timedelta(seconds=second),
        via="http",
        method="POST",
        url="http://api.circle.test/a",
        host="api.circle.test",
        body=body,
        size=len(BODY),
        type="application/json",
    )


def mark(text: str = "later") -> Phase:
    return Phase(at=START + timedelta(hours=1), app=RUN.app.package, state="mark", text=text)


def made(path: Path, *, ended: bool = True) -> Recording:
    recording = Recording.create(path, RUN)
    recording.append_all([access(), upload(recording.put_body(BODY))])
    recording.stamp()
    if ended:
        recording.update_run(ended=START + timedelta(minutes=1))
        recording.stamp(final=True)
    return recording


@pytest.fixture
def path(tmp_path):
    made(tmp_path / "r").close()
    return tmp_path / "r"


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text(f"{dump(access())}\n{SECRET}\n")
    return folder


def said(path: Path, tmp_path: Path) -> str:
    """What anybody can get to read of a recording."""
    told = [str(verify(path))]
    try:
        with Recording.open(path) as recording:
            store = Store(tmp_path / "index.sqlite")
            correlate(recording, store, knowledge())
            made = report(store, recording.run.id, knowledge())
            told += [render(made, format_, reveal=True) for format_ in ("json", "html", "text")]
            store.close()
    except UserError as error:
        told.append(str(error))
    return "\n".join(told)


def link(place: Path, outside: Path) -> None:
    place.symlink_to(outside / "secret")


def link_to_nothing(place: Path, outside: Path) -> None:
    place.symlink_to(outside / "new")


def link_to_a_device(place: Path, _outside: Path) -> None:
    place.symlink_to("/dev/zero")


def pipe(place: Path, _outside: Path) -> None:
    os.mkfifo(place)


def folder(place: Path, _outside: Path) -> None:
    place.mkdir()


def a_socket(place: Path, _outside: Path) -> None:
    here = Path.cwd()
    os.chdir(place.parent)  # its name may be too long otherwise
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(place.name)
    finally:
        os.chdir(here)


KINDS = [link, link_to_nothing, link_to_a_device, pipe, folder, a_socket]
PLACES = ["run.json", "seal.jsonl", "accesses.jsonl", "uploads.jsonl", "gaps.jsonl", "body"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_regular_file_is_a_problem_and_is_not_opened(
    path, outside, tmp_path, place, kind: Callable[[Path, Path], None]
):
    name = next((path / "bodies").iterdir()).relative_to(path) if place == "body" else place
    (path / name).unlink()
    kind(path / name, outside)
    result = verify(path)
    assert not result.ok
    assert str(name) in {problem.file for problem in result.problems}
    assert SECRET not in said(path, tmp_path)
    for what in (lambda one: one.note(mark()), lambda one: one.put_body(b"x" * 300), lambda one: one.stamp()):
        try:
            with Recording(path) as recording:
                what(recording)
        except UserError:
            pass
    assert [file.name for file in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == f"{dump(access())}\n{SECRET}\n"


def test_a_folder_of_bodies_that_is_a_link_is_not_followed(path, outside, tmp_path):
    name = next((path / "bodies").iterdir()).name
    shutil.move(path / "bodies", outside / "bodies")
    (path / "bodies").symlink_to(outside / "bodies")
    assert [problem.file for problem in verify(path).problems] == ["bodies"]
    with Recording.open(path) as recording:
        assert recording.body(name) is recording.body_view(name) is None
        with pytest.raises(FileError, match="is not a folder"):
            recording.put_body(b"x" * 300)
    assert [file.name for file in (outside / "bodies").iterdir()] == [name]


def test_nothing_is_appended_to_a_file_that_has_another_name(path, outside):
    place = path / FILES["phase"]
    place.unlink()
    before = (outside / "secret").read_bytes()
    os.link(outside / "secret", place)
    with Recording.open(path) as recording, pytest.raises(NotAFile, match="hard link"):
        recording.note(mark())
    assert (outside / "secret").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["../outside/secret", "secret", "F" * 64, "f" * 63, "f" * 64 + "\n", "/etc/passwd", ""]
)
def test_a_body_is_named_by_its_digest_and_nothing_else(path, outside, name):
    (path / "bodies" / "secret").write_text(SECRET)
    with Recording.open(path) as recording:
        assert recording.body(name) is recording.body_view(name) is None
        with pytest.raises(ValueError, match="sha256"):
            recording.body_path(name)


def test_reading_writes_nothing(path, tmp_path):
    def state() -> list[tuple[str, bytes, int]]:
        return [
            (str(one), one.read_bytes(), one.stat().st_mtime_ns) for one in sorted(path.rglob("*")) if one.is_file()
        ]

    before = state(), path.stat().st_mtime_ns
    said(path, tmp_path)
    with Recording.open(path) as recording:
        assert bytes(recording.scratch([b"a", b"b"])) == b"ab"
    assert (state(), path.stat().st_mtime_ns) == before


def test_a_run_json_that_is_too_large_is_told(path, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "RUN_BYTES", 100)
    with pytest.raises(FileError, match=r"run\.json: is larger than"):
        Recording.open(path)
    assert "is larger than" in said(path, tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("clock_offset_ms", 1e300),
        ("clock_offset_ms", 10**400),
        ("clock_uncertainty_ms", 1e20),
        ("clock_drift_ms", -1e20),
        ("started", "0001-01-01T00:00:00Z"),
        ("ended", "9999-12-31T23:59:59Z"),
        ("started", 10**18),
    ],
)
def test_a_clock_that_is_off_by_more_than_history_is_refused(path, field, value):
    tree = json.loads((path / "run.json").read_bytes())
    (path / "run.json").write_text(json.dumps({**tree, field: value}))
    with pytest.raises(FileError, match=r"run\.json"):
        Recording.open(path)


# What no stamp covers.


def append(path: Path, event: Access | Upload | Phase | Consent | Gap) -> None:
    """As somebody does who has an editor."""
    with (path / FILES[event.kind]).open("ab") as file:
        file.write(dump(event).encode() + b"\n")


def line_after_the_end(path: Path) -> None:
    append(path, access(3))


def line_without_newline(path: Path) -> None:
    with (path / FILES["access"]).open("ab") as file:
        file.write(dump(access(3)).encode())


def mark_without_stamp(path: Path) -> None:
    append(path, mark())


def line_stamped_after_the_end(path: Path) -> None:
    append(path, access(3))
    Recording(path).stamp(final=True)


def line_stamped_as_if_going_on(path: Path) -> None:
    append(path, access(3))
    Recording(path).stamp()


def tap_stamped_after_the_end(path: Path) -> None:
    append(path, Consent(at=START, signal="tap", status="given", by="user"))
    Recording(path).stamp(final=True)


def line_hidden_behind_a_mark(path: Path) -> None:
    append(path, access(3))
    Recording(path).note(mark())


def last_stamps_cut(path: Path) -> None:
    place = path / "seal.jsonl"
    place.write_bytes(b"".join(place.read_bytes().splitlines(keepends=True)[:2]))


DAMAGE: dict[Callable[[Path], None], tuple[str, int | None]] = {
    line_after_the_end: ("accesses.jsonl", 2),
    line_without_newline: ("accesses.jsonl", 2),
    mark_without_stamp: ("phases.jsonl", 1),
    line_stamped_after_the_end: ("accesses.jsonl", 2),
    line_stamped_as_if_going_on: ("accesses.jsonl", 2),
    tap_stamped_after_the_end: ("consents.jsonl", 1),
    line_hidden_behind_a_mark: ("accesses.jsonl", 2),
    last_stamps_cut: ("run.json", None),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_whatever_came_after_the_end_or_is_gone_is_damage(path, damage):
    assert verify(path).outcome == "intact"
    damage(path)
    result = verify(path)
    file, line = DAMAGE[damage]
    assert result.outcome == "altered"
    assert [(problem.file.split("/")[0], problem.line) for problem in result.problems] == [(file, line)]


def test_an_end_that_no_stamp_announced_is_damage(tmp_path):
    """The stamps behind one that says what run.json will be are cut, and run.json is put in place of that."""
    recording = made(tmp_path / "r", ended=False)
    recording.update_run(operator="somebody")
    run = json.loads((recording.path / "run.json").read_bytes())
    assert verify(recording.path).outcome == "intact_up_to"
    (recording.path / "run.json").write_text(json.dumps({**run, "ended": "2026-03-14T10:00:00Z"}))
    Recording(recording.path).stamp()
    assert {problem.line for problem in verify(recording.path).problems} >= {5}


def test_marks_after_the_end_are_kept_apart(path):
    before = {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}
    clock = [START + timedelta(hours=1), START + timedelta(hours=2)]
    with Recording.open(path, clock=lambda: clock.pop(0)) as recording:
        recording.note(mark("one"))
        recording.note(Consent(at=START, signal="operator", status="given", by="operator"))
    result = verify(path)
    assert (result.outcome, result.ended) == ("intact", True)
    assert result.late.lines == {"consents.jsonl": 1, "phases.jsonl": 1}
    assert (result.late.first_at, result.late.last_at) == (START + timedelta(hours=1), START + timedelta(hours=2))
    assert all((path / name).read_bytes().startswith(data) for name, data in before.items())
    assert (path / "run.json").read_bytes() == before["run.json"]


def test_findings_on_uncovered_lines_are_marked(tmp_path):
    recording = made(tmp_path / "r", ended=False)
    body = recording.put_body(BODY + b" ")
    recording.append_all([access(3), upload(body, 4)])
    store = Store(tmp_path / "index.sqlite")
    correlate(recording, store, knowledge())
    found = report(store, RUN.id, knowledge())
    marked = with_coverage(found, verify(recording.path))
    refs = {ref for finding in marked.findings for ref in finding.uncovered}
    assert refs == {"accesses.jsonl:2", "uploads.jsonl:2"}
    for format_, lang, says in (
        ("text", "en", "Not covered"),
        ("text", "zh", "未被封存"),
        ("html", "en", "Not covered by a stamp"),
        ("html", "zh", "未被封存覆盖"),
        ("complaint", "en", "**Not covered by a stamp:** `"),
        ("complaint", "zh", "**未被封存覆盖：** `"),
        ("json", "en", '"uncovered": [\n'),
    ):
        assert says in render(marked, format_, lang=lang), format_
        assert says not in render(found, format_, lang=lang), format_
    recording.stamp()
    assert with_coverage(found, verify(recording.path)).findings == found.findings
    recording.body_path(body).write_bytes(BODY)
    altered = with_coverage(found, verify(recording.path))
    assert {ref for finding in altered.findings for ref in finding.uncovered} == {"uploads.jsonl:2"}


def test_of_a_recording_without_stamps_it_is_said_once(tmp_path):
    recording = made(tmp_path / "r")
    (recording.path / "seal.jsonl").unlink()
    result = verify(recording.path)
    assert (result.outcome, result.ok) == ("never_stamped", False)
    store = Store(tmp_path / "index.sqlite")
    correlate(recording, store, knowledge())
    found = report(store, RUN.id, knowledge())
    assert with_coverage(found, result) is found
    assert Verification(ok=True, stamps=1).outcome == "intact_up_to"

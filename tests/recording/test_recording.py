"""Recording: what is appended is read back, whoever is killed; what is changed afterwards is named."""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import os
import random
import resource
import select
import shutil
import signal
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appwitness import events
from appwitness.events import FILES
from appwitness.recording import Problem, Recording, lines, verify
from appwitness.support.errors import UserError
from tests import strategies

AT = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
RUN = events.Run(
    id="run-1",
    app=events.AppIdentity(package="com.example.circle"),
    device=events.DeviceIdentity(serial="lab", kind="lab"),
    started=AT,
)
FEW = settings(
    max_examples=strategies.examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def gap(subject: str = "x", detail: str | None = None) -> events.Gap:
    return events.Gap(at=AT, where="hook", subject=subject, why="class_absent", detail=detail)


def upload(body: str | None = None, size: int = 0) -> events.Upload:
    return events.Upload(at=AT, via="http", host="api.circle.test", body=body, size=size)


@contextmanager
def new_recording():
    with tempfile.TemporaryDirectory() as folder, Recording.create(Path(folder) / "r", RUN) as recording:
        yield recording


@pytest.fixture
def recording(tmp_path):
    with Recording.create(tmp_path / "r", RUN) as recording:
        yield recording


def reads(recording: Recording, kind: str, *args, **options) -> list[Any]:
    """Lines whose events are what the test says they are."""
    return list(recording.read(kind, *args, **options))


def subjects(recording: Recording, **options: Any) -> list[str | None]:
    return [read.event.subject if read.event else None for read in reads(recording, "gap", **options)]


# append and read


@FEW
@given(st.lists(st.lists(strategies.any_event, max_size=6), max_size=4))
def test_what_is_appended_is_read_back_in_order(batches):
    with new_recording() as recording:
        named = [pair for batch in batches for pair in zip(recording.append_all(batch), batch, strict=True)]
        for kind in FILES:
            found = list(recording.read(kind))
            assert [(read.ref, read.event) for read in found] == [
                (ref, event) for ref, event in named if event.kind == kind
            ]
            assert [read.ref for read in found] == [f"{FILES[kind]}:{n}" for n in range(1, len(found) + 1)]
            for index, read in enumerate(found):
                assert list(recording.read(kind, read.position)) == found[index + 1 :]


def test_threads_and_other_recordings_of_the_same_folder_get_the_right_numbers(recording):
    refs: dict[str, str] = {}
    others = [recording, recording, Recording.open(recording.path)]

    def write(name: str, to: Recording) -> None:
        for number in range(100):
            refs[f"{name}.{number}"] = to.append(gap(f"{name}.{number}"))

    threads = [threading.Thread(target=write, args=(f"t{index}", to)) for index, to in enumerate(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {read.event.subject: read.ref for read in reads(recording, "gap")} == refs
    assert len(refs) == 300


def test_a_torn_tail_becomes_its_own_unreadable_line(recording):
    recording.append(gap("one"))
    with (recording.path / "gaps.jsonl").open("ab") as file:
        file.write(b'{"v":1,"kind":"gap","at":"2026')
    assert subjects(recording) == ["one"]
    assert recording.append(gap("three")) == "gaps.jsonl:3"
    torn = reads(recording, "gap")[1]
    assert subjects(recording) == ["one", None, "three"]
    assert "truncated" in torn.error
    assert torn.raw == b'{"v":1,"kind":"gap","at":"2026'


def test_an_unfinished_last_line_counts_only_when_the_run_has_ended(recording):
    recording.append(gap("one"))
    path = recording.path / "gaps.jsonl"
    with path.open("ab") as file:
        file.write(b'{"half')
    assert subjects(recording) == ["one"]
    assert subjects(recording, finished=True) == ["one", None]
    recording.update_run(ended=AT)
    *_, last = reads(recording, "gap")
    assert (last.ref, last.event) == ("gaps.jsonl:2", None)
    assert "unfinished" in last.error
    assert reads(recording, "gap", last.position) == []
    # someone marks the recording later: the line keeps its number, and the position still leads on
    assert recording.append(gap("three")) == "gaps.jsonl:3"
    assert [(read.ref, read.event is None) for read in reads(recording, "gap", last.position)] == [
        ("gaps.jsonl:2", True),
        ("gaps.jsonl:3", False),
    ]


def test_a_last_line_that_lacks_only_its_newline_is_read_when_the_run_has_ended(recording):
    (recording.path / "gaps.jsonl").write_text(events.dump(gap("by hand")))
    assert subjects(recording) == []
    recording.update_run(ended=AT)
    assert subjects(recording) == ["by hand"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "truncated"),
        (b"\xff\xfe", "not JSON"),
        (b"\x00" * 40, "not JSON"),
        (b'{"kind":"gap"}', "at"),
        (b'{"kind":"unheard_of"}', "unheard_of"),
        (events.dump(upload()).encode(), "does not belong in gaps.jsonl"),
        (b"[" * 100_000, "object"),
        (b'{"kind":"gap","at":' + b"[" * 100_000, "deep"),
        (
            b'{"kind":"gap","at":"0001-01-01T00:00:00+10:00","where":"hook","subject":"x","why":"no_clock"}',
            "beyond the years",
        ),
    ],
)
def test_a_line_that_is_not_of_the_contract_is_kept_with_the_reason(recording, line, says):
    (recording.path / "gaps.jsonl").write_bytes(line + b"\n" + events.dump(gap("next")).encode() + b"\n")
    bad, good = reads(recording, "gap")
    assert (bad.ref, bad.event, bad.raw) == ("gaps.jsonl:1", None, line)
    assert says in bad.error
    assert good.event.subject == "next"


def test_a_line_of_any_length_does_not_fill_the_memory(recording, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 300)
    recording.append_all([gap("one"), gap("two", "x" * 5000), gap("three")])
    one, two, three = reads(recording, "gap")
    assert (one.event.subject, two.event, three.event.subject) == ("one", None, "three")
    assert "longer" in two.error
    assert len(two.raw) == 300
    assert [read.ref for read in reads(recording, "gap", two.position)] == ["gaps.jsonl:3"]


def test_nothing_of_a_batch_is_written_when_one_event_cannot_be(recording):
    bad = events.Access(at=AT, source="s", data="name", outcome="returned", args={"x": "\ud800"})
    with pytest.raises(ValueError, match="surrogates"):
        recording.append_all([gap("one"), bad])
    assert subjects(recording) == []


def test_files_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        recording = Recording.create(tmp_path / "deep" / "r", RUN)
        recording.append(gap())
        recording.put_body(b"x")
        recording.update_run(operator="somebody")
        recording.stamp()
    finally:
        os.umask(before)
    for path in (recording.path, *recording.path.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_recording_is_never_written_over(recording):
    with pytest.raises(UserError, match="not empty"):
        Recording.create(recording.path, RUN)


def test_what_is_no_recording_is_said_to_be_none(tmp_path):
    for path, says in ((tmp_path / "absent", "no folder"), (tmp_path, "not a recording")):
        with pytest.raises(UserError, match=says):
            Recording.open(path)
    (tmp_path / "run.json").write_text('{"v": 1}')
    with pytest.raises(UserError, match=r"run\.json: id"):
        Recording.open(tmp_path)
    with pytest.raises(UserError, match="cannot be made"):
        Recording.create(tmp_path / "run.json" / "r", RUN)


def test_a_change_of_the_run_is_seen_by_others_and_checked(recording):
    other = Recording.open(recording.path)
    recording.update_run(ended=AT, hooks={"a": "installed"})
    assert other.run.ended == AT
    assert other.run.hooks == {"a": "installed"}
    with pytest.raises(ValueError, match="plan"):
        recording.update_run(plan="whatever")
    assert other.run == recording.run


# bodies


def test_a_body_is_stored_once_under_its_digest(recording):
    data = os.urandom(5000)
    name = recording.put_body(data)
    assert name == recording.put_body(data) == hashlib.sha256(data).hexdigest()
    assert recording.body(name) == data
    assert recording.body_path(name).read_bytes() == data
    assert [path.name for path in (recording.path / "bodies").iterdir()] == [name]
    assert recording.body("0" * 64) is None


# follow


def test_following_gives_whole_lines_as_they_come(recording):
    path = recording.path / "gaps.jsonl"
    stop = threading.Event()
    steps = recording.follow({}, stop.is_set)
    assert next(steps) == []
    text = events.dump(gap("one")).encode() + b"\n"
    with path.open("ab", buffering=0) as file:
        file.write(text[:20])
        assert next(steps) == []
        file.write(text[20:])
    assert [read.event.subject for read in next(steps)] == ["one"]
    recording.append(gap("two"))
    recording.append(upload())
    assert [read.ref for read in next(steps)] == ["gaps.jsonl:2", "uploads.jsonl:1"]
    recording.append(gap("three"))
    with path.open("ab") as file:
        file.write(b"{half")
    recording.update_run(ended=AT)
    stop.set()
    assert [(read.ref, read.event is None) for batch in steps for read in batch] == [
        ("gaps.jsonl:3", False),
        ("gaps.jsonl:4", True),
    ]


def test_following_goes_on_from_where_it_was(recording):
    recording.append_all([gap("one"), gap("two"), upload()])
    first = reads(recording, "gap")[0]
    (batch,) = recording.follow({"gap": first.position}, lambda: True)
    assert [read.ref for read in batch] == ["gaps.jsonl:2", "uploads.jsonl:1"]


def test_everything_written_before_an_upload_is_followed_before_it(recording):
    rounds = 300
    done = threading.Event()

    def write() -> None:
        for number in range(rounds):
            recording.append(gap(str(number)))
            recording.append(upload(size=number))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    uploads = []
    for batch in recording.follow({}, done.is_set):
        for read in batch:
            if isinstance(read.event, events.Upload):
                assert read.event.size < seen
                uploads.append(read.event.size)
            else:
                assert read.event.subject == str(seen)
                seen += 1
    writer.join()
    assert uploads == list(range(rounds))


# killed

Writer = Callable[[Recording, str], Iterator[str]]
"""Writes to a recording for ever, lines called `name` and more, and yields what it acknowledges."""


def in_child(path: Path, writer: Writer, name: str, pace: Callable[[], object] = lambda: None) -> tuple[int, int]:
    """A writer in a process of its own: its id and the pipe of what it acknowledges, a line each; `pace` waits before
    each."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        os.close(reading)
        for text in writer(Recording.open(path), name):
            pace()
            os.write(writing, text.encode() + b"\n")
    finally:
        os._exit(0)


def acknowledged(reading: int) -> list[str]:
    """All whole lines of the pipe, up to its end."""
    with open(reading, "rb") as pipe:
        return [line.decode().rstrip("\n") for line in pipe.read().splitlines(keepends=True) if line.endswith(b"\n")]


def write_small(recording: Recording, name: str) -> Iterator[str]:
    for number in count():
        names = [f"{name}.{number}.{part}" for part in range(3)]
        for ref, subject in zip(recording.append_all([gap(each) for each in names]), names, strict=True):
            yield f"{ref} {subject}"


def write_large(recording: Recording, name: str) -> Iterator[str]:
    """Lines of many pages, which a kill can tear, in the same file as the small ones."""
    for number in count():
        yield f"{recording.append(gap(f'{name}.{number}', 'x' * 50_000))} {name}.{number}"
        time.sleep(0.004)


def write_bodies(recording: Recording, name: str) -> Iterator[str]:
    for number in count():
        body = f"{name}.{number} ".encode() * 2000
        yield f"{recording.append(upload(recording.put_body(body), len(body)))} {name}.{number}"


def write_stamps(recording: Recording, name: str) -> Iterator[str]:
    """Stamps with a pause between: without one, who waits for the lock may never get it, since flock is not fair."""
    for number in count():
        recording.stamp()
        yield f"stamp {number}"
        recording.update_run(operator=f"{name}.{number}")
        yield f"run {name}.{number}"
        time.sleep(0.001)


def write_huge(recording: Recording, name: str) -> Iterator[str]:
    """Always in the middle of a write: most kills tear the line."""
    for number in count():
        yield f"{recording.append(gap(f'{name}.{number}', 'x' * 8_000_000))} {name}.{number}"


WRITERS = (write_small, write_small, write_large, write_bodies, write_stamps)


def run_and_kill(path: Path, writers: Iterable[Writer], turn: int, chance: random.Random) -> list[str]:
    """Start the writers, kill each at a random moment once all have begun; what they acknowledged."""
    children = [in_child(path, writer, f"t{turn}w{index}") for index, writer in enumerate(writers)]
    for _, reading in children:
        select.select([reading], [], [])
    chance.shuffle(children)
    for child, _ in children:
        time.sleep(chance.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
    said = []
    for child, reading in children:
        os.waitpid(child, 0)
        own = acknowledged(reading)
        assert own, "every writer has acknowledged something"
        said += own
    return said


def what_is_there(recording: Recording) -> dict[str, str]:
    """The name of every line -> what its writer called it."""
    found = {read.ref: read.event.subject for read in reads(recording, "gap") if read.event}
    for read in reads(recording, "upload"):
        body = recording.body(read.event.body) if read.event else None
        if body is not None:
            found[read.ref] = body.split(b" ")[0].decode()
    return found


@pytest.mark.parametrize("round_", [0, *(pytest.param(round_, marks=pytest.mark.slow) for round_ in range(1, 4))])
def test_killing_writers_at_any_moment_loses_nothing_acknowledged(recording, round_):
    promised: dict[str, str] = {}
    stamps = 0
    chance = random.Random(round_)
    for turn in range(2):
        for line in run_and_kill(recording.path, WRITERS, turn, chance):
            what, _, rest = line.partition(" ")
            if what == "stamp":
                stamps += 1
            elif what == "run":
                assert Recording.open(recording.path).run.operator
            else:
                assert what not in promised, "two writers were given the same line"
                promised[what] = rest
        checked = verify(recording.path)
        assert checked.problems == ()
        assert checked.stamps > stamps
        # appending goes on, and the next stamp takes everything in
        promised[recording.append(gap(f"after {turn}"))] = f"after {turn}"
        recording.stamp()
        stamps += 1
        assert verify(recording.path).unsealed == {}
    found = what_is_there(recording)
    assert {ref: found.get(ref) for ref in promised} == promised


def test_a_line_torn_by_a_kill_stands_alone(recording):
    promised: dict[str, str] = {}
    for turn in range(6):
        said = run_and_kill(recording.path, [write_huge], turn, random.Random(turn))
        promised |= dict(line.split(" ") for line in said)
        promised[recording.append(gap(f"after.{turn}"))] = f"after.{turn}"
    recording.stamp()
    found = what_is_there(recording)
    assert {ref: found.get(ref) for ref in promised} == promised
    assert verify(recording.path).problems == ()
    lines_there = len(reads(recording, "gap"))
    assert verify(recording.path).sealed["gaps.jsonl"] == lines_there


def test_a_full_disk_is_said_and_loses_nothing_acknowledged(recording):
    def write(own, _):
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            for number in count():
                yield own.append(gap(str(number), "x" * 300))
        except UserError as error:
            yield f"error {error}"

    child, reading = in_child(recording.path, write, "")
    os.waitpid(child, 0)
    *refs, error = acknowledged(reading)
    assert "gaps.jsonl: could not be written: File too large." in error
    assert len(refs) > 10
    assert recording.append(gap("after")) == f"gaps.jsonl:{len(refs) + 2}"
    assert subjects(recording) == [*(str(number) for number in range(len(refs))), None, "after"]


class Interrupted(Exception):
    pass


class StopsBeforeReplacing(Recording):
    def _replace_run(self, data):
        raise Interrupted


def test_a_run_killed_on_either_side_of_replacing_run_json_verifies(recording):
    with pytest.raises(Interrupted):
        StopsBeforeReplacing(recording.path).update_run(ended=AT)
    assert recording.run.ended is None
    assert verify(recording.path).ok
    recording.update_run(ended=AT, operator="x")
    assert verify(recording.path).ok
    (recording.path / "run.json").write_bytes((recording.path / "run.json").read_bytes().replace(b'"x"', b'"y"'))
    assert Problem("run.json", None, "differs from what seal.jsonl:3 says") in verify(recording.path).problems


# stamps


def test_a_recording_verifies_while_it_is_being_made(recording):
    turns = multiprocessing.Semaphore(0)  # the writers go on as far as it is verified, however busy the machine is
    writers = (write_small, write_bodies, write_stamps)
    children = [in_child(recording.path, writer, "w", turns.acquire) for writer in writers]
    try:
        for _ in range(25):
            for _ in range(8):
                turns.release()
            assert verify(recording.path).problems == ()
    finally:
        for child, reading in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reading)
    assert what_is_there(recording)


def test_verifying_waits_for_who_is_replacing_run_json(recording):
    results = []
    looking = threading.Thread(target=lambda: results.append(verify(recording.path)))
    with (recording.path / "seal.jsonl").open("rb") as seal:
        fcntl.flock(seal, fcntl.LOCK_EX)
        looking.start()
        looking.join(0.1)
        assert results == []
    looking.join()
    assert results[0].ok


def test_verify_says_what_is_sealed_and_what_came_after(recording):
    recording.append_all([gap("one"), gap("two"), upload()])
    recording.stamp()
    recording.append(gap("three"))
    result = verify(recording.path)
    assert result.ok
    assert (result.stamps, result.sealed["gaps.jsonl"], result.sealed["uploads.jsonl"]) == (2, 2, 1)
    assert (result.outcome, result.unsealed) == ("intact_up_to", {"gaps.jsonl": 1})
    assert [result.covers(f"gaps.jsonl:{line}") for line in (1, 2, 3)] == [True, True, False]


def test_sealing_stamps_now_and_then_and_at_the_end(recording):
    with recording.sealing(every_s=0.01):
        recording.append(gap("one"))
        while verify(recording.path).stamps < 4:
            time.sleep(0.01)
        recording.append(gap("two"))
    result = verify(recording.path)
    assert (result.ok, result.unsealed, result.sealed["gaps.jsonl"]) == (True, {}, 2)
    assert any("does not say that the run has ended" in remark.what for remark in result.remarks)
    recording.update_run(ended=AT)
    assert verify(recording.path).remarks == ()


def test_several_processes_may_stamp(recording):
    def write(own, _):
        for number in range(20):
            own.append(gap(f"{os.getpid()}.{number}"))
            own.stamp()
        yield "done"

    children = [in_child(recording.path, write, "") for _ in range(3)]
    for child, reading in children:
        os.waitpid(child, 0)
        assert acknowledged(reading) == ["done"]
    recording.stamp()
    result = verify(recording.path)
    assert (result.ok, result.stamps, result.sealed["gaps.jsonl"]) == (True, 62, 60)
    change(recording.path / "gaps.jsonl", 33, lambda line: line.replace(b"class_absent", b"method_absen"))
    assert [(problem.file, problem.line) for problem in verify(recording.path).problems] == [("gaps.jsonl", 33)]


def test_a_stamp_can_be_checked_by_hand(recording):
    recording.append_all([gap("one"), gap("two")])
    recording.stamp()
    first, second = (recording.path / "seal.jsonl").read_bytes().splitlines(keepends=True)
    data = (recording.path / "gaps.jsonl").read_bytes()
    stamp = json.loads(second)
    assert stamp["previous"] == hashlib.sha256(first).hexdigest()
    held = stamp["files"]["gaps.jsonl"]
    assert (held["lines"], held["bytes"], held["sha256"]) == (2, len(data), hashlib.sha256(data).hexdigest())
    assert held["digests"] == "".join(hashlib.sha256(line).hexdigest() for line in data.splitlines(keepends=True))
    assert stamp["run"]["sha256"] == hashlib.sha256((recording.path / "run.json").read_bytes()).hexdigest()
    assert stamp["digest"] == hashlib.sha256(second[: second.rindex(b',"digest"')]).hexdigest()


# changed afterwards


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A finished recording with several stamps, lines of several kinds, and bodies."""
    recording = stamped(tmp_path_factory.mktemp("sealed") / "r")
    recording.update_run(ended=AT)
    assert verify(recording.path) == verify(recording.path)
    assert verify(recording.path).outcome == "intact"
    return recording.path


def stamped(path: Path) -> Recording:
    """The same before its run has ended."""
    recording = Recording.create(path, RUN)
    for number in range(3):
        recording.append_all([gap(f"{number}.{part}") for part in range(number + 2)])
        body = f"body {number}".encode()
        recording.append(upload(recording.put_body(body), len(body)))
        key = f"key {number}".encode() * 100
        recording.put_body(key)
        recording.append(
            events.Transform(
                at=AT, op="mac", algorithm="x", input=events.blob(key), output=events.blob(b"o"), key=events.blob(key)
            )
        )
        recording.stamp()
    return recording


@pytest.fixture
def copy(sealed, tmp_path):
    return shutil.copytree(sealed, tmp_path / "copy")


@settings(max_examples=strategies.examples(300), deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_found_and_its_line_named(sealed, data):
    files = [path for path in sorted(sealed.rglob("*")) if path.is_file() and path.stat().st_size]
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    byte = data.draw(st.sampled_from(b'\n"0 a}\x00\xff') | st.integers(0, 255))
    if byte == before[at]:
        byte ^= 1
    name = str(path.relative_to(sealed))
    line = before[:at].count(b"\n") + 1 if path.suffix == ".jsonl" else None
    with tempfile.TemporaryDirectory() as folder:
        changed = shutil.copytree(sealed, Path(folder) / "r")
        (changed / name).write_bytes(before[:at] + bytes([byte]) + before[at + 1 :])
        result = verify(changed)
    assert not result.ok
    assert (name, line) == (result.problems[0].file, result.problems[0].line)


def change(path: Path, number: int, how) -> None:
    found = path.read_bytes().splitlines(keepends=True)
    found[number - 1] = how(found[number - 1])
    path.write_bytes(b"".join(found))


def swap_stamps(path: Path) -> None:
    one, two, three, *rest = (path / "seal.jsonl").read_bytes().splitlines(keepends=True)
    (path / "seal.jsonl").write_bytes(b"".join((one, three, two, *rest)))


def remove_and_stamp_again(path: Path) -> None:
    change(path / "gaps.jsonl", 2, lambda line: b"")
    Recording.open(path).stamp()


def change_run_and_stamp_again(path: Path) -> None:
    change(path / "run.json", 1, lambda line: line + b" ")
    Recording.open(path).stamp()


def shorten_and_stamp_again(path: Path) -> None:
    (path / "gaps.jsonl").write_bytes(b"")
    Recording.open(path).stamp()


DAMAGE = {
    "run changed and stamped again": (change_run_and_stamp_again, "seal.jsonl", 6, "no stamp announced"),
    "shortened and stamped again": (shorten_and_stamp_again, "seal.jsonl", 6, "gaps.jsonl had become shorter"),
    "line removed": (lambda p: change(p / "gaps.jsonl", 4, lambda line: b""), "gaps.jsonl", 4, "differs"),
    "line added": (lambda p: change(p / "gaps.jsonl", 4, lambda line: line * 2), "gaps.jsonl", 5, "differs"),
    "line changed": (
        lambda p: change(p / "uploads.jsonl", 2, lambda line: line.replace(b"circle", b"square")),
        "uploads.jsonl",
        2,
        "differs",
    ),
    "last line removed": (lambda p: change(p / "gaps.jsonl", 9, lambda line: b""), "gaps.jsonl", 9, "is missing"),
    "end cut off": (lambda p: change(p / "gaps.jsonl", 9, lambda line: line[:20]), "gaps.jsonl", 9, "differs"),
    "file emptied": (lambda p: (p / "gaps.jsonl").write_bytes(b""), "gaps.jsonl", 1, "is missing"),
    "file removed": (lambda p: (p / "gaps.jsonl").unlink(), "gaps.jsonl", None, "is missing"),
    "run removed": (lambda p: (p / "run.json").unlink(), "run.json", None, "is missing"),
    "seal removed": (lambda p: (p / "seal.jsonl").unlink(), "seal.jsonl", None, "no stamp"),
    "seal emptied": (lambda p: (p / "seal.jsonl").write_bytes(b""), "seal.jsonl", None, "no stamp"),
    "stamp removed": (lambda p: change(p / "seal.jsonl", 2, lambda line: b""), "seal.jsonl", 2, "removed"),
    "first stamp removed": (lambda p: change(p / "seal.jsonl", 1, lambda line: b""), "seal.jsonl", 1, "removed"),
    "stamp doubled": (lambda p: change(p / "seal.jsonl", 2, lambda line: line * 2), "seal.jsonl", 3, "added"),
    "stamps swapped": (swap_stamps, "seal.jsonl", 2, "removed, added or changed"),
    "removed and stamped again": (remove_and_stamp_again, "gaps.jsonl", 2, "differs"),
}


@pytest.mark.parametrize(("damage", "file", "line", "says"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named(copy, damage, file, line, says):
    damage(copy)
    result = verify(copy)
    assert not result.ok
    named = [problem for problem in result.problems if problem.file == file]
    assert [(problem.line, says in problem.what) for problem in named[:1]] == [(line, True)], result.problems


def test_a_body_that_is_missing_or_another_is_named_with_the_line_that_names_it(copy):
    recording = Recording.open(copy)
    missing, other = (read.event.body for read in reads(recording, "upload")[:2])
    recording.body_path(missing).unlink()
    recording.body_path(other).write_bytes(b"something else")
    key = reads(recording, "transform")[0].event.key.body
    recording.body_path(key).unlink()
    assert {(problem.file, problem.what.split(";")[-1]) for problem in verify(copy).problems} == {
        (f"bodies/{missing}", " uploads.jsonl:1 names it"),
        (f"bodies/{other}", " uploads.jsonl:2 names it"),
        (f"bodies/{key}", " transforms.jsonl:1 names it"),
    }


def test_what_a_killed_writer_leaves_is_remarked_and_no_damage(tmp_path):
    recording = stamped(tmp_path / "r")
    copy = recording.path
    with (copy / "seal.jsonl").open("ab") as file:
        file.write(b'{"v":1,"kind":"stamp","at":"2026-05-')
    with (copy / "gaps.jsonl").open("ab") as file:
        file.write(b'{"v":1,')
    (copy / "bodies" / ".123.456").write_bytes(b"half")
    recording.put_body(b"its line was never written")
    recording.append(upload("f" * 64))
    (copy / "report.html").write_text("a report saved here")
    result = verify(copy)
    assert result.problems == ()
    remarked = {(remark.file, remark.line) for remark in result.remarks}
    assert {("seal.jsonl", 5), ("gaps.jsonl", 10), ("report.html", None), ("bodies/.123.456", None)} <= remarked
    assert result.unsealed == {"uploads.jsonl": 1}
    # the next stamp skips the torn one, and covers the torn line from now on
    Recording.open(copy).append(gap("next"))
    (copy / "bodies" / ("f" * 64)).unlink(missing_ok=True)
    Recording.open(copy).stamp()
    after = verify(copy)
    assert [problem.file for problem in after.problems] == [f"bodies/{'f' * 64}"]
    assert ("seal.jsonl", 5) in {(remark.file, remark.line) for remark in after.remarks}
    assert after.sealed["gaps.jsonl"] == 11


def test_verifying_what_is_not_there_is_an_error_of_the_user(tmp_path):
    with pytest.raises(UserError, match="absent"):
        verify(tmp_path / "absent")

"""The writer by itself: what it puts on disk, and that one killed at any moment is replaced without loss or repeats."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from addons.disk import quota, ring, storage, writer

MB = 1 << 20
NAME = f"{os.getpid()}-1"


class Killed(BaseException):
    """As kill -9: nobody catches it."""


def line_of(number: int) -> bytes:
    return storage.coded({**storage.head("upload", storage.time_of(number)), "host": "a.test", "url": f"/{number}"})


class Recording:
    """A recording, and memory that records are put into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "bodies").mkdir(parents=True)
        self.fd = ring.memory()
        self.ring = ring.Ring(self.fd)
        self.bell, self.button = os.pipe()

    def put(self, kind: int, line: bytes = b"", data: bytes = b"", **more: Any) -> None:
        assert self.ring.put(ring.RING_BYTES, ring.Put(kind, line, (data,), **more))

    def writer(self, again: bool = False) -> writer.Writer:
        return writer.Writer(self.path, ring.Ring(self.fd), self.bell, NAME, again=again)

    def end(self) -> None:
        os.close(self.button)

    def close(self) -> None:
        for fd in (self.fd, self.bell):
            os.close(fd)

    def lines(self, name: str) -> list[dict[str, Any]]:
        data = (self.path / name).read_bytes()
        return [json.loads(line) for line in data.splitlines()]

    def mend(self, name: str) -> int:
        """Leave lines out that are torn, as every reader does; how many there were."""
        lines = (self.path / name).read_bytes().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"}\n")]
        (self.path / name).write_bytes(b"".join(whole))
        return len(lines) - len(whole)

    def bodies(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.path / "bodies").iterdir()}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    made = Recording(tmp_path / "recording")
    yield made
    made.close()


SHORT, LONG, CUT, BEGUN = os.urandom(1000), os.urandom(3 * MB + 5), os.urandom(MB), os.urandom(70_000)


def fill(recording: Recording) -> None:
    """One of each kind."""
    recording.put(ring.WHOLE, line_of(1), SHORT, of=len(SHORT))
    recording.put(ring.PIECE, data=LONG[:MB], number=7, at=0)
    recording.put(ring.PIECE, data=BEGUN, number=9, at=0)
    recording.put(ring.WHOLE, line_of(2))
    recording.put(ring.PIECE, data=LONG[MB : 2 * MB], number=7, at=MB)
    recording.put(ring.PIECE, data=CUT, number=8, at=0)
    recording.put(ring.WHOLE, line_of(3), SHORT, of=len(SHORT))
    recording.put(ring.GAP, storage.coded(storage.gap_line("b.test", "tls_refused", "unknown ca", storage.time_of(3))))
    recording.put(ring.END, line_of(4), number=8, at=MB, of=5 * MB, problem=b"client disconnected")
    recording.put(ring.PIECE, data=LONG[2 * MB :], number=7, at=2 * MB)
    recording.put(ring.END, line_of(5), number=7, at=len(LONG), of=len(LONG))


def check(recording: Recording) -> None:
    said = [(one["url"], one["body"], one["size"], one["truncated"]) for one in recording.lines("uploads.jsonl")]
    assert said == [
        ("/1", digest(SHORT), 1000, False),
        ("/2", None, 0, False),
        ("/3", digest(SHORT), 1000, False),
        ("/4", digest(CUT), MB, True),
        ("/5", digest(LONG), len(LONG), False),
    ]
    assert recording.bodies() == {digest(data): data for data in (SHORT, LONG, CUT, BEGUN)}
    refused, cut, begun = recording.lines("gaps.jsonl")
    assert (refused["why"], refused["subject"], refused["where"]) == ("tls_refused", "b.test", "proxy")
    assert (cut["why"], cut["subject"], cut["at"]) == ("body_truncated", "a.test", storage.time_of(4))
    assert cut["detail"] == f"body {digest(CUT)}, {MB} of {5 * MB} bytes: client disconnected"
    assert (begun["why"], begun["subject"], begun["body"]) == ("body_truncated", "uploads.jsonl", digest(BEGUN))


@pytest.mark.parametrize(
    ("most", "free", "whole"), [(0, 0, True), (1 << 40, 0, True), (5000, 0, False), (0, 1 << 60, False)]
)
def test_bodies_over_the_quota_are_named_and_not_stored(
    recording: Recording, most: int, free: int, whole: bool
) -> None:
    bodies = [bytes([number]) * 3000 for number in range(5)]
    for number, body in enumerate(bodies):
        recording.put(ring.WHOLE, line_of(number), body, of=len(body))
    recording.put(ring.PIECE, data=LONG[:MB], number=7, at=0)
    recording.put(ring.END, line_of(5), number=7, at=MB, of=MB)
    recording.end()
    one = recording.writer()
    one.quota = quota.Quota(str(recording.path), most, 0)
    one.quota.free = free
    if free:  # lines wait for room, as on a disk that is full; here there is some again for them
        one.quota.line = lambda size: ""  # type: ignore[method-assign]
    one.run()
    uploads = recording.lines("uploads.jsonl")
    assert len(uploads) == 6
    gaps = recording.lines("gaps.jsonl") if (recording.path / "gaps.jsonl").read_bytes() else []
    assert bool(gaps) != whole
    cut = [upload for upload in uploads if upload["truncated"]]
    assert len(cut) == len(gaps)
    assert {gap["why"] for gap in gaps} <= {"quota"}
    assert sum(len(body) for body in recording.bodies().values()) <= (most or (0 if free else 1 << 40))


def test_lines_wait_while_less_is_free_than_is_to_stay_free(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "RETRY_S", 0.01)
    monkeypatch.setattr(writer, "END_S", 0.05)
    recording.put(ring.WHOLE, line_of(1))
    recording.end()
    one = recording.writer()
    one.quota.free = 1 << 60
    one.run()
    assert one.lost == 1
    assert (recording.path / "uploads.jsonl").read_bytes() == b""
    assert [gap["why"] for gap in recording.lines("gaps.jsonl")] == ["overflow"]


def test_each_kind_of_record(recording: Recording) -> None:
    fill(recording)
    recording.end()
    recording.writer().run()
    check(recording)
    assert recording.ring.used() == 0
    for name in ("uploads.jsonl", "gaps.jsonl"):
        assert (recording.path / name).stat().st_mode & 0o777 == 0o600
    for path in (recording.path / "bodies").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


CALLS = (
    "open",
    "write",
    "close",
    "link",
    "unlink",
    "replace",
    "ftruncate",
    "lseek",
    "read",
    "access",
    "pread",
    "fstat",
)


@contextmanager
def deadly(patch: pytest.MonkeyPatch, calls: int, *, after: bool) -> Iterator[Callable[[], bool]]:
    """From the so manieth call into the system on, nothing is done; with `after`, that one is, or half of it."""
    left = calls

    def wrap(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left > 0:
                return call(*arguments, **named)
            if left == 0 and after:
                if call is write:
                    arguments = (arguments[0], arguments[1][: len(arguments[1]) // 2])
                call(*arguments, **named)
            raise Killed

        return counted

    write = os.write
    with patch.context() as patched:
        for name in CALLS:
            patched.setattr(os, name, wrap(getattr(os, name)))
        yield lambda: left <= 0


def dies(recording: Recording, patch: pytest.MonkeyPatch, calls: int, *, after: bool) -> bool:
    """Run a writer in a process of its own until it dies, if it does."""
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (DIED, LIVED)
        return status == DIED
    leave = os._exit  # no clean-up: neither the writer's nor pytest's
    try:
        with deadly(patch, calls, after=after) as happened, suppress(Killed):
            recording.writer().run()
        leave(DIED if happened() else LIVED)
    finally:
        leave(1)


DIED, LIVED = 10, 11


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "within"])
def test_killed_at_each_call_into_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    for calls in range(1, 1000):
        recording = Recording(tmp_path / str(calls))
        fill(recording)
        recording.end()
        killed = dies(recording, monkeypatch, calls, after=after)
        recording.writer(again=True).run()
        assert sum(recording.mend(name) for name in ("uploads.jsonl", "gaps.jsonl")) <= killed, "lines that are torn"
        check(recording)
        for path in (recording.path / "bodies").iterdir():
            path.unlink()
        recording.close()
        if not killed:
            break
    else:
        raise AssertionError("it never came to its end")
    assert calls > 50


def test_a_line_that_is_refused_holds_up_the_rest_and_is_said(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusing = {"uploads.jsonl"}
    append = storage.Lines.append

    def refuse(file: storage.Lines, line: bytes) -> None:
        if file.path.name in refusing:
            raise OSError(28, "No space left on device")
        append(file, line)

    def wait(seconds: float) -> None:
        waits.append(len(recording.lines("gaps.jsonl")))
        if len(waits) == 3:
            refusing.clear()

    waits: list[int] = []
    monkeypatch.setattr(storage.Lines, "append", refuse)
    monkeypatch.setattr("time.sleep", wait)
    fill(recording)
    one = recording.writer()
    one.work()  # raises nothing, returns once all is written
    assert waits == [1, 1, 1], "one gap, whatever often it is tried"
    first = recording.lines("gaps.jsonl")[0]
    assert (first["why"], first["subject"]) == ("overflow", "uploads.jsonl")
    assert "No space left" in first["detail"]
    assert [one["url"] for one in recording.lines("uploads.jsonl")] == [f"/{number}" for number in range(1, 6)]
    assert capsys.readouterr().err == ""


def test_the_parts_of_others_are_taken_once_nobody_is_at_work(recording: Recording) -> None:
    bodies = recording.path / "bodies"
    (bodies / ".999999999-3-1.part").write_bytes(b"of a proxy that is gone")
    (bodies / f".{os.getppid()}-1-1.part").write_bytes(b"of a proxy that lives")
    first, second = recording.writer(), recording.writer()
    first.begin()
    assert {path.name for path in bodies.iterdir()} == {digest(b"of a proxy that is gone"), f".{os.getppid()}-1-1.part"}
    (bodies / ".999999999-4-1.part").write_bytes(b"of another")
    second.begin()
    assert second.lock == -1
    assert (bodies / ".999999999-4-1.part").exists()
    os.close(first.lock)
    second.begin()
    assert second.lock >= 0
    assert not (bodies / ".999999999-4-1.part").exists()
    assert [gap["body"] for gap in recording.lines("gaps.jsonl")] == [
        digest(b"of a proxy that is gone"),
        digest(b"of another"),
    ]

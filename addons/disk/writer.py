"""The writer: a process beside the proxy that writes its records to disk, so that a slow disk does not stall the proxy.

    python addons/disk/writer.py FOLDER MEMORY BELL NAME AGAIN MOST FREE

It takes records out of the shared memory (ring.py) and ends once the proxy's end of the bell is closed and everything
is written, however the proxy ended. It takes a record out only after it is done with it; a writer that replaces a
killed one (AGAIN is 1) first checks whether that one had finished the first record. A line that the disk refuses blocks
what comes after it, and is retried until the disk takes it; after the proxy has ended, for at most END_S.

Uses only the standard library, so that it starts quickly and needs little memory. Where processes cannot share memory
(Windows), and where no traffic waits (when a flow file is imported), it runs as a thread of the proxy.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# Run by its path, without the environment's packages: make `addons` importable.
sys.path.append(str(Path(__file__).resolve().parent.parent.parent))

from addons.disk.quota import MARK, Quota
from addons.disk.recovery import alive, before, beginnings, orphans
from addons.disk.ring import END, GAP, PIECE, WHOLE, Record, Ring
from addons.disk.storage import Body, Lines, coded, gap_line, salted, store, time_of

RETRY_S = 1.0
"""Seconds between attempts to write a line that the disk refused."""
END_S = 5.0
"""Seconds that these attempts go on after the proxy has ended."""
_PIPE = 64 * 1024


class Writer:
    """Writes one proxy's records into one recording."""

    def __init__(
        self, folder: Path, ring: Ring, bell: int, name: str, *, again: bool = False, quota: Quota | None = None
    ) -> None:
        self.folder = folder
        self.quota = quota or Quota(str(folder))
        self.bodies = str(folder / "bodies")
        self.ring = ring
        self.bell = bell
        """The reading end of the pipe through which the proxy rings."""
        self.name = name
        """Name of the channel, `<pid>-<number>`; part files are named after it."""
        self.again = again
        """Whether another writer may have finished the first record already."""
        self.uploads, self.gaps = Lines(folder / "uploads.jsonl"), Lines(folder / "gaps.jsonl")
        self.before = before(folder)
        """The state of the recording when other writers were last seen at work in it."""
        self.parts: dict[int, Body] = {}
        self.lost = 0
        """Number of lines that the disk refused until the end."""
        self.ended = 0.0
        """When the proxy ended (monotonic); 0 while it runs."""
        self.lock = -1
        """File descriptor of the folder bodies/, which is locked once no other writer is at work here to which part
        files might belong; until then, -1."""

    def run(self) -> None:
        """Write until the proxy has ended and nothing is left."""
        while not self.ended:
            self.work()
            self.begin()
            self._listen(None if self.lock >= 0 or fcntl is None else RETRY_S)
        self.work()
        ours = tuple(int(number) for number in self.name.split("-"))
        self._tell(beginnings(Path(self.bodies), lambda *whose: whose == ours))
        if self.lost:
            say(f"{self.folder}: the disk refused {self.lost} lines, which are lost")
        self.uploads.close()
        self.gaps.close()
        if self.lock >= 0:
            os.close(self.lock)

    def begin(self) -> None:
        """Once no other writer is at work here, report what was left by writers that were killed together with their
        proxies."""
        if fcntl is None or self.lock >= 0:
            return
        folder = os.open(self.bodies, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(folder)
            self.before = before(self.folder)
            return
        except OSError:
            pass  # a file system without locks: nothing better can be known
        self.lock = folder
        self._tell(beginnings(Path(self.bodies), lambda pid, number: not alive(pid) and f"{pid}-{number}" != self.name))
        self._tell(orphans(self.folder, self.before))

    def _tell(self, left: Iterator[tuple[str, int, str]]) -> None:
        try:
            for digest, size, what in left:
                detail = f"body {digest}, {size} bytes: {what}"
                line = gap_line("uploads.jsonl", "body_truncated", detail, time_of(time.time()), body=digest)
                self._append(self.gaps, salted(line))
        except OSError as error:
            say(f"{self.folder}: what an earlier proxy left there could not be read: {error}")

    def _listen(self, seconds: float | None) -> None:
        """Wait for the bell, at most this many seconds, and learn how far the records go."""
        if seconds is not None and not (fcntl and select.select([self.bell], [], [], seconds)[0]):
            return
        rung = os.read(self.bell, _PIPE)
        if rung:
            self.ring.hear(rung)
        else:
            self.ended = self.ended or time.monotonic()
            self.ring.ended()

    # -- records

    def work(self) -> None:
        while (record := self.ring.first()) is not None:
            try:
                self._do(record)
            except Exception as error:
                # Otherwise each next writer would fail at the same record.
                self.lost += 1
                say(f"{self.folder}: a record is lost: {error!r}")
            self.ring.take()
            self.again = False

    def _do(self, record: Record) -> None:
        if record.kind == PIECE:
            self._part(record.number).add(record.at, record.data)
            return
        done = self.again and self._stands(record)
        if record.kind == GAP and not done:
            self._append(self.gaps, record.line)
        elif record.kind == WHOLE and not done:
            self._line(
                record,
                *(store(self.bodies, f"{self.name}-0", record.data, self.quota) if record.data else (None, 0, "")),
            )
        elif record.kind == END:
            part = self._part(record.number)
            part.resume(record.at)
            if not done:
                self._line(record, part.place(), part.kept, part.problem)
            part.close()
            del self.parts[record.number]

    def _stands(self, record: Record) -> bool:
        """Whether the line of a record is in the recording already."""
        if record.kind == GAP:
            return self.gaps.rest(record.line) == b""
        rest = self.uploads.rest(record.line[:-1]) or b""
        return rest.startswith(b',"body":') and rest.endswith(b"}")

    def _part(self, number: int) -> Body:
        part = self.parts.get(number)
        if part is None:
            part = self.parts[number] = Body(self.bodies, f"{self.name}-{number}", self.quota)
        return part

    def _line(self, record: Record, digest: str | None, kept: int, problem: str) -> None:
        """Append the gap first, if the body is incomplete, then the line: once the line is there, everything is
        done."""
        problem = record.problem or problem
        if problem:
            about = json.loads(record.line)
            detail = f"body {digest or '-'}, {kept} of {record.of} bytes: {problem}"
            why = "quota" if problem.startswith(MARK) else "body_truncated"
            salt = hashlib.sha256(record.line).hexdigest()[:32]  # the same for a writer that takes over
            line = coded(gap_line(about["host"] or "", why, detail, about["at"], salt=salt))
            if not (self.again and self.gaps.rest(line) == b""):
                self._append(self.gaps, line)
        said = {"body": digest, "size": kept, "truncated": bool(problem)}
        self._append(self.uploads, record.line[:-1] + b"," + coded(said)[1:])

    # -- lines that are refused

    def _append(self, file: Lines, line: bytes) -> None:
        refused = unsaid = b""
        while True:
            try:
                if scarce := self.quota.line(len(line)):
                    raise OSError(errno.ENOSPC, scarce)
                file.append(line)
                break
            except OSError as error:
                if not refused:
                    detail = f"lines wait: {file.path.name}: {error}"
                    refused = unsaid = salted(gap_line("uploads.jsonl", "overflow", detail, time_of(time.time())))
                    if file is self.uploads:
                        with suppress(OSError):
                            self.gaps.append(refused)
                            unsaid = b""
                    if unsaid:
                        say(f"{file.path}: {error}: {unsaid.decode('utf-8', 'replace')}")
                if self.ended and time.monotonic() - self.ended > END_S:
                    self.lost += 1
                    return
            time.sleep(RETRY_S)
            self._listen(0)
        if unsaid:
            self._append(self.gaps, unsaid)


def say(words: str) -> None:
    """Print a message for whoever started the proxy."""
    with suppress(OSError):
        print(f"appwitness: {words}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """The program; returns its exit code."""
    folder, memory, bell, name, again, most, free = arguments
    # The writer ends with the proxy; Ctrl-C in a terminal is meant for the proxy only.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if hasattr(os, "SCHED_BATCH"):
        # A fair share of the processor, but without interrupting the proxy while it handles an app's request.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        quota = Quota(folder, int(most), int(free))
        Writer(Path(folder), Ring(int(memory)), int(bell), name, again=again == "1", quota=quota).run()
    except OSError as error:
        say(f"{folder} cannot be written: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

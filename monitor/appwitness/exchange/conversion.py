"""What a reader of a foreign format returns: events, their bodies, and gaps for what could not be converted."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from appwitness.events import BadLine, Event, Gap, dump, parse
from appwitness.events.seen import microseconds, moment
from appwitness.recording import Recording

DAMAGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""Errors that a damaged entry of a foreign file may raise in a reader: only that entry is lost, never the file."""
TLS_PORTS = frozenset(
    (443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 4443, 5061, 5223, 5228, 5671, 8443, 8883, 9443, 10443)
)
"""Ports where servers speak TLS: plaintext there was decrypted before, or is another protocol."""
WORDS = 300
"""Maximum number of characters of a gap's detail."""
BATCH = 1000
"""Events that are appended to a recording at once."""


@dataclass
class Conversion:
    """A foreign file as events of the recording format."""

    events: list[Event] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    room: Path | None = None
    """Folder for temporary data that does not fit into memory; None: the system's."""
    notes: list[str] = field(default_factory=list)
    """Notes on the files for the report, other than gaps."""

    def add(self, *events: Event, body: bytes = b"") -> None:
        """Take events, and the body that they refer to: all of them, or none if this raises ValueError."""
        self.events.extend([parse(dump(event)) for event in events])
        if body:
            self.bodies.append(body)

    def missed(self, at: datetime | None, app: str, subject: str, detail: str) -> None:
        """Record that part of the file could not be converted; `at`: now if its time is unknown."""
        self.add(
            Gap(
                at=at or datetime.now(UTC),
                app=app,
                where="correlate",
                subject=printable(subject),
                why="protocol_unsupported",
                detail=printable(detail)[:WORDS],
            )
        )


class IntoRecording(Conversion):
    """The same for files of any size: bodies go to the recording at once, events wait in an unnamed temporary file."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording
        self.room = recording.path
        self._file = cast(BinaryIO, tempfile.TemporaryFile(dir=recording.path))  # noqa: SIM115  lives as long as this
        self._times, self._offsets = array("q"), array("q")

    def add(self, *events: Event, body: bytes = b"") -> None:
        """Write events to the waiting file, and their body to the recording."""
        lines = [dump(event).encode() for event in events]
        checked = [parse(line) for line in lines]
        if body:
            self._recording.put_body(body)
        for event, line in zip(checked, lines, strict=True):
            self._times.append(microseconds(event.at))
            self._offsets.append(self._file.tell())
            self._file.write(line + b"\n")

    def finish(self) -> tuple[datetime, datetime] | None:
        """Append the events to the recording in order of time, equal times in order of arrival; returns the first
        and last time."""
        order = sorted(range(len(self._times)), key=self._times.__getitem__)
        for start in range(0, len(order), BATCH):
            self._recording.append_all(self._events(order[start : start + BATCH]))
        self._file.close()
        if not order:
            return None
        first, last = (moment(self._times[order[at]]) for at in (0, -1))
        return first, last

    def _events(self, numbers: list[int]) -> Iterator[Event]:
        for number in numbers:
            self._file.seek(self._offsets[number])
            yield parse(self._file.readline())


class ReadingProgram:
    """An external program that reads a foreign file, with bounded memory (Linux)."""

    WORDS = 64 << 10
    """Maximum number of bytes of its stderr that are kept: the last ones."""

    def __init__(self, command: Sequence[str], memory_bytes: int) -> None:
        self.command = command
        self.memory_bytes = memory_bytes
        self.words, self.returncode = "", 0
        """Its stderr and exit code, once its lines are read."""

    def lines(self) -> Iterator[bytes]:
        """The lines that it prints, as they arrive."""
        with tempfile.TemporaryFile() as errors:
            with subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
            ) as process:
                if sys.platform == "linux":
                    with suppress(ProcessLookupError):
                        resource.prlimit(process.pid, resource.RLIMIT_DATA, (self.memory_bytes, self.memory_bytes))
                try:
                    yield from cast(BinaryIO, process.stdout)
                except BaseException:
                    process.kill()
                    raise
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - self.WORDS))
            self.words, self.returncode = errors.read().decode("utf-8", "replace").strip(), process.returncode


_LAST_YEAR = 2100


def possible(at: datetime) -> datetime:
    """A time of a capture, in UTC. Raises ValueError if it is implausible."""
    if not 1970 <= at.year <= _LAST_YEAR:
        raise ValueError(f"its time is in the year {at.year}")
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def problem(error: Exception) -> str:
    """The problem with an entry, in one line without its values."""
    if isinstance(error, BadLine):
        return str(error)
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, UnicodeError):
        return "text that is no Unicode"
    return f"{type(error).__name__}: {error}"


def printable(text: str) -> str:
    """Text that can be encoded: lone surrogates become their escapes."""
    return text.encode("utf-8", "backslashreplace").decode()

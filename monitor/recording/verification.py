"""Recomputes every stamp of a recording and names the first line or body that differs."""

from __future__ import annotations

import fcntl
import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from monitor.errors import UserError
from monitor.events import FILES
from monitor.recording.seal import BODIES, LINE_DIGEST, RUN, SEAL, FileStamp, RunStamp, Stamp, link, named_bodies, read

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_NAMING = (FILES["upload"], FILES["transform"], FILES["gap"])
"""The files whose lines name bodies."""


@dataclass(frozen=True)
class Problem:
    """Something about one file of a recording."""

    file: str
    line: int | None
    what: str


@dataclass(frozen=True)
class Verification:
    """What came out of recomputing the stamps of a recording."""

    ok: bool
    """Whether everything is what its stamps say."""
    problems: tuple[Problem, ...] = ()
    """What is not: of each file the first line that differs, and every body."""
    stamps: int = 0
    sealed: dict[str, int] = field(default_factory=dict)
    """How many lines of each file the last stamp covers."""
    digests: dict[str, str] = field(default_factory=dict)
    """sha256 of these lines of each file, as the last stamp says."""
    last: str | None = None
    """sha256 of the last stamp's line: it vouches for all that was stamped before."""
    last_at: datetime | None = None
    """Time of the last stamp."""
    unsealed: dict[str, int] = field(default_factory=dict)
    """How many whole lines came after it, of those files that have some; no error."""
    remarks: tuple[Problem, ...] = ()
    """What a killed writer left, files that do not belong to the contract, a run without an end; no errors."""


@dataclass
class _Chain:
    """The stamps of one recording that are what was written, each with its line in seal.jsonl."""

    stamps: list[tuple[int, Stamp]] = field(default_factory=list)
    last: str | None = None
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)


def verify(path: Path) -> Verification:
    """Recompute the stamps of the recording at `path`; nothing in it is changed.

    Lines after the last stamp are counted, not judged. Raises UserError when there is no such folder.
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(f"There is no folder {path}.", "Name the folder of a recording.")
    with _no_stamping(path / SEAL):
        chain = _chain(path / SEAL)
        problems = [*chain.problems, *_check_run(path / RUN, chain)]
    remarks = list(chain.remarks)
    last = chain.stamps[-1][1] if chain.stamps else None
    sealed: dict[str, int] = {}
    unsealed: dict[str, int] = {}
    named: dict[str, str] = {}
    for name in FILES.values():
        stamps = [(line, stamp.files[name]) for line, stamp in chain.stamps if name in stamp.files]
        sealed[name] = last.files[name].lines if last and name in last.files else 0
        checked = _File(path / name, stamps)
        problem = checked.check()
        if problem:
            problems.append(problem)
        late = checked.lines - sealed[name]
        if late > 0:
            unsealed[name] = late
        for body, line in checked.bodies.items():
            named.setdefault(body, f"{name}:{line}")
        if checked.unfinished:
            remarks.append(Problem(name, checked.lines + 1, "is unfinished, its writer was stopped; not covered"))
    body_problems, body_remarks = _check_bodies(path / BODIES, named, sealed)
    problems += body_problems
    remarks += body_remarks
    remarks += _extra(path)
    if last and not last.final:
        remarks.append(Problem(SEAL, chain.stamps[-1][0], "is the last stamp and does not say that the run has ended"))
    return Verification(
        ok=not problems,
        problems=tuple(problems),
        stamps=len(chain.stamps),
        sealed=sealed,
        digests={name: held.sha256 for name, held in last.files.items()} if last else {},
        last=chain.last,
        last_at=last.at if last else None,
        unsealed=unsealed,
        remarks=tuple(remarks),
    )


@contextmanager
def _no_stamping(path: Path) -> Iterator[None]:
    """Hold off who stamps or replaces run.json: a recording may be verified while it is being made."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield
        return
    with file:  # closing it gives the lock back
        with suppress(OSError):  # a disk without locks holds no live recording
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


def _chain(path: Path) -> _Chain:
    """Read seal.jsonl. A line that a killed writer left unfinished is excused when the stamp behind it skips it."""
    chain = _Chain()
    previous: str | None = None
    doubtful: list[int] = []  # lines since the last good stamp that are no stamps
    tail = b""
    number = 0
    for number, raw in enumerate(_lines(path), 1):
        tail = raw
        stamp = read(raw)
        if stamp is None:
            doubtful.append(number)
            continue
        if stamp.previous == previous:
            chain.remarks += [Problem(SEAL, line, "is unfinished, its writer was stopped") for line in doubtful]
        elif doubtful:
            chain.problems += [Problem(SEAL, line, "is not the stamp that was written here") for line in doubtful[:1]]
        else:
            chain.problems.append(
                Problem(SEAL, number, "does not follow the stamp before it: stamps were removed, added or changed")
            )
        doubtful = []
        chain.problems += _shrinks(chain, number, stamp)
        chain.stamps.append((number, stamp))
        chain.last = previous = link(raw)
    if doubtful:
        # behind the last stamp: excused only where the file ends in the middle of a line
        torn = not tail.endswith(b"\n") and read(tail[:-1]) is None and doubtful == [number]
        where = chain.remarks if torn else chain.problems
        where.append(
            Problem(
                SEAL, doubtful[0], "is unfinished, its writer was stopped" if torn else "is not a stamp, or changed"
            )
        )
    if not chain.stamps and not chain.problems:
        chain.problems.append(Problem(SEAL, None, "has no stamp: nothing vouches for this recording"))
    return chain


def _shrinks(chain: _Chain, number: int, stamp: Stamp) -> Iterator[Problem]:
    if not chain.stamps:
        return
    before = chain.stamps[-1][1]
    for name, held in before.files.items():
        now = stamp.files.get(name)
        if now is None or now.lines < held.lines or now.bytes < held.bytes:
            yield Problem(SEAL, number, f"says that {name} had become shorter")
    if stamp.run.sha256 not in {before.run.sha256, before.run.next}:
        yield Problem(SEAL, number, f"says that {RUN} had changed in a way that no stamp announced")


def _check_run(path: Path, chain: _Chain) -> Iterator[Problem]:
    if not path.is_file():
        yield Problem(RUN, None, "is missing")
    elif chain.stamps:
        said: RunStamp = chain.stamps[-1][1].run
        if hashlib.sha256(path.read_bytes()).hexdigest() not in {said.sha256, said.next}:
            yield Problem(RUN, None, f"differs from what {SEAL}:{chain.stamps[-1][0]} says")


class _File:
    """One pass over one file of lines, held against all its stamps."""

    def __init__(self, path: Path, stamps: list[tuple[int, FileStamp]]) -> None:
        self.path = path
        self.stamps = stamps
        self.lines = 0
        """Whole lines that are there."""
        self.unfinished = False
        self.bodies: dict[str, int] = {}
        """Bodies that the lines name, with the first line that does."""

    def check(self) -> Problem | None:
        """Read all of it; the first line that differs."""
        expected = self._line_digests()
        pending = list(reversed(self.stamps))
        digest = hashlib.sha256()
        size = 0
        suspect: int | None = None
        problem: Problem | None = None
        pending = self._passed(pending, size, digest.hexdigest())
        for raw in _lines(self.path):
            if raw.endswith(b"\n"):
                self.lines += 1
                if self.path.name in _NAMING:
                    for body in named_bodies(raw):
                        self.bodies.setdefault(body, self.lines)
            else:
                self.unfinished = True
            if problem or not pending:
                continue
            number = self.lines + self.unfinished
            if suspect is None and expected.get(number, "") != hashlib.sha256(raw).hexdigest()[:LINE_DIGEST]:
                suspect = number
            digest.update(raw)
            size += len(raw)
            if size >= pending[-1][1].bytes:
                left = self._passed(pending, size, digest.hexdigest())
                if len(left) == len(pending):
                    problem = self._differs(pending[-1], expected, suspect)
                elif suspect is not None and suspect in expected:
                    problem = Problem(self.path.name, suspect, f"is not what {SEAL} lists, though its stamp agrees")
                pending = left
                suspect = None
        if problem is None and pending:
            problem = self._differs(pending[-1], expected, suspect)
        return problem

    def _passed(self, pending: list[tuple[int, FileStamp]], size: int, digest: str) -> list[tuple[int, FileStamp]]:
        """The stamps that are still to come, the next one last."""
        while pending:
            held = pending[-1][1]
            if (held.bytes, held.lines, held.sha256) != (size, self.lines, digest):
                break
            pending = pending[:-1]
        return pending

    def _differs(self, said: tuple[int, FileStamp], expected: dict[int, str], suspect: int | None) -> Problem:
        line, held = said
        if suspect is None and not self.path.exists():
            return Problem(self.path.name, None, f"is missing; {SEAL}:{line} says it had {held.lines} lines")
        if suspect is None or suspect > self.lines + self.unfinished:
            return Problem(self.path.name, self.lines + 1, f"is missing; {SEAL}:{line} says there were {held.lines}")
        if suspect in expected:
            return Problem(self.path.name, suspect, f"differs from what was stamped in {SEAL}:{line}")
        return Problem(
            self.path.name, suspect, f"or a line from there to {held.lines} differs from the stamp in {SEAL}:{line}"
        )

    def _line_digests(self) -> dict[int, str]:
        """Line number -> the digest that a stamp lists for it."""
        known: dict[int, str] = {}
        for _, held in self.stamps:
            digests = [held.added[at : at + LINE_DIGEST] for at in range(0, len(held.added), LINE_DIGEST)]
            known.update(enumerate(digests, held.lines - len(digests) + 1))
        return known


def _check_bodies(folder: Path, named: dict[str, str], sealed: dict[str, int]) -> tuple[list[Problem], list[Problem]]:
    """Bodies that are missing or not what their name says, and remarks on the rest of the folder."""
    problems: list[Problem] = []
    remarks: list[Problem] = []
    present = {entry.name: entry for entry in sorted(folder.iterdir())} if folder.is_dir() else {}
    for name in sorted(named.keys() - present.keys()):
        file, _, line = named[name].rpartition(":")
        covered = int(line) <= sealed.get(file, 0)
        (problems if covered else remarks).append(
            Problem(f"{BODIES}/{name}", None, f"is missing; {named[name]} names it")
        )
    for name, entry in present.items():
        where = f"{BODIES}/{name}"
        if not _DIGEST.match(name) or not entry.is_file():
            remarks.append(Problem(where, None, "was left by a writer that was stopped, or does not belong here"))
            continue
        with entry.open("rb") as body:
            content = hashlib.file_digest(body, "sha256").hexdigest()
        if content != name:
            by = f"; {named[name]} names it" if name in named else ""
            problems.append(Problem(where, None, f"differs: its content has another digest than its name{by}"))
        elif name not in named:
            remarks.append(Problem(where, None, "is named by no line"))
    return problems, remarks


def _extra(path: Path) -> Iterator[Problem]:
    belongs = {RUN, SEAL, BODIES, *FILES.values()}
    for entry in sorted(path.iterdir()):
        if entry.name not in belongs:
            yield Problem(entry.name, None, "does not belong to a recording; not covered")


def _lines(path: Path) -> Iterable[bytes]:
    """Lines with their newline, the last one perhaps without; none when there is no such file."""
    try:
        file = path.open("rb", buffering=1 << 20)
    except FileNotFoundError:
        return
    with file:
        yield from file

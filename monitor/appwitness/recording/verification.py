"""Recomputes every stamp of a recording and names the first line or body that differs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, KeysView
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from pydantic import ValidationError

from appwitness.events import FILES, MARKERS, BadLine, Consent, Phase, Ref, Run, forgotten, parse
from appwitness.events.seen import number_of
from appwitness.recording import files, timestamps
from appwitness.recording.lines import MAX_LINE_BYTES, RawLine, raw_lines
from appwitness.recording.seal import (
    BODIES,
    MAX_STAMP_BYTES,
    RUN,
    SEAL,
    TOKENS,
    Before,
    FileStamp,
    Forgotten,
    RunStamp,
    Stamp,
    link,
    named_bodies,
    read,
    signed_part,
)
from appwitness.recording.timestamps import SOON, Token
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

    from appwitness.recording.archive import Unpacked
    from appwitness.recording.timestamps import Authorities

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_NAMING = (FILES["upload"], FILES["transform"], FILES["screen"], FILES["witness"], FILES["gap"])
"""The files whose lines refer to bodies."""


@dataclass(frozen=True)
class Problem:
    """A problem with one file of a recording, or a remark on it."""

    file: str
    line: int | None
    what: str


class StillThere(Problem):
    """Forgetting was interrupted: the file still has the lines that were to be forgotten, and otherwise matches its
    stamps."""


Outcome = Literal["intact", "intact_up_to", "altered", "never_stamped"]
"""intact: everything matches its stamps, up to the end of the run; intact_up_to: what the stamps cover matches, but
there is more, or the run has not ended; altered: something differs; never_stamped: there are no stamps."""


@dataclass(frozen=True)
class Late:
    """Marks that were noted after the run had ended, and are stamped separately."""

    lines: dict[str, int] = field(default_factory=dict)
    """The number of such lines in each file that has any."""
    first_at: datetime | None = None
    """Time of the first stamp over them; None when there are none."""
    last_at: datetime | None = None


@dataclass(frozen=True)
class Verification:
    """The result of recomputing the stamps of a recording."""

    ok: bool
    """Whether everything matches its stamps, and trusted keys and authorities, if any were named, signed what they
    must."""
    problems: tuple[Problem, ...] = ()
    """What does not match: the first differing line of each file, and every differing body."""
    stamps: int = 0
    sealed: dict[str, int] = field(default_factory=dict)
    """Number of lines of each file that the last stamp covers."""
    digests: dict[str, str] = field(default_factory=dict)
    """SHA-256 of these lines of each file, as the last stamp gives it."""
    last: str | None = None
    """SHA-256 of the last stamp's line; it covers all earlier stamps."""
    last_at: datetime | None = None
    """Time of the last stamp."""
    unsealed: dict[str, int] = field(default_factory=dict)
    """Number of whole lines after the last stamp, for each file that has any; not an error."""
    remarks: tuple[Problem, ...] = ()
    """What a killed writer left, files that are not part of the contract, a run without an end; not errors."""
    ended: bool = False
    """Whether a stamp says that the run has ended."""
    late: Late = Late()
    """Marks that were made after the run ended: stamps cover them, and the run itself is unchanged."""
    good: dict[str, int] = field(default_factory=dict)
    """The last line up to which each file matches its stamps; the first difference comes after it."""
    spoilt: frozenset[Ref] = frozenset()
    """Lines whose body is missing or was changed."""
    signed: int = 0
    """The number of stamps with a valid signature."""
    keys: tuple[str, ...] = ()
    """Fingerprints of the keys that signed, starting with the first stamp's."""
    nonce: str | None = None
    """Nonce of the first stamp: two recordings with the same nonce are copies of one run."""
    tokens: tuple[Token, ...] = ()
    """Tokens of outside authorities over stamps that exist."""
    forgotten: tuple[tuple[int, Stamp, Forgotten], ...] = ()
    """Stamps that record forgotten lines, each with its line in seal.jsonl."""

    @property
    def outcome(self) -> Outcome:
        """The result in one word."""
        if self.problems:
            return "altered" if self.stamps else "never_stamped"
        return "intact" if self.ok and self.ended and not self.unsealed else "intact_up_to"

    @property
    def before(self) -> Before:
        """The state of the recording, as it is noted when lines are forgotten: damage counts as altered, an interrupted
        forgetting does not."""
        if any(not isinstance(problem, StillThere) for problem in self.problems):
            return "altered"
        return "intact" if self.ended and not self.unsealed else "intact_up_to"

    def covers(self, ref: Ref) -> bool:
        """Whether a line, and the body it refers to, are known to match their stamps."""
        return 0 < number_of(ref) <= self.good.get(_file(ref), 0) and ref not in self.spoilt


class _Listed(NamedTuple):
    """The digests of lines that a stamp lists for a file, or their beginnings."""

    first: int
    """The first line listed."""
    digits: int
    """Hex digits of each."""
    digests: bytes | str
    """All digests, joined: bytes, or a text if it is not the hex of whole bytes."""

    @classmethod
    def of(cls, held: FileStamp) -> Self:
        """The digests that a stamp lists; as bytes they take half the memory, which matters in a long run."""
        first, digits, text = held.listed
        with suppress(ValueError):
            if digits % 2 == 0 and (packed := bytes.fromhex(text)).hex() == text:
                return cls(first, digits, packed)
        return cls(first, digits, text)

    def of_line(self, number: int) -> str:
        """The digest (or its beginning) of a line; empty if it is not listed."""
        at, width = number - self.first, self.digits if isinstance(self.digests, str) else self.digits // 2
        piece = self.digests[at * width : (at + 1) * width] if at >= 0 else ""
        return piece if isinstance(piece, str) else piece.hex()


@dataclass
class _Chain:
    """The valid stamps of one recording, each with its line in seal.jsonl."""

    stamps: list[tuple[int, Stamp]] = field(default_factory=list)
    last: str | None = None
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    keys: dict[int, str] = field(default_factory=dict)
    """Line in seal.jsonl -> fingerprint of the key that signed it; unsigned stamps are left out."""
    links: dict[str, int] = field(default_factory=dict)
    """SHA-256 of each stamp's line, newline included -> its number."""
    listed: dict[tuple[int, str], _Listed] = field(default_factory=dict)
    """Line in seal.jsonl, file -> the digests of lines that the stamp lists; they are no longer in the stamp itself."""


def verify(path: Path, trusted: Container[str] | None = None, authorities: Authorities | None = None) -> Verification:
    """Recompute the stamps of the recording at `path`, or in the archive there; nothing in it is changed.

    `trusted`: fingerprints of keys. If given, one of these keys must have signed each stamp of the run, and one of the
    stamps must say that the run has ended; then nobody without the key can have changed anything or cut off the end of
    the run. Marks made later, under a stamp that none of these keys signed, count as covered by no stamp.

    `authorities`: certificates of time-stamp authorities. If given, one of these authorities must have signed each
    token, and there must be a token over the first stamp and one over a stamp that says that the run has ended. A token
    over a stamp that does not exist is a problem in any case.

    Lines after the last stamp of a run that has not ended are counted, not judged. After the stamp that says that the
    run has ended, only a person's marks may follow, each with its own stamp. Raises UserError when there is no such
    folder.
    """
    path = Path(path)
    if path.is_file():
        from appwitness.recording.archive import unpacked

        archive = unpacked(path)
        found = _verified(archive.path, trusted, authorities)
        return _with_sums(found, archive) if archive.is_bundle else found
    if not path.is_dir():
        raise UserError(
            Spoken("There is no folder {path}.", path=path), "Name the folder of a recording, or its archive."
        )
    return _verified(path, trusted, authorities)


def _with_sums(found: Verification, bundle: Unpacked) -> Verification:
    """Add to a result whether all files of a bundle match its list of digests."""
    from appwitness.recording.archive import INSIDE, SUMS

    problems = tuple(Problem(name, None, Spoken("is not what {sums} says", sums=SUMS)) for name in bundle.unlike_sums())
    remark = Problem(
        SUMS,
        None,
        Spoken("lists the files of the bundle; nothing else vouches for those beside {inside}/", inside=INSIDE),
    )
    return replace(
        found,
        ok=found.ok and not problems,
        problems=(*found.problems, *problems),
        remarks=(*found.remarks, remark),
    )


def _verified(path: Path, trusted: Container[str] | None, authorities: Authorities | None) -> Verification:
    try:
        extra = tuple(_extra(path))
    except OSError as error:
        raise UserError(
            Spoken("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
            "Make it readable, or copy it.",
        ) from None
    with _no_stamping(path):
        chain = _chain(path)
        problems = [*chain.problems, *_check_run(path, chain)]
    forgettings = tuple((line, stamp, stamp.forgotten) for line, stamp in chain.stamps if stamp.forgotten)
    problems += _doubted(forgettings)
    vouched, unsigned = (len(chain.stamps), []) if trusted is None else _vouched(chain, trusted)
    problems += unsigned
    at = {number: stamp.at for number, stamp in chain.stamps}
    timed = [
        replace(each, stamped=at.get(each.stamp or 0)) for each in timestamps.check(path, chain.links, authorities)
    ]
    problems += [Problem(token.file, None, token.wrong) for token in timed if token.wrong]
    if authorities is not None:
        problems += _untimed(chain, timed)
    remarks = [*chain.remarks, *_late_unsigned(chain, vouched), *_late_tokens(timed)]
    last = chain.stamps[vouched - 1][1] if vouched else None
    end = next((stamp for _, stamp in chain.stamps if stamp.final), None)
    lines = _check_files(path, chain, last, end)
    body_problems, body_remarks, wrong = _check_bodies(path, lines.named, lines.sealed)
    problems += [*lines.problems, *body_problems]
    remarks += [*lines.remarks, *body_remarks, *extra]
    if last and end is None:
        remarks.append(Problem(SEAL, chain.stamps[-1][0], "is the last stamp and does not say that the run has ended"))
    vouching = [stamp for _, stamp in chain.stamps[:vouched]]
    noted = [stamp.at for before, stamp in pairwise(vouching) if _notes(before, stamp, end)]
    return Verification(
        ok=not problems and vouched == len(chain.stamps),
        problems=tuple(problems),
        stamps=len(chain.stamps),
        sealed=lines.sealed,
        digests={name: held.sha256 for name, held in last.files.items()} if last else {},
        last=chain.last if vouched == len(chain.stamps) else chain.stamps[vouched][1].previous,
        last_at=last.at if last else None,
        unsealed=lines.unsealed,
        remarks=tuple(remarks),
        ended=end is not None,
        late=Late(lines.late, noted[0], noted[-1]) if lines.late and noted else Late(lines.late),
        good=lines.good,
        spoilt=frozenset(ref for body in wrong for ref in lines.named.by(body)),
        signed=len(chain.keys),
        keys=tuple(dict.fromkeys(chain.keys.values())),
        tokens=tuple(token for token in timed if token.wrong is None),
        nonce=next((stamp.binds.nonce for _, stamp in chain.stamps[:1] if stamp.binds), None),
        forgotten=forgettings,
    )


class _Named:
    """Which lines name each body; nearly every body is named by one line."""

    def __init__(self) -> None:
        self._first: dict[str, Ref] = {}
        self._others: dict[str, list[Ref]] = {}

    def add(self, body: str, ref: Ref) -> None:
        """Record that a line names a body."""
        if self._first.setdefault(body, ref) is not ref:
            self._others.setdefault(body, []).append(ref)

    def bodies(self) -> KeysView[str]:
        """All bodies that a line names."""
        return self._first.keys()

    def by(self, body: str) -> list[Ref]:
        """The lines that name a body; the files in the order of FILES."""
        return [self._first[body], *self._others.get(body, ())] if body in self._first else []


@dataclass
class _Compared:
    """The result of comparing the lines of each file with its stamps; counts are lines, by file."""

    sealed: dict[str, int] = field(default_factory=dict)
    unsealed: dict[str, int] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)
    """Lines written after the end of the run that a stamp covers."""
    good: dict[str, int] = field(default_factory=dict)
    named: _Named = field(default_factory=_Named)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)


def _check_files(path: Path, chain: _Chain, last: Stamp | None, end: Stamp | None) -> _Compared:
    """Compare each file with its stamps, up to the `last` that counts; `end` is the first stamp that ends the run."""
    found = _Compared()
    for name in FILES.values():
        stamps = [(line, stamp) for line, stamp in chain.stamps if name in stamp.files]
        sealed = found.sealed[name] = last.files[name].lines if last and name in last.files else 0
        ended = end.files[name].lines if end and name in end.files else 0
        listed = [chain.listed[line, name] for line, _ in stamps]
        checked = _File(path, name, stamps, listed, ended if end else None, found.named)
        if problem := checked.check():
            found.problems.append(problem)
        found.good[name] = min(sealed, checked.good)
        if checked.lines > sealed:
            found.unsealed[name] = checked.lines - sealed
        if end and sealed > ended:
            found.late[name] = sealed - ended
        if checked.unfinished:
            what = Spoken("is unfinished, its writer was stopped; not covered")
            found.remarks.append(Problem(name, checked.lines + 1, what))
    return found


def _doubted(forgettings: Iterable[tuple[int, Stamp, Forgotten]]) -> Iterator[Problem]:
    """Damage that existed before lines were forgotten: it can no longer be shown, but still counts."""
    for line, _, what in forgettings:
        if what.before == "altered":
            yield Problem(
                SEAL, line, "says that the recording already differed from its stamps when lines were forgotten"
            )


def _vouched(chain: _Chain, trusted: Container[str]) -> tuple[int, list[Problem]]:
    """The number of leading stamps that trusted keys vouch for, and a list with the problem, if any: the first stamp
    of the run, or of a hole, that none of the keys signed, or a missing end."""
    vouched = len(chain.stamps)
    ended = False
    for at, (number, stamp) in enumerate(chain.stamps):
        if chain.keys.get(number) not in trusted:
            if not ended or stamp.forgotten:
                return len(chain.stamps), [Problem(SEAL, number, _by_none(chain, number))]
            vouched = min(vouched, at)
        ended = ended or stamp.final
    if chain.stamps and not ended:
        what = Spoken("is missing: no signed stamp ends the run, so its end may have been cut off")
        return vouched, [Problem(SEAL, chain.stamps[-1][0] + 1, what)]
    return vouched, []


def _by_none(chain: _Chain, number: int) -> str:
    by = chain.keys.get(number)
    return Spoken("is signed by {by}, which is not a trusted key", by=by) if by else Spoken("is not signed")


def _late_unsigned(chain: _Chain, vouched: int) -> Iterator[Problem]:
    """A remark on the first stamp after the end of the run that no trusted key signed."""
    for number, _ in chain.stamps[vouched : vouched + 1]:
        yield Problem(
            SEAL,
            number,
            Spoken(
                "{signed}: it came after the run had ended, which a trusted key signed, and nobody "
                "vouches for what was noted from here on",
                signed=_by_none(chain, number),
            ),
        )


def _untimed(chain: _Chain, timed: list[Token]) -> Iterator[Problem]:
    """Problems: no trusted authority vouches for the first stamp, or for one that ends the run."""
    trusted = {token.stamp for token in timed if token.trusted}
    if chain.stamps and chain.stamps[0][0] not in trusted:
        yield Problem(SEAL, chain.stamps[0][0], "has no time-stamp token of a trusted authority")
    if chain.stamps and not any(stamp.final and number in trusted for number, stamp in chain.stamps):
        yield Problem(
            SEAL,
            chain.stamps[-1][0],
            "is the last stamp, and no trusted authority's token is over one that ends the run: its end may have been "
            "cut off",
        )


def _late_tokens(timed: list[Token]) -> Iterator[Problem]:
    """Remarks on tokens whose time is not close to their stamp's."""
    for token in timed:
        if token.wrong is None and token.at and token.stamped:
            after = token.at - token.stamped
            where = Spoken("the time in {seal}:{stamp}", seal=SEAL, stamp=token.stamp)
            if after > SOON:
                late = timedelta(seconds=int(after.total_seconds()))
                yield Problem(
                    token.file,
                    None,
                    Spoken(
                        "is {late} later than {where}: it was requested later, or the run's clock was set back",
                        late=late,
                        where=where,
                    ),
                )
            elif after < -SOON:
                yield Problem(
                    token.file,
                    None,
                    Spoken(
                        "is {early} earlier than {where}, which is impossible: the run's clock was wrong",
                        early=-after,
                        where=where,
                    ),
                )


def _notes(before: Stamp, stamp: Stamp, end: Stamp | None) -> bool:
    """Whether a stamp covers more lines than the run had when it ended and than the previous stamp."""
    if end is None:
        return False
    return any(
        held.lines > max(one.files[name].lines if name in one.files else 0 for one in (before, end))
        for name, held in stamp.files.items()
    )


@contextmanager
def _no_stamping(folder: Path) -> Iterator[None]:
    """Keep other processes from stamping and from replacing run.json: a recording may be verified while it is being
    made."""
    try:
        file = files.reading(folder, SEAL)
    except (FileNotFoundError, FileError):
        yield
        return
    with file:  # closing the file releases the lock
        with suppress(OSError):  # a disk without locks holds no live recording
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


def _chain(folder: Path) -> _Chain:
    """Read seal.jsonl. A line that a killed writer left unfinished is excused if the next stamp skips it."""
    chain = _Chain()
    previous: str | None = None
    doubtful: list[int] = []  # invalid lines since the last good stamp
    tail = b""
    number = 0
    lines = _Lines(folder, SEAL, MAX_STAMP_BYTES)
    for number, line in enumerate(lines, 1):
        tail = raw = line.head
        stamp = read(raw) if line.size <= MAX_STAMP_BYTES else None
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
        _sign(chain, number, stamp, raw)
        chain.listed |= {(number, name): _Listed.of(held) for name, held in stamp.files.items()}
        bare = {name: held.model_copy(update={"digests": "", "added": ""}) for name, held in stamp.files.items()}
        chain.stamps.append((number, stamp.model_copy(update={"files": bare})))
        chain.last = previous = link(raw)
        chain.links[previous] = number
    if doubtful:
        # after the last stamp: excused only if the file ends in the middle of a line
        torn = not tail.endswith(b"\n") and read(tail[:-1]) is None and doubtful == [number]
        where = chain.remarks if torn else chain.problems
        where.append(
            Problem(
                SEAL, doubtful[0], "is unfinished, its writer was stopped" if torn else "is not a stamp, or changed"
            )
        )
    if lines.problem:
        chain.problems.append(lines.problem)
    if not chain.stamps and not chain.problems:
        chain.problems.append(Problem(SEAL, None, "has no stamp: nothing vouches for this recording"))
    return chain


def _sign(chain: _Chain, number: int, stamp: Stamp, raw: bytes) -> None:
    """Record which key signed a stamp, and whether its time fits the previous stamp's."""
    if stamp.signature is not None:
        text = signed_part(raw)
        if text is not None and stamp.signature.fits(text):
            chain.keys[number] = stamp.signature.fingerprint
        else:
            chain.problems.append(Problem(SEAL, number, "has a signature that does not match it"))
    if chain.stamps and stamp.at < chain.stamps[-1][1].at:
        chain.remarks.append(
            Problem(SEAL, number, "has an earlier time than the previous stamp: the clock was set back")
        )


def _shrinks(chain: _Chain, number: int, stamp: Stamp) -> Iterator[Problem]:
    if not chain.stamps:
        return
    before = chain.stamps[-1][1]
    for name, held in before.files.items():
        now = stamp.files.get(name)
        hole = stamp.forgotten is not None and name in stamp.forgotten.lines
        if now is None or now.lines < held.lines or (now.bytes < held.bytes and not hole):
            yield Problem(SEAL, number, Spoken("says that {name} had become shorter", name=name))
    if stamp.run.sha256 not in {before.run.sha256, before.run.next}:
        yield Problem(SEAL, number, Spoken("says that {run} had changed in a way that no stamp announced", run=RUN))


def _check_run(path: Path, chain: _Chain) -> Iterator[Problem]:
    try:
        with files.reading(path, RUN) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        yield Problem(RUN, None, "is missing")
        return
    except FileError as error:
        yield _unusable(RUN, error)
        return
    if not chain.stamps:
        return
    run = _run(path)
    binds = chain.stamps[0][1].binds
    if run and binds and (field := binds.differs(run)):
        yield Problem(
            RUN,
            None,
            Spoken(
                "has another {field} than {seal}:{stamps} says the run began with",
                field=field,
                seal=SEAL,
                stamps=chain.stamps[0][0],
            ),
        )
        return
    said: RunStamp = chain.stamps[-1][1].run
    if digest not in {said.sha256, said.next}:
        yield Problem(
            RUN, None, Spoken("differs from what {seal}:{stamps} says", seal=SEAL, stamps=chain.stamps[-1][0])
        )
    elif chain.stamps[-1][1].forgotten and digest != (said.next or said.sha256):
        yield _still(RUN, chain.stamps[-1][0])
    elif not any(stamp.final for _, stamp in chain.stamps) and run and run.ended is not None:
        yield Problem(
            SEAL,
            chain.stamps[-1][0] + 1,
            Spoken("is missing: {run} says that the run has ended, and no stamp does", run=RUN),
        )


def _still(name: str, line: int) -> StillThere:
    return StillThere(
        name, None, Spoken("still has what {seal}:{line} says was forgotten: forget it once more", seal=SEAL, line=line)
    )


def _run(path: Path) -> Run | None:
    try:
        return Run.model_validate_json(files.whole(path, RUN, most=files.RUN_BYTES))
    except (FileNotFoundError, FileError, ValidationError, OverflowError):
        return None


def _unusable(name: str, error: FileError, line: int | None = None) -> Problem:
    said = error.said if isinstance(error, files.NotAFile) else Spoken("cannot be opened")
    return Problem(name, line, said)


class _File:
    """One pass over one file of lines, checked against all its stamps."""

    def __init__(
        self,
        folder: Path,
        name: str,
        stamps: list[tuple[int, Stamp]],
        listed: list[_Listed],
        ended: int | None,
        named: _Named,
    ) -> None:
        self.folder = folder
        self.name = name
        self.stamps = [(line, stamp.files[name]) for line, stamp in stamps]
        self.ended = ended
        """Number of lines when the run ended; None when no stamp says so."""
        self.lines = 0
        """Whole lines read so far."""
        self.good = 0
        """The last line up to which the file matches its stamps."""
        self.unfinished = False
        self._named = named
        self._listed = listed
        self._firsts = [each.first for each in listed]
        self._holes = [at for at, (_, stamp) in enumerate(stamps) if stamp.forgotten and name in stamp.forgotten.lines]
        """Indexes of the stamps at which lines of this file became tombstones."""
        self._tombstones = 0
        """The last line that may be a tombstone."""
        self._forgotten = [stamp.forgotten.lines.get(name, 0) if stamp.forgotten else 0 for _, stamp in stamps]
        """Number of lines forgotten, for each stamp."""
        self._declared = 0
        """Number of tombstones that the stamps declare."""
        self._found = 0
        """Number of tombstones found."""

    def check(self) -> Problem | None:
        """Read the whole file; returns the first line that differs.

        Stamps before a hole can only be compared through the digests of single lines: those of the present lines, and
        those that tombstones give.
        """
        since, until = self._between_holes()
        self._tombstones = self.stamps[since - 1][1].lines if since else 0
        self._declared = sum(self._forgotten[: since + 1]) if since else 0
        problem = self._compare(list(reversed(self.stamps[since:until])))
        if problem is None and self._found > self._declared:  # fewer if forgetting was interrupted and repeated
            self.good = 0
            said = Spoken(
                "has {found:,} tombstones, and {seal} says that {declared:,} lines were forgotten",
                found=self._found,
                seal=SEAL,
                declared=self._declared,
            )
            return Problem(self.name, None, said)
        if problem is None and until < len(self.stamps):
            return _still(self.name, self.stamps[until][0])
        return problem

    def _compare(self, pending: list[tuple[int, FileStamp]]) -> Problem | None:
        """Read the whole file and compare it with these stamps, which are in reverse order."""
        covered = self.stamps[-1][1].lines if self.stamps else 0
        digest = hashlib.sha256()
        running = hashlib.sha256()
        size = 0
        suspect: int | None = None
        problem: Problem | None = None
        added: Problem | None = None
        pending = self._passed(pending, size, digest.hexdigest())
        lines = _Lines(self.folder, self.name, running=running)
        for raw in lines:
            number = self._count(raw)
            if self.ended is not None and number > self.ended and added is None:
                added = self._added(raw, number, covered)
            if problem or not pending:
                continue
            if (suspect is None or not self._said(suspect)) and not self._fits(raw, number):
                suspect = number
            digest = running.copy()
            size += raw.size
            if size >= pending[-1][1].bytes:
                left = self._passed(pending, size, digest.hexdigest())
                if len(left) == len(pending):
                    problem = self._differs(pending[-1], suspect)
                elif suspect is not None and self._said(suspect):
                    problem = Problem(
                        self.name, suspect, Spoken("is not what {seal} lists, though its stamp agrees", seal=SEAL)
                    )
                else:
                    self.good = self.lines
                pending = left
                suspect = None
        if lines.problem:
            return lines.problem
        if problem is None and pending:
            problem = self._differs(pending[-1], suspect)
        if problem and problem.line:  # everything before the first line that differs is as listed
            self.good = max(self.good, problem.line - 1 if suspect is None or self._said(suspect) else self.good)
        elif problem is None and added and added.line:
            self.good = min(self.good, added.line - 1)
        return problem or added

    def _between_holes(self) -> tuple[int, int]:
        """The range of stamps that the file can be compared with as a whole: from its latest hole up to the next
        one."""
        ends = [0, *self._holes, len(self.stamps)]
        for since, until in reversed(list(pairwise(ends))) if self._holes else ():
            held = self.stamps[since or until - 1][1]
            with suppress(FileNotFoundError, FileError), files.reading(self.folder, self.name) as file:
                digest, left = hashlib.sha256(), held.bytes
                while left and (chunk := file.read(min(left, 1 << 20))):
                    digest.update(chunk)
                    left -= len(chunk)
                if digest.hexdigest() == held.sha256:
                    return since, until
        return ends[-2], ends[-1]

    def _fits(self, raw: RawLine, number: int) -> bool:
        """Whether a line is the one that a stamp lists, or its tombstone."""
        said = self._said(number)
        gone = forgotten(raw.head) if number <= self._tombstones else None
        return bool(said) and (gone or raw.sha256).startswith(said)

    def _said(self, number: int) -> str:
        """The digest (or its beginning) that a stamp lists for a line; empty when none does."""
        return self._listed[max(0, bisect_right(self._firsts, number) - 1)].of_line(number)

    def _count(self, raw: RawLine) -> int:
        """Count one line; returns its number."""
        if raw.whole:
            self.lines += 1
            self._found += self.lines <= self._tombstones and forgotten(raw.head) is not None
            for body in named_bodies(raw.head) if self.name in _NAMING else ():
                self._named.add(body, f"{self.name}:{self.lines}")
        else:
            self.unfinished = True
        return self.lines + self.unfinished

    def _added(self, raw: RawLine, number: int, covered: int) -> Problem | None:
        """What is wrong with a line that was added after the end of the run; None when nothing is."""
        if not raw.whole and not _reads(raw):
            return None  # left by a killed writer; reported as a remark
        if number > covered:
            return Problem(self.name, number, "came after the stamp that ended the run, and no stamp covers it")
        if not (_mark(raw) or (number <= self._tombstones and forgotten(raw.head))):
            return Problem(
                self.name, number, "was added and stamped after the run had ended, and is not a mark of a person"
            )
        return None

    def _passed(self, pending: list[tuple[int, FileStamp]], size: int, digest: str) -> list[tuple[int, FileStamp]]:
        """The stamps that are still to be compared, in reverse order."""
        while pending:
            held = pending[-1][1]
            if (held.bytes, held.lines, held.sha256) != (size, self.lines, digest):
                break
            pending = pending[:-1]
        return pending

    def _differs(self, said: tuple[int, FileStamp], suspect: int | None) -> Problem:
        line, held = said
        if suspect is None and not os.path.lexists(self.folder / self.name):
            return Problem(
                self.name,
                None,
                Spoken("is missing; {seal}:{line} says it had {lines} lines", seal=SEAL, line=line, lines=held.lines),
            )
        if suspect is None and self._tombstones and self.lines >= held.lines:
            return Problem(
                self.name, None, Spoken("has tombstones for other lines than {seal}:{line} says", seal=SEAL, line=line)
            )
        if suspect is None or suspect > self.lines + self.unfinished:
            return Problem(
                self.name,
                self.lines + 1,
                Spoken("is missing; {seal}:{line} says there were {lines}", seal=SEAL, line=line, lines=held.lines),
            )
        if self._said(suspect):
            return Problem(
                self.name, suspect, Spoken("differs from what was stamped in {seal}:{line}", seal=SEAL, line=line)
            )
        return Problem(
            self.name,
            suspect,
            Spoken(
                "or a later line up to line {lines} differs from the stamp in {seal}:{line}",
                lines=held.lines,
                seal=SEAL,
                line=line,
            ),
        )


def _reads(raw: RawLine) -> bool:
    """Whether a line without newline counts as a line."""
    with suppress(BadLine):
        return raw.size == len(raw.head) and parse(raw.head) is not None
    return False


def _mark(raw: RawLine) -> bool:
    """Whether a line is one that `mark` writes."""
    try:
        event = parse(raw.head) if raw.size == len(raw.head) else None
    except BadLine:
        return False
    match event:
        case Consent():
            return event.signal == "operator" and event.by in MARKERS
        case Phase():
            return event.state == "mark"
        case _:
            return False


def _check_bodies(path: Path, named: _Named, sealed: dict[str, int]) -> tuple[list[Problem], list[Problem], set[str]]:
    """Problems with bodies (missing, or not matching their name), remarks on the folder, and the names of the bodies
    that are missing or do not match."""
    problems: list[Problem] = []
    remarks: list[Problem] = []
    wrong: set[str] = set()

    def missing(name: str, what: str) -> None:
        naming = named.by(name)
        covered = [ref for ref in naming if number_of(ref) <= sealed.get(_file(ref), 0)]
        ref = (covered or naming)[0]
        (problems if covered else remarks).append(
            Problem(f"{BODIES}/{name}", None, Spoken("{what}; {ref} names it", what=what, ref=ref))
        )
        wrong.add(name)

    try:
        with files.folder(path, BODIES) as here:
            present = sorted(os.listdir(here))  # noqa: PTH208 a folder that is open
    except FileNotFoundError:
        present = []
    except FileError as error:
        return [_unusable(BODIES, error)], [], set(named.bodies())
    for name in sorted(named.bodies() - set(present)):
        missing(name, Spoken("is missing"))
    for name in present:
        where = f"{BODIES}/{name}"
        if not _DIGEST.match(name):
            remarks.append(Problem(where, None, "was left by a writer that was stopped, or does not belong here"))
            continue
        try:
            with files.reading(path, BODIES, name) as body:
                content = hashlib.file_digest(body, "sha256").hexdigest()
        except (FileNotFoundError, FileError) as error:
            what = _unusable(where, error).what if isinstance(error, FileError) else Spoken("is missing")
            if named.by(name):
                missing(name, what)
            else:
                problems.append(Problem(where, None, what))
            continue
        if content != name:
            naming = named.by(name)
            by = Spoken("; {ref} names it", ref=naming[0]) if naming else ""
            problems.append(
                Problem(where, None, Spoken("differs: its content has another digest than its name{by}", by=by))
            )
            wrong.add(name)
        elif not named.by(name):
            remarks.append(Problem(where, None, "is named by no line"))
    return problems, remarks, wrong


def _file(ref: Ref) -> str:
    return ref.rpartition(":")[0]


def _extra(path: Path) -> Iterator[Problem]:
    belongs = {RUN, SEAL, BODIES, TOKENS, *FILES.values()}
    for name in sorted(entry.name for entry in path.iterdir()):
        if name not in belongs:
            yield Problem(name, None, "does not belong to a recording; not covered")
    for name in timestamps.strangers(path):
        yield Problem(name, None, "is not a token, or there are too many tokens; not covered")


class _Lines:
    """The lines of one file; the last one may lack its newline. A missing file has no lines."""

    def __init__(self, folder: Path, name: str, most: int = MAX_LINE_BYTES, running: Digest | None = None) -> None:
        self.place = (folder, name)
        self.most = most
        self.running = hashlib.sha256() if running is None else running
        self.problem: Problem | None = None
        """Set after an attempt to read something other than a regular file."""

    def __iter__(self) -> Iterator[RawLine]:
        try:
            file = files.reading(*self.place)
        except FileNotFoundError:
            return
        except FileError as error:
            self.problem = _unusable(self.place[1], error)
            return
        with file:
            yield from raw_lines(file, self.running, self.most)

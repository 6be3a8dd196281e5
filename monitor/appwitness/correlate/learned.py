"""What the lines of a recording say, apart from its uploads."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Literal

from appwitness.correlate.prior_knowledge import Knowledge
from appwitness.events import (
    FILES,
    Access,
    Connection,
    Consent,
    Event,
    Gap,
    Phase,
    Ref,
    Run,
    Screen,
    Transform,
    Value,
    Witness,
)
from appwitness.events.packed_lines import PackedLines
from appwitness.events.seen import Seen, holds, number_of
from appwitness.findings import ReportedGap
from appwitness.judge.claims import Claim
from appwitness.judge.code import method_of
from appwitness.judge.connections import connections_of
from appwitness.judge.consent import ScreenReader, of_app, understood
from appwitness.match.linking import Joined
from appwitness.match.reads import Key
from appwitness.recording import ReadLine


class Holes:
    """Lines that are missing: forgotten ones, and those that do not follow the contract."""

    def __init__(self, run: Run) -> None:
        self._started = run.started
        self.forgotten: dict[str, set[Ref]] = {}
        """Kind -> its forgotten lines."""
        self._unreadable: dict[Ref, ReportedGap] = {}

    def note(self, read: ReadLine, *, there: bool) -> None:
        """Record that a line is missing, or that it is `there` by now."""
        if there:
            self._unreadable.pop(read.ref, None)
        elif read.forgotten:
            self.forgotten.setdefault(read.kind, set()).add(read.ref)
        else:
            detail = f"not a line of the contract: {read.error}"
            self._unreadable[read.ref] = self._gap(read.ref, "protocol_unsupported", detail)

    def gaps(self) -> Iterator[ReportedGap]:
        """A gap for each kind with forgotten lines, then one for each unreadable line."""
        for kind in (kind for kind in FILES if kind in self.forgotten):
            yield self._gap(FILES[kind], "forgotten", f"{len(self.forgotten[kind]):,} lines")
        yield from (self._unreadable[ref] for ref in sorted(self._unreadable, key=_place))

    def _gap(self, subject: str, why: Literal["forgotten", "protocol_unsupported"], detail: str) -> ReportedGap:
        return ReportedGap(at=self._started, where="correlate", subject=subject, why=why, detail=detail)


class Readers:
    """Which code read a value, and when first; reads whose stack does not show the code are left out."""

    def __init__(self) -> None:
        self._first: dict[Key, dict[str, datetime]] = {}

    def add(self, seen: Seen[Access]) -> None:
        """Take in a read."""
        if seen.event.values and (code := method_of(seen.event)):
            for value in seen.event.values:
                first = self._first.setdefault((value.type, value.text), {})
                first[code] = min(first.get(code, seen.at), seen.at)

    def are_several(self, joined: Joined, at: datetime) -> bool:
        """Whether several pieces of code had read the same value that an upload carries."""
        keys = {(match.type, match.value) for match in joined.matches} if joined.earlier else ()
        return any(sum(first <= at for first in self._first.get(key, {}).values()) > 1 for key in keys)


class Learned:
    """What is known from lines other than uploads. Lines about other apps are ignored, except connections and gaps."""

    def __init__(self, run: Run, known: Knowledge) -> None:
        self._known = known
        self._app = run.app.package
        self._controllers = frozenset(known.labels.permission_controllers)
        self.connections = connections_of(run)
        self.accesses = PackedLines(Access)
        self.readers = Readers()
        self.screens = ScreenReader(known.labels, run.app.package)
        self.consents: list[Seen[Consent]] = []
        self.claims: dict[Ref, tuple[Claim, ...]] = {}
        self.phases: list[Seen[Phase]] = []
        self.witnesses: list[Seen[Witness]] = []
        self.gaps: list[Gap] = []
        self.cuts: dict[Ref, ReportedGap] = {}
        """Gaps for screens that show more than is read of one."""
        self.made: set[str] = set()
        """sha256 of outputs that the hooks saw the app compute: their content is known."""

    def add(self, seen: Seen[Event]) -> None:
        """Take in one line."""
        if holds(seen, Connection):
            self.connections.add(seen)
        elif holds(seen, Gap):
            self.gaps.append(seen.event)
        elif not self.is_own(seen.event):
            return
        elif holds(seen, Access):
            self.readers.add(seen)
            self.accesses.append(seen)
        elif holds(seen, Transform):
            self.made |= _made(seen.event)
        elif holds(seen, Consent):
            self._add_consent(seen)
        elif holds(seen, Screen):
            self.consents += self.screens.read(seen)
            if self.screens.leaves_out(seen.event):
                self.cuts[seen.ref] = _cut(seen)
        elif holds(seen, Phase):
            self.phases.append(seen)
        elif holds(seen, Witness):
            self.witnesses.append(seen)

    def is_own(self, event: Event) -> bool:
        """Whether a line is about the observed app."""
        return of_app(event, self._app, self._controllers)

    def values(self) -> Iterator[Value]:
        """Every value that was read."""
        for values in self.accesses.values("values"):
            yield from values

    def _add_consent(self, seen: Seen[Consent]) -> None:
        if line := understood(seen, self._known.labels):
            self.consents.append(line)
            if claim := self._known.claims.of_line(line):
                self.claims[seen.ref] = (claim,)


def _cut(seen: Seen[Screen]) -> ReportedGap:
    detail = "more is on the screen than is read of one: what it asks may not be known"
    return ReportedGap(
        at=seen.at, app=seen.event.app, where="correlate", subject=seen.ref, why="decode_limit", detail=detail
    )


def _place(ref: Ref) -> tuple[int, int]:
    """The position of a line in the order of files."""
    return list(FILES.values()).index(ref.rpartition(":")[0]), number_of(ref)


def _made(transform: Transform) -> set[str]:
    """sha256 of the transform's output; empty if it cannot be read."""
    output = transform.output
    if output.body is not None:
        return {output.body}
    with suppress(ValueError):  # in a stranger's recording
        return {hashlib.sha256(base64.b64decode(output.b64 or "")).hexdigest()}
    return set()

"""Joins accesses to uploads: finds the earlier read that returned a value in the upload."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from appwitness.catalog.picked import was_picked
from appwitness.catalog.withheld import is_placeholder
from appwitness.events import Access, DataType, Ref, Transform, Upload, Value
from appwitness.events.seen import Seen, number_of, shifted
from appwitness.findings import Match, People
from appwitness.findings.people import counted
from appwitness.match import variants
from appwitness.match.belief.choosing import believed, one_place
from appwitness.match.belief.contradiction import alone, without_others
from appwitness.match.belief.matches import in_lists, matches_of
from appwitness.match.decode import Decoded
from appwitness.match.finding import Sought
from appwitness.match.hits import Hit, root_of
from appwitness.match.persons import Persons, entries, persons_of
from appwitness.match.reads import Key, ReadAccess, Reads, UploadTime


class Joined(NamedTuple):
    """An access and an upload that carries what it returned."""

    access: Ref | None
    """None for a persona value that no access before the upload returned."""
    access_at: datetime | None
    """On the host's clock."""
    upload: Ref
    data: DataType
    matches: tuple[Match, ...]
    earlier: int
    """Number of further calls, surely before the upload, that returned one of the same values."""
    rows: int | None
    """How many rows of the access have a value in the upload."""
    rows_read: int | None
    """How many rows the access returned."""
    entries: int | None = None
    """Minimum number of rows that the found values come from."""
    people: People | None = None
    """Whose data it was; None unless the rows are about people."""
    simultaneous: bool = False
    """Whether the clocks are too uncertain to tell which came first, the access or the upload."""


class ReturnedValues(NamedTuple):
    """What several accesses returned alike: computed once, however often an app calls the API."""

    keys: frozenset[Key]
    row_of: dict[Key, int | None]
    """Each value with the first row that contains it."""
    rows: dict[int, frozenset[Key]]
    persons: Persons | None
    """The people that the rows are about."""


class Linker:
    """Knows the accesses of one recording and tells which of them each upload carries.

    Events may arrive in any order, and an upload may be linked again once more is known.
    """

    def __init__(
        self,
        persona: Sequence[Value],
        bodies: Callable[[str], bytes | None] | None = None,
        clock_uncertainty_ms: float = 0.0,
    ) -> None:
        """`bodies` reads a stored body by its digest: long inputs and outputs of transforms.

        `clock_uncertainty_ms`: how far the clocks may be apart; infinite if nobody compared them. A read that close to
        an upload may have come before or after it, and is named only if no other read was surely before.
        """
        self.sought = Sought(bodies)
        self._uncertain_ms = clock_uncertainty_ms
        self.narrow = self.sought.narrow
        """For `decode.leaves`: selects the parts of a large text that may hold anything known by now."""
        self._reads = Reads()
        self._given: dict[tuple[DataType, tuple[Value, ...], bool], ReturnedValues] = {}
        self._picked: set[Ref] = set()
        """Accesses that returned what the user had picked."""
        self._persons: dict[Ref, Persons] = {}
        """The people that the rows of each access are about."""
        for value in persona:
            if is_placeholder(value):
                continue
            key = (value.type, value.text)
            self._reads.plant(key)
            self.sought.add(key, alone=True)

    def add_access(self, seen: Seen[Access]) -> None:
        """Record what an access returned; a line that is known already changes nothing."""
        ref, access = seen.ref, seen.event
        if not access.values or self._reads.of(ref):
            return
        self._reads.apps |= {access.app} if access.app else set()
        picked = was_picked(access)
        what = (access.data, tuple(access.values), picked)
        given = self._given.get(what)
        if given is None:
            given = self._given[what] = self._learn(*what)
        known = ReadAccess(
            ref=ref,
            at=seen.at,
            until=seen.on_host(access.until) if access.until else None,
            calls=access.count,
            data=access.data,
            keys=given.keys,
            rows=given.rows,
        )
        self._reads.add(known, given.row_of)
        if picked:
            self._picked.add(ref)
        if given.persons is not None:
            self._persons[ref] = given.persons

    def _learn(self, data: DataType, values: Sequence[Value], picked: bool) -> ReturnedValues:
        """Look for the values of an access from now on; returns them with their rows and people."""
        rows: dict[int, set[Key]] = defaultdict(set)
        contacts: dict[int, str] = {}
        row_of: dict[Key, int | None] = {}
        for value in values:
            if not value.text.strip() or is_placeholder(value):
                continue
            key = (value.type, value.text)
            row_of.setdefault(key, value.row)
            if value.row is not None:
                rows[value.row].add(key)
                if isinstance(value.contact, str):
                    contacts[value.row] = value.contact
        for key, row in row_of.items():
            self.sought.add(key, alone=row is None)
        own = {row: frozenset(members) for row, members in rows.items()}
        persons = Persons(own, contacts) if picked else persons_of(data, own, contacts)
        return ReturnedValues(frozenset(row_of), row_of, own, persons)

    def add_transform(self, seen: Seen[Transform]) -> None:
        """Record a transform call of the app."""
        self.sought.add_transform(seen)

    def link(self, seen: Seen[Upload], decoded: Decoded) -> list[Joined]:
        """Everything that the upload carries, one entry per access (or per type of persona value without an access),
        in order of the accesses' lines. The same events yield the same result in any order."""
        ref, when = seen.ref, self._when(seen)
        by_then = when.latest
        found = self.sought.find(decoded, by_then, sorted(self._reads.apps), self._reads.unread(by_then))
        found = without_others(self._reads, one_place(self._reads, found, when), decoded, by_then)
        hits = alone(self._reads, believed(self._reads, found, when), decoded.leaves, by_then)
        hits = in_lists(hits, decoded)
        if not hits:
            return []
        by_access: dict[Ref | None, dict[Key, list[Hit]]] = defaultdict(dict)
        for key, of_key in hits.items():
            read = self._reads.last(key, when)
            if read is not None:
                by_access[read.ref][key] = of_key
            elif key in self._reads.persona:
                by_access[None][key] = of_key
        planted = by_access.pop(None, {})
        joins = [
            self._joined(access, of_access, ref, when, hits)
            for access, of_access in sorted(by_access.items(), key=lambda one: number_of(one[0] or ""))
        ]
        return joins + self._unread(planted, by_access, ref)

    def _when(self, seen: Seen[Upload]) -> UploadTime:
        """The upload's time as UploadTime. Lines written by the agent share the clock of the reads and are in order
        with them."""
        slack_ms = 0.0 if seen.event.by_agent else self._uncertain_ms
        return UploadTime(shifted(seen.at, -slack_ms), seen.at, shifted(seen.at, slack_ms))

    def _joined(
        self,
        access: Ref | None,
        of_access: dict[Key, list[Hit]],
        ref: Ref,
        when: UploadTime,
        all_hits: dict[Key, list[Hit]],
    ) -> Joined:
        known = self._reads.of(access or "")
        assert known is not None  # each value that was found is one of an access that was added
        earlier = self._reads.earlier(of_access, known, when.earliest)
        found = [row for row, members in known.rows.items() if not members.isdisjoint(all_hits)]
        row_of = {key: row for row, members in sorted(known.rows.items(), reverse=True) for key in members}
        persons = self._persons.get(known.ref)
        sent = persons.sent(of_access) if persons else {}
        matches = matches_of(of_access, row_of, sent, persons.details if persons else {})
        return Joined(
            access=known.ref,
            access_at=known.at,
            upload=ref,
            data=known.data,
            matches=matches,
            earlier=earlier,
            rows=len(found) if known.rows else None,
            rows_read=len(known.rows) if known.rows else None,
            entries=entries(known.rows, of_access) if known.rows else None,
            people=counted(
                matches,
                persons.read,
                persons.held(sent.values()),
                told_apart=persons.told_apart,
                picked=known.ref in self._picked,
            )
            if persons
            else None,
            simultaneous=when.earliest < known.at and when.earliest < when.latest,
        )

    def _unread(
        self,
        planted: dict[Key, list[Hit]],
        by_access: dict[Ref | None, dict[Key, list[Hit]]],
        ref: Ref,
    ) -> list[Joined]:
        """Persona values that no access before the upload returned, except those in bytes that an access explains."""
        explaining = [hit for of_access in by_access.values() for of_key in of_access.values() for hit in of_key]
        by_type: dict[str, dict[Key, list[Hit]]] = defaultdict(dict)
        for key, of_key in planted.items():
            if self._same_number(key, by_access):
                continue
            own = [hit for hit in of_key if not any(_same_bytes(hit, other) for other in explaining)]
            if own:
                by_type[key[0]][key] = own
        return [
            Joined(None, None, ref, type_, matches_of(of_type, {}, {}, {}), 0, None, None)
            for type_, of_type in sorted(by_type.items())
        ]

    def _same_number(self, key: Key, by_access: dict[Ref | None, dict[Key, list[Hit]]]) -> bool:
        """Whether an access explains a planted value under another type or in another form."""
        own = canonical(key)
        return any(canonical(other) == own for of_access in by_access.values() for other in of_access)


def _same_bytes(hit: Hit, other: Hit) -> bool:
    """Whether two hits cover the same bytes of the upload."""
    if root_of(hit.leaf.path) != root_of(other.leaf.path) or hit.start >= other.end or other.start >= hit.end:
        return False
    return hit.leaf.exact or (hit.leaf.path == other.leaf.path and hit.found == other.found)


def canonical(key: Key) -> str:
    """A value's text, independent of its notation."""
    kind = variants.kind_of(Value(type=key[0], text=key[1]))
    if kind == "phone":
        forms = dict(variants.FORMS["phone"](key[1]))
        return next((forms[name] for name in ("e164",) if name in forms), re.sub(r"\D", "", key[1]))
    return re.sub(r"[\s:-]", "", key[1]).casefold()

"""Joins accesses to uploads: which earlier read returned a value that the upload carries."""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.events import Access, DataType, Ref, Transform, Upload, Value
from monitor.findings import Match
from monitor.match import variants
from monitor.match.belief.matches import in_lists, matches_of
from monitor.match.belief.placeholders import is_everywhere, is_of_a_service, is_placeholder
from monitor.match.belief.support import KEYED_BITS, supports
from monitor.match.decode import Decoded
from monitor.match.finders.sets import Key
from monitor.match.finding import Sought
from monitor.match.hits import Hit, is_whole, root_of

MATCHES = 32
"""Places that are named for one value in one upload; more add nothing."""
LONG_AGO = timedelta(days=365_000)


class Joined(NamedTuple):
    """An access and an upload that carries what it returned."""

    access: Ref | None
    """None: a value of the persona, and no access before the upload returned it."""
    access_at: datetime | None
    """On the host's clock."""
    upload: Ref
    data: DataType
    matches: tuple[Match, ...]
    earlier: int
    """Further accesses before the upload that returned one of the same values."""
    rows: int | None
    """How many rows of the access are in the upload."""
    rows_read: int | None
    """How many rows it returned."""
    simultaneous: bool = False
    """The clocks do not say whether the access was before the upload."""


NAMESAKE = 3e-5
"""The share of people who bear one name, roughly: more for a short one, less for a long one."""
MANY_NAMES = 100


class _When(NamedTuple):
    """When an upload was, and how early and late that may have been on the clock of the accesses."""

    earliest: datetime
    at: datetime
    latest: datetime


class _Read(NamedTuple):
    """One access that returned a value; orders by time, then by line."""

    at: datetime
    line: int
    ref: Ref
    row: int
    """-1: of none."""


class _Known(NamedTuple):
    """One access as far as linking needs it."""

    ref: Ref
    at: datetime
    until: datetime | None
    calls: int
    data: DataType
    keys: frozenset[tuple[str, str]]
    rows: dict[int, frozenset[tuple[str, str]]]


class Linker:
    """Knows the accesses of one recording, and says of each upload which of them it carries.

    Events may come in any order, and uploads may be linked again when more is known. Times of the device are put on
    the host's clock: host = device - offset.
    """

    def __init__(
        self,
        persona: Sequence[Value],
        clock_offset_ms: float = 0.0,
        bodies: Callable[[str], bytes | None] | None = None,
        clock_uncertainty_ms: float = 0.0,
    ) -> None:
        """`bodies` reads a stored body by its digest: what transforms took in and gave out, where it is long.

        `clock_uncertainty_ms`: how wrong the offset may be. A read that close to an upload may have been before it or
        not; it is only named where no other was surely before.
        """
        self._sought = Sought(bodies)
        self._offset = timedelta(milliseconds=clock_offset_ms)
        self._uncertain = timedelta(milliseconds=clock_uncertainty_ms)
        self.narrow = self._sought.narrow
        """For `decode.leaves`: which parts of a large text may hold anything that is known by now."""
        self._accesses: dict[Ref, _Known] = {}
        self._reads: dict[Key, list[_Read]] = defaultdict(list)
        self._persona: set[Key] = set()
        self._apps: set[str] = set()
        """The apps that read: whatever they send may name them."""
        self._names: set[Key] = set()
        for value in persona:
            if is_placeholder(value):
                continue
            key = (value.type, value.text)
            self._persona.add(key)
            self._look_for(key, alone=True)

    def _look_for(self, key: Key, *, alone: bool) -> None:
        """Find a value from now on; whether it was read alone, not in a row."""
        self._sought.add(key, alone=alone)
        if key[0] == "name":
            self._names.add(key)

    def add_access(self, ref: Ref, access: Access) -> None:
        """Learn what an access returned; a line that is known already changes nothing."""
        if ref in self._accesses or not access.values:
            return
        at = access.at - self._offset
        line = line_of(ref)
        self._apps |= {access.app} if access.app else set()
        rows: dict[int, set[Key]] = defaultdict(set)
        keys: dict[Key, int | None] = {}
        for value in access.values:
            if not value.text.strip() or is_placeholder(value):
                continue
            key = (value.type, value.text)
            keys.setdefault(key, value.row)
            if value.row is not None:
                rows[value.row].add(key)
        for key, row in keys.items():
            self._look_for(key, alone=row is None)
            insort(self._reads[key], _Read(at, line, ref, row if row is not None else -1))
        self._accesses[ref] = _Known(
            ref=ref,
            at=at,
            until=access.until - self._offset if access.until else None,
            calls=access.count,
            data=access.data,
            keys=frozenset(keys),
            rows={row: frozenset(members) for row, members in rows.items()},
        )

    def add_transform(self, ref: Ref, transform: Transform) -> None:
        """Learn what the app turned into what."""
        self._sought.add_transform(ref, transform, transform.at - self._offset)

    def link(self, ref: Ref, upload: Upload, decoded: Decoded) -> list[Joined]:
        """Everything that the upload carries, one entry for each access (or for each type of persona value without
        one), in order of the accesses' lines; the same events give the same answer whatever their order."""
        when = self._when(upload)
        by_then = when.latest
        found = self._sought.find(decoded, by_then, sorted(self._apps), lambda key: self._may_be_there(key, by_then))
        hits = self._believed(self._one_place(found, when), when)
        hits = in_lists(hits, decoded)
        if not hits:
            return []
        by_access: dict[Ref | None, dict[Key, list[Hit]]] = defaultdict(dict)
        for key, of_key in hits.items():
            read = self._last_read(key, when)
            if read is not None:
                by_access[read.ref][key] = of_key
            elif key in self._persona:
                by_access[None][key] = of_key
        planted = by_access.pop(None, {})
        joins = [
            self._joined(access, of_access, ref, when, hits)
            for access, of_access in sorted(by_access.items(), key=lambda one: line_of(one[0] or ""))
        ]
        return joins + self._unread(planted, by_access, ref)

    def _may_be_there(self, key: Key, at: datetime) -> bool:
        """Whether a value is the persona's, or an access may have returned it before a moment."""
        return key in self._persona or any(read.at <= at for read in self._reads.get(key, ())[:1])

    # --- which hits to believe ---

    def _believed(self, hits: Sequence[Hit], when: _When) -> dict[Key, list[Hit]]:
        """Hits by value, without those that are too short to be proof and have no support in the upload."""
        by_key: dict[Key, list[Hit]] = defaultdict(list)
        for hit in hits:
            by_key[hit.key].append(hit)  # type: ignore[index]  # our keys are pairs of str
        everywhere = {key for key, of_key in by_key.items() if self._is_everywhere(of_key[0].value)}
        certain = {
            key: [hit for hit in of_key if hit.strong]
            for key, of_key in by_key.items()
            if any(hit.strong for hit in of_key) and key not in everywhere
        }
        believed: dict[Key, list[Hit]] = {}
        for key, of_key in sorted(by_key.items()):
            kept: list[Hit] = []
            short = key in everywhere or any(not hit.strong for hit in of_key)
            partners = self._partners(key, certain.keys(), when.latest) if short else []
            for hit in of_key:
                if key in certain and hit.strong:
                    kept.append(hit)
                elif partner := next((one for one, of_row in partners if supports(certain[one], hit, of_row)), None):
                    why = f"{hit.why}; short, but the {partner[0]} of the same row is in the upload as well"
                    kept.append(hit._replace(chance=hit.chance / 10_000, why=why))
                elif hit.telling and hit.variant.bits >= KEYED_BITS and is_whole(hit) and key not in everywhere:
                    kept.append(hit._replace(why=f"{hit.why}; short, but under a key of this kind"))
                elif key[0] in SURE_WITH_SALT and hit.evidence and len(hit.leaf.data) <= SALTED:
                    kept.append(hit._replace(why=f"{hit.why}; short, but with a salt it is all that went in"))
            if kept:
                kept.sort(key=lambda hit: (hit.chance, hit.leaf.path, hit.start))
                believed[key] = kept[:MATCHES]
        return self._with_namesakes(believed, certain, when.latest)

    def _is_everywhere(self, value: Value) -> bool:
        """Whether a value says something only beside others: also the app itself among those that are installed."""
        if is_of_a_service(value):
            return all(map(self._has_row, self._reads.get((value.type, value.text), ())))
        return is_everywhere(value) or (value.type == "installed_apps" and value.text in self._apps)

    def _has_row(self, read: _Read) -> bool:
        """Whether a value was read in a row with others."""
        return len(self._accesses[read.ref].rows.get(read.row, ())) > 1

    def _with_namesakes(
        self, believed: dict[Key, list[Hit]], certain: dict[Key, list[Hit]], at: datetime
    ) -> dict[Key, list[Hit]]:
        """Where many names are known, one of them alone may be that of somebody else of the same name: nothing else of
        its row is in the upload. Several of them are less and less likely to be others."""
        if len(self._names) < MANY_NAMES:
            return believed
        others = {key: of_key for key, of_key in certain.items() if key[0] != "name"}
        alone = [key for key in believed if key[0] == "name" and not self._partners(key, others.keys(), at)]
        chance = min(0.5, NAMESAKE * len(self._names)) ** max(1, len(alone))
        for key in alone:
            believed[key] = [
                hit._replace(
                    chance=chance, why=f"{hit.why}; {len(self._names)} names are known, and others bear them too"
                )
                if hit.chance < chance
                else hit
                for hit in believed[key]
            ]
        return believed

    def _one_place(self, hits: list[Hit], when: _When) -> list[Hit]:
        """Of several places read that the same numbers are, one: whose numbers they are exactly, else the last read."""
        spots: dict[tuple[str, int, int], list[Hit]] = defaultdict(list)
        for hit in hits:
            if hit.value.type.startswith("location"):
                spots[hit.leaf.path, hit.start, hit.end].append(hit)
        dropped: set[int] = set()
        for rivals in spots.values():
            if len({hit.key for hit in rivals}) < 2:
                continue

            def rank(hit: Hit) -> tuple[bool, bool, datetime, int]:
                read = self._last_read(hit.key, when)  # type: ignore[arg-type]  # our keys are pairs of str
                return (hit.fits, read is not None, read.at if read else when.at, read.line if read else 0)

            best = max(rivals, key=rank)
            dropped |= {id(hit) for hit in rivals if hit.key != best.key}
        return [hit for hit in hits if id(hit) not in dropped]

    def _partners(self, key: Key, certain: AbstractSet[Key], at: datetime) -> list[tuple[Key, bool]]:
        """Other values that some access before the upload returned together with one, and that are surely there; and
        whether they are of the same row, or the access has none."""
        found: dict[Key, bool] = {}
        for read in reversed(self._reads.get(key, ())):
            if read.at > at:
                continue
            known = self._accesses[read.ref]
            in_row = read.row >= 0 and key[0] != "installed_apps"  # which has a row of its own
            row = known.rows.get(read.row, frozenset()) if in_row else known.keys
            for partner in sorted((row & certain) - {key}):
                found[partner] = found.get(partner, False) or in_row or key[0] == "installed_apps"
        return list(found.items())

    # --- what belongs together ---

    def _when(self, upload: Upload) -> _When:
        """What the agent wrote is on the clock of the reads, and in order with them."""
        slack = timedelta() if upload.by_agent else self._uncertain
        return _When(upload.at - slack, upload.at, upload.at + slack)

    def _last_read(self, key: Key, when: _When) -> _Read | None:
        """The last that was surely before; where there is none, the first that may have been."""
        reads = self._reads.get(key)
        if not reads:
            return None
        number = bisect_right(reads, when.earliest, key=lambda read: read.at)
        if number:
            return reads[number - 1]
        return reads[0] if reads[0].at <= when.latest else None

    def _joined(
        self,
        access: Ref | None,
        of_access: dict[Key, list[Hit]],
        ref: Ref,
        when: _When,
        all_hits: dict[Key, list[Hit]],
    ) -> Joined:
        known = self._accesses[access or ""]
        others: set[Ref] = set()
        for key in of_access:
            reads = self._reads[key]
            others |= {read.ref for read in reads[: bisect_right(reads, when.at, key=lambda read: read.at)]}
        earlier = sum(_calls(self._accesses[other], when.at) for other in others | {known.ref}) - 1
        found = [row for row, members in known.rows.items() if not members.isdisjoint(all_hits)]
        row_of = {key: row for row, members in sorted(known.rows.items(), reverse=True) for key in members}
        return Joined(
            access=known.ref,
            access_at=known.at,
            upload=ref,
            data=known.data,
            matches=matches_of(of_access, row_of),
            earlier=earlier,
            rows=len(found) if known.rows else None,
            rows_read=len(known.rows) if known.rows else None,
            simultaneous=when.earliest < known.at and when.earliest < when.latest,
        )

    def _unread(
        self,
        planted: dict[Key, list[Hit]],
        by_access: dict[Ref | None, dict[Key, list[Hit]]],
        ref: Ref,
    ) -> list[Joined]:
        """Persona values that no access before the upload returned, without those whose bytes an access explains."""
        explaining = [hit for of_access in by_access.values() for of_key in of_access.values() for hit in of_key]
        by_type: dict[str, dict[Key, list[Hit]]] = defaultdict(dict)
        for key, of_key in planted.items():
            if self._same_number(key, by_access):
                continue
            own = [hit for hit in of_key if not any(_same_bytes(hit, other) for other in explaining)]
            if own:
                by_type[key[0]][key] = own
        return [
            Joined(None, None, ref, type_, matches_of(of_type, {}), 0, None, None)
            for type_, of_type in sorted(by_type.items())
        ]

    def _same_number(self, key: Key, by_access: dict[Ref | None, dict[Key, list[Hit]]]) -> bool:
        """Whether an access explains a planted value under another type or in another form."""
        own = canonical(key)
        return any(canonical(other) == own for of_access in by_access.values() for other in of_access)


def line_of(ref: Ref) -> int:
    """The line number in a reference; 0 where it has none."""
    number = ref.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


SURE_WITH_SALT = frozenset(("birthday",))
"""Types of short values that are believed where the app itself put them into a digest or cipher with little else."""
SALTED = 64
"""Bytes of a value and its salt, at most."""


def _same_bytes(hit: Hit, other: Hit) -> bool:
    """Whether two hits are of the same bytes of the upload."""
    if root_of(hit.leaf.path) != root_of(other.leaf.path) or hit.start >= other.end or other.start >= hit.end:
        return False
    return hit.leaf.exact or (hit.leaf.path == other.leaf.path and hit.found == other.found)


def canonical(key: Key) -> str:
    """A value's text without what its notation may vary in."""
    kind = variants.kind_of(Value(type=key[0], text=key[1]))
    if kind == "phone":
        forms = dict(variants.FORMS["phone"](key[1]))
        return next((forms[name] for name in ("e164",) if name in forms), re.sub(r"\D", "", key[1]))
    return re.sub(r"[\s:-]", "", key[1]).casefold()


def _calls(known: _Known, before: datetime) -> int:
    """How many calls an access line stands for that were surely made before a moment."""
    return known.calls if known.until is None or known.until <= before else 1

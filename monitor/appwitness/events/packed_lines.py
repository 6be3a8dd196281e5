"""Lines of one kind as columns: a long run has a million, and most of what they say is the same."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, overload, override

from appwitness.events import FILES, Event, Ref, kind_of
from appwitness.events.seen import Seen

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = -(1 << 63)
"""In a column of times: no time."""
TIMES = frozenset({"at", "arrived", "until"})
_MICROSECOND = timedelta(microseconds=1)


class _Column:
    """A field of all lines: each value once, and which line has which."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.places = array("I")
        self._by_identity: dict[int, int] = {}
        self._known: dict[Any, int] = {}

    def append(self, value: Any) -> None:
        place = self._by_identity.get(id(value))
        if place is None:
            place = self._place(value)
        self.places.append(place)

    def _place(self, value: Any) -> int:
        new = len(self.values)
        try:
            place = self._known.setdefault(value, new)
        except TypeError:  # a dictionary
            place = new
        if place == new:
            self.values.append(value)
            self._by_identity[id(value)] = new  # the value stays, so nothing else gets its identity
        return place

    def __getitem__(self, line: int) -> Any:
        return self.values[self.places[line]]


class _Times:
    """A time that each line has, or may have, in microseconds."""

    def __init__(self) -> None:
        self.places = array("q")

    def append(self, at: datetime | None) -> None:
        self.places.append(NEVER if at is None else microseconds(at))

    def __getitem__(self, line: int) -> datetime | None:
        at = self.places[line]
        return None if at == NEVER else moment(at)


class PackedLines[E: Event](Sequence[Seen[E]]):
    """Lines of one kind in the order of their file; each is made anew, equal to what it was, when it is asked for."""

    def __init__(self, kind: type[E], lines: Iterable[Seen[E]] = ()) -> None:
        self._kind = kind
        self._file = FILES[kind_of(kind)]
        self._fields: dict[str, _Column | _Times] = {
            name: _Times() if name in TIMES else _Column() for name in kind.__struct_fields__
        }
        self.numbers = array("Q")
        """Of each line, its number in the file."""
        self.at = array("q")
        """Of each line, its time on the host's clock in microseconds since 1970."""
        for seen in lines:
            self.append(seen)

    def append(self, seen: Seen[E]) -> None:
        """Take in the next line."""
        self.numbers.append(seen.number)
        self.at.append(microseconds(seen.at))
        event = seen.event
        for name, column in self._fields.items():
            column.append(getattr(event, name))

    @overload
    def __getitem__(self, place: int) -> Seen[E]: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Seen[E], ...]: ...
    @override
    def __getitem__(self, place: int | slice) -> Seen[E] | tuple[Seen[E], ...]:
        if isinstance(place, slice):
            return tuple(map(self._made, range(*place.indices(len(self)))))
        return self._made(range(len(self))[place])

    @override
    def __iter__(self) -> Iterator[Seen[E]]:
        return map(self._made, range(len(self)))

    @override
    def __len__(self) -> int:
        return len(self.numbers)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    @override
    def __hash__(self) -> int:
        return hash(tuple(self))

    def _made(self, place: int) -> Seen[E]:
        number = self.numbers[place]
        fields: dict[str, Any] = {name: column[place] for name, column in self._fields.items()}
        return Seen(self.ref_at(place), number, moment(self.at[place]), self._kind(**fields))

    def ref_at(self, place: int) -> Ref:
        """The name of the line at a place."""
        return f"{self._file}:{self.numbers[place]}"

    def counts(self, name: str) -> Counter[Any]:
        """How many lines have each value of a field, that of the first line first."""
        column = self._fields[name]
        assert isinstance(column, _Column)
        return Counter({column.values[place]: count for place, count in Counter(column.places).items()})

    def values(self, name: str) -> Sequence[Any]:
        """Each value of a field, in the order in which the lines have them."""
        column = self._fields[name]
        assert isinstance(column, _Column)
        return column.values

    def alike(self, names: Iterable[str]) -> list[tuple[Seen[E], Sequence[int]]]:
        """The lines by the values of these fields: the first of each group, and the places of all of it."""
        columns = [self._fields[name].places for name in names]
        groups: dict[Any, list[int]] = {}
        for place, key in enumerate(zip(*columns, strict=True)):
            group = groups.get(key)
            if group is None:
                group = groups[key] = []
            group.append(place)
        return [(self._made(places[0]), places) for places in groups.values()]


def microseconds(at: datetime) -> int:
    """A time as microseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The time that is so many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=at)

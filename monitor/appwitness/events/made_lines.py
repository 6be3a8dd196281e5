"""Lines that are stored in another form, and constructed one by one when they are read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import overload, override

from appwitness.events import Event
from appwitness.events.seen import Seen


class MadeLines[E: Event](Sequence[Seen[E]]):
    """A sequence of lines that are constructed on access; equal to a sequence of the lines themselves."""

    @abstractmethod
    def made(self, place: int) -> Seen[E]:
        """Construct the line at an index from 0."""

    @overload
    def __getitem__(self, place: int) -> Seen[E]: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Seen[E], ...]: ...
    @override
    def __getitem__(self, place: int | slice) -> Seen[E] | tuple[Seen[E], ...]:
        if isinstance(place, slice):
            return tuple(map(self.made, range(*place.indices(len(self)))))
        return self.made(range(len(self))[place])

    @override
    def __iter__(self) -> Iterator[Seen[E]]:
        return map(self.made, range(len(self)))

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    @override
    def __hash__(self) -> int:
        return hash(tuple(self))

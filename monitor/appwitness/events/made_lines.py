"""Lines that are kept in another form, and made one by one as they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import overload, override

from appwitness.events import Event
from appwitness.events.seen import Seen


class MadeLines[E: Event](Sequence[Seen[E]]):
    """A sequence of lines that is equal to one of the lines themselves."""

    @abstractmethod
    def made(self, place: int) -> Seen[E]:
        """The line at a place, from 0 to below the length."""

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

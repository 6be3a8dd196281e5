"""The lines of one kind in a recording, filtered and sorted."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from appwitness.events import Event
from appwitness.events.columns import Column
from appwitness.events.seen import Seen
from appwitness.recording import START
from appwitness.store import Store
from appwitness.store.lists import CHOICES, ROWS, ListPage, Lists, paged

How = Literal["is", "has", "class"]


class LineBrief(msgspec.Struct, frozen=True):
    """The fields of a line that lists need and that many lines share; a field that its kind does not have keeps the
    default."""

    host: str | None = None
    method: str | None = None
    status: int | None = None
    via: str = ""
    source: str = ""
    data: str | None = None
    outcome: str = ""


class LineNumbers(msgspec.Struct):
    """The other fields of a line that lists need."""

    size: int = 0
    count: int = 1


FILTERS: dict[str, dict[str, How]] = {
    "upload": {"host": "has", "method": "is", "status": "class", "via": "is"},
    "access": {"data": "is", "outcome": "is", "source": "has"},
}
"""kind -> the fields to filter by: for an exact value, for a part of it, or for a status (`404`, `4xx`)."""
SORTS = {"upload": ("line", "host", "method", "status", "size"), "access": ("line", "data", "source", "count")}
"""kind -> the fields to sort by; a leading `-` reverses the order."""
_BRIEF = msgspec.json.Decoder(LineBrief)
_NUMBERS = msgspec.json.Decoder(LineNumbers)


class RecordedLines:
    """The lines of one kind of one recording, as columns: a long run has a million."""

    def __init__(self, store: Store, recording: str, kind: str) -> None:
        self.store = store
        self.recording = recording
        self.kind = kind
        self._at = START
        self._briefs: dict[LineBrief, int] = {}
        """The distinct briefs, each with its index."""
        self._brief_of = array("I")
        """For each line, the index of its brief."""
        self._ahead = Column()
        """For each line, its number in the file minus its index."""
        self._numbers = {"size": Column(), "count": Column()}
        """For each line, its LineNumbers."""

    def update(self) -> None:
        """Read the lines that were added since the last call."""
        for read in self.store.read(self.recording, self.kind, self._at):
            if read.position.line <= self._at.line:
                continue
            self._at = read.position
            try:
                brief, numbers = _BRIEF.decode(read.raw), _NUMBERS.decode(read.raw)
            except (msgspec.DecodeError, UnicodeDecodeError):  # it breaks the contract: the report has a gap for it
                continue
            self._ahead.append(read.position.line - len(self._brief_of))
            self._numbers["size"].append(numbers.size)
            self._numbers["count"].append(numbers.count)
            self._brief_of.append(self._briefs.setdefault(brief, len(self._briefs)))

    def page(
        self, filters: Mapping[str, str], only: Iterable[int] | None = None, sort: str = "-line", number: int = 1
    ) -> ListPage[Seen[Event]]:
        """One page of the lines that match (FILTERS, SORTS), optionally only those with a number in `only`."""
        asked = [(name, how, filters[name].lower()) for name, how in FILTERS[self.kind].items() if filters.get(name)]
        found: Sequence[int] = range(len(self._brief_of))
        if asked or only is not None:
            fits = [all(_fits(brief, *each) for each in asked) for brief in self._briefs]
            wanted = bytearray(self._at.line + 1)
            for line in only or ():
                if line < len(wanted):
                    wanted[line] = True
            found = array(
                "I", (at for at in found if fits[self._brief_of[at]] and (only is None or wanted[self._line(at)]))
            )
        by, backwards = sort.lstrip("-"), sort.startswith("-")
        found = found[::-1] if backwards else found  # so that of equal lines, the last comes first
        if by != "line" and by in SORTS[self.kind]:
            found = sorted(found, key=self._rank(by), reverse=backwards)
        number, start = paged(number, len(found))
        shown = [self._line(at) for at in found[start : start + ROWS]]
        return ListPage(tuple(Lists(self.store).seen(self.recording, self.kind, shown)), number, len(found))

    def _line(self, at: int) -> int:
        return at + self._ahead[at]

    def _rank(self, by: str) -> Callable[[int], int]:
        """What to sort the indexes of lines by: a number, or the rank of a text among the briefs."""
        if by in self._numbers:
            return self._numbers[by].__getitem__
        values = [getattr(brief, by) for brief in self._briefs]
        order = sorted(set(values), key=lambda value: (value is not None, value if value is not None else 0))
        ranks = {value: rank for rank, value in enumerate(order)}
        of_brief = [ranks[value] for value in values]
        return lambda at: of_brief[self._brief_of[at]]

    def choices(self, name: str) -> list[tuple[Any, int]]:
        """The values of a field of LineBrief, each with its number of lines, most frequent first."""
        lines = Counter(self._brief_of)
        counts = Counter[Any]()
        for brief, number in self._briefs.items():
            counts[getattr(brief, name)] += lines[number]
        del counts[None]
        return counts.most_common(CHOICES)


def _fits(brief: LineBrief, name: str, how: How, wanted: str) -> bool:
    value = getattr(brief, name)
    if how == "has":
        return wanted in (value or "").lower()
    if how == "class" and value is not None and wanted.endswith("xx"):
        return f"{value // 100}xx" == wanted
    return str(value).lower() == wanted

"""The lines of one kind in a recording, filtered and sorted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Literal

import msgspec

from appwitness.events import Event
from appwitness.events.seen import Seen
from appwitness.recording import START
from appwitness.store import Store
from appwitness.store.lists import CHOICES, ROWS, ListPage, Lists, paged

How = Literal["is", "has", "class"]


class LineBrief(msgspec.Struct):
    """The fields of a line that lists need; a field that its kind does not have keeps the default."""

    host: str | None = None
    method: str | None = None
    status: int | None = None
    via: str = ""
    size: int = 0
    source: str = ""
    data: Any = None
    outcome: str = ""
    count: int = 1
    line: int = 0
    """Its number; not part of the line itself."""


FILTERS: dict[str, dict[str, How]] = {
    "upload": {"host": "has", "method": "is", "status": "class", "via": "is"},
    "access": {"data": "is", "outcome": "is", "source": "has"},
}
"""kind -> the fields to filter by: for an exact value, for a part of it, or for a status (`404`, `4xx`)."""
SORTS = {"upload": ("line", "host", "method", "status", "size"), "access": ("line", "data", "source", "count")}
"""kind -> the fields to sort by; a leading `-` reverses the order."""
_BRIEF = msgspec.json.Decoder(LineBrief)


class RecordedLines:
    """The lines of one kind of one recording."""

    def __init__(self, store: Store, recording: str, kind: str) -> None:
        self.store = store
        self.recording = recording
        self.kind = kind
        self._at = START
        self._briefs: list[LineBrief] = []

    def update(self) -> None:
        """Read the lines that were added since the last call."""
        for read in self.store.read(self.recording, self.kind, self._at):
            if read.position.line <= self._at.line:
                continue
            self._at = read.position
            try:
                brief = _BRIEF.decode(read.raw)
            except (msgspec.DecodeError, UnicodeDecodeError):  # it breaks the contract: the report has a gap for it
                continue
            brief.line = read.position.line
            self._briefs.append(brief)

    def page(
        self, filters: Mapping[str, str], only: Collection[int] | None = None, sort: str = "-line", number: int = 1
    ) -> ListPage[Seen[Event]]:
        """One page of the lines that match (FILTERS, SORTS), optionally only those with a number in `only`."""
        asked = [(name, how, filters[name].lower()) for name, how in FILTERS[self.kind].items() if filters.get(name)]
        found = [
            brief
            for brief in self._briefs
            if (only is None or brief.line in only) and all(_fits(brief, *each) for each in asked)
        ]
        by = sort.lstrip("-") if sort.lstrip("-") in SORTS[self.kind] else "line"
        found.sort(key=lambda brief: _key(brief, by), reverse=sort.startswith("-"))
        number, start = paged(number, len(found))
        rows = Lists(self.store).seen(self.recording, self.kind, [brief.line for brief in found[start : start + ROWS]])
        return ListPage(tuple(rows), number, len(found))

    def choices(self, name: str) -> list[tuple[Any, int]]:
        """The values of a field, each with its number of lines, most frequent first."""
        counts = Counter(getattr(brief, name) for brief in self._briefs)
        del counts[None]
        return counts.most_common(CHOICES)


def _fits(brief: LineBrief, name: str, how: How, wanted: str) -> bool:
    value = getattr(brief, name)
    if how == "has":
        return wanted in (value or "").lower()
    if how == "class" and value is not None and wanted.endswith("xx"):
        return f"{value // 100}xx" == wanted
    return str(value).lower() == wanted


def _key(brief: LineBrief, by: str) -> Any:
    value = getattr(brief, by)
    return (value is not None, value if value is not None else 0, brief.line)

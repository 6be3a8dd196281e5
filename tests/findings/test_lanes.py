"""Lines of a report that are masked one by one, as they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from appwitness.events import Access, Event
from appwitness.events.seen import Seen, see
from appwitness.findings.lanes import ShownLines, during, named

AT = datetime(2026, 3, 14, 1, 20, tzinfo=UTC)
NUMBERS = (2, 3, 5, 7, 11)
LINES: tuple[Seen[Event], ...] = tuple(
    see(
        f"accesses.jsonl:{n}", Access(at=AT + timedelta(seconds=n), source=f"a.B.c{n}", data="oaid", outcome="empty"), 0
    )
    for n in NUMBERS
)


@pytest.fixture
def shown():
    return []


@pytest.fixture(params=["as they are", "masked"])
def lane(request, shown):
    def show(event: Event) -> Event:
        shown.append(event)
        return event.model_copy({"source": "***"})

    return ShownLines(LINES, show) if request.param == "masked" else LINES


def sources(lane) -> set[str]:
    return {seen.event.source for seen in lane}


def numbers(lane) -> list[int]:
    return [seen.number for seen in lane]


@pytest.mark.parametrize(
    ("refs", "found"),
    [
        (["accesses.jsonl:3", "accesses.jsonl:11"], [3, 11]),
        (["accesses.jsonl:11", "accesses.jsonl:2", "accesses.jsonl:4"], [2, 11]),
        (["uploads.jsonl:3"], []),
        (["accesses.jsonl:12", "accesses.jsonl:1", "no line"], []),
        ([], []),
    ],
)
def test_lines_by_name(lane, refs, found):
    assert numbers(named(lane, refs)) == found


def test_lines_by_time(lane):
    assert numbers(during(lane, lambda at: AT + timedelta(seconds=3) <= at < AT + timedelta(seconds=11))) == [3, 5, 7]


def test_only_what_is_asked_for_is_masked(shown):
    lane = ShownLines(LINES, lambda event: shown.append(event) or event.model_copy({"source": "***"}))
    assert len(lane) == len(NUMBERS)
    assert shown == []
    few = named(lane, {"accesses.jsonl:5"})
    assert shown == []
    assert sources(few) == {"***"}
    assert len(shown) == 1
    assert isinstance(lane[0], Seen)
    assert len(lane[1:3]) == 2
    assert sources(lane[1:3]) == sources(lane) == {"***"}

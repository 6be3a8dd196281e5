"""Lines of a report that are masked one by one, as they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from appwitness.events import Access, Event, Upload, Value
from appwitness.events.packed_lines import PackedLines
from appwitness.events.seen import Seen, see
from appwitness.findings.lanes import (
    ShownEvidence,
    ShownLines,
    alike,
    counts_of,
    name_at,
    named,
    place_of,
    times_of,
    values_of,
)
from tests.reports import sample

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


@pytest.fixture(params=["as they are", "masked", "packed", "packed and masked"])
def lane(request, shown):
    lines = PackedLines(Access, LINES) if "packed" in request.param else LINES

    def show(event: Event) -> Event:
        shown.append(event)
        return event.model_copy({"source": "***"})

    return ShownLines(lines, show) if "masked" in request.param else lines


def sources(lane) -> set[str]:
    return {seen.event.source for seen in lane}


def numbers(lane) -> list[int]:
    return [seen.number for seen in lane]


def test_evidence_is_prepared_when_it_is_asked_for(shown):
    def show(event: Event) -> Event:
        shown.append(event)
        return event.model_copy({"source": "***"})

    bare = {seen.ref: seen.event for seen in LINES}
    report = sample.report().model_copy(update={"evidence": ShownEvidence(bare, show)})
    assert list(report.evidence) == list(bare)
    assert report.line("accesses.jsonl:3", Upload) is report.line("accesses.jsonl:4", Access) is None
    assert not shown
    access = report.line("accesses.jsonl:3", Upload, Access)
    assert access is report.evidence["accesses.jsonl:3"]
    assert isinstance(access, Access)
    assert access.source == "***"
    assert shown == [bare["accesses.jsonl:3"]]


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


def test_what_can_be_told_of_lines_without_making_them(lane, shown):
    assert [place_of(lane, f"accesses.jsonl:{number}") for number in (2, 4, 11)] == [0, None, 4]
    assert place_of(lane, "uploads.jsonl:2") is None
    assert [name_at(lane, place) for place in (0, 4)] == ["accesses.jsonl:2", "accesses.jsonl:11"]
    assert [each - times_of(lane)[0] for each in times_of(lane)] == [(number - 2) * 1_000_000 for number in NUMBERS]
    assert counts_of(lane, "data") == {"oaid": 5}
    assert shown == []


def test_lines_that_have_fields_alike(lane, shown):
    (every,) = alike(lane, Access, ("data", "outcome"))
    assert (every.first.number, list(every.places)) == (2, [0, 1, 2, 3, 4])
    assert len(shown) <= 1
    assert [list(places) for _, places in alike(lane, Access, ("source", "data"))] == [[0], [1], [2], [3], [4]]
    assert alike((), Access, ("source",)) == []


def test_the_values_of_reads_are_told_once_where_many_gave_the_same():
    values = tuple(Value(type="imei", text=text) for text in ("49015", "35209"))
    lines = [seen._replace(event=seen.event.model_copy({"values": values})) for seen in LINES]
    assert list(values_of(PackedLines(Access, lines))) == list(values)
    assert set(values_of(lines)) == set(values)


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

"""What was read, and when: values that no access had returned by a moment, and what it costs to tell."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appwitness.match.reads import Key, ReadAccess, Reads
from tests.strategies import examples

START = datetime(2026, 3, 14, 1, 20, tzinfo=UTC)
KEYS: list[Key] = [(kind, text) for kind in ("name", "email") for text in "abc"]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def add(reads: Reads, number: int, moment: datetime, keys: list[Key]) -> None:
    ref = f"accesses.jsonl:{number}"
    access = ReadAccess(ref, moment, None, 1, "email", frozenset(keys), {})
    reads.add(access, dict.fromkeys(keys))


class Plain:
    """The same by its definition: every value is looked at each time."""

    def __init__(self) -> None:
        self.persona: set[Key] = set()
        self.read: list[tuple[datetime, list[Key]]] = []

    def unread(self, moment: datetime) -> frozenset[Key]:
        later = {key for _, keys in self.read for key in keys}
        earlier = {key for when, keys in self.read for key in keys if when <= moment}
        return frozenset(later - earlier - self.persona)


STEPS = st.one_of(
    st.tuples(st.just("read"), st.integers(0, 8), st.lists(st.sampled_from(KEYS), max_size=4)),
    st.tuples(st.just("plant"), st.just(0), st.lists(st.sampled_from(KEYS), min_size=1, max_size=1)),
)


@settings(max_examples=examples(400), deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_values_that_were_not_read_by_then_are_those_of_the_definition(steps):
    """Whatever the order in which lines come: early and late ones, the same value again, before an upload and after."""
    reads, plain = Reads(), Plain()
    for number, (what, second, keys) in enumerate(steps, 1):
        if what == "plant":
            reads.plant(keys[0])
            plain.persona.add(keys[0])
        else:
            add(reads, number, at(second), keys)
            plain.read.append((at(second), keys))
        asked = [(reads.unread(at(moment)), plain.unread(at(moment))) for moment in (-1, *range(9), 2.5)]
        for mine, expected in asked:
            assert {key for key in KEYS if key in mine} == expected
        # a finder keeps what it made for as long as these are the same
        for (one, of_one), (two, of_two) in itertools.combinations(asked, 2):
            assert (one == two) == (of_one == of_two)


def test_what_was_kept_of_an_earlier_state_is_no_longer_the_same():
    reads = Reads()
    add(reads, 1, at(5), [KEYS[0]])
    before = reads.unread(at(3))
    add(reads, 2, at(4), [KEYS[1]])
    assert reads.unread(at(3)) != before
    before = reads.unread(at(3))
    add(reads, 3, at(1), [KEYS[1]])
    assert reads.unread(at(3)) != before
    assert hash(reads.unread(at(3))) == hash(reads.unread(at(3.5)))


class Counted(datetime):
    """A moment that counts how often it is held against another."""

    compared = 0

    def __lt__(self, other):
        Counted.compared += 1
        return super().__lt__(other)

    def __le__(self, other):
        Counted.compared += 1
        return super().__le__(other)

    def __gt__(self, other):
        Counted.compared += 1
        return super().__gt__(other)


def compared(values: int, late: int) -> float:
    """Comparisons of moments for an upload, with so many values, and so many of them learned between uploads."""
    moments = [Counted.fromtimestamp(second, UTC) for second in range(values)]
    reads = Reads()
    for number, moment in enumerate(moments[late:], 1):
        add(reads, number, moment, [("email", str(number))])
    uploads = moments[:: values // 50]
    spent = 0
    for number, upload in enumerate(uploads):
        before = Counted.compared
        unread = reads.unread(upload)
        assert (("email", "1") in unread) == (upload < moments[late])
        spent += Counted.compared - before
        if number < late:
            add(reads, values + number, moments[number], [("email", f"late {number}")])
    return spent / len(uploads)


@pytest.mark.parametrize("late", [0, 40])
def test_an_upload_costs_no_more_when_more_values_are_known(late):
    few, many = compared(1_000, late), compared(16_000, late)
    assert many < few + 8, (few, many)  # each doubling may cost one comparison more

"""Reads that returned the same are counted together: the counts are those of a look at each, whatever the order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from appwitness.match.reads import Key, ReadAccess, Reads

START = datetime(2026, 3, 14, 1, 20, tzinfo=UTC)
KEYS: list[Key] = [("email", text) for text in "abc"]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


READS = st.tuples(
    st.integers(0, 8),
    st.none() | st.integers(0, 8),  # a hostile line may end before it begins
    st.integers(1, 5) | st.just(1 << 70),  # a hostile line may have any count
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True),
    st.integers(0, 1),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(READS, min_size=1, max_size=10), st.lists(st.sampled_from(KEYS), min_size=1, unique=True))
def test_earlier_calls_are_those_of_the_definition(lines, keys):
    reads, accesses = Reads(), []
    for number, (second, until, calls, returned, row) in enumerate(lines, 1):
        access = ReadAccess(
            ref=f"accesses.jsonl:{number}",
            at=at(second),
            until=None if until is None else at(until),
            calls=calls,
            data="email",
            keys=frozenset(returned),
            rows={row: frozenset(returned)},
        )
        reads.add(access, dict.fromkeys(returned, row))
        accesses.append(access)

    def calls_of(access: ReadAccess, before: datetime) -> int:
        return access.calls if access.until is None or access.until <= before else 1

    for known in (access for access in accesses if not access.keys.isdisjoint(keys)):
        for before in map(at, range(-1, 10)):
            named = [each for each in accesses if each.at <= before and not each.keys.isdisjoint(keys)]
            expected = sum(calls_of(each, before) for each in {each.ref: each for each in (*named, known)}.values()) - 1
            assert reads.earlier(keys, known, before) == expected


def test_what_earlier_calls_cost_grows_with_what_was_returned_and_not_with_how_often():
    reads = Reads()
    for number in range(1, 5001):
        keys = [("email", str(number % 3))]
        access = ReadAccess(f"accesses.jsonl:{number}", at(number), None, 1, "email", frozenset(keys), {})
        reads.add(access, dict.fromkeys(keys))
    alike = reads.alike_of["email", "1"]
    assert len(alike) == 1
    known = reads.of("accesses.jsonl:4999")
    assert known is not None
    assert (
        reads.earlier([("email", "1")], known, at(4999))
        == len([number for number in range(1, 5000) if number % 3 == 1]) - 1
    )

"""Memory that proxy and writer share: what goes in comes out, in order and whole, and never more than fits."""

from __future__ import annotations

import os
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from addons.disk import ring
from tests.strategies import examples

SIZES = st.one_of(st.integers(0, 300), st.integers(0, 3 * 1024 * 1024))


def ends() -> tuple[ring.Ring, ring.Ring]:
    fd = ring.memory()
    try:
        return ring.Ring(fd), ring.Ring(fd)
    finally:
        os.close(fd)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.tuples(SIZES, SIZES, st.integers(0, 4)), min_size=1, max_size=60))
def test_records_come_out_as_they_went_in(steps: list[tuple[int, int, int]]) -> None:
    fd = ring.memory()
    ours, theirs = ring.Ring(fd), ring.Ring(fd)
    block = os.urandom(6 * 1024 * 1024)
    waiting: deque[tuple[bytes, bytes, int]] = deque()
    for number, (line_size, size, takes) in enumerate(steps):
        line, data = block[:line_size], block[size : 2 * size]
        before = ours.used()
        if ours.put(
            ring.RING_BYTES, ring.Put(ring.WHOLE, line, (data[:7], data[7:]), number=number, of=size, problem=b"why")
        ):
            waiting.append((line, data, number))
            theirs.hear(ours.bell())
        else:
            assert ours.used() == before
            assert before + line_size + size + ring.LONGEST > ring.RING_BYTES // 2, "there was room"
        assert ours.used() <= ring.RING_BYTES
        for _ in range(takes):
            taken = theirs.first()
            assert (taken is None) == (not waiting)
            if taken is None:
                break
            assert (taken.line, bytes(taken.data), taken.number) == waiting.popleft()
            assert (taken.kind, taken.problem, taken.of) == (ring.WHOLE, "why", len(taken.data))
            theirs.take()
    # Whoever comes next finds the rest, also when he has heard no bell.
    another = ring.Ring(fd)
    os.close(fd)
    for line, data, number in waiting:
        left = another.first()
        assert left
        assert (left.line, bytes(left.data), left.number) == (line, data, number)
        another.take()
    assert another.first() is None
    assert ours.used() == 0


def test_what_would_be_too_much_is_refused_and_a_record_as_long_as_the_memory_is_not() -> None:
    ours, theirs = ends()
    assert not ours.put(ring.RING_BYTES, ring.Put(ring.GAP, b"x" * ring.RING_BYTES))
    longest = b"x" * (ring.RING_BYTES - 64)
    assert ours.put(ring.RING_BYTES, ring.Put(ring.GAP, longest))
    assert not ours.put(ring.RING_BYTES, ring.Put(ring.GAP, b"x" * 100))
    theirs.hear(ours.bell())
    first = theirs.first()
    assert first
    assert first.line == longest
    theirs.take()
    assert ours.put(1000, ring.Put(ring.GAP, b"short"))
    assert not ours.put(60, ring.Put(ring.GAP, b"short"))


def test_only_what_was_rung_for_is_seen() -> None:
    ours, theirs = ends()
    ours.put(ring.RING_BYTES, ring.Put(ring.GAP, b"one"))
    bell = ours.bell()
    ours.put(ring.RING_BYTES, ring.Put(ring.GAP, b"two"))
    assert theirs.first() is None
    theirs.hear(b"\0" * len(bell) + bell)
    first = theirs.first()
    assert first
    assert first.line == b"one"
    theirs.take()
    assert theirs.first() is None
    theirs.ended()
    second = theirs.first()
    assert second
    assert second.line == b"two"

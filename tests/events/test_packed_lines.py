"""Lines as columns: what is taken out is what was put in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.events import Access, Endpoint, Tls, Upload, Value
from appwitness.events.packed_lines import ByRef, PackedLines
from appwitness.events.seen import microseconds, moment, see

AT = datetime(2026, 3, 14, 1, 20, tzinfo=UTC)

times = st.integers(0, 16_000_000_000_000_000).map(
    lambda after: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(0, 0, after)
)
texts = st.none() | st.text(max_size=3)
accesses = st.builds(
    Access,
    at=times,
    app=texts,
    pid=st.none() | st.integers(0, 9),
    arrived=st.none() | times,
    boot_ms=st.none() | st.integers(0, 1 << 64) | st.sampled_from([(1 << 63) - 1, 1 << 63]),
    source=st.text(max_size=3),
    target=texts,
    data=st.sampled_from(["imei", "oaid"]),
    values=st.lists(st.builds(Value, type=st.just("imei"), text=st.text(max_size=2)), max_size=2).map(tuple),
    outcome=st.sampled_from(["returned", "empty", "denied"]),
    args=st.none() | st.dictionaries(st.text(max_size=2), st.lists(st.integers(), max_size=2), max_size=2),
    stack=st.lists(st.text(max_size=3), max_size=3).map(tuple),
    thread=texts,
    count=st.integers(1, 3),
    until=st.none() | times,
)
uploads = st.builds(
    Upload,
    at=times,
    via=st.sampled_from(["http", "tcp"]),
    host=texts,
    headers=st.lists(st.tuples(st.text(max_size=2), st.text(max_size=2)), max_size=2).map(tuple),
    size=st.integers(0, 9),
    truncated=st.booleans(),
    client=st.none() | st.builds(Endpoint, ip=st.text(max_size=2), port=st.integers(0, 9)),
    tls=st.none() | st.builds(Tls, version=texts),
    status=st.none() | st.integers(200, 202),
    answered=st.none() | st.booleans(),
)


@pytest.mark.parametrize(("kind", "file", "lines"), [(Access, "accesses", accesses), (Upload, "uploads", uploads)])
@given(data=st.data(), offset_ms=st.none() | st.floats(-1e9, 1e9))
def test_lines_are_what_they_were(kind, file, lines, data, offset_ms):
    given_lines = [
        see(f"{file}.jsonl:{3 * number + 1}", event, offset_ms)
        for number, event in enumerate(data.draw(st.lists(lines, max_size=6)))
    ]
    packed = PackedLines(kind, given_lines)
    assert list(packed) == given_lines
    assert [repr(each) for each in packed] == [repr(each) for each in given_lines]  # also 1 is not True
    assert len(packed) == len(given_lines)
    assert packed == tuple(given_lines)
    assert packed[1:4] == tuple(given_lines[1:4])
    assert packed[-1:] == tuple(given_lines[-1:])
    assert dict(ByRef(packed)) == {each.ref: each for each in given_lines}
    assert f"{file}.jsonl:2" not in ByRef(packed)


def test_a_line_that_is_not_there():
    with pytest.raises(IndexError):
        PackedLines(Access)[0]


def test_fields_alike_are_held_once():
    packed = PackedLines(Access)
    for number in range(1, 1001):
        values = (Value(type="imei", text=f"{number % 3}"),)
        event = Access(at=AT + timedelta(seconds=number), source="a.B.c", data="imei", values=values, outcome="empty")
        packed.append(see(f"accesses.jsonl:{number}", event, 0))
    assert len(list(packed.values("values"))) == 3
    assert packed.counts("source") == {"a.B.c": 1000}
    groups = packed.alike(("values", "outcome"))
    assert [(seen.number, len(places)) for seen, places in groups] == [(1, 334), (2, 333), (3, 333)]


@given(times)
def test_microseconds_are_exact(at):
    assert moment(microseconds(at)) == at

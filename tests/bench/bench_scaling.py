"""What more values cost: CPU for ordinary bodies of 2 kB with 1,000, 10,000 and a million values; what adding one costs
when 250,000 patterns are there; how long other threads wait meanwhile. Ratios in one run.

    python -m tests.bench.bench_scaling [VALUES]

VALUES is a number in place of the million, which takes 6 GB and ten minutes.
"""

from __future__ import annotations

import base64
import gzip
import json
import resource
import statistics
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

from appwitness.events import Value
from appwitness.match import decode
from appwitness.match.finding import ValueIndex
from appwitness.support.collecting import settling
from tests.bench.bench_matching import document, spent, values
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, talk

SIZES = (1_000, 10_000, 1_000_000)
BODY = 2_000
PATTERNS = 250_000
TIMES = 60
ADDED = 1_000
"""Values of which each is added on its own."""
PAUSE = 0.002
"""Seconds between one and the next, as in traffic."""
ALIKE = 10_000
"""Numbers that are written as JSON, for about as long as a value takes to add."""

IN_A_ROW = 500
"""Waits of a thread, of which the longest counts: a quarter of a second."""


def varint(number: int) -> bytes:
    """As protobuf writes it."""
    out = b""
    while number > 0x7F:
        out += bytes((number & 0x7F | 0x80,))
        number >>= 7
    return out + bytes((number,))


def protobuf(rows: list[dict[str, object]]) -> bytes:
    """Rows as messages of strings and numbers."""
    out = b""
    for row in rows:
        message = b""
        for field, value in enumerate(row.values(), 1):
            if isinstance(value, str):
                message += varint(field << 3 | 2) + varint(len(value.encode())) + value.encode()
            elif isinstance(value, int):
                message += varint(field << 3) + varint(int(value))
        out += b"\x0a" + varint(len(message)) + message
    return out


def bodies(planted: Value) -> dict[str, bytes]:
    """The same few rows, one with a value, in ordinary formats."""
    rows = json.loads(document(BODY, []))["events"]
    rows[len(rows) // 2]["extra"] = planted.text
    text = json.dumps({"app": "x", "events": rows}).encode()
    flat = {f"{key}{n}": json.dumps(value) for n, row in enumerate(rows) for key, value in row.items()}
    return {
        "json": text,
        "form": urllib.parse.urlencode(flat).encode(),
        "protobuf": protobuf(rows),
        "gzip json": gzip.compress(text),
        "base64 json": json.dumps({"data": base64.b64encode(text).decode()}).encode(),
    }


def cpu(index: ValueIndex, body: bytes, key: object) -> float:
    """Seconds of this thread to decode and search a body, the median of many; the value must be found."""
    spent = []
    for _ in range(TIMES):
        begun = time.thread_time()
        decoded = decode.leaves_of(body, narrow=index.narrow)
        hits = index.find(decoded.leaves, decoded.passed_over)
        spent.append(time.thread_time() - begun)
        assert any(hit.key == key for hit in hits), key
    return statistics.median(sorted(spent)[: TIMES // 2])


def distinct(size: int) -> list[Value]:
    """That many different values; there are only some thousands of made up names."""
    made: dict[tuple[str, str], Value] = {}
    more = size + size // 2
    while len(made) < size:
        made |= {(value.type, value.text): value for value in values(more)}
        more *= 2
    return list(made.values())[:size]


def resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if sys.platform == "linux" else 0
    return pages * resource.getpagesize()


def growth(sizes: tuple[int, ...]) -> Iterator[Given]:
    """CPU for bodies, with more and more values. Of other sizes than the usual ones, the figures are only told."""
    index, before = ValueIndex(), dict[str, float]()
    known = distinct(sizes[-1])
    planted = known[0]
    empty = resident()
    for number, size in enumerate(sizes):
        begun = time.thread_time()
        for value in known[len(index) : size]:
            index.add((value.type, value.text), value)
        each = (time.thread_time() - begun) / (size - (sizes[number - 1] if number else 0))
        memory = (resident() - empty) / size
        talk(
            f"{size:9,} values, {index.patterns:,} patterns: {memory:.0f} bytes a value, {each * 1e6:.0f} us of CPU to "
            "add one"
        )
        for name, body in bodies(planted).items():
            spent = cpu(index, body, (planted.type, planted.text))
            before.setdefault(name, spent)
            talk(
                f"{size:9,} values, {name:11s} {len(body):5d} bytes: {spent * 1e6:6.0f} us"
                + (f", {spent / before[name]:.2f} times as with {sizes[0]:,}" if number else "")
            )
            if number and size in SIZES:
                yield Figure(f"2 kB of {name}, {size:,} values", spent / before[name])


def adding() -> Iterator[Given]:
    """One value more, with all its forms: in a row, in traffic, and while another thread ticks."""
    index = ValueIndex()
    known = values(PATTERNS // 50)  # no more than are needed: the collector of garbage looks at all of them
    at = 0
    while index.patterns < PATTERNS:
        index.add((known[at].type, known[at].text), known[at])
        at += 1
    with settling():  # as `correlate.follow` does, which other threads run beside
        took = [added(index, value) for value in known[at : at + ADDED]]
        talk(f"adding to {at:,} values, {PATTERNS:,} patterns, one after the other: {shares(took)}")
        yield Figure("adding one after the other, p99", late(took) / late([alike() for _ in took]))
        yield from in_traffic(index, known[at + ADDED :][:ADDED])
        yield from beside_a_thread(index, known[at + 2 * ADDED :][:ADDED])


def added(index: ValueIndex, value: Value) -> float:
    """Seconds of this thread to add a value."""
    return spent(lambda: index.add((value.type, value.text), value), 1)


def alike() -> float:
    """Seconds of this thread for work that is always the same, and takes about as long as to add a value."""
    return spent(lambda: json.dumps(list(range(ALIKE))), 1)


def shares(took: list[float]) -> str:
    """The middle of so many seconds, and what one in a hundred takes or more."""
    middle, late = (sorted(took)[len(took) * share // 100] * 1e6 for share in (50, 99))
    return f"p50 {middle:.0f} us, p99 {late:.0f} us of CPU"


def late(took: list[float]) -> float:
    """Seconds that one in a hundred takes or more."""
    return sorted(took)[len(took) * 99 // 100]


def in_traffic(index: ValueIndex, known: list[Value]) -> Iterator[Given]:
    """A value, a body that holds it, a pause; beside it the same work each time, for what the machine itself adds."""
    before, took, same, missed = index.patterns, [], [], 0
    for value in known:
        time.sleep(PAUSE)
        took.append(added(index, value))
        body = json.dumps({"v": value.text}).encode()
        hits = index.find(decode.leaves_of(body).leaves)
        missed += not any(hit.key == (value.type, value.text) for hit in hits)
        time.sleep(PAUSE)
        same.append(alike())
    talk(
        f"adding to {before:,} patterns, each after a pause of {1000 * PAUSE:.0f} ms: {shares(took)}; {missed} of "
        f"{len(known):,} missed in the next body; work that is always the same, after such pauses: {shares(same)}"
    )
    yield Figure("adding in traffic, p99", late(took) / late(same))
    yield Figure("values missed in the next body", missed)


def longest(waits: Sequence[float]) -> float:
    """The longest of so many waits in a row, in the median: the longest of all is a matter of chance."""
    rows = [waits[at : at + IN_A_ROW] for at in range(0, len(waits) - IN_A_ROW + 1, IN_A_ROW)]
    return statistics.median(map(max, rows))


def beside_a_thread(index: ValueIndex, known: list[Value]) -> Iterator[Given]:
    """How long another thread waits that wakes every half of a millisecond."""
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(0.0005)
            now = time.perf_counter()
            ticks.append(now - last)
            last = now

    ticker = threading.Thread(target=tick)
    ticker.start()
    for _ in known:
        time.sleep(PAUSE)
    idle, from_here, before = longest(ticks), len(ticks), index.patterns
    took, same = [], []
    for value in known:
        took.append(added(index, value))
        time.sleep(PAUSE)
        same.append(alike())
        time.sleep(PAUSE)
    done.set()
    ticker.join()
    busy = longest(ticks[from_here:])
    talk(
        f"adding to {before:,} patterns, beside a thread that wakes every 0.5 ms: {shares(took)}; the thread waited "
        f"{busy * 1e3:.1f} ms, the longest of {IN_A_ROW} waits, and {idle * 1e3:.1f} ms when nothing was added"
    )
    yield Figure("adding beside a thread, p99", late(took) / late(same))
    yield Figure("longest wait of another thread", busy / idle)


def measure(most: int = SIZES[-1]) -> Iterator[Given]:
    """What adding costs, then what many values cost."""
    yield from adding()
    yield from growth((*SIZES[:2], most))


if __name__ == "__main__":
    sys.exit(alone("scaling", measure(*map(int, sys.argv[1:]))))

"""Rows a second into the index, against raw sqlite3 `executemany` of the same rows in the same run.

The rows are accesses with their values, uploads and connections as a run gives them. Each figure is the best of a few
rounds that take turns, so that a busy machine slows all of them.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any

from appwitness import events
from appwitness.correlate import correlate, knowledge
from appwitness.recording import Recording
from appwitness.store import Store
from appwitness.store.index import BATCH
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, parsed, seconds, talk
from tests.recordings.written import RECORDINGS

LINES = 20_000
ROUNDS = 5
SMALL_RECORDINGS = 20
AT = datetime(2026, 5, 1, tzinfo=UTC)
STACK = tuple(f"com.example.circle.net.Client.call{n}(Client.java:{n})" for n in range(6))
KINDS = ("access", "connection", "upload")


def line(number: int) -> events.Event:
    """Every fourth line an upload, every fourth a connection, the others accesses with two values."""
    at = AT + timedelta(milliseconds=10 * number)
    base: dict[str, Any] = {"at": at, "app": "com.example.circle", "pid": 4711}
    if number % 4 == 0:
        return events.Upload(
            **base,
            via="http",
            method="POST",
            url="https://api.circle.test/contacts/sync",
            host="api.circle.test",
            headers=(("content-type", "application/json"), ("user-agent", "circle/1")),
            body=f"{number:064x}",
            size=1000,
            tls=events.Tls(version="TLSv1.3"),
        )
    if number % 4 == 1:
        ends = events.Endpoint(ip="10.0.2.15", port=number % 60_000), events.Endpoint(ip="203.0.113.9", port=443)
        return events.Connection(**base, local=ends[0], remote=ends[1], host="api.circle.test", stack=STACK)
    return events.Access(
        **base,
        source="android.database.Cursor.getString",
        target="content://com.android.contacts/data",
        data="contacts",
        values=(
            events.Value(type="name", text=f"Somebody {number}", row=0),
            events.Value(type="phone_number", text=f"+86138{number:08d}", row=0),
        ),
        outcome="returned",
        stack=STACK,
    )


def best(rounds: list[float]) -> float:
    return min(rounds)


def raw(place: Path, rows: list[tuple[object, ...]]) -> float:
    """Seconds for the same rows with nothing but sqlite3, in transactions of the same size."""
    Store(place).close()
    with closing(sqlite3.connect(place, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = NORMAL")
        begun = time.perf_counter()
        for batch in batched(rows, BATCH):
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO lines (recording, kind, line, bytes, raw) VALUES (?, ?, ?, ?, ?)", batch)
            database.execute("COMMIT")
        return time.perf_counter() - begun


def ingest(place: Path, recording: Recording) -> float:
    """Seconds for Store.ingest."""
    with Store(place) as store:
        begun = time.perf_counter()
        for kind in KINDS:
            store.ingest("r", recording.run, "", recording.read(kind))
        return time.perf_counter() - begun


def spent(work: Callable[[], Any]) -> float:
    """CPU seconds."""
    return seconds(work, clock=time.process_time)


def measure() -> Iterator[Given]:
    """How fast rows come into the index."""
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        run = events.Run(
            id="r",
            app=events.AppIdentity(package="com.example.circle"),
            device=events.DeviceIdentity(serial="lab", kind="lab"),
            started=AT,
        )
        recording = Recording.create(room / "r", run)
        made = [line(number) for number in range(LINES)]
        recording.append_all(made)
        lines = LINES
        size = sum((recording.path / name).stat().st_size for name in events.FILES.values())
        talk(f"recording: {lines} lines, {size / lines:.0f} bytes each")
        rows: list[tuple[object, ...]] = [
            (1, read.kind, read.position.line, read.size, read.raw) for kind in KINDS for read in recording.read(kind)
        ]
        texts = [read.raw for kind in KINDS for read in recording.read(kind)]
        times: dict[str, list[float]] = {"raw": [], "walk": [], "parse": [], "json": []}
        for turn in range(ROUNDS):
            times["raw"].append(raw(room / f"raw{turn}", rows))
            times["walk"].append(ingest(room / f"walk{turn}", recording))
            times["parse"].append(
                spent(lambda: deque((read.event for kind in KINDS for read in recording.read(kind)), 0))
            )
            times["json"].append(parsed(texts))
        yardstick = best(times["raw"])
        talk(f"index: {lines} lines; {lines / yardstick:,.0f} rows/s with nothing but sqlite3")
        yield Figure("ingest from the files", yardstick / best(times["walk"]))
        talk(f"reading and parsing alone: {lines / best(times['parse']):,.0f} lines/s")
        yield Figure("reading and parsing alone", best(times["json"]) / best(times["parse"]))
        yield from unchanged(room / "index")


def unchanged(index: Path) -> Iterator[Given]:
    """The time in which recordings are found to be as they were when they were judged, as a share of judging them."""
    known = knowledge()
    recordings = [Recording.open(path.parent) for path in sorted(RECORDINGS.glob("*/run.json"))[:SMALL_RECORDINGS]]
    with Store(index) as store:

        def correlated() -> float:
            return spent(lambda: [correlate(recording, store, known) for recording in recordings])

        first, again = correlated(), best([correlated() for _ in range(ROUNDS)])
        talk(f"{len(recordings) / again:.0f} recordings/s that have not changed")
        yield Figure("recordings that have not changed", again / first)


if __name__ == "__main__":
    sys.exit(alone("store", measure()))

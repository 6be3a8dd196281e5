"""The index at the size of a fleet: rows a second into PostgreSQL, against a bare COPY of the same rows in the same
run; and a thousand small recordings, by one process and by two."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import batched, cycle, islice
from pathlib import Path

import psycopg

from appwitness import events
from appwitness.correlate import knowledge
from appwitness.correlate.many import correlate_many
from appwitness.recording import ReadLine, Recording
from appwitness.store import Store
from appwitness.store.index import BATCH
from tests.bench.bench_store import AT, KINDS, line
from tests.bench.figures import Figure, Given, NotMeasured
from tests.bench.running import alone, seconds, talk
from tests.postgres import Postgres
from tests.recordings.written import RECORDINGS

LINES = 40_000
ROUNDS = 15
"""Each takes less than half a second, in which the server may or may not have had a core."""
SMALL = 1000
COMPUTED = 80_000_000
"""Numbers that are squared and added up, for some seconds."""
TWO_CORES = 1.7
"""Least gain of two processes that only compute where a second core is free."""
ID = "00000000000000000000000000000000-com.example.circle-accept-a1"
KNOWN = knowledge()
COLUMNS = "recording bigint, kind text, line bigint, bytes bigint, raw bytea, PRIMARY KEY (recording, kind, line)"


def copied(url: str, rows: list[tuple[object, ...]]) -> float:
    """Seconds for a bare COPY of the rows, in transactions of the same size."""
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE lines ({COLUMNS})".encode())
        begun = time.perf_counter()
        for batch in batched(rows, BATCH):
            with connection.cursor() as cursor, cursor.copy("COPY lines FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["int8", "text", "int8", "int8", "bytea"])
                for row in batch:
                    copy.write_row(row)
            connection.commit()
        return time.perf_counter() - begun


def ingested(url: str, recording: Recording, reads: list[ReadLine]) -> float:
    with Store(url) as store:
        return seconds(lambda: store.ingest(recording.run.id, recording.run, "", reads))


def rows_into(server: Postgres, room: Path) -> Iterator[Given]:
    """How fast lines come into PostgreSQL."""
    run = events.Run(
        id=ID,
        app=events.AppIdentity(package="com.example.circle"),
        device=events.DeviceIdentity(serial="lab", kind="lab"),
        started=AT,
    )
    with Recording.create(room / "large", run) as recording:
        for batch in batched(map(line, range(LINES)), 1000):
            recording.append_all(batch)
        reads = [read for kind in KINDS for read in recording.read(kind)]
        rows: list[tuple[object, ...]] = [(1, read.kind, read.position.line, read.size, read.raw) for read in reads]
        times = [(copied(server.create(), rows), ingested(server.create(), recording, reads)) for _ in range(ROUNDS)]
    bare, ours = (min(each) for each in zip(*times, strict=True))
    talk(f"{LINES / ours:,.0f} rows/s into PostgreSQL, {LINES / bare:,.0f} by a bare COPY")
    yield Figure("ingest into PostgreSQL", bare / ours)


def small(room: Path) -> list[Path]:
    """A thousand recordings: those of the rules, again and again, each with an id of its own."""
    made = []
    for number, path in enumerate(islice(cycle(sorted(RECORDINGS.glob("*/run.json"))), SMALL)):
        folder = shutil.copytree(path.parent, room / str(number))
        run = json.loads((folder / "run.json").read_bytes())
        (folder / "run.json").write_text(json.dumps({**run, "id": f"{ID}-{number}"}))
        made.append(folder)
    return made


def correlated(paths: list[Path], place: Path | str, jobs: int = 1) -> float:
    """Seconds to correlate them."""
    with Store(place) as store:
        return seconds(lambda: list(correlate_many(paths, store, KNOWN, jobs)))


def computing(number: int) -> None:
    """Work that only computes, shared out to so many processes."""
    work = f"sum(n * n for n in range({COMPUTED // number}))"
    for process in [subprocess.Popen([sys.executable, "-c", work]) for _ in range(number)]:
        process.wait()


def compared(figure: str, gain: float, possible: float) -> Given:
    """What two processes gain, in what was possible; whoever has one core to share loses turns to others."""
    if possible < TWO_CORES:
        return NotMeasured(
            figure, f"no second core was free: two processes that compute were {possible:.2f} times as fast"
        )
    return Figure(figure, gain / possible)


def measure() -> Iterator[Given]:
    """The figures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as data,
        Postgres(Path(data)) as server,
    ):
        yield from rows_into(server, Path(folder))
        paths = small(Path(folder) / "small")
        for name, one, two in (
            ("SQLite", Path(folder) / "one", Path(folder) / "two"),
            ("PostgreSQL", server.create(), server.create()),
        ):
            alone_s, beside_s, again_s = correlated(paths, one), correlated(paths, two, 2), correlated(paths, one)
            talk(
                f"{name}: {SMALL / alone_s:.0f} small recordings/s by one process, {SMALL / beside_s:.0f} by two, "
                f"{SMALL / again_s:.0f} that have not changed"
            )
            if name == "SQLite":  # on two cores the server takes its part of them
                gain, possible = alone_s / beside_s, seconds(lambda: computing(1)) / seconds(lambda: computing(2))
                talk(f"{name}: two processes are {gain:.2f} times as fast as one, {possible:.2f} if they only compute")
                yield compared("small recordings by two processes, SQLite", gain, possible)
            yield Figure(f"recordings that have not changed, {name}", again_s / alone_s)


if __name__ == "__main__":
    sys.exit(alone("fleet", measure()))

"""How long after an upload is complete its finding is committed: live correlation of a recording being made.

Uploads are appended as the addon does (body, then line) at a steady rate beside accesses; another thread asks the index
until the flow of that upload is there, which is committed with its finding. It asks for no more than the names of new
ones: it shares the interpreter with what it measures. After each upload a few rows are committed to another database,
each by itself, and the same thread waits for them: the figures are ratios to that.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from appwitness import events
from appwitness.correlate import follow, knowledge
from appwitness.recording import Recording
from appwitness.store import Store
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, talk

UPLOADS = 200
PAUSE_S = 0.05
BARE = 5
"""Bare commits after each upload: the slowest of a few would be a poor yardstick for the slowest findings."""


def measure() -> Iterator[Given]:
    """How late findings are, and how many never came."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        run = events.Run(
            id="latency",
            app=events.AppIdentity(package="com.example.pages"),
            device=events.DeviceIdentity(serial="lab", kind="lab"),
            started=datetime.now(UTC),
        )
        recording = Recording.create(path, run)
        store = Store(Path(folder) / "index.sqlite")
        stop = threading.Event()
        seen: dict[str, float] = {}
        bare_seen: list[float] = []
        bare = sqlite3.connect(Path(folder) / "bare.sqlite", isolation_level=None)
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("CREATE TABLE rows (number INTEGER)")

        def watch() -> None:
            with (
                closing(sqlite3.connect(Path(folder) / "index.sqlite", isolation_level=None)) as index,
                closing(sqlite3.connect(Path(folder) / "bare.sqlite", isolation_level=None)) as rows,
            ):
                while not stop.is_set():
                    (count,) = rows.execute("SELECT count(*) FROM rows").fetchone()
                    bare_seen.extend([time.perf_counter()] * (count - len(bare_seen)))
                    uploads = index.execute("SELECT upload FROM flows WHERE number >= ?", (len(seen),)).fetchall()
                    for (upload,) in uploads:
                        seen.setdefault(upload, time.perf_counter())
                    time.sleep(0.002)

        correlator = threading.Thread(target=follow, args=(recording, store, knowledge(), stop.is_set))
        correlator.start()
        time.sleep(0.5)
        looking = threading.Thread(target=watch)
        looking.start()
        done: dict[str, float] = {}
        bare_done: list[float] = []
        writer = Recording.open(path)
        for number in range(UPLOADS):
            text = f"+861380013{number:04d}"
            writer.append(
                events.Access(
                    at=datetime.now(UTC),
                    app="com.example.pages",
                    source="android.telephony.TelephonyManager.getLine1Number",
                    data="phone_number",
                    values=(events.Value(type="phone_number", text=text),),
                    outcome="returned",
                )
            )
            body = json.dumps({"number": text}).encode()
            ref = writer.append(
                events.Upload(
                    at=datetime.now(UTC),
                    via="http",
                    method="POST",
                    url="https://api.pages.test/",
                    host="api.pages.test",
                    body=writer.put_body(body),
                    size=len(body),
                    type="application/json",
                    tls=events.Tls(version="TLSv1.3"),
                )
            )
            done[ref] = time.perf_counter()
            time.sleep(PAUSE_S)
            for _ in range(BARE):
                bare_done.append(time.perf_counter())
                bare.execute("INSERT INTO rows VALUES (?)", (number,))
                time.sleep(PAUSE_S / BARE)
        time.sleep(2)
        stop.set()
        correlator.join()
        looking.join()
        bare.close()
        late = sorted(seen[ref] - done[ref] for ref in done if ref in seen)
        bare_late = sorted(at - since for at, since in zip(bare_seen, bare_done, strict=True))
        talk(f"uploads {len(done)}, findings seen {len(late)}, one every {2 * PAUSE_S * 1000:.0f} ms")
        for share in (50, 99):
            ours, yardstick = (each[len(each) * share // 100] for each in (late, bare_late))
            talk(f"p{share}: {1000 * ours:.1f} ms, a bare commit {1000 * yardstick:.1f} ms")
            yield Figure(f"upload complete to finding committed, p{share}", ours / yardstick)


if __name__ == "__main__":
    sys.exit(alone("latency", measure()))

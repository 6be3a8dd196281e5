"""The HTML report of a recording with ten thousand uploads: how long it takes to make, and how large it is."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appwitness.correlate import correlate, knowledge, report_on
from appwitness.recording import Recording
from appwitness.reports import render
from appwitness.store import Store
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, parsed, seconds, talk
from tests.recordings.builder.case import Case, write
from tests.recordings.builder.reads import CONTACTS, NUMBER, PEOPLE

UPLOADS = 10_000
HOSTS = 400
"""Recipients, each of its own."""
ROUNDS = 5
CONNECTED = 500
"""Uploads whose code is known."""
BY = "com.example.shop.Api.post(Api.java:9)"


def told() -> Case:
    """Half of the uploads carry the phone number, each twentieth a part of the address book; an answer between."""
    case = Case("many", "Many uploads.").asked(0.5).read(1, NUMBER).read(1.5, CONTACTS)
    for number in range(UPLOADS):
        if number == UPLOADS // 2:
            case.tapped(2 + number / 50, "refused", "Disagree")
        body: dict[str, Any] = (
            {"n": number, "kind": "event", "user": NUMBER.values[0][1]} if number % 2 else {"n": number}
        )
        if number % 20 == 0:
            body["friends"] = [value[1] for value in PEOPLE if value[0] == "phone_number"]
        case.sent(
            2 + number / 50 + 0.01,
            f"https://h{number % HOSTS}.test/v1/events",
            body,
            by=BY if number < CONNECTED else None,
        )
    return case


def measure() -> Iterator[Given]:
    """The page of a recording that the index has: CPU time in that of a bare parse of its lines, and megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        write([told()], Path(folder))
        recording, known = Recording.open(Path(folder) / "many"), knowledge()
        with Store(Path(folder) / "index.sqlite") as store:
            begun = time.process_time()
            correlate(recording, store, known)
            talk(f"{UPLOADS:,} uploads to {HOSTS} hosts, correlated in {time.process_time() - begun:.1f} s of CPU")
            report = report_on(recording, store, known)
            talk(f"{len(report.flows):,} flows, {len(report.findings):,} findings")
            page = render(report, "html")
            made = seconds(
                lambda: render(report_on(recording, store, known), "html"), clock=time.process_time, times=ROUNDS
            )
            lines = [line for kind in ("access", "consent", "upload") for line in recording.read(kind)]
            bare = parsed([line.raw for line in lines])
            talk(f"made in {made:.2f} s of CPU; json.loads of {len(lines):,} lines takes {bare:.3f} s")
            yield Figure("made", made / bare)
            yield Figure("size", len(page.encode()) / 1e6)


if __name__ == "__main__":
    sys.exit(alone("report", measure()))

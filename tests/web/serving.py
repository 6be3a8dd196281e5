"""The pages behind a real server on this machine, and a recording with many uploads to show on them."""

from __future__ import annotations

import atexit
import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.applications import Starlette
from starlette.testclient import TestClient

from appwitness import events
from appwitness.api.browsing import Browsing
from appwitness.cli.verbs import listen
from appwitness.correlate.prior_knowledge import Knowledge
from appwitness.recording import Recording
from appwitness.store import Store
from appwitness.store.fleet_tables import Planned, Slot, Waiting
from appwitness.store.runs import Runs
from appwitness.web.query import Site, Work
from appwitness.web.server import server

TOKEN = "of-a-test"
PACKAGE = "com.example.many"
START = datetime(2026, 3, 14, 1, 20, tzinfo=UTC)


@contextmanager
def serving(store: Store, known: Knowledge, *, reveal: Path | None = None, work: Work | None = None) -> Iterator[str]:
    """The address of a server that shows the pages over `store`, without a path: `http://127.0.0.1:40123`."""
    made = server(Site(Browsing(store, known, reveal), TOKEN, work=work))
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=made.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not made.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            made.should_exit = True
            thread.join()


AT_EXIT = ExitStack()
atexit.register(AT_EXIT.close)


@cache
def _loop() -> BlockingPortal:
    """The event loop of all visitors: one for each request would cost more than most pages."""
    return AT_EXIT.enter_context(start_blocking_portal())


def visitor(pages: Starlette, token: str = TOKEN, host: str = "127.0.0.1", client: str = "127.0.0.1") -> TestClient:
    """A browser that brought the token of the pages, and has a session if that was the right one."""
    asking = TestClient(pages, base_url=f"http://{host}", client=(client, 50000))
    asking.portal = _loop()
    asking.get("/healthz", params={"token": token}, follow_redirects=False)
    return asking


def run(name: str, *, ended: datetime | None = None, started: datetime = START) -> events.Run:
    """The run of a recording called `name`."""
    return events.Run(
        id=name,
        app=events.AppIdentity(package=PACKAGE, version="1.2"),
        device=events.DeviceIdentity(serial="lab", kind="lab", model="Lab"),
        plan="silent",
        started=started,
        ended=ended,
    )


def read(number: int, at: datetime) -> events.Access:
    """A read of a phone number of its own."""
    return events.Access(
        at=at,
        app=PACKAGE,
        source="android.telephony.TelephonyManager.getLine1Number",
        data="phone_number",
        outcome="returned",
        values=(events.Value(type="phone_number", text=f"+86138{number:08d}"),),
    )


def upload(recording: Recording, number: int, at: datetime, host: str, *, carries: bool) -> events.Upload:
    """An upload whose body is stored in the recording; with the number of `read`, or without."""
    told = {"n": number, "event": "tick", "padding": "y" * 200} | ({"tel": f"+86138{number:08d}"} if carries else {})
    body = gzip.compress(json.dumps(told).encode())
    return events.Upload(
        at=at,
        via="http",
        method="POST",
        url=f"https://{host}/v1/collect/{number}",
        host=host,
        headers=(("Content-Encoding", "gzip"),),
        body=recording.put_body(body),
        size=len(body),
        type="application/json",
        tls=events.Tls(),
        status=200,
    )


def many(folder: Path, uploads: int, findings: int, name: str = "many") -> Recording:
    """A recording with so many uploads, of which so many carry a number, each to a host of its own."""
    recording = Recording.create(folder, run(name, ended=START + timedelta(seconds=uploads / 20 + 5)))
    every = uploads // findings
    lines: list[events.Event] = []
    for number in range(uploads):
        at = START + timedelta(seconds=2 + number / 20)
        carries = number % every == 0 and number // every < findings
        host = f"h{number}.d{number}.test" if carries else f"api{number % 7}.example.test"
        if carries:
            lines.append(read(number, at - timedelta(milliseconds=20)))
        lines.append(upload(recording, number, at, host, carries=carries))
    recording.append_all(lines)
    recording.stamp(final=True)
    return recording


CAMPAIGN = "night"
HOSTILE = "com.example.<b>bold</b>"
NOTE = "Nothing came up for +8613800138000: <script>alert(1)</script>"


def campaign(place: str | Path, recording: str) -> None:
    """Plan a campaign of two apps in the database of an index: of its runs one is judged (as this recording), one
    failed, one is being made, and one waits for a device that is not there; one recording came too late."""
    with Runs(place) as runs:
        wanted = ((PACKAGE, "accept", ""), (HOSTILE, "accept", ""), (PACKAGE, "refuse", ""), (HOSTILE, "refuse", "tv"))
        runs.plan(Planned(f"{CAMPAIGN}-{app}-{plan}", CAMPAIGN, app, app, plan, needs) for app, plan, needs in wanted)
        made = [run for _ in range(3) if (run := runs.take(Waiting(CAMPAIGN, ""), "host", "R58", 3600))]
        runs.recorded(made[0].id, "night-a1", "R58")
        judged = runs.to_judge(3600)
        assert judged
        runs.judged(judged.lease, 2, recording)
        runs.recorded(made[0].id, "too-late", "R58")
        runs.failed(made[1].lease, "usage", NOTE, last=True)
        beat(runs, made[2].id)
        runs.pause("old phone")


def beat(runs: Runs, run: str) -> None:
    """A sign of life of the host's two devices, one of which makes a run."""
    devices = [("R58", "busy", None, run), ("old phone", "down", NOTE, None)]
    runs.tell("host", [Slot("host", name, {"api": "34"}, state, note, its, 0, paused=False)
                       for name, state, note, its in devices])  # fmt: skip

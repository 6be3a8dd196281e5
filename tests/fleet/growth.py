"""What the steps of a fleet, and its pages, cost among 8,000 runs and among 840,000, on a real PostgreSQL.

`python -m tests.fleet.growth 8000 840000` prints a table for docs/fleet.md: the least of several rounds of each step,
in milliseconds of processor time of client and server, and how many times as much it is among the most runs as among
the fewest. Making the rows takes some minutes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from itertools import batched, count
from pathlib import Path
from typing import NamedTuple

from appwitness.api.browsing import Browsing
from appwitness.correlate import knowledge
from appwitness.fleet.status import status
from appwitness.store import Store
from appwitness.store.database import add_campaign, engine_of
from appwitness.store.fleet_tables import HeldLease, LeasedRun, Planned, Slot, Waiting
from appwitness.store.models import CAMPAIGN_BITS, TABLES
from appwitness.store.ranked import added
from appwitness.store.runs import Runs
from appwitness.web.query import Site
from appwitness.web.routes import app
from tests.postgres import Postgres
from tests.web.serving import TOKEN, visitor

POOL = Waiting("night", "kind!=lab")
MADE = """
INSERT INTO runs (id, campaign, app, package, plan, options, pool, number, state, reason, note, attempts, judgings,
                  device, leased_at, recorded_at, recording, findings)
SELECT 'night-' || n, 'night', 'app' || n, 'com.example', 'accept', '{{}}', 'kind!=lab', n, state,
       CASE state WHEN 'unobservable' THEN 'setup' END, CASE state WHEN 'unobservable' THEN 'The device went away.' END,
       1, 1, 'phone-' || n % 200, CASE WHEN state <> 'planned' THEN n END,
       CASE WHEN state IN ('judged', 'recorded') THEN n + 60 END,
       CASE WHEN state IN ('judged', 'recorded') THEN 'r' || n END, CASE state WHEN 'judged' THEN 3 END
FROM (SELECT n, CASE WHEN n % 20 < 11 THEN 'judged' WHEN n % 20 < 12 THEN 'unobservable' WHEN n % 20 < 16
                THEN 'recorded' ELSE 'planned' END AS state FROM generate_series(1, {runs}) n) AS runs
"""
"""Eleven of twenty judged, one unobservable, four recorded, four planned."""
INDEXED = (
    """
INSERT INTO recordings (number, id, own_id, head, campaign, path, lines, package, app, device, plain, plan, started,
                        run, judged_by, reads, uploads, sought, asked, gaps)
SELECT {first} + n, 'r' || n, 'r' || n, '', 'night', '', false, 'com.example.app' || n / 4, 'app' || n / 4, 'phone',
       true, 'accept', '2026-03-14', '{{}}', 'rules', 9, 9, true, n % 3 > 0, 0
FROM generate_series(1, {runs}) n
""",
    """
INSERT INTO flows (recording, id, number, access, upload, data, consent, host, recipient, sdk, other_app, party, at,
                   flow)
SELECT {first} + n, 'f' || each, each, 'accesses.jsonl:1', 'uploads.jsonl:1', 'data' || (n / 4 + each) % 12,
       CASE n % 2 WHEN 0 THEN 'given' ELSE 'not_shown' END, 'host' || n % 1000,
       'recipient' || (n / 4 * 7 + each * each) % 300,
       CASE each WHEN 1 THEN 'sdk' || n / 4 % 40 END, false, 'third', '2026-03-14', '{{}}'
FROM generate_series(1, {runs}) n, generate_series(1, 3) each
""",
    """
INSERT INTO findings (recording, number, rule, level, confidence, data, host, recipient, consent, finding, shared)
SELECT recording, number, 'rule' || number, 'high', 'proven', data, host, recipient, consent, '{{}}', '' FROM flows
""",
)
"""A judged recording of each run, four of an app, each with three flows and as many findings."""
SUPERSEDED = """
INSERT INTO superseded (recording, run, device, at)
SELECT 'late' || n, 'night-' || n, 'phone', n FROM generate_series(1, {runs}, 20) n
"""


AT_ONCE = 20_000
"""Recordings that are counted together."""


class Fleet:
    """A fleet of so many runs, and what may be done in it again and again."""

    def __init__(self, server: Postgres, size: int) -> None:
        url = server.create()
        name = url.partition("@/")[2].partition("?")[0]
        server.execute(
            f"ALTER DATABASE {name} SET max_parallel_workers_per_gather = 0"
        )  # all is done where it is timed
        self._runs, self._store = Runs(url), Store(url)
        indexes = [index for table in TABLES for index in table.indexes]
        engine = engine_of(url)
        with engine.begin() as connection:
            add_campaign(connection, 1, "night")
            for index in indexes:
                index.drop(connection)
        made = (each.format(runs=size, first=1 << CAMPAIGN_BITS) for each in (MADE, SUPERSEDED, *INDEXED))
        server.execute(*made, database=name)
        with engine.begin() as connection:
            for index in indexes:  # in one go is faster than row by row
                index.create(connection)
        server.execute("ANALYZE recordings, flows, findings", database=name)  # an empty table would be scanned for ever
        for some in batched(range(1, size + 1), AT_ONCE):
            with engine.begin() as connection:
                added(connection, [f"r{n}" for n in some])
        engine.dispose()
        server.execute("VACUUM ANALYZE", database=name)
        for host in range(20):
            slots = [Slot(f"h{host}", f"phone-{each}", {"kind": "phone"}, "ready", None, None, 0, paused=False)
                     for each in range(host * 10, host * 10 + 10)]  # fmt: skip
            self._runs.tell(f"h{host}", slots)
        self._pages = visitor(app(Site(Browsing(self._store, knowledge()), TOKEN)))
        self._taken: list[LeasedRun] = []
        self._judged: list[LeasedRun] = []
        self._names = count()

    def close(self) -> None:
        self._store.close()
        self._runs.close()

    def plan(self) -> None:
        name = f"more{next(self._names)}"
        self._runs.plan(Planned(f"{name}-{n}", name, f"app{n}", "com.example", "accept", "") for n in range(100))

    def waiting(self) -> None:
        assert POOL in self._runs.waiting()

    def take(self) -> None:
        for _ in range(3):
            run = self._runs.take(POOL, "host", "phone", 600)
            assert run is not None
            self._taken.append(run)

    def renew(self) -> None:
        self._runs.renew([HeldLease(run.id, run.lease) for run in self._taken], 600)

    def failed(self) -> None:
        self._runs.failed(self._taken.pop().lease, "setup", "")

    def recorded(self) -> None:
        assert self._runs.recorded(self._taken.pop().id, f"again-{next(self._names)}", "phone")

    def to_judge(self) -> None:
        run = self._runs.to_judge(600)
        assert run is not None
        self._judged.append(run)

    def judged(self) -> None:
        self._runs.judged(self._judged.pop().lease, 3)

    def expire(self) -> None:
        self._runs.expire()

    def status(self) -> None:
        assert status(self._runs).superseded

    def list_of_campaigns(self) -> None:
        self._page("/fleet")

    def campaign(self) -> None:
        self._page("/fleet/night")

    def runs_of_campaign(self) -> None:
        self._page("/fleet/night/runs")

    def ranking_by_recipient(self) -> None:
        self._page("/ranking?by=recipient&campaign=night")

    def ranking_by_finding(self) -> None:
        self._page("/ranking?by=finding&campaign=night")

    def ranking_by_app(self) -> None:
        self._page("/ranking?by=app&campaign=night")

    def ranking_of_one_recipient(self) -> None:
        """Which apps are behind a row: read from its flows."""
        self._page("/ranking?by=app&campaign=night&recipient=recipient7")

    def _page(self, address: str) -> None:
        assert self._pages.get(address).status_code == 200, address


STEPS = (
    *(Fleet.plan, Fleet.waiting, Fleet.take, Fleet.renew, Fleet.failed, Fleet.recorded, Fleet.to_judge, Fleet.judged),
    *(Fleet.expire, Fleet.status, Fleet.list_of_campaigns, Fleet.campaign, Fleet.runs_of_campaign),
    *(Fleet.ranking_by_recipient, Fleet.ranking_by_finding, Fleet.ranking_by_app, Fleet.ranking_of_one_recipient),
)
ROUNDS = 20


def us_of_a_plan(server: Postgres, place: str | Path, size: int) -> float:
    """Microseconds for each of so many runs that are planned in an empty database."""
    plans = ("accept", "refuse", "withdraw", "silent")
    planned = (Planned(f"night-{n:x}", "night", f"app{n // 4}", "com.example", plans[n % 4], "") for n in range(size))
    with Runs(place) as runs:
        begun = Spent.now(server)
        assert runs.plan(planned) == size
        return Spent.now(server).ms_since(begun) * 1000 / size


class Spent(NamedTuple):
    """Processor time so far, in nanoseconds: of this process, and of each of the server's."""

    here: int
    there: dict[str, int]

    @classmethod
    def now(cls, server: Postgres) -> Spent:
        pid = server.process.pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        there = {each: int(Path(f"/proc/{each}/schedstat").read_text().split()[0]) for each in workers}
        return cls(time.process_time_ns(), there)

    def ms_since(self, before: Spent) -> float:
        """Milliseconds; what a process of the server did that was not there before, or is not any more, is left out."""
        there = sum(ns - before.there[each] for each, ns in self.there.items() if each in before.there)
        return (self.here - before.here + there) / 1e6


def tell(step: str, figures: list[float]) -> None:
    """A row of the table."""
    print(f"|{step}|" + "".join(f"{each:.1f}|" for each in figures) + f"{figures[-1] / figures[0]:.2f}|", flush=True)


def main() -> None:
    sizes = sorted(map(int, sys.argv[1:] or ("8000", "840000")))
    with (
        tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder,
        Postgres(Path(folder)) as server,
    ):
        print("|step|" + "".join(f"{size:,}|" for size in sizes) + "times|\n" + "|---" * (len(sizes) + 2) + "|")
        for where in ("PostgreSQL", "SQLite"):
            places = [server.create() if where == "PostgreSQL" else Path(folder) / f"{n}.sqlite" for n in sizes]
            tell(
                f"a whole plan, {where}, µs a run",
                [us_of_a_plan(server, place, size) for place, size in zip(places, sizes, strict=True)],
            )
        fleets = [Fleet(server, size) for size in sizes]
        for step in STEPS:
            took: list[list[float]] = [[] for _ in sizes]
            for _ in range(ROUNDS):
                for fleet, times in zip(fleets, took, strict=True):  # by turns: other work slows both
                    begun = Spent.now(server)
                    step(fleet)
                    times.append(Spent.now(server).ms_since(begun))
            tell(step.__name__.replace("_", " "), [min(times) for times in took])
        for fleet in fleets:
            fleet.close()


if __name__ == "__main__":
    main()

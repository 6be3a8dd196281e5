"""How long the steps of a fleet take among 8,000 runs and among 840,000, on a real PostgreSQL.

`python -m tests.fleet.growth 8000 840000` prints the median of each, in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from appwitness.store.fleet_tables import HeldLease, LeasedRun, Waiting
from appwitness.store.runs import Runs
from tests.postgres import Postgres

POOL = Waiting("night", "kind!=lab")
MADE = """
INSERT INTO runs (id, campaign, app, package, plan, options, pool, number, state, attempts, judgings, leased_at,
                  recorded_at, recording, findings)
SELECT 'night-' || n, 'night', 'app' || n, 'com.example', 'accept', '{{}}', 'kind!=lab', n,
       CASE WHEN n % 10 < 6 THEN 'judged' WHEN n % 10 < 8 THEN 'recorded' ELSE 'planned' END, 1, 1,
       n, n + 60, 'r' || n, 3
FROM generate_series(1, {runs}) n
"""
"""Six of ten judged, two recorded, two planned."""


def median_ms(step: Callable[[], object], times: int = 20) -> float:
    def took() -> float:
        begun = time.perf_counter()
        step()
        return (time.perf_counter() - begun) * 1000

    return statistics.median(took() for _ in range(times))


def measured(server: Postgres, size: int) -> dict[str, float]:
    """Step -> milliseconds, among so many runs."""
    url = server.create()
    taken: list[LeasedRun] = []
    judged: list[LeasedRun] = []
    names = map("again-{}".format, count())
    with Runs(url) as runs:
        server.execute(MADE.format(runs=size), "ANALYZE runs", database=url.partition("@/")[2].partition("?")[0])

        def leased(into: list[LeasedRun], run: LeasedRun | None) -> None:
            assert run is not None
            into.append(run)

        return {
            "take": median_ms(lambda: leased(taken, runs.take(POOL, "host", "phone", 600)), 60),
            "renew": median_ms(lambda: runs.renew([HeldLease(run.id, run.lease) for run in taken], 600)),
            "failed": median_ms(lambda: runs.failed(taken.pop().lease, "setup", "")),
            "recorded": median_ms(lambda: runs.recorded(taken.pop().id, next(names), "phone")),
            "to_judge": median_ms(lambda: leased(judged, runs.to_judge(600))),
            "judged": median_ms(lambda: runs.judged(judged.pop().lease, 3)),
            "expire": median_ms(runs.expire),
            "progress": median_ms(runs.progress, 5),
        }


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder,
        Postgres(Path(folder)) as server,
    ):
        for size in map(int, sys.argv[1:] or ("8000", "840000")):
            print(f"{size:,} runs:", ", ".join(f"{name} {ms:.1f}" for name, ms in measured(server, size).items()))


if __name__ == "__main__":
    main()

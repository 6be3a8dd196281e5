"""A fleet of fake devices on a real PostgreSQL or a file, of which hosts, judges and the server are killed at random.

`python -m tests.fleet.simulation --devices 200 --runs 20000 --kills` prints figures, and fails when a run is lost or
counted twice, or a device was used twice at once.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from appwitness.store import Store
from appwitness.store.fleet_tables import Pool
from appwitness.store.runs import Runs
from tests.fleet.rig import FINDINGS, counts, planned
from tests.postgres import Postgres


@dataclass(frozen=True)
class Size:
    """How large a fleet is, and what it suffers."""

    devices: int
    runs: int
    hosts: int
    seconds: float
    """That a run takes on average."""
    kills: int
    lease_s: float = 4.0


@dataclass
class Figures:
    """What came of it."""

    size: Size
    took_s: float = 0
    cpu_s: float = 0
    killed: dict[str, int] = field(default_factory=dict)
    again: int = 0
    """Runs that were begun more than once."""
    superseded: int = 0
    lost: int = 0
    twice: int = 0
    collisions: int = 0

    def __str__(self) -> str:
        runs = self.size.runs
        killed = ", ".join(f"{count} {what}" for what, count in self.killed.items()) or "nothing"
        return (
            f"{self.size.devices} devices on {self.size.hosts} hosts, {runs} runs in {self.took_s:.0f} s "
            f"({runs / self.took_s:.1f}/s, {1000 * self.cpu_s / runs:.0f} ms CPU each); killed: {killed}; "
            f"begun more than once {self.again}, superseded {self.superseded}; "
            f"lost {self.lost}, twice {self.twice}, device in use twice {self.collisions}"
        )


class Fleet:
    """Its hosts, as processes."""

    def __init__(self, postgres: Postgres | None, folder: Path, size: Size) -> None:
        self.postgres = postgres
        self.url = postgres.create() if postgres else str(folder / "fleet.sqlite")
        self.folder = folder
        self._size = size
        share, more = divmod(size.devices, size.hosts)
        self._share = {f"h{number}": share + (number < more) for number in range(size.hosts)}
        self._hosts: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start a host, or start it again."""
        said = (self.url, self.folder, name, self._share[name], 1, self._size.seconds, self._size.lease_s)
        with (self.folder / f"{name}.log").open("ab") as log:
            self._hosts[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.fleet.hosted", *map(str, said)],
                stderr=log, cwd=Path(__file__).parents[2],
            )  # fmt: skip

    def __enter__(self) -> Fleet:
        for name in self._share:
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._hosts.values():
            process.terminate()
        for process in self._hosts.values():
            process.wait()

    def kill(self, what: str) -> None:
        """Kill a host, a judge or the server without warning, and have it come back."""
        name = random.choice(list(self._hosts))
        if what == "hosts":
            self._hosts[name].kill()
            self._hosts[name].wait()
            self.start(name)
        elif what == "judges":
            for pid in _judges(self._hosts[name].pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        elif self.postgres:
            self.postgres.stop(signal.SIGQUIT)
            time.sleep(0.5)
            self.postgres.start()


def _judges(host: int) -> Iterator[int]:
    for task in Path(f"/proc/{host}/task").iterdir():
        with suppress(OSError):
            for pid in map(int, (task / "children").read_text().split()):
                if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    yield pid


def simulate(postgres: Postgres | None, folder: Path, size: Size) -> Figures:
    """Make the runs, and kill a host, a judge or the server so often, evenly over the time that they take.

    `postgres` None: the runs are in a file, as on one machine.
    """
    figures, runs = Figures(size), size.runs
    victims = ("hosts", "judges", "servers") if postgres else ("hosts", "judges")
    with Fleet(postgres, folder, size) as fleet, Runs(fleet.url) as table:
        plan = [(number + 1) * runs // (size.kills + 1) for number in range(size.kills)]
        table.plan(planned(runs))
        begun = time.monotonic()
        while True:
            (pool,) = _again(table)
            if pool.judged + pool.unobservable == runs:
                break
            if plan and (pool.recorded + 2 * pool.judged) / 2 >= plan[0]:  # half-way between recording and judging
                del plan[0]
                what = victims[len(plan) % len(victims)]
                fleet.kill(what)
                figures.killed[what] = figures.killed.get(what, 0) + 1
            time.sleep(min(1.0, size.seconds / 2))
        figures.took_s = time.monotonic() - begun
        assert not pool.unobservable, table.reasons()
    with Store(fleet.url) as store:
        names = [run.id for run in store.recordings()]
        found = sum(len(store.findings(name)) for name in names[:200])
    with Runs(fleet.url) as table, table.reading() as connection:
        count = connection.exec_driver_sql(
            "SELECT count(*) FILTER (WHERE state <> 'judged'), count(*) FILTER (WHERE attempts > 1), "
            "(SELECT count(*) FROM superseded), coalesce(sum(findings), 0) FROM runs"
        ).one()
    with Runs(fleet.url) as table:
        kept, full = counts(table)
    assert kept == full, f"counted as they change {kept}, counted anew {full}"
    figures.lost, figures.again, figures.superseded = count[:3]
    figures.twice = len(names) - len({name.rpartition("-a")[0] for name in names})
    figures.lost += runs - len({name.rpartition("-a")[0] for name in names})
    assert count[3] == runs * FINDINGS, f"{count[3]} findings"
    assert found == min(200, len(names)) * FINDINGS
    logs = "".join(path.read_text() for path in folder.glob("*.log"))
    figures.collisions = logs.count("File exists")
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures.cpu_s = usage.ru_utime + usage.ru_stime
    return figures


def _again(table: Runs) -> list[Pool]:
    while True:
        with suppress(Exception):
            return table.progress()
        time.sleep(0.2)


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=9.0, help="that a run takes on average")
    parser.add_argument("--lease", dest="lease_s", type=float, default=20.0, help="seconds until a host counts as dead")
    parser.add_argument("--kills", type=int, nargs="?", const=30, default=0, help="how often something is killed")
    said = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fleet-"))
    with (
        tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as data,
        Postgres(Path(data)) as postgres,
    ):
        figures = simulate(postgres, folder, Size(**vars(said)))
    print(figures)
    if figures.lost or figures.twice or figures.collisions:
        sys.exit(f"Something was lost, counted twice, or used twice at once: look at {folder}.")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

"""Fake devices: `sh` gives a recording of tests/recordings after a while, under the name that the fleet asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appwitness.fleet.hosting import Crew, serve
from appwitness.fleet.judges import By
from appwitness.fleet.objects import objects
from appwitness.fleet.spool import MOST_BYTES, Spool
from appwitness.fleet.worker import FleetDevice, Host
from appwitness.store.fleet_tables import LeasedRun, Planned
from appwitness.store.run_counts import KEY, SUMS, counted
from appwitness.store.runs import Runs
from tests.recordings.written import RECORDINGS

RECORDED = "address-book-upload"
FINDINGS = 2

_GIVE = """
mkdir "$5.busy"
trap 'rmdir "$5.busy"' EXIT
trap 'exit 130' TERM
sleep "$3" &
wait $!
mkdir -p "$2" && cp -R "$1/." "$2/"
sed -i -e "s/address-book-upload/${2##*/}/" -e 's/"v": 1,/"v": 1, "campaign": "night",/' "$2/run.json"
exit "$4"
"""
"""$1: the recording, $2: the folder to make, $3: seconds, $4: the exit code of `observe`, $5: the device, which is not
to be in use."""


def fake(
    seconds: Callable[[], float] = lambda: 0.0, code: int = 1
) -> Callable[[LeasedRun, FleetDevice, Path], Sequence[str]]:
    """What makes a run instead of `appwitness observe`."""

    def command(_run: LeasedRun, device: FleetDevice, folder: Path) -> Sequence[str]:
        busy = folder.parent.parent / device.serial
        said = (RECORDINGS / RECORDED, folder, f"{seconds():.3f}", code, busy)
        return ["sh", "-ec", _GIVE, "sh", *map(str, said)]

    return command


def failing(words: str, code: int) -> Callable[[LeasedRun, FleetDevice, Path], Sequence[str]]:
    """A run that says this on stderr and ends so."""
    return lambda _run, _device, _folder: ["sh", "-c", f'echo "$1" >&2; exit {code}', "sh", words]


def phones(count: int, **labels: str) -> list[FleetDevice]:
    """Fake devices."""
    return [FleetDevice(f"phone-{number}", {"kind": "phone", "api": "34", **labels}) for number in range(count)]


def planned(count: int, campaign: str = "night", pool: str = "kind!=lab") -> list[Planned]:
    """Runs of apps that nobody has."""
    return [
        Planned(f"{campaign}-app{number}-accept", campaign, f"app{number}", f"com.example.app{number}", "accept", pool)
        for number in range(count)
    ]


def host(folder: Path, runs: Runs, name: str = "host", **options: Any) -> Host:
    """A host whose devices are fake."""
    said = {"command": fake(), "check": lambda _device: None, "check_s": 0.1, "idle_s": 0.02, **options}
    kept = objects(said.pop("recordings", folder / "recordings"))
    spool = Spool(folder / "spool" / name, kept, said.pop("spool_bytes", MOST_BYTES))
    return Host(name, runs, kept, spool, folder / "turns", threading.Event(), **said)


@contextmanager
def serving(
    here: Host, devices: Sequence[FleetDevice], judges: int = 0, db: str | Path = "", **by: Any
) -> Iterator[None]:
    """A host at work meanwhile."""
    thread = threading.Thread(target=serve, args=(here, Crew(devices, judges, By(db, **by))))
    thread.start()
    try:
        yield
    finally:
        here.stop.set()
        thread.join()


def until(what: Callable[[], object], timeout_s: float = 30) -> None:
    """Wait for something to hold."""
    end = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def counts(runs: Runs) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What is counted as runs change, and what a count of all of them finds."""
    columns = ", ".join((*KEY, *SUMS))
    with runs.reading() as connection:
        kept = connection.exec_driver_sql(f"SELECT {columns} FROM run_counts WHERE runs <> 0 OR findings <> 0")
        full = [tuple(row) for table in ("runs", "superseded") for row in connection.exec_driver_sql(counted(table))]
        return sorted(map(tuple, kept)), sorted(full)

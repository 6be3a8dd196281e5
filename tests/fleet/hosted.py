"""A host with fake devices as a process: `python -m tests.fleet.hosted URL FOLDER NAME DEVICES JUDGES SECONDS`."""

from __future__ import annotations

import logging
import random
import sys
from pathlib import Path

from monitor.cli.base import interrupts
from monitor.fleet.hosting import Crew, serve
from monitor.fleet.judges import By
from monitor.fleet.queue import Queue
from monitor.store.runs import Runs
from tests.fleet.rig import fake, host, phones

LEASE_S = 4.0


def main(url: str, folder: Path, name: str, devices: int, judges: int, seconds: float) -> None:
    """Work until SIGTERM; a run takes from half to one and a half times so long."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    with Runs(url) as runs:
        command = fake(lambda: random.uniform(0.5, 1.5) * seconds)
        here = host(folder, runs, name, command=command, lease_s=LEASE_S, beat_s=LEASE_S / 8, idle_s=0.2)
        crew = Crew([type(each)(f"{name}-{each.serial}", each.labels) for each in phones(devices)], judges, By(url))
        with Queue(url, here) as queue, interrupts() as interrupted:
            serve(here, queue, crew, interrupted)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))

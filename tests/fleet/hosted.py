"""A host with fake devices, as a process of its own."""

from __future__ import annotations

import logging
import random
import sys
from pathlib import Path

from appwitness.cli.verbs import interrupts
from appwitness.fleet.hosting import Crew, serve
from appwitness.fleet.judges import By
from appwitness.store.runs import Runs
from tests.fleet.rig import fake, host, phones


def main(url: str, folder: Path, name: str, devices: int, judges: int, seconds: float, lease_s: float) -> None:
    """Work until SIGTERM; a run takes from half to one and a half times so long."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    with Runs(url) as runs:
        command = fake(lambda: random.uniform(0.5, 1.5) * seconds)
        here = host(folder, runs, name, command=command, lease_s=lease_s, beat_s=lease_s / 8, idle_s=0.2)
        crew = Crew([type(each)(f"{name}-{each.serial}", each.labels) for each in phones(devices)], judges, By(url))
        with interrupts() as interrupted:
            serve(here, crew, interrupted)


if __name__ == "__main__":
    url, folder, name, devices, judges, seconds, lease_s = sys.argv[1:]
    main(url, Path(folder), name, int(devices), int(judges), float(seconds), float(lease_s))

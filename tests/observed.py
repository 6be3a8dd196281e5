"""A run of Circle on the lab device in which the user refuses: made once for all tests of a session, by a process of
its own, as a user in China starts it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

CHINESE = {"LANG": "zh_CN.UTF-8", "LC_ALL": "", "LC_MESSAGES": "", "LANGUAGE": ""}


class Observed(NamedTuple):
    """The recording, the index beside it, and how the process ended."""

    recording: Path
    db: Path
    code: int
    said: str


@pytest.fixture(scope="session")
def circle(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """See above; the workers of pytest-xdist share it, too."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    recording, db, done = folder / "circle", folder / "circle.sqlite", folder / "circle.json"
    with (folder / "circle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            command = [sys.executable, "-m", "appwitness", "observe", "--device", "lab:circle", "--plan", "refuse"]
            run = subprocess.run(
                [*command, "--output", str(recording), "--db", str(db)],
                env=os.environ | CHINESE, capture_output=True, text=True, timeout=240, check=False,
            )  # fmt: skip
            done.write_text(json.dumps([run.returncode, run.stderr]))
        return Observed(recording, db, *json.loads(done.read_text()))

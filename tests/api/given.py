"""Recordings for programs to work on."""

import shutil
from pathlib import Path

from appwitness.recording import Recording
from tests.recordings.written import RECORDINGS


def ended(into: Path, case: str = "sent-after-refusal") -> Path:
    """A copy of a recording of tests, with a stamp that ends it."""
    shutil.copytree(RECORDINGS / case, into)
    (into / "expected.json").unlink(missing_ok=True)
    with Recording.open(into) as recording:
        recording.stamp(final=True)
    return into

"""What tests of a fleet share: runs in a file, and an object store."""

from __future__ import annotations

import pytest

from appwitness.store.runs import Runs
from tests.fleet.buckets import running, server

__all__ = ["running", "server"]


@pytest.fixture
def runs(tmp_path):
    with Runs(tmp_path / "runs.sqlite") as runs:
        yield runs

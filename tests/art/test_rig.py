"""The bench itself: what a test that fails shows of its program, and how long ART waits on a slow processor."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.art.rig import vm
from tests.art.rig.vm import FATAL, Held, Runtime

pytestmark = pytest.mark.timeout(180)


def test_how_it_ended_and_what_art_says_of_that(runtime: Runtime, dexed: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("of an earlier start\n")
    held = Held(runtime, dexed("first"), "first.Main", tmp_path)

    def fails() -> None:
        with held:
            os.kill(held.pid, signal.SIGSEGV)
            while FATAL not in held.log:
                time.sleep(0.1)
            raise LookupError("something else")

    with pytest.raises(LookupError) as raised:
        fails()
    (said,) = raised.value.__notes__
    assert said.startswith("first.Main ")
    assert "of an earlier start" in said
    assert f"{FATAL} 11" in said


def test_arts_own_time_limits_grow_with_those_of_the_bench(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vm, "SLOWNESS", 30.0)
    argv, _ = runtime.command()
    assert {"-XX:FinalizerTimeoutMs=300000", "-XX:ThreadSuspendTimeout=900000"} <= {*argv}

"""New processes are held only until it is known whose they are, whatever goes wrong meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from appwitness.agent import spawn_gating as gates
from appwitness.agent.spawn_gating import SpawnGate
from appwitness.support.errors import SetupError

OURS = {5: "com.example.app:push"}


class Device:
    """Holds what is born, until it is let go."""

    def __init__(self) -> None:
        self.born: Callable[[int, str], object] | None = None
        self.ran = threading.Event()
        self.resumed: list[int] = []

    def gate(self, born: Callable[[int, str], object]) -> None:
        self.born = born

    def ungate(self) -> None:
        self.born = None
        raise OSError

    def resume(self, pid: int) -> None:
        self.resumed.append(pid)
        self.ran.set()
        raise OSError


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "WHOSE_S", 0.3)
    monkeypatch.setattr(gates, "HOOK_S", 0.3)


def silent() -> Mapping[int, str]:
    raise SetupError("The device is gone.", "Plug it in.")


def slow() -> Mapping[int, str]:
    time.sleep(2)
    return OURS


@pytest.mark.parametrize(
    ("pid", "owned", "takes", "taken"),
    [
        (5, lambda: OURS, True, True),  # and whoever took it hangs
        (5, lambda: OURS, False, True),
        (6, lambda: OURS, True, False),
        (5, silent, True, False),
        (5, slow, True, False),
    ],
)
def test_all_run_in_the_end(pid: int, owned: Any, takes: bool, taken: bool) -> None:
    device = Device()
    took: list[int] = []

    def take(pid: int, _name: str) -> bool:
        took.append(pid)
        return takes

    gate = SpawnGate(device, owned, take, (OSError,))
    assert gate.open()
    assert device.born is not None
    device.born(pid, "com.example.app:push")
    assert device.ran.wait(10)
    assert device.resumed == [pid]
    assert took == ([pid] if taken else [])
    assert not gate.holds(pid)
    gate.close()


def test_who_hooked_it_in_time_is_told_so() -> None:
    device = Device()
    hooked = threading.Event()

    def take(_pid: int, _name: str) -> bool:
        hooked.set()
        return True

    gate = SpawnGate(device, lambda: OURS, take, (OSError,))
    gate.open()
    assert device.born is not None
    device.born(5, "")
    hooked.wait()
    assert gate.release(5)
    assert not gate.release(5)
    assert device.resumed == [5]


def test_what_is_held_at_the_end_runs() -> None:
    device = Device()
    gate = SpawnGate(device, slow, lambda *_: True, (OSError,))
    gate.open()
    assert device.born is not None
    device.born(7, "x")
    gate.close()
    assert device.resumed == [7]
    assert device.born is None


def test_a_device_that_cannot_hold_says_so() -> None:
    device = Device()
    device.gate = device.resume  # type: ignore[assignment, method-assign]
    assert not SpawnGate(device, slow, lambda *_: True, (OSError, TypeError)).open()

"""A run without hooks: a device that is away is waited for, an app that ends when it is refused starts once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import pytest

from appwitness.events import AppIdentity, DeviceIdentity, Gap, Phase, Run
from appwitness.observe import attempt
from appwitness.observe.attempt import STARTED_AGAIN, Attempt
from appwitness.observe.order import Order
from appwitness.recording import Recording
from appwitness.support.errors import SetupError


class Proxy:
    """One that is up."""

    host, port, ca_pem = "127.0.0.1", 9, Path("none.pem")

    def alive(self) -> bool:
        return True


@dataclass
class Start:
    """How the device starts its app."""

    otherwise: Callable[[], int]


@dataclass
class Device:
    """Says at each question whether its app runs, or nothing."""

    says: Iterator[bool | None]
    refused_s: float | None = None
    starts: int = 0
    restarts: bool = False
    app: AppIdentity = field(default_factory=lambda: AppIdentity(package="com.example.app"))
    sees_consent = True
    partial = True
    identity = DeviceIdentity(serial="x", kind="phone")

    def reset(self) -> None:
        assert self.starts == 0, "the second start keeps what the first left"

    def launch(self) -> Start:
        return Start(self.start)

    def start(self) -> int:
        self.starts += 1
        return 7

    def restarted(self) -> str | None:
        return "device" if self.restarts else None

    def running(self) -> bool:
        said = next(self.says)
        if said is None:
            raise SetupError("It is gone.", "Plug it in.")
        return said


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"POLL_S": 0.001, "UNHOOKED_POLL_S": 0.002, "AWAY_S": 0.2}.items():
        monkeypatch.setattr(attempt, name, value)


def attempt_on(device: Device, folder: Path) -> tuple[Attempt, Recording, list[str]]:
    about = {"app": device.app, "device": DeviceIdentity(serial="x", kind="phone")}
    recording = Recording.create(folder / "recording", Run(id="test", started=datetime.now(UTC), **about))
    said: list[str] = []
    parts: Any = (device, Proxy(), recording, recording, Order(unpin=False), lambda: False, said.append)
    return Attempt(*parts), recording, said


def unhooked(device: Device, folder: Path) -> tuple[Recording, list[str]]:
    of_it, recording, said = attempt_on(device, folder)
    of_it.unhooked("for a test")
    return recording, said


AWAY = [
    ("there all the time", [True, True, False], 0),
    ("away once", [True, None, None, True, False], 1),
    ("away twice", [True, None, True, None, False], 2),
]


@pytest.mark.parametrize(("says", "gaps"), [pytest.param(*case[1:], id=case[0]) for case in AWAY])
def test_a_device_that_is_away_is_waited_for(tmp_path: Path, says: list[bool | None], gaps: int) -> None:
    recording, said = unhooked(Device(iter(says)), tmp_path)
    away = [gap for gap in recording.events(Gap) if gap.subject == "connection to the device"]
    assert len(away) == gaps
    assert all(gap.until is not None and gap.at <= gap.until for gap in away)
    assert len([each for each in said if "waiting up to" in each]) == gaps
    assert len([each for each in said if "is back" in each]) == gaps


def test_one_that_does_not_come_back_ends_the_run(tmp_path: Path) -> None:
    def says() -> Iterator[None]:
        while True:
            yield None

    with pytest.raises(SetupError, match="It is gone"):
        unhooked(Device(says()), tmp_path)
    away, reads = Recording.open(tmp_path / "recording").events(Gap)
    assert away.subject == "connection to the device"
    assert away.until is not None
    assert away.until - away.at >= timedelta(seconds=0.2)  # since the loss
    assert "no hooks were in the app" in str(reads.detail)


class EndedAgent:
    """An agent whose app has ended, or was lost."""

    app, pid, probe, install_ms = "com.example.app", 7, None, 1
    useless = crashed = away = ends = False
    unpinned: ClassVar = {"a check": "met"}
    times: ClassVar[dict[str, float]] = {}
    clock = SimpleNamespace(measure=lambda: None, wait=lambda _: None, readings=())

    def __init__(self, lost: bool) -> None:
        self.lost = lost

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def launch(self, target: object) -> None:
        pass

    def statuses(self) -> list[Any]:
        return []

    def wait(self, timeout_s: float | None) -> bool:
        return True


@pytest.mark.parametrize("lost", [False, True])
def test_a_run_that_lost_its_app_for_good_ends_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    monkeypatch.setattr(attempt, "Agent", lambda *_, **__: EndedAgent(lost))
    with pytest.raises(SetupError, match=r"Frida lost com\.example\.app") if lost else nullcontext():
        attempt_on(Device(iter(())), tmp_path)[0].hooked([])
    assert Recording.open(tmp_path / "recording").run.unpinned == {"a check": "met"}


@pytest.mark.parametrize("says", [[True, None, True], [True, False]])
def test_a_device_that_restarts_ends_a_run_without_hooks(tmp_path: Path, says: list[bool | None]) -> None:
    left = iter(says)
    unhooked(Device(left, restarts=True), tmp_path)
    assert next(left, None) is None, "it was not watched to the end"


def test_an_app_that_ends_with_its_device_is_not_started_again(tmp_path: Path) -> None:
    device = Device(iter([True, False]), refused_s=1.0, restarts=True)
    unhooked(device, tmp_path)
    assert device.starts == 1


@pytest.mark.parametrize(("refused_s", "starts"), [(None, 1), (1.0, 2), (60.0, 1)])
def test_an_app_that_ends_when_it_was_refused_starts_once_more(
    tmp_path: Path, refused_s: float | None, starts: int
) -> None:
    device = Device(iter([True, False] * 2), refused_s)
    recording, _ = unhooked(device, tmp_path)
    assert device.starts == starts
    assert [phase.text for phase in recording.events(Phase)] == [STARTED_AGAIN] * (starts - 1)

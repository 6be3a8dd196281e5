"""A run without hooks: a device that is away is waited for, an app that ends when it is refused starts once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appwitness.events import AppIdentity, DeviceIdentity, Gap, Phase, Run
from appwitness.observe import attempt
from appwitness.observe.attempt import STARTED_AGAIN, Attempt
from appwitness.observe.order import Order
from appwitness.recording import Recording
from appwitness.support.errors import SetupError


class Proxy:
    """One that is up."""

    host, port = "127.0.0.1", 9

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
    app: AppIdentity = field(default_factory=lambda: AppIdentity(package="com.example.app"))
    sees_consent = True

    def reset(self) -> None:
        assert self.starts == 0, "the second start keeps what the first left"

    def launch(self) -> Start:
        return Start(self.start)

    def start(self) -> int:
        self.starts += 1
        return 7

    def running(self) -> bool:
        said = next(self.says)
        if said is None:
            raise SetupError("It is gone.", "Plug it in.")
        return said


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"POLL_S": 0.001, "UNHOOKED_POLL_S": 0.002, "AWAY_S": 0.2}.items():
        monkeypatch.setattr(attempt, name, value)


def unhooked(device: Device, folder: Path) -> tuple[Recording, list[str]]:
    about = {"app": device.app, "device": DeviceIdentity(serial="x", kind="phone")}
    recording = Recording.create(folder / "recording", Run(id="test", started=datetime.now(UTC), **about))
    said: list[str] = []
    parts: Any = (device, Proxy(), recording, recording, Order(), lambda: False, said.append)
    Attempt(*parts).unhooked("for a test")
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
    assert len([each for each in said if "waiting for it" in each]) == gaps
    assert len([each for each in said if "is back" in each]) == gaps


def test_one_that_does_not_come_back_ends_the_run(tmp_path: Path) -> None:
    def says() -> Iterator[None]:
        while True:
            yield None

    with pytest.raises(SetupError, match="It is gone"):
        unhooked(Device(says()), tmp_path)


@pytest.mark.parametrize(("refused_s", "starts"), [(None, 1), (1.0, 2), (60.0, 1)])
def test_an_app_that_ends_when_it_was_refused_starts_once_more(
    tmp_path: Path, refused_s: float | None, starts: int
) -> None:
    device = Device(iter([True, False] * 2), refused_s)
    recording, _ = unhooked(device, tmp_path)
    assert device.starts == starts
    assert [phase.text for phase in recording.events(Phase)] == [STARTED_AGAIN] * (starts - 1)

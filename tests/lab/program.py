"""What tests of the agent start from: a Java program as a device names it, and a recording with nothing in it yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from appwitness.agent.target import Gadget
from appwitness.events import AppIdentity, DeviceIdentity, Run
from appwitness.recording import Recording


@dataclass(frozen=True)
class Program:
    """A Java program to start; without `argv`, the process `pid` that runs already."""

    argv: tuple[str, ...] | None
    frida_device: str = "local"
    env: dict[str, str] = field(default_factory=dict)
    cwd: str | None = None
    pid: int | None = None
    remote: tuple[str, str | None] | None = None
    user: int | None = None
    activity: str | None = None
    redirect: tuple[str, int] | None = None
    gadget: Gadget | None = None
    otherwise: Callable[[], int] | None = None
    processes: Callable[[], Mapping[int, str]] | None = None


def blank(path: Path, package: str) -> Recording:
    """A new recording of an app on this machine."""
    return Recording.create(
        path,
        Run(
            id="test",
            app=AppIdentity(package=package),
            device=DeviceIdentity(serial="here", kind="lab"),
            started=datetime.now(UTC),
        ),
    )

"""What tests of the agent start from: a Java program as a device names it, and a recording with nothing in it yet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from appwitness.agent.target import Target
from appwitness.events import AppIdentity, DeviceIdentity, Run
from appwitness.recording import Recording

Program = Target
"""A Java program to start; without `argv`, the process `pid` that runs already."""


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

"""What tests of the agent start from, a program and a new recording, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appwitness.agent.agent import Agent
from appwitness.agent.target import Target
from appwitness.events import Access, AppIdentity, DeviceIdentity, Gap, Run
from appwitness.recording import Recording

Compile = Callable[..., Path]
"""(*names of folders of tests/lab/java, or files; classpath=()): the folder of the classes, compiled once."""
Play = Callable[..., "Played"]
"""(main class, sources, *arguments, and what tests/lab/conftest.py says): how it went."""


@dataclass
class Observed:
    """A program with the agent in it, and what was recorded of it."""

    recording: Recording
    agent: Agent

    @property
    def accesses(self) -> list[Access]:
        """What it read."""
        return list(self.recording.events(Access))

    @property
    def gaps(self) -> list[Gap]:
        """What was not seen."""
        return list(self.recording.events(Gap))


@dataclass
class Played(Observed):
    """A program on this machine's JVM."""

    output: list[bytes]

    @property
    def printed(self) -> str:
        """What it printed so far."""
        return b"".join(self.output).decode("utf-8", "replace")


JVM = ("-Xshare:off", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Options of Java for a program of seconds; with shared classes, some hooks in boot classes are dead."""
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

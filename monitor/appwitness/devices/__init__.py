"""The interface between a run and its device: prepared, made to start an app, observed, and restored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from appwitness.agent.target import Records, Target
from appwitness.events import AppIdentity, DeviceIdentity, Value


@dataclass(frozen=True)
class Ended:
    """How the app's process ended, as the system reports it."""

    reason: str
    """The kind of end in one word: crash, anr, low_memory, force_stopped, updated, permission_changed, exited,
    signalled ..."""
    detail: str = ""
    """The system's own description."""
    may_be_ours: bool = True
    """Whether a hook may be to blame; false where the system or a person ended it."""


class Device(Protocol):
    """A device that runs the app of one run. Any object of this shape will do; where there is nothing to do or to
    tell, a subclass says nothing.

    The run calls `undo` whatever happens, from before the first change on; and in order `install`, `prepare`, `enter`
    (instead of it, or later, `do_without_hooks`), then for each start of the app `reset`, `launch` and `stop`.
    `watching` is around the starts.
    """

    @property
    def identity(self) -> DeviceIdentity:
        """Which device it is."""

    @property
    def app(self) -> AppIdentity:
        """Which app it runs; known in full once it is installed."""

    @property
    def persona(self) -> tuple[Value, ...]:
        """The values to look for: planted for this run, once it is watched, and those that were found there."""

    @property
    def persona_is(self) -> Literal["planted", "declared"] | None:
        """Whether those values were planted, or are only known to be there; None: there are none."""

    @property
    def app_type(self) -> int | None:
        """Number of the app's type in the necessary-scope table, where the device knows it."""
        return None

    @property
    def hosts(self) -> Mapping[str, tuple[str, int]]:
        """Hosts whose addresses the proxy takes from here instead of DNS; empty for a device on the real network."""
        return {}

    @property
    def upstream_ca(self) -> Path | None:
        """A certificate authority (PEM) that the proxy trusts besides the usual ones; None: none."""
        return None

    def modes(self, listen: str) -> Mapping[str, Sequence[str]]:
        """The modes that it can be used in with a proxy that listens there, that for `auto` first (modes.choose)."""

    @property
    def partial(self) -> bool:
        """Whether it has only a part of Android's classes: that one is absent says nothing about the device."""
        return False

    @property
    def sees_consent(self) -> bool:
        """Whether its screen is read, so that questions and answers are seen without hooks."""
        return False

    @property
    def refused_s(self) -> float | None:
        """For how many seconds a question of the app's stands refused, where the device plays the user; None: none."""
        return None

    @property
    def starts_freely(self) -> bool:
        """Whether the app may be restarted repeatedly, without asking, to find a hook that crashes it."""
        return False

    def facts(self) -> Mapping[str, Any]:
        """Further fields of run.json: the changes made on the device, by which user, and how."""
        return {}

    def install(self) -> None:
        """Install the app, if it is to be installed."""
        return

    def prepare(self, proxy_host: str, proxy_port: int, ca_pem: Path, *, mode: str, wireguard: str) -> None:
        """Send the device's traffic through the proxy and have it trust the proxy's certificate authority.

        `mode` is the proxy's, one of `modes`; `wireguard` the configuration of its tunnel, where it has one.
        """

    def enter(self) -> None:
        """Start whatever injects the agent. Raises Unhookable where nothing can."""
        return

    def do_without_hooks(self) -> None:
        """No agent comes into the app from now on: what it would have led to the proxy comes there by mode `regular`,
        and values to look for are also those that the device has."""
        return

    def reset(self) -> None:
        """Make the next start of the app its first one."""
        return

    def launch(self) -> Target:
        """The process to start."""

    def attach(self) -> Target:
        """The running process."""

    def running(self) -> bool:
        """Whether a process of the app runs."""

    def ended(self, pid: int) -> Ended | None:
        """How a process of the app ended, by the system's own word; None where the system does not say."""
        return None

    def watching(self, lines: Records, silent_s: Callable[[], float]) -> AbstractContextManager[object]:
        """While the context lasts, what the device itself sees and does goes to `lines`: screens, witnesses, gaps.

        `silent_s` says for how many seconds nothing that the app does was recorded.
        """
        return nullcontext()

    def noticed(self) -> None:
        """Called when a finding comes up: keep what the device shows."""
        return

    def stop(self) -> None:
        """End the app."""

    def undo(self) -> None:
        """Undo all changes. Raises SetupError when something could not be undone, with what to do."""

"""The interface between a run and its device, which is prepared, starts the app, is observed, and is restored."""

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
    """Whether a hook may be to blame; false if the system or a person ended it."""


class Device(Protocol):
    """A device that runs the app of one run. Any object with these methods will do; a subclass omits those for which it
    has nothing to do or to report.

    The run calls, in this order, `install`, `prepare` and `enter` (or, instead of `enter` or after it,
    `do_without_hooks`), then for each start of the app `reset`, `launch` and `stop`. `watching` surrounds the starts.
    Once a change may have been made, the run always calls `undo`, whatever happens.
    """

    @property
    def identity(self) -> DeviceIdentity:
        """Which device it is."""

    @property
    def app(self) -> AppIdentity:
        """Which app it runs; complete only once the app is installed."""

    @property
    def persona(self) -> tuple[Value, ...]:
        """The values to look for: those planted for this run, known once it is watched, and those found on the
        device."""

    @property
    def persona_is(self) -> Literal["planted", "declared"] | None:
        """Whether the values of `persona` were planted, or only found on the device; None: there are none."""

    @property
    def app_type(self) -> int | None:
        """Number of the app's type in the necessary-scope table, if the device knows it."""
        return None

    @property
    def hosts(self) -> Mapping[str, tuple[str, int]]:
        """Hosts that the proxy looks up here instead of in DNS; empty for a device on the real network."""
        return {}

    @property
    def upstream_ca(self) -> Path | None:
        """File with certificate authorities (PEM) that the proxy trusts besides the usual ones; None if there are
        none."""
        return None

    def modes(self, listen: str) -> Mapping[str, Sequence[str]]:
        """The traffic modes possible with a proxy that listens on `listen`, the one for `auto` first
        (traffic_modes.choose)."""

    @property
    def partial(self) -> bool:
        """Whether it has only some of Android's classes: a missing class then says nothing about the device."""
        return False

    @property
    def sees_consent(self) -> bool:
        """Whether its screen is read, so that questions and answers are seen without hooks."""
        return False

    @property
    def refused_s(self) -> float | None:
        """Seconds since a question of the app was last refused, if the device acts as the user; None: none was."""
        return None

    @property
    def starts_freely(self) -> bool:
        """Whether the app may be restarted repeatedly, without asking, to find a hook that crashes it."""
        return False

    def facts(self) -> Mapping[str, Any]:
        """Further fields of run.json: the changes made on the device, for which user, and how."""
        return {}

    def install(self) -> None:
        """Install the app, if it has to be installed."""
        return

    def prepare(self, proxy_host: str, proxy_port: int, ca_pem: Path, *, mode: str, wireguard: str) -> None:
        """Send the device's traffic through the proxy and have it trust the proxy's certificate authority.

        `mode` is the proxy's, one of `modes`; `wireguard` is the configuration of the proxy's tunnel, if it has one.
        """

    def enter(self) -> None:
        """Start whatever injects the agent. Raises Unhookable if nothing can."""
        return

    def do_without_hooks(self) -> None:
        """Continue without an agent in the app: traffic that the agent would have redirected reaches the proxy by
        mode `regular`, and the values to look for include those that the device has."""
        return

    def reset(self) -> None:
        """Make the next start of the app like its first one."""
        return

    def launch(self) -> Target:
        """The process to start."""

    def attach(self) -> Target:
        """The running process."""

    def running(self) -> bool:
        """Whether a process of the app runs."""

    def ended(self, pid: int) -> Ended | None:
        """How a process of the app ended, as the system reports it; None if it does not."""
        return None

    def restarted(self) -> Literal["device", "Android"] | None:
        """What is known to have restarted since the run began: the device, or Android alone, which ends all apps."""
        return None

    def watching(self, lines: Records, silent_s: Callable[[], float]) -> AbstractContextManager[object]:
        """While the context lasts, write what the device itself sees and does to `lines`: screens, witnesses, gaps.

        `silent_s` returns the seconds since anything that the app does was last recorded.
        """
        return nullcontext()

    def noticed(self) -> None:
        """Called when there is a new finding: record what the device shows."""
        return

    def stop(self) -> None:
        """End the app."""

    def undo(self) -> None:
        """Undo all changes. Raises SetupError, saying what to do, if something could not be undone."""

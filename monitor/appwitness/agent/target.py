"""What the agent needs from its caller: the process to attach to, and where to write its lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from appwitness.events import Event


class Records(Protocol):
    """Receives lines: a recording, or a wrapper of one."""

    def append_all(self, events: Sequence[Event], /) -> object:
        """Append events, each to the file of its kind."""

    def put_body(self, data: bytes, /) -> str | None:
        """Store bytes that lines refer to; returns their sha256, or None if they are not stored."""


@dataclass(frozen=True)
class Gadget:
    """Frida's gadget, for entering one process of an app without root."""

    late: str
    """What was not observed before the agent was loaded, in one sentence."""
    end: Callable[[], object]
    """Ends the app; the gadget cannot be relied on to do it."""
    start: Callable[[], object] | None = None
    """Starts the app whose package contains the gadget: it answers at the target's `remote`."""
    file: str | None = None
    """Otherwise the gadget's file on this machine: Frida starts the app and injects it as a debugger does."""
    waits: bool = True
    """Whether it holds the app until it is told to resume it."""


@dataclass(frozen=True)
class Target:
    """The process to observe: one to start (`argv`), or a running one (`pid`)."""

    argv: tuple[str, ...] | None = None
    """Program and arguments to start; for an Android app only its package. None: attach to `pid`."""
    pid: int | None = None
    """Process to attach to when there is nothing to start."""
    frida_device: str = "local"
    """`local`, or the id of a device that Frida knows."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables to set in the process, in addition to appwitness's own."""
    cwd: str | None = None
    """Working directory; None: the current one."""
    remote: tuple[str, str | None] | None = None
    """Address and token of a Frida server that is reachable from this machine; None: `frida_device`."""
    user: int | None = None
    """Android user to start the app for; None: the first."""
    activity: str | None = None
    """The activity to start; None: the launcher's."""
    gadget: Gadget | None = None
    """The gadget that is used where there is no frida-server."""
    otherwise: Callable[[], int] | None = None
    """Starts the app without Frida, for when Frida cannot, and returns its pid at once; first ends what an earlier
    start left behind."""
    redirect: tuple[str, int] | None = None
    """IPv4 address and port of the proxy to which the agent redirects its connections; None: no redirection."""
    processes: Callable[[], Mapping[int, str]] | None = None
    """The app's current processes, pid and name, as the device reports them; None: found by their names."""

"""What the agent needs from its caller: the process to attach to, and where to write its lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from appwitness.events import Event


class Records(Protocol):
    """Where lines go: a recording, or what stands before one."""

    def append_all(self, events: Sequence[Event], /) -> object:
        """Append events, each to the file of its kind."""

    def put_body(self, data: bytes, /) -> str | None:
        """Store bytes that lines name by their sha256; that, or None when they are not stored."""


@dataclass(frozen=True)
class Gadget:
    """Frida's gadget, by which one process of an app is entered without root."""

    late: str
    """What of the app was not observed before the agent was there, in one sentence."""
    end: Callable[[], object]
    """Ends the app, which a gadget cannot be trusted to do."""
    start: Callable[[], object] | None = None
    """Starts the app, which has the gadget in its package: it answers at the target's `remote`."""
    file: str | None = None
    """Else its file on this machine: Frida starts the app, and brings it in as a debugger does."""
    waits: bool = True
    """It holds the app until it is told to let it run."""


@dataclass(frozen=True)
class Target:
    """The process to observe: one to start (`argv`), or one that runs (`pid`)."""

    argv: tuple[str, ...] | None = None
    """Program and arguments to start; for an Android app its package alone. None: attach to `pid`."""
    pid: int | None = None
    """Process to attach to when there is nothing to start."""
    frida_device: str = "local"
    """`local`, or the id of a device that Frida knows."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables to set in the process, besides those of ours."""
    cwd: str | None = None
    """Folder to start in; None: ours."""
    remote: tuple[str, str | None] | None = None
    """Address and token of a Frida server that this machine reaches; None: `frida_device`."""
    user: int | None = None
    """Android's user to start the app for; None: the first."""
    activity: str | None = None
    """The activity to start; None: that of the launcher's icon."""
    gadget: Gadget | None = None
    """What the app is entered by, where no frida-server is."""
    otherwise: Callable[[], int] | None = None
    """Starts the app without Frida and gives its process at once, where Frida cannot; ends first what an earlier start
    left."""
    redirect: tuple[str, int] | None = None
    """IPv4 address and port at which it finds the proxy that the agent leads its connections to; None: none."""
    processes: Callable[[], Mapping[int, str]] | None = None
    """The app's processes now, number and name, by the device's own knowledge; None: by their names."""

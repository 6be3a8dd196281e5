"""What a device is to a run: prepared for the proxy, made to start an app, undone. Any object of this shape will do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from monitor.events import AppIdentity, DeviceIdentity, Value


class Target(Protocol):
    """The process to observe: one to start (`argv`), or one that runs (`pid`)."""

    @property
    def frida_device(self) -> str:
        """`local`, or the id of a device that Frida knows."""

    @property
    def argv(self) -> tuple[str, ...] | None:
        """Program and arguments to start; for an Android app its package alone. None: attach to `pid`."""

    @property
    def env(self) -> Mapping[str, str]:
        """Environment variables to set in the process, besides those of ours."""

    @property
    def cwd(self) -> str | None:
        """Folder to start in; None: ours."""

    @property
    def pid(self) -> int | None:
        """Process to attach to when there is nothing to start."""

    @property
    def remote(self) -> tuple[str, str | None] | None:
        """Address and token of a Frida server that this machine reaches; None: the device `frida_device`."""

    @property
    def user(self) -> int | None:
        """Android's user to start the app for; None: the first."""

    @property
    def activity(self) -> str | None:
        """The activity to start; None: that of the launcher's icon."""

    @property
    def gadget(self) -> str | None:
        """File of Frida's gadget on this machine, for an app that can be debugged on a device without root."""

    @property
    def otherwise(self) -> Callable[[], int] | None:
        """Starts the app without Frida and gives its process at once, where Frida cannot; ends first what an earlier
        start left."""

    @property
    def processes(self) -> Callable[[], Mapping[int, str]] | None:
        """The app's processes now, number and name, by the device's own knowledge; None: by their names."""


class Device(Protocol):
    """A device that runs the app of one run."""

    @property
    def identity(self) -> DeviceIdentity:
        """Which device it is."""

    @property
    def app(self) -> AppIdentity:
        """Which app it runs."""

    @property
    def persona(self) -> tuple[Value, ...]:
        """The values planted on it for this run."""

    @property
    def app_type(self) -> int | None:
        """Number of the app's type in the necessary-scope table, where the device knows it."""

    @property
    def hosts(self) -> Mapping[str, tuple[str, int]]:
        """Hosts that the proxy finds elsewhere than the name system says; empty for a device on the real network."""

    @property
    def upstream_ca(self) -> Path | None:
        """A certificate authority (PEM) that the proxy trusts besides the usual ones; None: none."""

    def prepare(self, proxy_host: str, proxy_port: int, ca_pem: Path) -> None:
        """Send the device's traffic through the proxy and have it trust the proxy's certificate authority."""

    def launch(self) -> Target:
        """The process to start."""

    def attach(self) -> Target:
        """The process that runs already."""

    def stop(self) -> None:
        """End the app."""

    def undo(self) -> None:
        """Take back what `prepare` did."""

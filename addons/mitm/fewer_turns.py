"""Makes mitmproxy cheaper: options are kept, only who listens is called, and who answers at once is not waited for.

Replaces `mode_servers.ProxyConnectionHandler` (private is what it inherits: `layer`, and `transports` with the readers
in them), and what mitmproxy's own master has for options and addons: `Options` and `AddonManager`.

A request raises some ten events. mitmproxy makes a task for each, which runs in a later turn of the loop, takes a lock
and only then goes on with the request; nearly all of its time beside that is spent in the protocols themselves.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from mitmproxy import addonmanager, exceptions, hooks, master, options
from mitmproxy.connection import Connection
from mitmproxy.proxy import commands, events, layer, mode_servers

from addons.mitm import zero_copy


class Settings(options.Options):
    """mitmproxy copies an option, deeply, each time it is read: 25 times a request. Here simple values are kept."""

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)  # type: ignore[no-untyped-call]
        if value is None or isinstance(value, str | int):
            self.__dict__[name] = value
        return value

    def update_known(self, **changes: Any) -> dict[str, Any]:
        """As mitmproxy's; forgets what is kept, also when an addon refuses the change."""
        try:
            for name in changes:
                self.__dict__.pop(name, None)
            unknown: dict[str, Any] = super().update_known(**changes)  # type: ignore[no-untyped-call]
            return unknown
        finally:
            for name in changes:
                self.__dict__.pop(name, None)


class Addons(addonmanager.AddonManager):
    """mitmproxy asks every addon at every event, and again for a user interface. Here only who listens is called."""

    def __init__(self, lean: master.Master) -> None:
        super().__init__(lean)  # type: ignore[no-untyped-call]
        self.listeners: dict[str, list[Callable[..., Any]]] = {}
        self.waits: dict[str, bool] = {}
        """Event -> whether one of its listeners is asynchronous."""

    def register(self, addon: object) -> object:
        """As mitmproxy's."""
        self.listeners.clear()
        self.waits.clear()
        return super().register(addon)  # type: ignore[no-untyped-call]

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Call the addons that have a method for this event, in order; an error of one is logged and stops none."""
        left = event.__dict__.pop("left", None)
        await (left or self._await(self.of(event), event.args()))

    async def _await(self, listeners: list[Callable[..., Any]], arguments: list[Any], begun: Any = None) -> None:
        """Call listeners, and wait for those that have to be waited for; `begun` is such a one that was called."""
        try:
            if begun is not None:
                with addonmanager.safecall():
                    await begun
            for function in listeners:
                with addonmanager.safecall():
                    result = function(*arguments)
                    if result is not None and inspect.isawaitable(result):
                        await result
        except exceptions.AddonHalt:
            return

    def of(self, event: hooks.Hook) -> list[Callable[..., Any]]:
        """The methods that listen to an event, in order."""
        listeners = self.listeners.get(event.name)
        if listeners is None:
            listeners = [function for addon in self.chain for _, function in self._iter_hooks(addon, event)]
            self.listeners[event.name] = listeners
            self.waits[event.name] = any(inspect.iscoroutinefunction(function) for function in listeners)
        return listeners

    def call(self, event: hooks.Hook) -> bool:
        """Call who listens to an event now; False when one has to be waited for, which `trigger_event` does then."""
        listeners = self.of(event)
        if self.waits[event.name]:
            return False
        arguments = event.args()
        for number, function in enumerate(listeners, 1):
            try:
                result = None
                with addonmanager.safecall():
                    result = function(*arguments)
                if result is not None and inspect.isawaitable(result):
                    event.__dict__["left"] = self._await(listeners[number:], arguments, result)
                    return False
            except exceptions.AddonHalt:
                break
        return True


class AtOnce:
    """Stands before the layers of one connection and answers their events, where that needs no waiting."""

    def __init__(self, inner: layer.Layer, addons: Addons) -> None:
        self.layer = inner
        self.context = inner.context
        self.addons = addons

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As a layer's."""
        waiting = deque([event])
        while waiting:
            for command in self.layer.handle_event(waiting.popleft()):
                if isinstance(command, commands.StartHook) and self.addons.call(command):
                    if command.blocking:
                        waiting.append(events.HookCompleted(command))
                else:
                    yield command


class Handler(mode_servers.ProxyConnectionHandler):
    """mitmproxy's handler of one connection, with the above before its layers."""

    room: Callable[[], Awaitable[None]]
    """What apps are made to wait for."""
    wide = False
    """asyncio and h11 are those that zero_copy.py knows."""

    async def handle_connection(self, connection: Connection) -> None:
        """As mitmproxy's."""
        transport = self.transports[connection]
        room = Handler.room if connection is self.client else None
        if Handler.wide and type(transport.reader) is asyncio.StreamReader:
            transport.reader = zero_copy.Wide(transport.reader, room)  # type: ignore[assignment]
        elif room is not None:
            transport.reader = zero_copy.Gated(transport.reader, room)  # type: ignore[assignment]
        await super().handle_connection(connection)

    @property
    def layer(self) -> Any:
        """The layers of this connection."""
        return self._layer

    @layer.setter
    def layer(self, inner: Any) -> None:
        addons = self.master.addons
        self._layer = AtOnce(inner, addons) if isinstance(addons, Addons) else inner


def at_once(room: Callable[[], Awaitable[None]]) -> None:
    """Have every proxy of this process use the handler above; `room` is what apps are made to wait for."""
    known = hasattr(mode_servers, "ProxyConnectionHandler") and hasattr(layer.Layer, "handle_event")
    if not (known and hasattr(mode_servers.ProxyConnectionHandler, "handle_connection")):
        logging.error("This mitmproxy is not the one we know: the proxy is slower, and does not wait for slow disks.")
        return
    Handler.room = staticmethod(room)
    Handler.wide = zero_copy.able()
    if Handler.wide:
        zero_copy.install()
    else:
        logging.error(
            "This Python or h11 is not the one we know: long uploads cost more, and do not wait for slow disks."
        )
    mode_servers.ProxyConnectionHandler = Handler  # type: ignore[misc]

"""Reads the configuration of a Frida gadget in a package: how the gadget will behave (gadget.vala)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

USUAL_PORT = 27042
"""Default port of a gadget or of frida-server."""


@dataclass(frozen=True)
class GadgetConfig:
    """The configuration of one gadget; the defaults are those of a gadget without a configuration."""

    interaction: str = "listen"
    """Only a gadget with `listen` can be used by others; `script` and `connect` serve someone else's purpose."""
    endpoint: str = f"tcp:{USUAL_PORT}"
    """Where it listens on the device, as adb writes it."""
    token: str | None = None
    encrypted: bool = False
    """Whether it uses TLS, with its own certificate."""
    waits: bool = True
    """Whether the app stays suspended from loading the gadget until it is resumed."""

    @classmethod
    def parse(cls, data: bytes) -> Self | None:
        """Parse libNAME.config.so; None if it is not a gadget's configuration."""
        try:
            said: Any = json.loads(data)["interaction"]
            address, port = str(said.get("address") or ""), int(said.get("port") or USUAL_PORT)
            if not 0 < port < 1 << 16:
                return None
            return cls(
                interaction=str(said["type"]),
                endpoint=f"localabstract:{address[5:]}" if address.startswith("unix:") else f"tcp:{port}",
                token=str(said["token"]) if said.get("token") else None,
                encrypted=bool(said.get("certificate")),
                waits=said.get("on_load") != "resume",
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    @property
    def problem(self) -> str | None:
        """Why others cannot use it; None: they can."""
        if self.interaction != "listen":
            return f"the gadget in its package has the interaction {self.interaction!r:.40}, not 'listen'"
        return "the gadget in its package requires TLS" if self.encrypted else None

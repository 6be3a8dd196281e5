"""An outgoing message, as far as it has been seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

MOST_BYTES = 32 * 1024 * 1024
"""Maximum number of bytes of one body that are kept in memory and stored; longer ones are cut there."""


class WritingCode(NamedTuple):
    """The calling code: its frames, and the owner of each."""

    stack: tuple[str, ...] = ()
    owners: tuple[str | None, ...] = ()


class WrittenPart(NamedTuple):
    """Bytes that the app wrote, when, and the code that wrote them."""

    at: datetime
    data: bytes
    caller: WritingCode


@dataclass(eq=False)
class PlaintextMessage:
    """One request, or one message on a connection without requests."""

    at: datetime
    caller: WritingCode
    via: Literal["http", "websocket", "tcp"] = "http"
    method: str | None = None
    target: str | None = None
    """Request target: a path, or a whole URL."""
    authority: str | None = None
    """Authority of the request: host, and port if given."""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    """Bytes of the body, including those not kept."""
    cut: str | None = None
    """Why only the beginning of the body was kept."""
    status: int | None = None
    may_be_answered: bool = False
    """Whether to wait for a status."""
    complete: float = 0.0
    """When its end was seen, on the caller's clock."""

    def add(self, data: bytes, most: int) -> None:
        """Append to the body."""
        self.size += len(data)
        self.body += data[: max(0, most - len(self.body))]
        if self.size > len(self.body):
            self.cut = self.cut or f"limit of {most} bytes"

    @property
    def host(self) -> str | None:
        """The host that the request names."""
        if not self.authority:
            return None
        name, colon, port = self.authority.rpartition(":")
        return (name if colon and port.isdecimal() else self.authority).strip("[]")

    def url(self, host: str | None) -> str | None:
        """Its URL; `host`: used if the request names none."""
        if self.target is None:
            return None
        if "://" in self.target:
            return self.target
        scheme = "wss" if self.via == "websocket" else "https"
        authority = (self.authority or host or "").removesuffix(":443")
        return f"{scheme}://{authority}{'' if self.target == '*' else self.target}"

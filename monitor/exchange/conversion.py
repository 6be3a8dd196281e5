"""What a reader of a foreign format gives: events, the bodies they name, and gaps for what could not be converted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from monitor.events import Event, Gap


@dataclass
class Conversion:
    """A foreign file as events of the contract."""

    events: list[Event] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    tool: str | None = None
    """The program that made the file, where the file says so."""

    def missed(self, at: datetime, app: str, subject: str, detail: str) -> None:
        """Say that something in the file could not be converted."""
        self.events.append(
            Gap(at=at, app=app, where="correlate", subject=subject, why="protocol_unsupported", detail=detail)
        )

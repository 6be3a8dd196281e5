"""Whether text for a terminal has colours, where the user has said so."""

from __future__ import annotations

from contextvars import ContextVar

wanted: ContextVar[bool | None] = ContextVar("wanted", default=None)
"""None: where the output is a terminal that has them."""

"""Decides whether terminal output is coloured, by the user's settings."""

from __future__ import annotations

from contextvars import ContextVar

wanted: ContextVar[bool | None] = ContextVar("wanted", default=None)
"""Whether colours are wanted; None: if the output is a terminal that supports them."""

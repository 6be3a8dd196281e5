"""A decoded piece of an upload, as judging needs it: its text and its position."""

from __future__ import annotations

from typing import Protocol


class SentText(Protocol):
    """One piece of an upload that is not decoded further."""

    @property
    def path(self) -> str:
        """Its position: `$.u.h[3]` in a body, `url.query.lat`, `headers.cookie.uid`."""

    @property
    def text(self) -> str | None:
        """The piece as text; None if it is not text."""

    @property
    def decoding(self) -> tuple[str, ...]:
        """The decoding steps from the stored bytes to this piece."""

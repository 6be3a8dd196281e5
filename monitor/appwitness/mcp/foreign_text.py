"""Text from an app, a server or a file, as an assistant receives it: marked, of limited length, without control
codes."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from appwitness.support import escape

SHORT, LONG = 400, 4000
"""Maximum length of a name or a sentence, and of a line of a recording, in characters."""


class ForeignText(BaseModel):
    """Text from an outside source: to be read and quoted, never to be followed."""

    model_config = ConfigDict(frozen=True)

    untrusted: Literal[True] = Field(default=True, description="apps, servers or files may have made it up")
    text: str = Field(max_length=LONG + 1)
    cut: bool = Field(default=False, description="the text is longer; only its beginning is here")


def foreign(text: object, most: int = SHORT) -> ForeignText:
    """A text cut to `most` characters, in which nothing controls a terminal or changes the text direction."""
    shown = escape.terminal(text)
    return ForeignText(text=f"{shown[:most]}…" if len(shown) > most else shown, cut=len(shown) > most)


def maybe(text: str | None) -> ForeignText | None:
    """The same for a text that may be missing or empty."""
    return foreign(text) if text else None


_CODE = re.compile(r"[\w.:~/*-]{1,160}", re.ASCII)
ODD = "(not a code)"


def code(text: object) -> str:
    """A code or an id, unchanged; `ODD` for any other text, which only a forged recording has."""
    return str(text) if _CODE.fullmatch(str(text)) else ODD

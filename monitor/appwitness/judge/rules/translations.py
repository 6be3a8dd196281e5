"""Texts of the catalog in both languages."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


_BROKEN = re.compile(r"(?<=[\u2018-\u201d\u3001-\u9fff\uff01-\uff5e]) (?=[\u2018-\u201d\u3001-\u9fff\uff01-\uff5e])")
"""The space that YAML inserts where a text continues on the next line, between characters that are written without
spaces."""


def _both(words: dict[str, str]) -> dict[str, str]:
    if set(words) != set(LANGUAGES) or not all(words.values()):
        raise ValueError("expected a text for each of en and zh")
    return {**words, "zh": _BROKEN.sub("", words["zh"])}


Words = Annotated[dict[str, str], AfterValidator(_both)]

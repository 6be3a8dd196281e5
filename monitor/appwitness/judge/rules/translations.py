"""Texts of the catalog in both languages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


def _both(words: dict[str, str]) -> dict[str, str]:
    if set(words) != set(LANGUAGES) or not all(words.values()):
        raise ValueError("expected a text for each of en and zh")
    return words


Words = Annotated[dict[str, str], AfterValidator(_both)]

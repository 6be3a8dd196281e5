"""What the judge says in English of matches and recipients, in the reader's language: reads sentences.yml."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from monitor import catalog

PARTS = {"en": "; ", "zh": "；"}
"""What stands between the parts of a sentence."""
NUMBERS = {"count": r"\d+", "metres": r"\d+"}
"""Blanks that stand for a number."""


def said(text: str, lang: str) -> str:
    """A sentence of the judge in a language; a part of it that sentences.yml does not know stays English."""
    if lang == "en":
        return text
    return PARTS[lang].join(_part(part, lang) or part for part in text.split(PARTS["en"]))


def _part(text: str, lang: str) -> str | None:
    """One part in a language, or None when it is not known."""
    for pattern, texts in _table():
        found = pattern.fullmatch(text)
        if found is None:
            continue
        blanks = found.groupdict()
        inner = {name: _part(blank, lang) for name, blank in blanks.items() if name.startswith("said")}
        if all(inner.values()):
            return texts[lang].format(**blanks | inner)
    return None


@cache
def _table() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    """The sentences, those with the most words of their own first."""
    entries = catalog.tree(Path(__file__).with_name("sentences.yml"))
    entries.sort(key=lambda texts: -len(re.sub(r"\{\w+\}", "", texts["en"])))
    return [(_pattern(texts["en"]), texts) for texts in entries]


def _pattern(text: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", text)
    return re.compile(
        "".join(
            f"(?P<{piece}>{NUMBERS.get(piece, '.+?')})" if number % 2 else re.escape(piece)
            for number, piece in enumerate(pieces)
        )
    )

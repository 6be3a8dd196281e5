"""The texts of reports in one language: reads words.yml, and takes names of data types from the catalog."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from appwitness.catalog import yaml_files
from appwitness.support.errors import UserError
from appwitness.support.escape import field as plain
from appwitness.support.spoken import Spoken

__all__ = ["LANGUAGES", "Words", "cut", "plain"]

TEXT = 600
"""Maximum number of characters shown of a URL or another foreign text."""

LANGUAGES = {"en": "en", "zh": "zh-CN"}
"""The `lang` parameter -> language tag (BCP 47)."""


class Words:
    """Looks up texts by their keys in words.yml: `words("flows")`, `words("duration", seconds=3)`."""

    def __init__(self, lang: str) -> None:
        if lang not in LANGUAGES:
            raise UserError(
                Spoken("There are no reports in {lang!r}.", lang=lang),
                Spoken("Choose one of {languages}.", languages=", ".join(LANGUAGES)),
            )
        self.lang = lang
        self.tag = LANGUAGES[lang]

    def __call__(self, key: str, **fill: Any) -> str:
        """The text under `key`, with the names in its braces filled in."""
        return text_table()[key][self.lang].format(**fill)

    def has(self, key: str) -> bool:
        """Whether words.yml has a text under `key`."""
        return key in text_table()

    def count(self, key: str, count: int, **fill: Any) -> str:
        """A sentence with a number in it: `<key>_one`, if it exists, when the number is 1."""
        name = f"{key}_one" if count == 1 and f"{key}_one" in text_table() else key
        return self(name, count=f"{count:,}", **fill)

    def actor(self, name: str) -> str:
        """Whose code did something, by the name in an identity."""
        return self(f"actor_{name}") if self.has(f"actor_{name}") else name

    def data(self, code: str) -> str:
        """The name of a data type as a person says it."""
        return _data_types().get(code, {}).get(self.lang) or code.replace("_", " ")

    def of(self, texts: dict[str, str]) -> str:
        """A text that exists in several languages: in this one, otherwise in English, otherwise in any."""
        return texts.get(self.lang) or texts.get("en") or next(iter(texts.values()), "")


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


@cache
def text_table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = yaml_files.tree(Path(__file__).with_name("words.yml"))
    return table


@cache
def _data_types() -> dict[str, dict[str, str]]:
    tree = yaml_files.tree(next(yaml_files.files("data_types.yml")))
    return {item["code"]: item for item in tree["items"]}


def cut(text: str) -> str:
    """A foreign text, made harmless and not too long."""
    return plain(text if len(text) <= TEXT else text[:TEXT] + "…")

"""Placeholder values that Android and services return when they withhold the real one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry, Pattern
from appwitness.events import Access, DataType, Value

_BARE = re.compile(r"[\s:.-]")


class Placeholders(CatalogEntry):
    """Texts and patterns of placeholders, in lower case."""

    texts: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    bare: tuple[Pattern, ...] = ()


class PlaceholdersOf(Placeholders):
    """Placeholders for some data types only."""

    data: tuple[DataType, ...]


class Withheld(CatalogEntry):
    """The content of catalog/placeholders.yml."""

    any: Placeholders
    kinds: tuple[PlaceholdersOf, ...]


def is_placeholder(value: Value) -> bool:
    """Whether a value is a placeholder: it was not read, and finding it proves nothing."""
    return _is_placeholder(value.type, value.text)


@lru_cache(maxsize=1 << 12)
def _is_placeholder(kind: str, text: str) -> bool:
    text = text.strip().strip('"').strip().lower()
    texts, whole, bare = _of(kind)
    if text in texts or whole.fullmatch(text):
        return True
    if kind.startswith("location"):  # a location's digits are not one number
        return False
    return bare.fullmatch(_BARE.sub("", text)) is not None


def was_withheld(access: Access) -> bool:
    """Whether a call returned nothing but placeholders, and so read nothing."""
    return bool(access.values) and all(is_placeholder(value) for value in access.values)


@cache
def _of(kind: str) -> tuple[frozenset[str], re.Pattern[str], re.Pattern[str]]:
    """The texts, patterns and bare patterns for one data type."""
    own = [_known().any, *(each for each in _known().kinds if kind in each.data)]
    return (
        frozenset(text for each in own for text in each.texts),
        _either(pattern for each in own for pattern in each.patterns),
        _either(pattern for each in own for pattern in each.bare),
    )


def _either(patterns: Iterable[str]) -> re.Pattern[str]:
    listed = list(patterns)
    return re.compile("|".join(listed) if listed else r"(?!)")


@cache
def _known() -> Withheld:
    (file,) = yaml_files.files("placeholders.yml")
    return yaml_files.parse(file, Withheld)

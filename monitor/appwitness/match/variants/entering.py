"""Enters the forms of a value into the search tables, and remembers what each would mean."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from appwitness.events import Value
from appwitness.match import variants
from appwitness.match.native.tables import Grams, windows_of
from appwitness.match.variants import Variant


class Text(NamedTuple):
    """A text that is looked for in the leaves, and what it would mean."""

    lower: bytes
    offset: int
    """Where in the text the window begins under which the text was entered."""
    variant: Variant
    charset: str
    """utf-8, and base64 at alignment 0, 1 or 2: in any leaf; bytes as they are, and other charsets: only in leaves
    that are not text."""


class Forms:
    """All forms of one value, by how they are found; each group is made when one of its members has been found."""

    def __init__(self, value: Value) -> None:
        self._value = value

    @cached_property
    def texts(self) -> dict[bytes, list[Text]]:
        """The texts, by the windows that may stand for them."""
        found: dict[bytes, list[Text]] = {}
        for variant in variants.texts_of(self._value):
            for lower, charset in _written(variant):
                for offset, window in windows_of(lower):
                    found.setdefault(window, []).append(Text(lower, offset, variant, charset))
        return found

    @cached_property
    def digits(self) -> dict[bytes, Variant]:
        """The numbers that may have separators between their digits, by their digits."""
        found: dict[bytes, Variant] = {}
        for variant in variants.texts_of(self._value):
            if variant.how == "digits":
                found.setdefault(variant.pattern, variant)
        return found

    @cached_property
    def digests(self) -> list[variants.Digested]:
        """The digests of all normal forms."""
        return variants.digests_of(self._value)


def enter(value: Value, slot: int, texts: Grams, raw: Grams) -> int:
    """Enter the texts of a value; returns how many. `raw` gets those that only occur in leaves that are not text."""
    anywhere: dict[tuple[bytes, bool], None] = {}  # in a fixed order
    binary: dict[tuple[bytes, bool], None] = {}
    for variant in variants.texts_of(value):
        for lower, charset in _written(variant):
            if charset == "utf-8" or charset.startswith("base64"):
                anywhere[lower, charset == "utf-8"] = None
            else:
                binary[lower, False] = None
    texts.add_all(anywhere, slot)
    raw.add_all(binary, slot)
    return len(anywhere) + len(binary)


def words_of(runs: Iterable[bytes]) -> bytes:
    """The first eight bytes of each run, padded with zeros."""
    return b"".join([run[:8] if len(run) >= 8 else run.ljust(8, b"\0") for run in runs])


def _written(variant: Variant) -> Iterable[tuple[bytes, str]]:
    """The texts, in lower case, that a form may appear as, each with its charset."""
    match variant.how:
        case "text":
            for pattern, charset in _encoded(variant.pattern):
                yield pattern.lower(), charset
        case "utf-8" | "bytes":
            yield variant.pattern.lower(), variant.how
        case "digits" | "place" | "leaf":
            pass


def _encoded(text: bytes) -> Iterable[tuple[bytes, str]]:
    """The bytes that a text may be, each with the charset: in UTF-8, in other data, and inside base64 at any
    alignment."""
    yield text, "utf-8"
    word = text.decode()
    for charset in ("utf-16le", "utf-16be"):
        yield word.encode(charset), charset
    if not word.isascii():
        yield word.encode("gb18030"), "gb18030"
    if len(text) >= 6:
        for alignment in range(3):
            coded = base64.b64encode(b"\0" * alignment + text)
            core = coded[(0, 2, 3)[alignment] : (alignment + len(text)) * 8 // 6]
            if len(core) < 8:
                continue
            yield core, f"base64 {alignment}"
            if b"+" in core or b"/" in core:
                yield core.translate(bytes.maketrans(b"+/", b"-_")), f"base64 {alignment}"

"""Pure readers of three parts of an APK: its ZIP end record, one entry of its resource table, its dex classes."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_END = b"PK\x05\x06"
ZIP_END_BYTES = 22
"""Bytes of a ZIP file's end record, without its comment."""
_STRING, _REFERENCE, _BOOLEAN = 3, 1, 18
_NO_ENTRY = 0xFFFFFFFF


class ZipEnd(NamedTuple):
    """The content of a ZIP file's end record."""

    start: int
    """Offset of the central directory."""
    length: int
    """Length of the central directory, in bytes."""
    at: int
    """Offset of the record itself."""


def zip_end(path: Path) -> ZipEnd:
    """The end record of a ZIP file as Android finds it: the last one whose comment reaches to the end of the file.

    Raises ValueError if it is not a ZIP file, OSError. Source: android.util.apk.ZipUtils.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - ZIP_END_BYTES - 0xFFFF))
        tail = file.read()
    at = tail.rfind(_END, 0, len(tail) - ZIP_END_BYTES + len(_END))
    while at >= 0 and struct.unpack_from("<H", tail, at + 20)[0] != len(tail) - at - ZIP_END_BYTES:
        at = tail.rfind(_END, 0, at + len(_END) - 1)
    if at < 0:
        raise ValueError("it is not a ZIP file, or its end is missing")
    length, start = struct.unpack_from("<II", tail, at + 12)
    if start + length > size and start != 0xFFFFFFFF:
        raise ValueError("it is a ZIP file whose end is missing")
    return ZipEnd(start, length, size - len(tail) + at)


class ResourceTable:
    """The entries of resources.arsc, looked up one by one, with a limit for all lookups together."""

    def __init__(self, table: bytes) -> None:
        """Raises ValueError or struct.error on a damaged table, as all methods do."""
        self._table = table
        self._pool: int | None = None
        self._types: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self._known: dict[int, str | None] = {}
        self.steps = 0
        """Number of chunks and configurations read so far."""
        if len(table) < 12:
            return
        for kind, at, end in self._chunks(0, len(table)):
            if kind == 1 and self._pool is None:
                self._pool = at
            elif kind == 0x200:
                (package,) = struct.unpack_from("<I", table, at + 8)
                for inner, start, stop in self._chunks(at, end):
                    if inner == 0x201:
                        self._types.setdefault((package, table[start + 8]), []).append((start, stop))

    def resource(self, number: int) -> str | None:
        """The value of resource `number` (0xPPTTEEEE) as text, a reference as `@7F010000`; None: not there.

        Uses the default configuration, else the first one that has the resource.
        """
        if number not in self._known:
            self._known[number] = self._found(number)
        return self._known[number]

    def _found(self, number: int) -> str | None:
        table, found = self._table, None
        for at, end in self._types.get((number >> 24, number >> 16 & 0xFF), ()):
            self._step()
            value = _entry(table, at, end, number & 0xFFFF)
            if value is None:
                continue
            config = table[at + 24 : at + 20 + min(64, struct.unpack_from("<I", table, at + 20)[0])]
            if not any(config):
                return _text(table, self._pool, value)
            found = found or value
        return _text(table, self._pool, found) if found else None

    def _chunks(self, at: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Type, start and end of each chunk inside a chunk."""
        at += struct.unpack_from("<H", self._table, at + 2)[0]
        while at + 8 <= end:
            self._step()
            kind, _, size = struct.unpack_from("<HHI", self._table, at)
            if size < 8 or at + size > end:
                raise ValueError("a damaged resource table")
            yield kind, at, at + size
            at += size

    def _step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise ValueError(f"its resource table needs more than {MOST_STEPS:,} steps")


MOST_STEPS = 1_000_000
"""Maximum number of chunks and configurations of a resource table that are read for one APK."""
MOST_CLASSES = 1 << 16
"""Maximum number of types that a dex file can name."""
LONGEST_NAME = 1024
"""Maximum number of bytes of a class's name that are read."""
LONGEST_TEXT = 1 << 16
"""Maximum number of characters of one text in a resource table."""


def packages(dex: bytes) -> set[str]:
    """The packages of the classes that a dex file defines. Raises ValueError, struct.error or IndexError if it is
    damaged."""
    if dex[:4] != b"dex\n":
        raise ValueError("not a dex file")
    strings_count, strings, types_count, types = struct.unpack_from("<IIII", dex, 0x38)
    classes_count, classes = struct.unpack_from("<II", dex, 0x60)
    if classes_count > MOST_CLASSES:
        raise ValueError("a dex file of more classes than there can be")
    if classes + 32 * classes_count > len(dex) or types + 4 * types_count > len(dex):
        raise ValueError("a truncated dex file")
    found = set()
    for index in range(classes_count):
        (type_number,) = struct.unpack_from("<I", dex, classes + 32 * index)
        (string,) = struct.unpack_from("<I", dex, types + 4 * type_number)
        if string >= strings_count:
            raise ValueError("a damaged dex file")
        (at,) = struct.unpack_from("<I", dex, strings + 4 * string)
        length = next((size for size in range(5) if not dex[at + size] & 0x80), 4)  # ULEB128: at most five bytes
        name = dex[at + length + 1 : at + length + 1 + LONGEST_NAME].partition(b"\0")[0]
        if name.startswith(b"L") and b"/" in name:
            found.add(name[1 : name.rindex(b"/")].replace(b"/", b".").decode("utf-8", "replace"))
    return found


def _entry(table: bytes, at: int, end: int, index: int) -> tuple[int, int] | None:
    """Data type and data of one entry of a type chunk; None: it has no such entry, or a bag of entries."""
    (header,) = struct.unpack_from("<H", table, at + 2)
    flags = table[at + 9]
    count, start = struct.unpack_from("<II", table, at + 12)
    if flags & 1:  # sparse: (index, offset / 4) sorted
        places = range(at + header, min(at + header + 4 * count, end - 3), 4)
        found = bisect_left(places, index, key=lambda place: struct.unpack_from("<H", table, place)[0])
        if found == len(places):
            return None
        which, quarter = struct.unpack_from("<HH", table, places[found])
        if which != index:
            return None
        offset = 4 * quarter
    elif index >= count:
        return None
    elif flags & 2:  # offsets of 16 bits
        (quarter,) = struct.unpack_from("<H", table, at + header + 2 * index)
        offset = _NO_ENTRY if quarter == 0xFFFF else 4 * quarter
    else:
        (offset,) = struct.unpack_from("<I", table, at + header + 4 * index)
    if offset == _NO_ENTRY:
        return None
    size, bits, data = struct.unpack_from("<HHI", table, at + start + offset)
    if bits & 8:  # compact: the type in the flags, the data in place of the key
        return bits >> 8, data
    if bits & 1:
        return None
    _, _, kind, data = struct.unpack_from("<HBBI", table, at + start + offset + size)
    return kind, data


def _text(table: bytes, pool: int | None, value: tuple[int, int]) -> str | None:
    kind, data = value
    if kind == _STRING:
        return None if pool is None else _string(table, pool, data)
    if kind == _REFERENCE:
        return f"@{data:08X}"
    if kind == _BOOLEAN:
        return "true" if data else "false"
    return str(data - (1 << 32) if data >> 31 else data)


def _string(table: bytes, pool: int, index: int) -> str | None:
    header, _, count, _, flags, strings = struct.unpack_from("<HIIIII", table, pool + 2)
    if index >= count:
        return None
    at = pool + strings + struct.unpack_from("<I", table, pool + header + 4 * index)[0]
    if flags & 0x100:
        _, at = _short_length(table, at)
        length, at = _short_length(table, at)
        _bounded(length)
        return table[at : at + length].decode("utf-8", "replace")
    (length,) = struct.unpack_from("<H", table, at)
    at += 2
    if length & 0x8000:
        length = (length & 0x7FFF) << 16 | struct.unpack_from("<H", table, at)[0]
        at += 2
    _bounded(length)
    return table[at : at + 2 * length].decode("utf-16-le", "replace")


def _bounded(length: int) -> None:
    if length > LONGEST_TEXT:
        raise ValueError("a text of its resource table is too long")


def _short_length(table: bytes, at: int) -> tuple[int, int]:
    first = table[at]
    return ((first & 0x7F) << 8 | table[at + 1], at + 2) if first & 0x80 else (first, at + 1)

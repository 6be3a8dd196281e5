"""Pure readers of three parts of an APK: its ZIP end record, one entry of its resource table, its dex classes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_END = b"PK\x05\x06"
ZIP_END_BYTES = 22
"""Of a ZIP file's end record, without its comment."""
_STRING, _REFERENCE, _BOOLEAN = 3, 1, 18
_NO_ENTRY = 0xFFFFFFFF


class ZipEnd(NamedTuple):
    """What a ZIP file's end record says."""

    start: int
    """Where the list of files starts."""
    length: int
    """Of that list, in bytes."""
    at: int
    """Where the record itself starts."""


def zip_end(path: Path) -> ZipEnd:
    """A ZIP file's end record as Android finds it: the last one whose comment reaches to the end of the file.

    Raises ValueError when it is no ZIP file, OSError. Source: android.util.apk.ZipUtils.
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


def resource(table: bytes, number: int) -> str | None:
    """What resource `number` (0xPPTTEEEE) of resources.arsc is, as text; a reference as `@7F010000`; None: not there.

    The default configuration, else the first that has it. Raises ValueError and struct.error on a damaged table.
    """
    if len(table) < 12:
        return None
    pool: int | None = None
    others: list[tuple[int, int]] = []
    for kind, at, end in _chunks(table, struct.unpack_from("<H", table, 2)[0], len(table)):
        if kind == 1 and pool is None:
            pool = at
        elif kind == 0x200 and struct.unpack_from("<I", table, at + 8)[0] == number >> 24:
            others.append((at, end))
    found: tuple[int, int] | None = None
    for start, stop in others:
        for kind, at, end in _chunks(table, start + struct.unpack_from("<H", table, start + 2)[0], stop):
            if kind == 0x201 and table[at + 8] == number >> 16 & 0xFF:
                value = _entry(table, at, end, number & 0xFFFF)
                if value is None:
                    continue
                config = table[at + 24 : at + 20 + struct.unpack_from("<I", table, at + 20)[0]]
                if not any(config):
                    return _text(table, pool, value)
                found = found or value
    return _text(table, pool, found) if found else None


def packages(dex: bytes) -> set[str]:
    """The packages of the classes that a dex file defines. Raises ValueError, struct.error, IndexError when damaged."""
    if dex[:4] != b"dex\n":
        raise ValueError("not a dex file")
    strings_count, strings, types_count, types = struct.unpack_from("<IIII", dex, 0x38)
    classes_count, classes = struct.unpack_from("<II", dex, 0x60)
    if classes + 32 * classes_count > len(dex) or types + 4 * types_count > len(dex):
        raise ValueError("a truncated dex file")
    found = set()
    for index in range(classes_count):
        (type_number,) = struct.unpack_from("<I", dex, classes + 32 * index)
        (string,) = struct.unpack_from("<I", dex, types + 4 * type_number)
        if string >= strings_count:
            raise ValueError("a damaged dex file")
        (at,) = struct.unpack_from("<I", dex, strings + 4 * string)
        while dex[at] & 0x80:
            at += 1
        name = dex[at + 1 : min(dex.index(b"\0", at + 1), at + 1025)]
        if name.startswith(b"L") and b"/" in name:
            found.add(name[1 : name.rindex(b"/")].replace(b"/", b".").decode("utf-8", "replace"))
    return found


def _chunks(table: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Type, start and end of each chunk."""
    while at + 8 <= end:
        kind, _, size = struct.unpack_from("<HHI", table, at)
        if size < 8 or at + size > end:
            raise ValueError("a damaged resource table")
        yield kind, at, at + size
        at += size


def _entry(table: bytes, at: int, end: int, index: int) -> tuple[int, int] | None:
    """Data type and data of one entry of a type chunk; None: it has none, or a bag of them."""
    (header,) = struct.unpack_from("<H", table, at + 2)
    flags = table[at + 9]
    count, start = struct.unpack_from("<II", table, at + 12)
    if flags & 1:  # sparse: (index, offset / 4) sorted
        for place in range(at + header, min(at + header + 4 * count, end - 3), 4):
            which, quarter = struct.unpack_from("<HH", table, place)
            if which == index:
                offset = 4 * quarter
                break
        else:
            return None
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
        return table[at : at + length].decode("utf-8", "replace")
    (length,) = struct.unpack_from("<H", table, at)
    at += 2
    if length & 0x8000:
        length = (length & 0x7FFF) << 16 | struct.unpack_from("<H", table, at)[0]
        at += 2
    return table[at : at + 2 * length].decode("utf-16-le", "replace")


def _short_length(table: bytes, at: int) -> tuple[int, int]:
    first = table[at]
    return ((first & 0x7F) << 8 | table[at + 1], at + 2) if first & 0x80 else (first, at + 1)

"""Reads large JSON in bounded memory: each element of a list, or each value of a log, as its own bytes.

A streaming parser stops at the first error. Here each piece is only cut out, so that a piece that cannot be parsed does
not affect the others.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, BinaryIO, NamedTuple

LONG = 32 << 20
"""Maximum number of bytes of one string that are kept."""
BRIEF = 1 << 16
"""Maximum number of bytes of one string that are kept in a part that is not needed."""
LARGEST = 64 << 20
"""Maximum number of bytes of one piece that are kept."""
KEY = 64
"""Maximum number of bytes of a key that are compared."""
STEP = 16 << 20
"""Number of bytes read after which their memory is returned to the system."""

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\],]', re.DOTALL)
_INNER = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.DOTALL)
_TORN = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?\Z")
"""An incomplete escape at the end of a text."""


class JsonPiece(NamedTuple):
    """One value in a large file."""

    data: bytes
    line: int = 0
    """Line of a log where it begins; the first is 1."""
    cut: bool = False
    """Whether a long string in it is cut."""
    problem: str | None = None
    """Why `data` is incomplete."""

    def value(self) -> Any:
        """The parsed value; invalid UTF-8 becomes lone surrogates. Raises ValueError, RecursionError."""
        if self.problem:
            raise ValueError(self.problem)
        return json.loads(self.data.decode("utf-8", "surrogateescape"), strict=False)


class NoListError(ValueError):
    """The file does not contain the expected list."""


class _Element:
    """Where the current element begins, and which of its strings are kept only in part."""

    def __init__(self, data: mmap.mmap | bytes, at: int, brief: Sequence[str]) -> None:
        self.data = data
        self.brief = frozenset(key.encode() for key in brief)
        self.given_back = 0
        self.begin(at)

    def begin(self, at: int) -> None:
        """The next element begins here."""
        self.mark, self.part, self.cut = at, b"", False
        self.left_out: list[tuple[int, int]] = []
        if isinstance(self.data, mmap.mmap) and at - self.given_back > STEP:
            self.given_back = at - at % mmap.PAGESIZE
            self.data.madvise(mmap.MADV_DONTNEED, 0, self.given_back)

    def string(self, start: int, end: int) -> None:
        """Take a string; only the beginning of a long one is kept."""
        most = BRIEF if self.part in self.brief else LONG
        if end - start > most + 2:
            kept = _whole(self.data[start + 1 : start + 1 + most])
            self.left_out.append((start + 1 + kept, end - 1))
            self.cut = self.cut or most == LONG

    def piece(self, end: int, problem: str | None = None) -> JsonPiece:
        """The element, which ends here."""
        edges = [self.mark, *(edge for left in self.left_out for edge in left), end]
        spans = list(zip(edges[::2], edges[1::2], strict=True))
        if sum(last - first for first, last in spans) > LARGEST:
            return JsonPiece(self.data[self.mark : self.mark + KEY], problem=f"it has more than {LARGEST >> 20} MiB")
        return JsonPiece(b"".join(self.data[first:last] for first, last in spans).strip(), 0, self.cut, problem)


def _whole(text: bytes) -> int:
    """Length of a cut text without an incomplete escape at its end."""
    at = text.rfind(b"\\", -5)
    escapes = at >= 0 and (at + 1 - len(text[: at + 1].rstrip(b"\\"))) % 2 == 1
    return at if escapes and _TORN.match(text, at) else len(text)


def elements(file: BinaryIO, way: Sequence[str] = (), brief: Sequence[str] = ()) -> Iterator[JsonPiece]:
    """The elements of the list under the keys `way`, anywhere in the file; without keys, the file itself is the list.
    In those parts of an element that `brief` names, strings are cut to BRIEF bytes. Raises NoListError at the end of a
    file without such a list."""
    path = tuple(key.encode() for key in way)
    keys: list[bytes] = []  # the key of each container that is open
    word, begun, pos = b"", False, 0
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.seek(0, 2) else nullcontext(b"") as data:
        while token := _TOKEN.search(data, pos):
            start, pos = token.span()
            match data[start : start + 1]:
                case b'"':
                    if pos == start + 1:
                        break  # it does not end
                    word = data[start + 1 : min(pos - 1, start + KEY)]
                case b"{" | b"[" as sign:
                    keys.append(word)
                    word = b""
                    if sign == b"[" and (tuple(keys[1:])[-len(path) :] == path if path else len(keys) == 1):
                        begun = True
                        pos = yield from _of_list(_Element(data, pos, brief), pos)
                        keys.pop()
                case b"}" | b"]":
                    keys = keys[:-1]
    if not begun:
        raise NoListError(f"it has no list {'.'.join(way)}")


def _of_list(one: _Element, pos: int) -> Generator[JsonPiece, None, int]:
    """The elements of a list that begins at an offset; returns its end."""
    depth, word = 0, b""
    while token := (_INNER if depth else _TOKEN).search(one.data, pos):
        start, pos = token.span()
        match one.data[start : start + 1]:
            case b'"':
                if pos == start + 1:
                    break  # it does not end
                one.string(start, pos)
                word = one.data[start + 1 : min(pos - 1, start + KEY)]
            case b"{" | b"[":
                depth += 1
                one.part = word if depth == 2 else one.part
            case b",":
                yield one.piece(start)
                one.begin(pos)
            case _ if depth:
                depth -= 1
                one.part = one.part if depth > 1 else b""
            case _:
                if (last := one.piece(start)).data or last.problem:
                    yield last
                return pos
    yield one.piece(len(one.data), "the file ends here, in the middle of it or before the next")
    return len(one.data)


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?')


def values(file: BinaryIO) -> Iterator[JsonPiece]:
    """The values of a log as they come: one per line, over several lines each, or as a list. A JSON string cannot
    span lines, so a line that is a whole value ends an incomplete one before it."""
    number, start, depth, indent, size = 0, 0, 0, 0, 0
    lines: list[bytes] = []
    while raw := file.readline(LARGEST + 1):
        number += 1
        if len(raw) > LARGEST:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LARGEST)
            yield JsonPiece(b"", number, problem=f"a line of more than {LARGEST >> 20} MiB")
            continue
        text = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        line = text.strip()
        margin = len(text) - len(text.lstrip())
        if not line or (not lines and line in (b"[", b"]", b",")):
            continue
        if lines and margin <= indent and line[:1] in b"{[" and _begins(line, lines, indent):
            yield JsonPiece(b"".join(lines), start, problem="not JSON: it does not end")
            lines, depth = [], 0
        if not lines:
            start, indent, size = number, margin, 0
        bare = _STRING.sub(b"", line)
        depth += sum(map(bare.count, (b"{", b"["))) - sum(map(bare.count, (b"}", b"]")))
        lines.append(text)
        size += len(text)
        if depth <= 0 or size > LARGEST:
            yield JsonPiece(b"".join(lines).strip().rstrip(b","), start)
            lines, depth = [], 0
    if lines:
        yield JsonPiece(b"".join(lines), start, problem="not JSON: the file ends in the middle of it")


def _begins(line: bytes, lines: Sequence[bytes], indent: int) -> bool:
    """Whether a line begins a new value although the previous one is incomplete: a whole object, or an opening
    bracket at the previous one's indentation, with its content indented further."""
    if line.rstrip(b",")[-1:] == b"}" and len(line) > 3:
        try:
            return isinstance(json.loads(line.rstrip(b",")), dict)
        except (ValueError, RecursionError):
            return False
    return line == b"{" and any(len(one) - len(one.lstrip()) > indent for one in lines)

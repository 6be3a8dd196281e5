"""Large JSON in pieces: each element of a list, or each value of a log, as its own bytes, in bounded memory.

A library that parses as it reads stops at the first mistake; here a piece is only cut out, so that one that cannot be
parsed costs nothing but itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

CHUNK = 1 << 20
LONG = 32 << 20
"""Bytes of one string that are kept."""
BRIEF = 1 << 16
"""And of one in a part that nobody needs."""
LARGEST = 64 << 20
"""Bytes of one piece that are kept."""
KEY = 64
"""Bytes of a key that matter."""

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\],]', re.DOTALL)
_INNER = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.DOTALL)
_TEXT = re.compile(rb'[^"\\]*+(?:\\(?:[^u]|u[0-9a-fA-F]{4})[^"\\]*+)*+', re.DOTALL)


class JsonPiece(NamedTuple):
    """One value in a large file."""

    data: bytes
    line: int = 0
    """Where it begins, in a log; the first is 1."""
    cut: bool = False
    """A long string of it is only a beginning."""
    problem: str | None = None
    """Why `data` is not all of it."""

    def value(self) -> Any:
        """What it is, parsed; bytes that are no UTF-8 become lone surrogates. Raises ValueError, RecursionError."""
        if self.problem:
            raise ValueError(self.problem)
        return json.loads(self.data.decode("utf-8", "surrogateescape"), strict=False)


class _PieceBuffer:
    """The bytes of the piece that is being read."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        self.cut = self.overflow = False

    def add(self, data: bytes) -> None:
        if self.size + len(data) > LARGEST:
            self.overflow = True
            data = b""
        if data:
            self.parts.append(data)
            self.size += len(data)

    def piece(self, problem: str | None = None) -> JsonPiece:
        if self.overflow:
            problem = f"it has more than {LARGEST >> 20} MiB"
        return JsonPiece(b"".join(self.parts).strip(), cut=self.cut, problem=problem)


class NoListError(ValueError):
    """The file does not have the list that was looked for."""


def elements(  # noqa: C901, PLR0912, PLR0915 - one loop over the bytes of a huge file, its state in local variables
    file: BinaryIO, way: Sequence[str] = (), brief: Sequence[str] = ()
) -> Iterator[JsonPiece]:
    """The elements of the list that stands under the keys `way`, anywhere in the file; of the file itself when empty.

    Of long strings in an element's parts `brief` only the beginning is kept. Raises NoListError at the end of a file
    that has no such list.
    """
    path, short = tuple(key.encode() for key in way), frozenset(key.encode() for key in brief)
    keys: list[bytes] = []  # of each container that is open, the key under which it stands
    base = 0  # how many are open within the list
    begun = False
    word, part = b"", b""  # the last text of the outer levels; the part of the element
    kept = _PieceBuffer()
    carry, in_text, text_size = b"", False, 0
    for chunk in iter(lambda: file.read(CHUNK), b""):
        data = carry + chunk
        carry, pos, mark = b"", 0, 0
        while True:
            if in_text:
                found = _TEXT.match(data, pos)
                end = found.end() if found else pos
                if base:
                    text_size += end - pos
                    whole = text_size <= (BRIEF if part in short else LONG)
                    kept.cut = kept.cut or not (whole or part in short)
                    kept.add(data[mark : end if whole else pos])
                    mark = end
                if not base or len(keys) <= base + 1:
                    word = (word + data[pos:end])[:KEY]
                pos = end
                if pos < len(data) and data[pos] == 0x22:
                    in_text = False
                    pos += 1
                elif pos < len(data) and len(data) - pos >= 6:
                    pos += 2  # an invalid escape: parsing the piece will say so
                else:
                    carry = data[pos:]
                    data = data[:pos]
                    break
                continue
            token = (_INNER if base and len(keys) > base else _TOKEN).search(data, pos)
            if token is None:
                break
            pos = token.end()
            sign = data[token.start()]
            if sign == 0x22:
                if pos - token.start() == 1:
                    in_text, text_size, word = True, 0, b""
                elif not base or len(keys) <= base + 1:
                    word = data[token.start() + 1 : min(pos - 1, token.start() + KEY)]
            elif sign in b"{[":
                keys.append(word)
                if base and len(keys) == base + 2:
                    part = word
                if not base and sign == 0x5B and (tuple(keys[1:])[-len(path) :] == path if path else len(keys) == 1):
                    base, mark, begun = len(keys), pos, True
                word = b""
            elif sign in b"}]":
                if base and len(keys) == base:
                    kept.add(data[mark : pos - 1])
                    if (piece := kept.piece()).data or piece.problem:
                        yield piece
                    kept, base = _PieceBuffer(), 0
                if keys:
                    keys.pop()
                if base and len(keys) <= base + 1:
                    part = b""
            elif base and len(keys) == base:
                kept.add(data[mark : pos - 1])
                yield kept.piece()
                kept, mark = _PieceBuffer(), pos
        if base:
            kept.add(data[mark:])
    if not begun:
        raise NoListError(f"it has no list {'.'.join(way)}")
    if base:
        kept.add(carry)
        yield kept.piece("the file ends here, in the middle of it or before the next")


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?')


def values(file: BinaryIO) -> Iterator[JsonPiece]:
    """The values of a log, one a line or each over several lines, as they come; also as a list.

    No string of JSON goes over the end of a line, so a line that is a whole value ends one before it that is not.
    """
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
    """Whether a line begins a new value though the one before has not ended: a whole object, or an opening bracket
    as far left as that of the one before, whose parts stand further right."""
    if line.rstrip(b",")[-1:] == b"}" and len(line) > 3:
        try:
            return isinstance(json.loads(line.rstrip(b",")), dict)
        except (ValueError, RecursionError):
            return False
    return line == b"{" and any(len(one) - len(one.lstrip()) > indent for one in lines)

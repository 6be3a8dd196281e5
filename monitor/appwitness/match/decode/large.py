"""Decodes bodies that are too large for memory: they are unpacked to disk and read in stretches."""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

from appwitness.match.decode.documents.form_data import BOUNDARY
from appwitness.match.decode.packed import archives, compressed, large_streams
from appwitness.match.decode.packed.large_streams import ERRORS, MARKS, UNPACK, UNREAD
from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import CONTROL, Room, UploadPiece


class Body(Protocol):
    """Bytes, or a mapped file, of which each slice is read when it is taken."""

    def __len__(self) -> int: ...
    def __getitem__(self, at: slice, /) -> bytes: ...
    def find(self, sub: bytes, start: int = ..., end: int = ..., /) -> int:
        """The same as for bytes."""
        ...


Spool = Callable[[Iterable[bytes]], Body]
"""Stores blocks where they take no memory, and returns them as one body."""
MARKED = 24
"""First bytes of a body by which a format is recognized."""
BLOCK = large_streams.BLOCK
"""Bytes that are read at a time."""
OVER = 8 << 10
"""Bytes before and after a stretch that are read with it; anything longer may be cut in two."""
STRETCH, PART = 64 << 10, 8 << 10
"""Bytes of a stretch that is checked at once for whether anything may be in it, and bytes of the parts that are then
decoded."""
PAGE = 1 << 16
DONT_NEED = 4
"""MADV_DONTNEED."""
HEAD = re.compile(rb"(?i)[^\0]{0,4000}?\r?\n\r?\n")


def pieces(body: Body, piece: UploadPiece, codings: list[str], room: Room) -> Iterator[UploadPiece]:
    """The parts of a large body that may matter, as pieces of ordinary size; `piece` is the body's place, without
    its bytes."""
    for coding in reversed(codings):
        body, piece = _unpacked(body, piece, coding, room)
    if not codings:
        while (coding := _marked(body, MARKS)) and len(piece.decoding) < room.limits.depth:
            before = piece
            body, piece = _unpacked(body, piece, coding, room)
            if piece is before:
                if coding != "deflate":  # two bytes that may be there by chance
                    room.stop(
                        f"{coding} at {piece.path}: {len(body)} bytes that cannot be read; broken, or too demanding"
                    )
                break
    if len(body) <= room.limits.at_once:
        yield piece._replace(data=body[: len(body)])
    elif body[:4] == archives.MEMBER:
        yield from _members(body, piece, room)
    elif boundary := _boundary(body, piece.hint):
        yield from _parts(body, piece, boundary, room)
    else:
        if name := _marked(body, UNREAD) or archives.unread_name(body[:MARKED]):
            room.stop(f"{name} at {piece.path}: {len(body)} bytes in a format that is not read")
        yield from _read(body, piece, room)


def _marked(body: Body, marks: dict[bytes, str]) -> str:
    """The name of the mark with which a body begins; empty if it begins with none."""
    head = body[:MARKED]
    return next((name for mark, name in marks.items() if head.startswith(mark)), "")


def blocks(body: Body, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """A body's bytes, block by block; what was read of a mapped file is released."""
    end = len(body) if end is None else end
    for at in range(start, end, BLOCK):
        yield body[at : min(end, at + BLOCK)]
        let_go(body, at)


def let_go(body: Body, before: int) -> None:
    """Release the pages of a mapped file that were read, up to this position."""
    advise = getattr(body, "madvise", None)
    if advise is not None and before >= PAGE:
        advise(DONT_NEED, 0, before // PAGE * PAGE)


# --- packed bodies ---


def _unpacked(body: Body, piece: UploadPiece, coding: str, room: Room) -> tuple[Body, UploadPiece]:
    """The body with one coding undone; unchanged if it does not have that coding."""
    how = UNPACK.get(coding)
    if how is None:
        if coding not in compressed.PLAIN and not _is_text(body):
            room.stop(f"content encoding {coding[:40]!r} of {len(body)} bytes: not read")
        return body, piece
    name = coding.removeprefix("x-")
    out = room.spooled(_bounded(how(blocks(body)), name, piece, room))
    return (out, piece._replace(decoding=(*piece.decoding, name), exact=False)) if len(out) else (body, piece)


def _bounded(unpacked: Iterator[bytes], name: str, piece: UploadPiece, room: Room) -> Iterator[bytes]:
    """The unpacked blocks, as long as there is room for them."""
    put_out = 0
    try:
        for block in unpacked:
            if len(block) > room.spool_left:
                room.stop(f"{name} at {piece.path}: more than {room.limits.spooled_bytes} bytes of unpacked data")
                yield block[: room.spool_left]
                room.spool_left = 0
                return
            room.spool_left -= len(block)
            put_out += len(block)
            yield block
    except ERRORS:
        if put_out:
            room.stop(f"{name} at {piece.path}: the stream is broken after {put_out} bytes")


def _members(body: Body, piece: UploadPiece, room: Room) -> Iterator[UploadPiece]:
    """The members of a large ZIP file, and their names."""
    at = number = 0
    while at >= 0 and body[at : at + 4] == archives.MEMBER and at + 30 <= len(body) and number < archives.MEMBERS:
        flags, method, packed, name_size, extra = struct.unpack("<HH8xI4xHH", body[at + 6 : at + 30])
        begin = at + 30 + name_size + extra
        name = _at(piece, at + 30, at + 30 + name_size, body)._replace(decoding=(*piece.decoding, "zip"))
        path = child_path(piece.path, name.data.decode("utf-8", "replace"))
        yield name._replace(path=f"{path}.filename")
        if packed == archives.UNKNOWN_SIZE:
            packed = archives.long_size(body[begin - extra : begin])
        end = min(begin + packed, len(body))
        inside: Body | None = None
        if flags & archives.ENCRYPTED or method == archives.ENCRYPTED_AES:
            room.stop(f"zip at {path}: the member is encrypted; not read")
        elif method == archives.DEFLATED:
            inside = room.spooled(_bounded(large_streams.inflated(blocks(body, begin)), "zip", piece, room))
        elif method == archives.STORED and packed:
            inside = room.spooled(blocks(body, begin, end))
        elif packed or method != archives.STORED:
            room.stop(f"zip at {path}: {packed} bytes packed by method {method}, which is not read in a large file")
        else:
            room.stop(f"zip at {path}: the member is stored and does not say how long it is; not read in a large file")
        if inside is not None and len(inside):
            member = _at(piece, begin, end)._replace(path=path, decoding=(*piece.decoding, "zip"), exact=False)
            yield from pieces(inside, member, [], room)
        number += 1
        at = body.find(archives.MEMBER, max(end, at + 4))


# --- bodies with parts ---


def _boundary(body: Body, hint: str) -> bytes:
    said = BOUNDARY.search(hint)
    if said and body.find(mark := b"--" + said[1].strip().encode(), 0, BLOCK) >= 0:
        return mark
    first = re.match(rb"\s*(--[^\r\n]{1,200}?)\s*\r?\n(?i:content-)", body[:400])
    return first[1] if first else b""


def _parts(body: Body, piece: UploadPiece, boundary: bytes, room: Room) -> Iterator[UploadPiece]:
    """The parts of a multipart body: a small part with its headers, as a multipart body of one part; a large part as a
    body of its own."""
    from appwitness.match.decode.documents.form_data import _part

    at, number = body.find(boundary), 0
    while at >= 0 and body[at + len(boundary) : at + len(boundary) + 2] != b"--":
        begin = at + len(boundary)
        at = body.find(b"\n" + boundary, begin)
        end = at if at >= 0 else len(body)
        stop = end - 1 if at >= 0 and body[end - 1 : end] == b"\r" else end
        at += 1 if at >= 0 else 0
        head = HEAD.match(body[begin : begin + 5000])
        first = begin + (head.end() if head else 0)
        if stop - first <= room.limits.at_once:
            whole = _at(piece, begin, stop, body)
            yield from _part(whole, 0, stop - begin, number, room)
        else:
            # the headers of a part: its name, its type and its encoding
            top = _at(piece, begin, first, body)
            described = _part(top, 0, first - begin, number, room)
            yield from described[:-1]
            path = described[-1].path if described else f"{piece.path}[{number}]"
            inside = _at(piece, first, stop)._replace(path=path, decoding=(*piece.decoding, "multipart"))
            codings = re.findall(rb"(?im)^content-encoding:\s*([\w-]+)", top.data)
            part = room.spooled(blocks(body, first, stop))
            yield from pieces(part, inside, [one.decode().lower() for one in codings], room)
        let_go(body, begin)
        number += 1


def _at(piece: UploadPiece, start: int, end: int, body: Body | None = None) -> UploadPiece:
    """A part of a large body as a piece of its own, with its bytes if the body is given."""
    if piece.exact:
        piece = piece._replace(start=piece.start + start, end=piece.start + end)
    return piece if body is None else piece._replace(data=body[start:end])


# --- bodies read in stretches ---


def _read(body: Body, piece: UploadPiece, room: Room) -> Iterator[UploadPiece]:
    text = _is_text(body)
    if text and room.narrow is not None:
        found = room.narrow(piece._replace(data=cast("bytes", body)), room)
        if found is not None:
            yield from found
            return
    yield from stretches(body, piece, 0, len(body), room, text=text)


def stretches(body: Body, piece: UploadPiece, start: int, end: int, room: Room, *, text: bool) -> Iterator[UploadPiece]:
    """The stretches of a body that may hold something, each with a little of what surrounds it."""
    asked = getattr(room.narrow, "stretch", None)
    for at in range(start, end, STRETCH):
        if asked is not None and not asked(body[max(start, at - OVER) : min(end, at + STRETCH + OVER)], text=text):
            room.passed_over += min(STRETCH, end - at)
            let_go(body, at - OVER)
            continue
        for part in range(at, min(end, at + STRETCH), PART):
            first, last = max(start, part - OVER), min(end, part + PART + OVER)
            data = body[first:last]
            cut = _begin(data, text=text) if first > start else 0
            data = data[cut : len(data) - (_begin(data[:-OVER:-1], text=text) if last < end else 0)]
            first += cut
            if asked is not None and not asked(data, text=text):
                room.passed_over += PART
                continue
            if len(data) > room.kept_left:
                kept = room.limits.kept_bytes
                room.stop(f"more than {kept} bytes of {piece.path} may matter; left off at byte {part}")
                return
            room.kept_left -= len(data)
            yield _at(piece, first, first + len(data))._replace(data=data)
        let_go(body, at - OVER)


def _begin(data: bytes, *, text: bool) -> int:
    """Bytes to drop at the beginning of a stretch, because they end something that is whole in the previous stretch;
    for a reversed stretch, bytes to drop at its end."""
    for mark in (b"\n", b" ") if text else ():
        at = data.find(mark, 0, OVER // 2)
        if at >= 0:
            return at
    run = RUN.match(data, 0, OVER // 2)
    return run.end() if run and run.end() < OVER // 2 else 0


RUN = re.compile(rb"[A-Za-z0-9+/=_%.@:\\-]*[\x80-\xff]{0,3}")


def _is_text(body: Body) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in blocks(body):
            if CONTROL.search(block):
                return False
            if not block.isascii() or decoder.getstate()[0]:
                decoder.decode(block)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True

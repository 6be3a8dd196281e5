"""Decoders of framing: masked WebSocket frames, names in DNS queries, HTTP chunks."""

from __future__ import annotations

import re
import zlib

from appwitness.match.decode.packed.compressed import ERRORS, FLUSHED, content
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, as_text, begins, decoder, holds

DNS = "application/dns-message"
"""The content type of a DNS message, over HTTPS or not."""
KINDS = frozenset((0, 1, 2, 8, 9, 10))
CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding:[ \t]*(?:[\w-]+,[ \t]*)*chunked[ \t]*\r\n")
CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[^\r\n]{0,100}\r\n")
SAID = re.compile(rb"(?i)\r\n(content-(?:type|encoding)):[ \t]*([^\r\n]*)")


def unmask(data: bytes, mask: bytes) -> bytes:
    """The bytes under a repeating mask of four bytes."""
    key = mask * (len(data) // 4 + 1)
    return (int.from_bytes(data) ^ int.from_bytes(key[: len(data)])).to_bytes(len(data))


@decoder("websocket", "binary", order=1100, guess=False, sieve="covered", seen_in="OkHttp's WebSocket")
@begins(rb"[\x01\x02\x41\x42\x81\x82\xc1\xc2][\x80-\xff].{4}")
def websocket(piece: UploadPiece, room: Room) -> Found:
    """Frames from client to server (RFC 6455): only whole messages with nothing left over; also compressed ones."""
    data = piece.data
    found: list[UploadPiece] = []
    pos = begin = 0
    parts: list[bytes] = []
    first = 0
    while pos < len(data):
        head, start = data[pos], pos
        kind = head & 15
        if head & 0x30 or kind not in KINDS or pos + 6 > len(data) or data[pos + 1] < 0x80:
            return None
        size, pos = _size(data, pos + 1)
        if pos + 4 + size > len(data) or (kind >= 8 and (size > 125 or head < 0x80)):
            return None
        if not room.take(size, piece, "websocket"):
            return found
        mask, pos = data[pos : pos + 4], pos + 4 + size
        if kind >= 8:
            continue
        if bool(kind) == bool(parts):  # a message begins inside another, or continues without a beginning
            return None
        if not parts:
            begin, first = start, head
        parts.append(unmask(data[pos - size : pos], mask))
        if head >= 0x80:
            message = _message(b"".join(parts), first, room)
            if message is None:
                return None
            if message:
                found.append(piece.turned("websocket", message, begin, pos, f"{piece.path}[{len(found)}]"))
            parts = []
    if parts:
        return None
    return found if len(found) > 1 else [one._replace(path=piece.path) for one in found] or None


def _size(data: bytes, at: int) -> tuple[int, int]:
    """The size of a frame's payload, from one, three or nine bytes, and where its mask begins."""
    size = data[at] & 0x7F
    width = {126: 2, 127: 8}.get(size, 0)
    return int.from_bytes(data[at + 1 : at + 1 + width]) if width else size, at + 1 + width


def _message(message: bytes, first: int, room: Room) -> bytes | None:
    if first & 0x40:
        try:
            message = zlib.decompressobj(-15).decompress(message + FLUSHED, max(1, room.bytes_left))
        except ERRORS:
            return None
    return None if first & 15 == 1 and as_text(message) is None else message


@decoder("dns", "binary", order=1110, guess=False, sieve="header", seen_in="Intra, by DNS over HTTPS")
@begins(rb".{12}")
def dns(piece: UploadPiece, room: Room) -> Found:
    """The labels of the names that a DNS message queries, and data that was split over several labels."""
    data = piece.data
    said = DNS in piece.hint
    if not said and not QUERY.match(data):
        return None
    at = 14 if int.from_bytes(data[:2]) == len(data) - 2 else 12  # over TCP, its length precedes it
    questions = int.from_bytes(data[at - 8 : at - 6])
    found: list[UploadPiece] = []
    for question in range(min(questions, 64)):
        labels: list[bytes] = []
        path = f"{piece.path}.question[{question}]" if questions > 1 else f"{piece.path}.question"
        begin = at
        while at < len(data) and 0 < (size := data[at]) < 64 and at + 1 + size <= len(data):
            found.append(piece.part("dns", at + 1, at + 1 + size, f"{path}[{len(labels)}]"))
            labels.append(data[at + 1 : at + 1 + size])
            at += 1 + size
        if not said and not END_OF_NAME.match(data, at):
            return None
        found += _joined(piece, labels, begin, path)
        at += 5
    return found or None


QUERY = re.compile(rb"(?s:.{2})[\x00\x01][\x00\x10\x20\x30]\x00\x01\x00{5}[\x00\x01]")
"""The header of a query with one question and, at most, a record of options (EDNS)."""
END_OF_NAME = re.compile(rb"\x00\x00[\x01-\x41]\x00\x01")
"""What follows the queried name: its type, and the class for the internet."""
LONG_LABEL = 8
"""Minimum letters of a label that may continue in the next."""


def host(piece: UploadPiece) -> list[UploadPiece]:
    """A host name, and data that was split over several of its labels."""
    return [piece, *_joined(piece, piece.data.split(b"."), 0, piece.path)]


def _joined(piece: UploadPiece, labels: list[bytes], begin: int, path: str) -> list[UploadPiece]:
    """Data that continues from label to label: long labels of equal length, and a shorter one for the rest."""
    first = next((at for at, label in enumerate(labels) if len(label) >= LONG_LABEL), len(labels))
    after = first
    while after < len(labels) and len(labels[after]) == len(labels[first]):
        after += 1
    ends = [after, after + 1] if after < len(labels) and len(labels[after]) < len(labels[first]) else [after]
    start = begin + sum(len(label) + 1 for label in labels[:first])
    return [
        piece.turned("dns", b"".join(joined), start, start + sum(len(label) + 1 for label in joined), path)
        for end in ends
        if len(joined := labels[first:end]) > 1
    ]


@decoder("websocket", "binary", order=1120, guess=False, sieve="covered", seen_in="SignalR")
@begins(rb"[^\x00-\x08\x0e-\x1d\x1f]*\x1e")
def records(piece: UploadPiece, room: Room) -> Found:
    """Texts with record separators before, between or after them: RFC 7464, Engine.IO, SignalR."""
    parts = [found.span() for found in re.finditer(rb"[^\x1e]+", piece.data)]
    if as_text(piece.data.replace(b"\x1e", b"")) is None or len(parts) > RECORDS:
        return None
    return [piece.part("", *span) for span in parts]


RECORDS = 100_000


@decoder(
    "chunked", "any", order=1130, guess=False, sieve="guess", seen_in="OkHttp, of a body whose size it does not know"
)
@holds(rb"(?i)\r\ntransfer-encoding:[^\r\n]*chunked")
def chunked(piece: UploadPiece, room: Room) -> Found:
    """HTTP/1.1 bodies inside a raw connection, in chunks as sent: RFC 9112."""
    found: list[UploadPiece] = []
    data = piece.data
    said = CHUNKED.search(data)
    while said and len(found) < RECORDS:
        start = data.find(b"\r\n\r\n", said.end() - 2) + 4
        if start < 4:
            break
        body, at = _of_chunks(data, start)
        if body and room.take(len(body), piece, "chunked"):
            head = data[max(0, data.rfind(b"\r\n\r\n", 0, said.start())) : start]
            of = {one[1].lower(): one[2].decode("latin-1").strip().lower() for one in SAID.finditer(head)}
            whole = piece.turned("chunked", body, start, at, hint=of.get(b"content-type", ""))
            codings = [one.strip() for one in of.get(b"content-encoding", "").split(",") if one.strip()]
            found += content(whole, codings, room)
        said = CHUNKED.search(data, max(at, said.end()))
    return found or None


@decoder(
    "chunked", "any", order=1140, guess=False, sieve="guess", seen_in="OkHttp, of a body whose size it does not know"
)
@begins(rb"[0-9a-fA-F]{1,8}(?:;[^\r\n]*)?\r\n")
def bare_chunks(piece: UploadPiece, room: Room) -> Found:
    """HTTP chunks without headers: all of the bytes are chunks, the last of which is empty."""
    body, end = _of_chunks(piece.data, 0)
    ended = piece.data[max(0, end - 5) :] in (b"\r\n0\r\n", b"\r\n0\r\n\r\n")
    return [piece.whole("chunked", body)] if body and ended and room.take(len(body), piece, "chunked") else None


def _of_chunks(data: bytes, at: int) -> tuple[bytes, int]:
    """The contents of the chunks that begin at a position, and where they end."""
    parts: list[bytes] = []
    while chunk := CHUNK.match(data, at):
        size = int(chunk[1], 16)
        at = min(chunk.end() + size, len(data))
        parts.append(data[chunk.end() : at])
        if not size or data[at : at + 2] != b"\r\n":
            break
        at += 2
    return b"".join(parts), at

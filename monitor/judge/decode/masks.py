"""Decoder of bytes under a mask of one byte (XOR): a guess, so only what then reads as a document or a value counts."""

from __future__ import annotations

import json
import re

from monitor.judge.decode.pieces import Found, Piece, Room, decoder

TABLES = [bytes(byte ^ key for byte in range(256)) for key in range(256)]
ONE_HALF = rb"(?:[\x00-\x7f]{8,512}|[\x80-\xff]{8,512})\Z"
"""ASCII under any one key."""
VALUE = re.compile(
    rb"\+?\d[\d .,:;()/-]{6,}\d|[\w.%+-]{2,}@[A-Za-z\d-]+(?:\.[A-Za-z\d-]+)*\.[A-Za-z]{2,}|"
    rb"[A-Za-z_][\w.-]*=[\w.%+@:-]+(?:&[A-Za-z_][\w.-]*=[\w.%+@:-]*)+"
)
"""A number, an e-mail address, a form: nothing else is believed without a document around it."""


@decoder("xor", "any", rb".{8}", alone=False, first=True)
def document(piece: Piece, room: Room) -> Found:
    """JSON under any key."""
    data = piece.data
    # both pairs of brackets differ in the same two bits, whatever the key
    if data[0] ^ data[-1] != 6:
        return None
    for opening, following in ((b"{", b'"} \n'), (b"[", b'{["] \n-0123456789')):
        key = data[0] ^ opening[0]
        if key and data[1] ^ key in following and room.take(len(data), piece, "xor"):
            plain = data.translate(TABLES[key])
            if _is_document(plain):
                return [piece.whole("xor", plain)]
    return None


@decoder("xor", "binary", ONE_HALF, alone=False)
def value(piece: Piece, room: Room) -> Found:
    """A number, an address or a form under any key."""
    data = piece.data
    if "xor" in piece.decoding or len(set(data)) < 4:  # any repeated byte is a number under some key
        return None
    half = data[0] & 0x80
    found = [
        plain
        for key in range(half or 1, half + 0x80)
        if VALUE.fullmatch(plain := data.translate(TABLES[key])) and room.take(len(data), piece, "xor")
    ]
    return [piece.whole("xor", plain)._replace(done=b"&" not in plain) for plain in found[:16]] or None


@decoder("xor", "text", ONE_HALF, alone=False)
def letters(piece: Piece, room: Room) -> Found:
    """The same where what was base64 or hex came out as letters, but as nothing that could be a value itself."""
    if piece.decoding[-1:] not in (("base64",), ("hex",)) or VALUE.fullmatch(piece.data):
        return None
    return value(piece, room)


def _is_document(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict | list)
    except (ValueError, RecursionError):
        return False

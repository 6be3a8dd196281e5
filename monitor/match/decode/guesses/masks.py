"""Decoders of bytes under a mask of one byte (XOR), turned round or shifted: guesses, so only what then reads as a
document, a value or a text counts."""

from __future__ import annotations

import re
import zlib

from monitor.match.decode.documents.json_documents import is_document
from monitor.match.decode.letters.binary_to_text import from_base64
from monitor.match.decode.packed.blocks import snappy_block
from monitor.match.decode.walk.pieces import Found, Piece, Room, as_text, begins, decoder

TABLES = [bytes(byte ^ key for byte in range(256)) for key in range(256)]
ONE_HALF = rb"(?:[\x00-\x7f]{8,512}|[\x80-\xff]{8,512})\Z"
"""ASCII under any one key."""
SHIFTS = (bytes((byte - 1) % 256 for byte in range(256)), bytes((byte & 15) << 4 | byte >> 4 for byte in range(256)))
"""One less, halves of the byte changed."""
HAN_LEADS = (0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xE3, 0xEF)
"""First bytes of a Chinese, Japanese or Korean letter in UTF-8, the usual ones first."""
ZLIB, ZLIB_LEVELS = 0x78, b"\x01\x5e\x9c\xda"
SAMPLE = 64
OPENING = re.compile(rb"\s*(?:[{\[]\s*[\"{\[]|<[?!a-zA-Z])")
"""How the first bytes of such a stream must begin."""
GZIP = b"\x1f\x8b\x08"
READABLE = re.compile(rb"[\w .,:;@+/'\"()-]{10,}")
ROT13 = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm"
)
LONGEST = 512
VALUE = re.compile(
    rb"\+?\d[\d .,:;()/-]{6,}\d|[\w.%+-]{2,}@[A-Za-z\d-]+(?:\.[A-Za-z\d-]+)*\.[A-Za-z]{2,}|"
    rb"[A-Za-z_][\w.-]*=[\w.%+@:-]+(?:&[A-Za-z_][\w.-]*=[\w.%+@:-]*)+"
)
"""A number, an e-mail address, a form: nothing else is believed without a document around it."""


@decoder("xor", "any", order=10, guess=True, sieve="guess", seen_in="UC Browser")
@begins(rb".{8}")
def document(piece: Piece, room: Room) -> Found:
    """JSON under any key."""
    data = piece.data
    key = data[0] ^ GZIP[0]
    if key and data[:3].translate(TABLES[key]) == GZIP and room.take(len(data), piece, "xor"):
        return [piece.whole("xor", data.translate(TABLES[key]))]
    # both pairs of brackets differ in the same two bits, whatever the key
    if data[0] ^ data[-1] != 6:
        return None
    for opening, following in ((b"{", b'"} \n'), (b"[", b'{["] \n-0123456789')):
        key = data[0] ^ opening[0]
        if key and data[1] ^ key in following and room.take(len(data), piece, "xor"):
            plain = data.translate(TABLES[key])
            if is_document(plain):
                return [piece.whole("xor", plain)]
    return None


@decoder("xor", "binary", order=1150, guess=True, sieve="guess", seen_in="none known")
@begins(rb".{8}")
def packed(piece: Piece, room: Room) -> Found:
    """zlib under any key, or a bare block of Snappy, which begins with its length and the first signs of a document."""
    data = piece.data
    keys = [data[0] ^ ZLIB] if data[1] ^ data[0] ^ ZLIB in ZLIB_LEVELS else []
    for at in range(2, 5):
        keys += [data[at] ^ opening for opening in b"{[" if data[at + 1] ^ data[at] ^ opening in b'"{[']
    for key in keys:
        plain = data.translate(TABLES[key]) if key else b""
        if plain and _unpacks(plain, room) and room.take(len(plain), piece, "xor"):
            return [piece.whole("xor", plain)]
    return None


def _unpacks(plain: bytes, room: Room) -> bool:
    try:
        if plain[0] == ZLIB and plain[1] in ZLIB_LEVELS:
            return bool(OPENING.match(zlib.decompressobj().decompress(plain, SAMPLE)))
        return is_document(snappy_block(plain, room.bytes_left))
    except (zlib.error, ValueError):
        return False


@decoder("xor", "binary", order=1160, guess=True, sieve="guess", seen_in="none known")
@begins(ONE_HALF)
def value(piece: Piece, room: Room) -> Found:
    """A number, an address, a form or words under any key."""
    data = piece.data
    if "xor" in piece.decoding or len(set(data)) < 4:  # any repeated byte is a number under some key
        return None
    half = data[0] & 0x80
    plains = [data.translate(TABLES[key]) for key in range(half or 1, half + 0x80)]
    found = [plain for plain in plains if VALUE.fullmatch(plain)][:16]
    if piece.decoding[-1:] in (("base64",), ("hex",)):
        found += [plain for plain in plains if plain not in found and READABLE.fullmatch(plain)][:4]
    if not found or not room.take(len(found) * len(data), piece, "xor"):
        return None
    return [piece.whole("xor", plain)._replace(done=b"&" not in plain) for plain in found]


@decoder("xor", "binary", order=1170, guess=True, sieve="guess", seen_in="none known")
@begins(rb".{6,512}\Z")
def chinese(piece: Piece, room: Room) -> Found:
    """Text that begins with a Chinese letter, under any key; what stood for base64 or hex only."""
    data = piece.data
    if piece.decoding[-1:] not in (("base64",), ("hex",)) or "xor" in piece.decoding[:-1]:
        return None
    found = []
    for lead in HAN_LEADS:
        key = data[0] ^ lead
        if key and (data[1] ^ key) & 0xC0 == 0x80 == (data[2] ^ key) & 0xC0:
            plain = data.translate(TABLES[key])
            if as_text(plain) is not None and room.take(len(plain), piece, "xor"):
                found.append(piece.whole("xor", plain)._replace(done=True))
    return found or None


@decoder("shifted", "binary", order=1180, guess=True, sieve="guess", seen_in="none known")
@begins(rb".{6,512}\Z")
def shifted(piece: Piece, room: Room) -> Found:
    """Bytes that were each made one more, or had their halves changed, and come out as words or a document."""
    if "shifted" in piece.decoding or len(set(piece.data)) < 4:
        return None
    found = []
    for table in SHIFTS:
        plain = piece.data.translate(table)
        if as_text(plain) is not None and room.take(len(plain), piece, "shifted"):
            found.append(piece.whole("shifted", plain))
    return found or None


@decoder("turned round", "text", order=1190, guess=True, sieve="guess", seen_in="none known")
@begins(rb"={0,2}[A-Za-z0-9+/_-]{10,512}={0,2}\Z")
def turned(piece: Piece, room: Room) -> Found:
    """base64 or hex that was turned round, or had its letters changed, and comes out as text only then."""
    run = piece.data
    if "turned round" in piece.decoding or not re.search(rb"[0-9A-Z=]", run):
        return None
    found = []
    plain = from_base64(run)
    if run[:1] == b"=" or plain is None or as_text(plain) is None:
        ways = [(run[::-1], "turned round"), (run.swapcase(), "shifted"), (run.translate(ROT13), "shifted")]
        found = [(step, from_base64(way)) for way, step in ways]
    if len(run) % 2 == 0 and not run.strip(b"0123456789abcdefABCDEF") and as_text(bytes.fromhex(run.decode())) is None:
        found.append(("turned round", bytes.fromhex(run[::-1].decode())))
    return [
        piece.whole(step, out)
        for step, out in found
        if out and len(out) >= 6 and as_text(out) is not None and room.take(len(out), piece, step)
    ] or None


@decoder("turned round", "text", order=1200, guess=True, sieve="guess", seen_in="none known")
@begins(rb"(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})\Z")
def digest(piece: Piece, room: Room) -> Found:
    """A digest whose digits were turned round."""
    out = bytes.fromhex(piece.data[::-1].decode())
    return (
        [piece.whole("turned round", out)._replace(done=True)] if room.take(len(out), piece, "turned round") else None
    )


@decoder("turned round", "any", order=1210, guess=True, sieve="guess", seen_in="none known")
@begins(rb"[}\]]\s*[\"\]}0-9el].*[{\[]\s*\Z")
def backwards(piece: Piece, room: Room) -> Found:
    """A document that was turned round."""
    plain = piece.data[::-1]
    if "turned round" in piece.decoding or not is_document(plain) or not room.take(len(plain), piece, "turned round"):
        return None
    return [piece.whole("turned round", plain)]


@decoder("shifted", "text", order=1220, guess=True, sieve="guess", seen_in="none known")
@begins(rb"[\w.+-]{2,64}@[\w.-]{4,64}\Z")
def rotated(piece: Piece, room: Room) -> Found:
    """An e-mail address in ROT13."""
    if "shifted" in piece.decoding or not room.take(len(piece.data), piece, "shifted"):
        return None
    return [piece.whole("shifted", piece.data.translate(ROT13))._replace(done=True)]


@decoder("xor", "text", order=1230, guess=True, sieve="guess", seen_in="none known")
@begins(ONE_HALF)
def letters(piece: Piece, room: Room) -> Found:
    """The same where what was base64 or hex came out as letters, but as nothing that could be a value itself."""
    if piece.decoding[-1:] not in (("base64",), ("hex",)) or VALUE.fullmatch(piece.data):
        return None
    return value(piece, room)

"""Decoders of text that is not UTF-8: UTF-16 and UTF-32 by their shape, declared charsets, GB18030."""

from __future__ import annotations

import codecs
import re

from appwitness.match.decode.walk.pieces import CONTROL, Found, Room, UploadPiece, as_text, begins, decoder, holds

MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32le"),
    (codecs.BOM_UTF32_BE, "utf-32be"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
    (codecs.BOM_UTF8, "utf-8"),
)
DECLARED = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
PROLOG = re.compile(rb"\s*<\?xml\s[^>]{0,80}?\bencoding\s*=\s*[\"']([\w.:-]{2,40})")
CJK = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
OTHER = re.compile("[\x80-\xff]|[^\x00-\u0fff\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


def _turn(piece: UploadPiece, name: str, text: str, room: Room) -> Found:
    data = text.encode("utf-8", "replace")
    if not room.take(len(data), piece, name):
        return None
    return [piece.whole(name, data, DECLARED.sub("", piece.hint))]


def _wide(data: bytes) -> str | None:
    """The wide charset of a mostly ASCII text, recognized by where its zero bytes are."""
    sample = data[:4096]
    size = len(sample)
    if size < 6 or size % 2:
        return None
    zeros = [sample[i::4].count(0) * 4 / size for i in range(4)]
    if size % 4 == 0:
        if min(zeros[1:]) > 0.9 and zeros[0] < 0.1:
            return "utf-32le"
        if min(zeros[:3]) > 0.9 and zeros[3] < 0.1:
            return "utf-32be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.4 and even < 0.1:
        return "utf-16le"
    if even > 0.4 and odd < 0.1:
        return "utf-16be"
    return None


@decoder(
    "byte order mark",
    "any",
    order=70,
    guess=False,
    sieve="covered",
    seen_in="apps made with Xamarin, whose StreamWriter writes one",
    alone=True,
)
@begins(rb"\xff\xfe|\xfe\xff|\xef\xbb\xbf|\x00\x00\xfe\xff")
def marked(piece: UploadPiece, room: Room) -> Found:
    """Text that begins with a byte order mark."""
    for mark, name in MARKS:
        if piece.data.startswith(mark):
            if name == "utf-8":
                marks = 0
                while piece.data.startswith(mark, marks):
                    marks += len(mark)
                return [piece.part("", marks, len(piece.data), hint=piece.hint)]
            try:
                return _turn(piece, name, piece.data[len(mark) :].decode(name), room)
            except UnicodeDecodeError:
                return None
    return None


@decoder("wide charset", "binary", order=80, guess=False, sieve="covered", seen_in="Unity apps, by Encoding.Unicode")
@holds(rb"\x00")
def wide(piece: UploadPiece, room: Room) -> Found:
    """UTF-16 and UTF-32 without a mark."""
    name = _wide(piece.data)
    if name is None:
        return None
    try:
        text = piece.data.decode(name)
    except UnicodeDecodeError:
        return None
    return None if CONTROL.search(text.encode("utf-8", "replace")) else _turn(piece, name, text, room)


@decoder("wide charset", "binary", order=90, guess=False, sieve="covered", seen_in="Android's Parcel, of a Java String")
@holds(rb"(?:[!-~]\x00){12}|(?:\x00[!-~]){12}")
def wide_runs(piece: UploadPiece, room: Room) -> Found:
    """ASCII words in UTF-16 among other bytes, as in a Parcel of Android."""
    found = []
    for run in WIDE_RUN.finditer(piece.data):
        text = run[0].replace(b"\0", b"")
        if len(run[0]) < len(piece.data) - 1 and room.take(len(text), piece, "utf-16"):
            found.append(piece.turned("utf-16be" if run[0][0] == 0 else "utf-16le", text, *run.span()))
    return found or None


WIDE_RUN = re.compile(rb"(?:[ -~]\x00){12,}|(?:\x00[ -~]){12,}")


@decoder(
    "declared charset",
    "binary",
    order=100,
    guess=False,
    sieve="header",
    seen_in="Amap's location SDK, in GBK",
    alone=True,
)
def declared(piece: UploadPiece, room: Room) -> Found:
    """The charset that Content-Type or XML itself names, if the bytes are not UTF-8 and can be decoded in it."""
    header, prolog = DECLARED.search(piece.hint), PROLOG.match(piece.data)
    said = header[1] if header else prolog[1].decode() if prolog else ""
    if not said:
        return None
    try:
        name = codecs.lookup(said).name
        name = {"gb2312": "gb18030", "gbk": "gb18030", "utf-16": "utf-16-le"}.get(name, name)
        text = piece.data.decode(name)
    except (LookupError, UnicodeDecodeError, ValueError):
        return None
    step = name.replace("utf-16-", "utf-16").replace("utf-32-", "utf-32")
    # decoded XML still names its charset, and decoding it again would only make it longer
    if name in ("utf-8", "ascii") or not isinstance(text, str) or step in piece.decoding:
        return None
    return _turn(piece, step, text, room)


@decoder("gb18030", "text", order=110, guess=False, sieve="covered", seen_in="Amap's location SDK, in GBK")
@begins(rb"(?:[\xc4-\xdf][\xa1-\xbf]){2,8}\Z")
def two_by_two(piece: UploadPiece, room: Room) -> Found:
    """Chinese characters whose bytes are also valid UTF-8 of rare letters, such as 联通."""
    text = piece.data.decode("gb18030", "replace")
    if CJK.sub("", text) or not room.take(len(piece.data), piece, "gb18030"):
        return None
    return [piece.whole("gb18030", text.encode())._replace(done=True)]


PACKED = re.compile(rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|\x78[\x01\x5e\x9c\xda]|PK\x03\x04")
"""How compressed bytes begin."""


@decoder(
    "latin-1", "any", order=120, guess=False, sieve="guess", seen_in="Apache HttpClient, whose default is ISO-8859-1"
)
@holds(rb"[\xc2\xc3][\x80-\xbf]|\xe2\x82\xac")
def letters_for_bytes(piece: UploadPiece, room: Room) -> Found:
    """Bytes each of which was taken for a letter: UTF-8 that was read as latin-1, compressed streams in a string."""
    if len(piece.data) > 1 << 20 or piece.decoding[-2:] == ("latin-1", "latin-1"):
        return None
    for charset in ("latin-1", "cp1252"):
        try:
            out = piece.data.decode("utf-8").encode(charset)
        except UnicodeError:
            continue
        if (as_text(out) is not None or PACKED.match(out)) and room.take(len(out), piece, "latin-1"):
            return [piece.whole("latin-1", out)]
    return None


@decoder(
    "western", "binary", order=130, guess=False, sieve="guess", seen_in="Apache HttpClient, whose default is ISO-8859-1"
)
@begins(rb"[^\x80-\xbf]*[A-Za-z][\xc0-\xff][a-z]")
def western(piece: UploadPiece, room: Room) -> Found:
    """Short latin-1 texts without a declared charset: an accented letter now and then, between others."""
    data = piece.data
    high = data.translate(None, bytes(range(0x80)))
    if len(data) > 512 or len(high) * 3 > len(data) or min(high) < 0xC0 or CONTROL.search(data):
        return None
    return _turn(piece, "latin-1", data.decode("latin-1"), room)


@decoder("gb18030", "binary", order=140, guess=False, sieve="covered", seen_in="Amap's location SDK, in GBK")
def gb18030(piece: UploadPiece, room: Room) -> Found:
    """Chinese text in GB18030 (GBK, GB2312) without a declared charset: nearly all of it must be Chinese or ASCII."""
    data = piece.data
    if len(data) < 4 or len(data) > 1 << 20 or CONTROL.search(data):
        return None
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    chinese = len(CJK.findall(text))
    if chinese < 2 or len(OTHER.findall(text)) * 10 > chinese:
        return None
    return _turn(piece, "gb18030", text, room)

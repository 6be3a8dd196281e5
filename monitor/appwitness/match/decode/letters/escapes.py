"""Decoders of escaped text: quoted-printable, entities, backslash escapes, full-width forms, transfer encodings."""

from __future__ import annotations

import binascii
import html
import re
import unicodedata
from itertools import chain

from appwitness.match.decode.letters.backslashes import unescape
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, as_text, begins, decoder, holds

WIDE = re.compile(
    "[\u00a0\u2000-\u200f\u2010-\u2015\u202f\u2060\u2212\u3000\ufeff\uff01-\uff5e\uffe5\u0300-\u036f\u0660-\u0669\u066b"
    "\u2070-\u2089\u20e3\u2460-\u2468\u24ea\ufe0f\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0a66-\u0a6f\u0ae6-\u0aef\u0b66-\u0b6f\u0be6-\u0bef\u0c66-\u0c6f\u0ce6-\u0cef"
    "\u0d66-\u0d6f\u0e50-\u0e59\u0ed0-\u0ed9\u0f20-\u0f29\u17e0-\u17e9\u1040-\u1049\u00ad\u202a-\u202e\u2066-\u2069\U0001d400-\U0001d7ff]"
)
DIGITS = re.compile("[^\x00-\x7f]")
DASHES = str.maketrans(
    dict.fromkeys(map(chr, (*range(0x2010, 0x2016), 0x2212)), "-")
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u20e3\ufe0f\ufeff")
    | dict.fromkeys(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
    | {"\u066b": "."}  # between Arabic digits
)

LONG = re.compile(rb"\\[ux]\{([0-9a-fA-F]{1,6})\}|\\U([0-9a-fA-F]{8})|\\([0-9a-fA-F]{2,6}) |U\+([0-9A-F]{4,6}) ?")
"""Escapes that can stand for any character: of JavaScript and Perl, of Python and Go, of style sheets, of Unicode
itself."""
PARTS = re.compile(rb"\s*--[^\r\n]{1,200}\r?\n(?i:content-)")
FOLD = re.compile(rb"\r?\n[ \t]")
OCTAL = re.compile(rb"(?:\\[0-3][0-7]{2}){2,}")


def transfer(piece: UploadPiece, said: str, room: Room) -> UploadPiece:
    """A part with its Content-Transfer-Encoding undone; unchanged if it does not have that encoding."""
    if said == "quoted-printable" and room.take(len(piece.data), piece, said):
        return piece.whole("quoted-printable", binascii.a2b_qp(piece.data), piece.hint)
    if said == "base64":
        try:
            data = binascii.a2b_base64(piece.data)
        except binascii.Error:
            return piece
        if data and room.take(len(data), piece, said):
            return piece.whole("base64", data, piece.hint)
    return piece


# before the decoder of forms, which would cut the text at each `&`
@decoder("entities", "text", order=350, guess=False, sieve="covered", seen_in="ksoap2-android")
@holds(rb"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[a-zA-Z]{2,8};)")
def entities(piece: UploadPiece, room: Room) -> Found:
    """HTML and XML character references."""
    if not room.take(len(piece.data), piece, "entities"):
        return None
    text = NO_LETTER.sub("&amp;", piece.data.decode("utf-8"))
    return [piece.whole("entities", html.unescape(text).encode("utf-8", "replace"))]


NO_LETTER = re.compile(r"&(?=#\d{1000})")
"""A reference with this many digits names no character, and Python does not convert it to a number."""


@decoder("escapes", "text", order=460, guess=False, sieve="covered", seen_in="org.json, in a string inside a string")
@holds(
    rb"\\[uU][0-9a-fA-F]{4}|\\[ux]\{[0-9a-fA-F]|\\[0-9a-fA-F]{4}|\\[0-9a-fA-F]{2} \\|U\+[0-9A-F]{4} U|"
    rb"\\x[0-9a-fA-F]{2}|\\[0-7]{3}\\[0-7]{3}|\\[\"/\\nrt]"
)
def escapes(piece: UploadPiece, room: Room) -> Found:
    """Backslash escapes of JSON and JavaScript in any text."""
    if not room.take(len(piece.data), piece, "escapes"):
        return None
    data = piece.data
    if LONG.search(data):
        data = LONG.sub(_long, data)
    elif OCTAL.search(data):
        data = OCTAL.sub(octal_bytes, data)
    else:
        data = unescape(data)
    return [piece.whole("escapes", data)]


def _long(found: re.Match[bytes]) -> bytes:
    return chr(min(int(found[found.lastindex or 0], 16), 0x10FFFF)).encode("utf-8", "replace")


def octal_bytes(found: re.Match[bytes]) -> bytes:
    """The bytes that a run of octal escapes stands for."""
    return bytes(int(one, 8) & 255 for one in found[0].split(b"\\")[1:])


# early: its line breaks may cut any other document
@decoder(
    "quoted-printable", "text", order=50, guess=False, sieve="covered", seen_in="Android's contacts app, in vCard 2.1"
)
@holds(rb"=[0-9A-F]{2}=[0-9A-F]{2}|=(?:20|09)?\r?\n|=3D|=40|=2B|=QUOTED-PRINTABLE")
def quoted_printable(piece: UploadPiece, room: Room) -> Found:
    """RFC 2045 quoted-printable."""
    if PARTS.match(piece.data):  # each part declares its own transfer encoding
        return None
    if not room.take(len(piece.data), piece, "quoted-printable"):
        return None
    return [piece.whole("quoted-printable", binascii.a2b_qp(piece.data))]


@decoder(
    "width",
    "text",
    order=470,
    guess=False,
    sieve="covered",
    seen_in="input methods for Chinese and Japanese; CLDR's numbers in Arabic",
    another_reading=True,
)
@holds(rb"[\xc2\xcc\xcd\xd9\xdb\xe0-\xe3\xef\xf0]")
def width(piece: UploadPiece, room: Room) -> Found:
    """Full-width and other compatibility forms (NFKC), unusual spaces and dashes, digits of other scripts,
    zero-width marks."""
    text = as_text(piece.data)
    if text is None or not WIDE.search(text) or not room.take(len(piece.data), piece, "width"):
        return None
    plain = unicodedata.normalize("NFKC", text).translate(DASHES)
    plain = DIGITS.sub(lambda found: str(unicodedata.decimal(found[0], found[0])), plain)
    return None if plain == text else [piece.whole("width", plain.encode("utf-8", "replace"))]


@decoder("folded lines", "text", order=480, guess=False, sieve="covered", seen_in="ez-vcard; iCal4j")
@begins(rb"(?i:BEGIN:V|[\w-]+:).*\n[ \t]")
def folded(piece: UploadPiece, room: Room) -> Found:
    """Lines of vCards, calendars and mail headers that continue on the next line."""
    if not room.take(len(piece.data), piece, "folded lines"):
        return None
    return [piece.whole("folded lines", FOLD.sub(b"", piece.data))]


@decoder("markup", "text", order=490, guess=False, sieve="covered", seen_in="ksoap2-android")
@begins(rb"\s*<[?!a-zA-Z]")
def markup(piece: UploadPiece, room: Room) -> Found:
    """Texts and attributes of XML and HTML, under the names of their elements."""
    found: list[UploadPiece] = []
    stack: list[str] = []
    last = piece.data.rfind(b"]]>") + 1  # no section ends after it
    for tag in chain(TAG.finditer(piece.data, 0, last + 2), OUTSIDE.finditer(piece.data, last + 2 if last else 0)):
        if tag[1] is not None:
            path = f"{piece.path}.{'.'.join(stack)}" if stack else piece.path
            found.append(piece.part("xml", *tag.span(1), path))
            continue
        if tag[2] is not None:
            found.append(piece.part("xml", *tag.span(2), f"{piece.path}.{'.'.join(stack)}" if stack else piece.path))
            continue
        name = (tag[4] or b"").decode("utf-8", "replace")
        if tag[3]:
            if stack:
                stack.pop()
            continue
        if not name:
            continue
        path = f"{piece.path}.{'.'.join([*stack, name])}"
        for attribute in ATTRIBUTE.finditer(piece.data, *tag.span(5)):
            group = 2 if attribute[2] is not None else 3
            key = attribute[1].decode("utf-8", "replace")
            found.append(piece.part("xml", *attribute.span(group), f"{path}.{key}"))
        if not tag[6] and len(stack) < room.limits.nesting:
            stack.append(name)
        if len(found) > room.leaves_left:
            break
    return found or None


_TAG = (
    rb"|(?<=>)\s*([^<>\s][^<>]*)(?=<)|"
    rb"<(/)?([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(/)?>"
)
TAG = re.compile(rb"<!\[CDATA\[(.*?)\]\]>" + _TAG, re.DOTALL)
OUTSIDE = re.compile(rb"(?!)(.)" + _TAG, re.DOTALL)
"""The same, after the end of the last CDATA section."""
ATTRIBUTE = re.compile(rb"([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")

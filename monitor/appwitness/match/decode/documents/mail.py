"""Decoders of encoded words in mail headers and of punycode in host names."""

from __future__ import annotations

import binascii
import re
from itertools import combinations

from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, decoder, holds

ENCODED_WORD = re.compile(rb"=\?([\w.:-]+)\?([bBqQ])\?([^?\s]*)\?=")
LABEL = re.compile(rb"(?i)xn--([a-z0-9-]{2,60})")


@decoder("encoded word", "text", order=770, guess=False, sieve="covered", seen_in="JavaMail for Android")
@holds(rb"=\?[\w.:-]+\?[bBqQ]\?")
def encoded_words(piece: UploadPiece, room: Room) -> Found:
    """RFC 2047, as in the headers of mail: `=?utf-8?B?5p2O?=`."""
    out, last = [], 0
    words: list[tuple[bytes, int, int]] = []
    for word in ENCODED_WORD.finditer(piece.data):
        between = piece.data[last : word.start()]
        out.append(between if between.strip() or not last else b"")
        last = word.end()
        try:
            raw = binascii.a2b_base64(word[3]) if word[2] in b"bB" else binascii.a2b_qp(word[3], header=True)
            out.append(raw.decode(word[1].decode()).encode("utf-8", "replace"))
            words.append((out[-1], *word.span()))
        except (binascii.Error, LookupError, UnicodeDecodeError):
            out.append(word[0])
    text = b"".join(out) + piece.data[last:]
    if not last or not room.take(len(text), piece, "encoded word"):
        return None
    found = [piece.whole("encoded word", text)]
    if 1 < len(words) <= WORDS:  # several texts look the same as one text that was cut into words
        for first, last_one in combinations(range(len(words) + 1), 2):
            part = b"".join(one for one, _, _ in words[first:last_one])
            spot = (words[first][1], words[last_one - 1][2])
            found.append(piece.turned("encoded word", part, *spot)._replace(done=True))
    return found


WORDS = 12
"""Maximum number of encoded words of one text; every sequence of them is also read as a text of its own."""


@decoder("punycode", "text", order=780, guess=False, sieve="covered", seen_in="java.net.IDN")
@holds(LABEL.pattern)
def punycode(piece: UploadPiece, room: Room) -> Found:
    """Host names in other scripts: `xn--`."""
    found = []
    for label in LABEL.finditer(piece.data):
        try:
            text = label[1].decode().encode().decode("punycode").encode("utf-8", "replace")
        except (UnicodeError, ValueError, OverflowError):
            continue
        if text and room.take(len(text), piece, "punycode"):
            found.append(piece.turned("punycode", text, *label.span()))
    return found or None

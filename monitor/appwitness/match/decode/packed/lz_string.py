"""Decompresses lz-string, a JavaScript LZ format whose codes widen as its dictionary grows."""

from __future__ import annotations

import re

from appwitness.match.decode.walk.pieces import Room, as_text

STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
FOR_URLS = STANDARD[:-1] + b"-"
DOCUMENT = re.compile(rb"N[4-7o-r][A-Za-z0-9+/-]{12,}={0,4}\Z")
"""How a packed JSON document begins: two zeros, then a brace or a bracket, the lowest bit first."""
END, WIDE = 2, 1
LONGEST = 1 << 20


def unpacked(text: bytes, room: Room) -> bytes | None:
    """The packed document as UTF-8; None if there is none."""
    if len(text) > LONGEST or not DOCUMENT.match(text):
        return None
    letters = FOR_URLS if b"-" in text else STANDARD
    places = {letter: f"{place:06b}" for place, letter in enumerate(letters)}
    try:
        bits = "".join([places[letter] for letter in text.rstrip(b"=")])
        plain = _read(bits, room).encode("utf-16", "surrogatepass").decode("utf-16").encode()
    except (KeyError, ValueError, IndexError):  # an invalid letter, bit or code, or half a letter
        return None
    return plain if plain[-1:] in (b"}", b"]") and as_text(plain) is not None else None


def _read(bits: str, room: Room) -> str:
    at = 0

    def number(size: int) -> int:
        nonlocal at
        at += size
        return int(bits[at - size : at][::-1], 2)

    def letter(code: int) -> str:
        return chr(number(16 if code == WIDE else 8))

    word = letter(number(2))
    known = ["", "", "", word]
    out = [word]
    size, wide, left = len(word), 3, 4
    while (code := number(wide)) != END:
        if code <= WIDE:
            known.append(letter(code))
            code = len(known) - 1
            left -= 1
        if not left:
            left, wide = 1 << wide, wide + 1
        entry = known[code] if code < len(known) else word + word[0]
        if code > len(known) or not entry:
            raise ValueError("no such code")
        out.append(entry)
        size += len(entry)
        if size > room.bytes_left:
            raise ValueError("too long")
        known.append(word + entry[0])
        left -= 1
        word = entry
        if not left:
            left, wide = 1 << wide, wide + 1
    return "".join(out)

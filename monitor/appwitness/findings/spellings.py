"""Other spellings of a text: what it reads as after repeatedly undoing escapes, entities and encodings."""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote

LONGEST = 4096
"""Maximum number of characters of a text that are examined."""
ROUNDS, MOST = 3, 48
"""How many times decoding is repeated on its own results, and the maximum number of readings in all."""
_ESCAPE = re.compile(r"\\(?:u\{?([0-9a-fA-F]{4,6})\}?|x([0-9a-fA-F]{2})|([0-7]{3}))")
_HEX = re.compile(r"(?<![0-9a-zA-Z])(?:0x)?((?:[0-9a-fA-F]{2}[ :,-]?){4,})(?![0-9a-zA-Z])")
_CODES = re.compile(r"\d{2,3}(?:[ ,;.-]+\d{2,3}){3,}")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,6}")


def readings(text: str) -> Iterator[str]:
    """Other readings of the text, each once; not the text itself."""
    seen = {text}
    now = [text[:LONGEST]]
    for _ in range(ROUNDS):
        after = []
        for each in now:
            for read in _undone(each):
                if read not in seen and len(seen) < MOST:
                    seen.add(read)
                    after.append(read)
                    yield read
        now = after


def _undone(text: str) -> Iterator[str]:
    yield unicodedata.normalize("NFKC", text)
    if "%" in text:
        yield unquote(text)
    if "&" in text:
        yield html.unescape(text)
    if "=" in text:
        yield quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    if "\\" in text:
        yield _ESCAPE.sub(_character, text)
    yield _HEX.sub(lambda found: _text(bytes.fromhex(re.sub(r"[^0-9a-fA-F]", "", found[1]))), text)
    yield _CODES.sub(lambda found: "".join(map(_code, re.findall(r"\d+", found.group()))), text)
    for decode in (_base64, _base32):
        yield _ENCODED.sub(lambda found, decode=decode: decode(found.group()), text)  # type: ignore[misc]
    yield text[::-1]


def _character(found: re.Match[str]) -> str:
    number = int(found[1] or found[2], 16) if found[1] or found[2] else int(found[3], 8)
    return _code(number)


def _code(number: int | str) -> str:
    return chr(int(number)) if int(number) < 0x110000 else ""


def _text(data: bytes) -> str:
    for charset in ("utf-8", "utf-16-le"):
        with suppress(UnicodeDecodeError):
            return data.decode(charset)
    return ""


@lru_cache(1024)  # the words of our own sentences recur all the time
def _base64(run: str) -> str:
    bare = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return run


@lru_cache(1024)
def _base32(run: str) -> str:
    bare = run.rstrip("=").upper()
    try:
        return base64.b32decode(bare + "=" * (-len(bare) % 8)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return run

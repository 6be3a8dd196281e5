"""Undoes the backslash escapes of JSON and JavaScript."""

from __future__ import annotations

import re

ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


def unescape(data: bytes) -> bytes:
    """Undo JSON and JavaScript escapes; anything else stays as it is."""

    def one(found: re.Match[bytes]) -> bytes:
        high, low, byte, char = found.groups()
        if high:
            code = int(high, 16)
            if low and 0xD800 <= code < 0xDC00:
                code = 0x10000 + ((code - 0xD800) << 10) + (int(low, 16) - 0xDC00)
                return chr(code).encode()
            tail = unescape(b"\\u" + low) if low else b""
            return chr(code).encode("utf-8", "replace") + tail
        if byte:
            return chr(int(byte, 16)).encode()
        return SIMPLE.get(char, char)

    return ESCAPE.sub(one, data)

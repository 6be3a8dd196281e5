"""Reads integers of any width from the bit strings of consent strings."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode

LONGEST = 32 << 10
"""Maximum number of characters; the longest strings in use have a few thousand."""
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}\Z")


class Bits:
    """Bits, read from the most significant one on. Every read past the end raises ValueError."""

    def __init__(self, bits: str) -> None:
        self._bits = bits
        self._at = 0

    @classmethod
    def of_base64url(cls, text: str) -> Bits:
        """The bits of a base64url text, padded or not; six bits a character, so any length is valid."""
        if len(text) > LONGEST or not _BASE64URL.match(text):
            raise ValueError("not base64url, or too long")
        bare = text.rstrip("=")
        try:
            data = urlsafe_b64decode(bare + "A" * (-len(bare) % 4))
        except binascii.Error:
            raise ValueError("not base64url") from None
        return cls("".join(f"{byte:08b}" for byte in data)[: len(bare) * 6])

    def number(self, width: int) -> int:
        """The next `width` bits as a number."""
        end = self._at + width
        if end > len(self._bits):
            raise ValueError("the string ends too early")
        value = int(self._bits[self._at : end], 2) if width else 0
        self._at = end
        return value

    def flag(self) -> bool:
        """The next bit."""
        return self.number(1) == 1

    def letters(self, count: int) -> str:
        """Letters of six bits each, where 0 is A. Raises ValueError for any other code."""
        codes = [self.number(6) for _ in range(count)]
        if any(code > 25 for code in codes):
            raise ValueError("not a letter")
        return "".join(chr(ord("A") + code) for code in codes)

    def numbers_set(self, width: int) -> tuple[int, ...]:
        """The positions, counted from 1, of the bits that are set among the next `width`."""
        start = self._at
        self.number(width)
        return tuple(n + 1 for n, bit in enumerate(self._bits[start : start + width]) if bit == "1")

    def fibonacci(self) -> int:
        """A number of at least 1 in Fibonacci coding, which ends with two set bits."""
        value, before, now, last = 0, 1, 1, False
        while True:
            bit = self.flag()
            if bit and last:
                return value
            if bit:
                value += now
            before, now, last = now, before + now, bit

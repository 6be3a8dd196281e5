"""Transparency and consent strings, version 2, as a consent platform writes them into requests."""

from __future__ import annotations

import base64
from collections.abc import Iterable

_MADE = 17_734_032_000  # tenths of a second since 1970: 2026-03-13
_PURPOSES = 24


def consent_string(purposes: Iterable[int] = (), vendors: Iterable[int] = ()) -> str:
    """The core segment of a TC string that consents to `purposes` (from 1) and `vendors` (ids)."""
    agreed, named = set(purposes), set(vendors)
    last = max(named, default=1)
    fields: list[tuple[int, int]] = [
        (2, 6),  # version
        (_MADE, 36),
        (_MADE, 36),
        (300, 12),  # consent platform
        (1, 12),
        (1, 6),
        (_letters("EN"), 12),
        (112, 12),  # vendor list
        (5, 6),  # policy
        (1, 1),
        (0, 1),
        (0, 12),  # special features
        *((int(number in agreed), 1) for number in range(1, _PURPOSES + 1)),
        (0, _PURPOSES),  # legitimate interest
        (0, 1),
        (_letters("DE"), 12),
        (last, 16),
        (0, 1),
        *((int(number in named), 1) for number in range(1, last + 1)),
        (0, 16),
        (0, 1),
        (0, 12),
    ]
    bits = "".join(f"{value:0{width}b}" for value, width in fields)
    bits += "0" * (-len(bits) % 8)
    return base64.urlsafe_b64encode(int(bits, 2).to_bytes(len(bits) // 8, "big")).decode().rstrip("=")


def _letters(two: str) -> int:
    first, second = (ord(letter) - ord("A") for letter in two)
    return first << 6 | second

"""Parses strings of IAB Tech Lab's Global Privacy Platform: their sections, and the opt-outs of US states.

Follows the published formats: "Global Privacy Platform", core and sections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appwitness.judge.iab.bit_fields import Bits

_TYPE, _VERSION = 3, 1
MOST_SECTIONS = 64
OPTED_OUT, DID_NOT = 1, 2
"""Values of an opt-out; 0 means not applicable."""


def sections(text: str) -> dict[int, str]:
    """Section number -> the section's own string. Raises ValueError, with the reason, for anything but a GPP string."""
    header, *bodies = text.split("~")
    bits = Bits.of_base64url(header)
    if (bits.number(6), bits.number(6)) != (_TYPE, _VERSION):
        raise ValueError("not the header of a GPP string")
    numbers: list[int] = []
    for _ in range(bits.number(12)):
        is_range = bits.flag()
        first = bits.fibonacci() + (numbers[-1] if numbers else 0)
        last = first + (bits.fibonacci() if is_range else 0)
        if last - first + len(numbers) >= MOST_SECTIONS:
            raise ValueError("more sections than there are")
        numbers += range(first, last + 1)
    if len(numbers) != len(bodies):
        raise ValueError(f"{len(numbers)} sections named, {len(bodies)} there")
    return dict(zip(numbers, bodies, strict=True))


def opt_outs(text: str, fields: Sequence[str]) -> Mapping[str, int]:
    """The two-bit fields of a US section by name, in the order of `fields`, which follow the version.

    Global Privacy Control, if the section has it, is the field `gpc`. Raises ValueError if the section is truncated.
    """
    core, *more = text.split(".")
    bits = Bits.of_base64url(core)
    bits.number(6)
    found = {name: bits.number(2) for name in fields}
    for segment in more:
        extra = Bits.of_base64url(segment)
        if extra.number(2) == 1:
            found["gpc"] = OPTED_OUT if extra.flag() else DID_NOT
    return found

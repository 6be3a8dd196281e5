"""Reads degrees, minutes and seconds in separate fields as one coordinate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from appwitness.match.decode.walk.pieces import Leaf
from appwitness.match.places.notations import letter_of

_PARTS = {
    "degrees": ("d", "deg", "degs", "degree", "degrees", "dd", "度"),
    "minutes": ("m", "min", "mins", "minute", "minutes", "mm", "分"),
    "seconds": ("s", "sec", "secs", "second", "seconds", "ss", "秒"),
    "side": ("h", "hem", "hemi", "hemisphere", "ref", "r", "dir", "direction", "ns", "ew", "sign", "letter"),
}
_PART_OF = {word: part for part, words in _PARTS.items() for word in words}
_END = rf"(?:[._-]?({'|'.join(_PART_OF)})|\[([0-3])\])"
PART = re.compile(rf"(.*?)(latitude|lat|longitude|long|lng|lon){_END}", re.IGNORECASE)
"""`$.lat.deg`, `$.gps_lon_min`, `$.latitude[1]`."""
SOME_PART = re.compile(rf"lat(?:itude)?{_END}$", re.MULTILINE)
"""What one of the paths, in lower case, must contain for `in_parts` to find anything."""
DECIMAL = re.compile(rb"-?[0-9]{1,7}(?:\.[0-9]{1,20})?")


class Parted(NamedTuple):
    """A coordinate whose parts are in separate fields."""

    leaf: int
    """The number of the leaf with the smallest unit."""
    degrees: tuple[float, ...]
    """Both signs if no field tells which."""
    unit: float
    notation: str


def in_parts(leaves: Sequence[Leaf]) -> Iterator[tuple[Parted, Parted]]:
    """Latitudes and longitudes side by side, both in the same kinds of parts."""
    parts: dict[tuple[str, bool], dict[str, int]] = {}
    for number, leaf in enumerate(leaves):
        found = PART.fullmatch(leaf.path) if leaf.text is not None and len(leaf.data) <= 24 else None
        if found is not None:
            own = parts.setdefault((found[1], not found[2].lower().startswith("la")), {})
            if found[3]:
                part = _PART_OF[found[3].lower()]
            else:
                part = "side" if leaf.data.isalpha() else ("degrees", "minutes", "seconds", "side")[int(found[4])]
            if part == "side" or DECIMAL.fullmatch(leaf.data):
                own.setdefault(part, number)
    for (base, is_lon), own in parts.items():
        other = parts.get((base, True)) if not is_lon else None
        if other and own.keys() - {"side"} == other.keys() - {"side"}:
            lat, lon = _put_together(own, leaves), _put_together(other, leaves)
            if lat is not None and lon is not None:
                yield lat, lon


def _put_together(parts: dict[str, int], leaves: Sequence[Leaf]) -> Parted | None:
    """Combine degrees, minutes and optional seconds; None if the parts are no coordinate."""
    texts = {part: leaves[number].data for part, number in parts.items() if part != "side"}
    if texts.keys() not in ({"degrees", "minutes"}, {"degrees", "minutes", "seconds"}):
        return None
    last = "seconds" if "seconds" in texts else "minutes"
    first, minutes, seconds = texts["degrees"], float(texts["minutes"]), float(texts.get("seconds", b"0"))
    if b"." in first or not 0 <= minutes < 60 or not 0 <= seconds < 60 or (last == "seconds" and minutes % 1):
        return None
    size = abs(int(first)) + minutes / 60 + seconds / 3600
    unit = 10.0 ** -len(texts[last].partition(b".")[2]) / (3600 if last == "seconds" else 60)
    notation = f"degrees minutes{' seconds' if last == 'seconds' else ''}"
    letter = letter_of(leaves[parts["side"]].data[:1]) if "side" in parts else b""
    if first.startswith(b"-") or letter in (b"S", b"W", b"-"):
        signed: tuple[float, ...] = (-size,)
    else:
        signed = (size,) if letter in (b"N", b"E", b"+") else (size, -size)
    return Parted(parts[last], signed, unit, notation)

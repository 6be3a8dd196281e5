"""Reads numbers in a text as coordinates: decimal degrees, micro-degrees, degrees and minutes, radians, metres."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from appwitness.match.geo import grids
from appwitness.match.look import JoinedLeaves

NUMBER = re.compile(rb"[0-9]{4,}(?:\.[0-9]{1,20})?|[0-9]{1,3}\.[0-9]{1,20}")
EXPONENT = re.compile(rb"-?[0-9]\.[0-9]{2,20}[eE][+-]?[0-9]{1,2}(?![0-9])")
SCALES = [
    (max(1000, scale // 1000), 180 * scale, scale, f"degrees x {scale}") for scale in (10**n for n in range(4, 10))
]
"""The least and the largest integer that counts fractions of a degree, the fraction, and the notation."""
MILLISECONDS = 3_600_000
"""Milliseconds of arc in one degree."""
SEMICIRCLES = 2**31 / 180
"""The unit of sports watches: half a turn is 2 ** 31."""
MERCATOR_M = 20037508.342789244
"""Half the equator in metres: x and y of Web Mercator (EPSG:3857) are within this."""

_DEGREE = rb"(?:\xc2\xb0|\xc2\xba|\xcb\x9a| ?deg|d|\xe5\xba\xa6)"
_MINUTE = rb"(?:'|\xe2\x80\xb2|\xe2\x80\x99|m|\xe5\x88\x86)"
_SECOND = rb"(?:\"|''|\xe2\x80\xb3|\xe2\x80\x9d|s|\xe7\xa7\x92)"
_LETTER = (
    rb"[NSEWnsew]|\xe5\x8c\x97\xe7\xba\xac|\xe5\x8d\x97\xe7\xba\xac|\xe4\xb8\x9c\xe7\xbb\x8f|\xe8\xa5\xbf\xe7\xbb\x8f"
)
HEMISPHERES = {"北纬": b"N", "南纬": b"S", "东经": b"E", "西经": b"W"}
SIGNED = re.compile(
    rb"(?<![0-9.])(?:("
    + _LETTER
    + rb") ?|(-))?([0-9]{1,3})"
    + _DEGREE
    + rb" ?([0-9]{1,2}(?:\.[0-9]{1,10})?) ?"
    + _MINUTE
    + rb"?"
    rb"(?: ?([0-9]{1,2}(?:\.[0-9]{1,10})?) ?" + _SECOND + rb")?(?(1)|(?: ?([NSEWnsew])(?![A-Za-z]))?)"
)
"""31°13'49.5"N, N 31° 13.825', 121 deg 28' 25.3" E, 31d13m49.5sN, 北纬31度13分49.5秒."""
MARKS = (b"\xc2", b"\xcb\x9a", b"deg", b"\xe5\xba\xa6")
LETTERED = re.compile(rb"d ?[0-9]{1,2}(?:\.[0-9]+)? ?m")
"""What a text must contain for `SIGNED` to find anything."""
SEPARATED = re.compile(
    rb"(?<![0-9.:])(?:([NSEW]) ?|(-))?([0-9]{1,3})[: -]([0-9]{1,2}(?:\.[0-9]{3,10})?)"
    rb"(?:[: -]([0-9]{1,2}(?:\.[0-9]{1,10})?))?(?(1)|(?: ?([NSEW]))?)(?![0-9A-Za-z:])"
)
"""31:13:49.5, as Android's Location.convert writes it; N31 13 49.5; 31-13-49.5N. Times of day look alike, so a
fraction is required."""
BEHIND = re.compile(rb"(?:" + _DEGREE + rb")? ?([NSEWnsew])(?![A-Za-z])")
BEFORE = re.compile(rb"(?:^|[^A-Za-z])(" + _LETTER + rb") ?\Z")
"""What may stand beside decimal degrees: 31.2304N, 31.2304° N, N 31.2304, 北纬31.2304."""
COMMA = re.compile(rb"(?<![0-9.,])(-?)([0-9]{1,3}),([0-9]{4,14})(?![0-9.,])")
"""31,230416: a decimal comma, as in most of Europe."""
NMEA = re.compile(rb"(?<![0-9.])()()([0-9]{2,3})([0-5][0-9]\.[0-9]{2,10})(),?([NSEW])(?![A-Za-z])")
"""3113.8250,N from GPS receivers; 3113.82N from APRS."""
PACKED = re.compile(rb"()([+-])([0-9]{2,3})([0-5][0-9])([0-5][0-9](?:\.[0-9]{1,10})?)()(?=[+/-]|\Z)")
"""+311418.10+1212608.15/: ISO 6709."""
BETWEEN, LETTER_BEHIND, SIGN = (
    re.compile(mark) for mark in (rb"[0-9][: -][0-9]", rb"\.[0-9]+,?[NSEW]", rb"[+-][0-9]{6}")
)
"""What a text must contain for `SEPARATED`, `NMEA` and `PACKED` to find anything."""
RATIONAL = re.compile(rb"(?<![0-9/])([0-9]{1,3})/1, ?([0-9]{1,2})/1, ?([0-9]{1,12})/(1|10{1,9})(?![0-9])")
"""31/1,13/1,4950/100: EXIF."""


class DegreesReading(NamedTuple):
    """A number, and the degrees it may stand for."""

    start: int
    end: int
    degrees: float
    unit: float
    """Degrees in one unit of its last digit."""
    notation: str
    """as_given for decimal degrees."""
    axis: bool | None = None
    """True if it can only be a longitude, False if only a latitude; None if it may be either."""


def decimals_of(unit: float) -> int:
    """The decimals of a degree in a number whose last digit counts this unit."""
    return math.floor(0.0001 - math.log10(unit))


def readings(look: JoinedLeaves, *, apart: bool = False) -> Iterator[DegreesReading]:
    """Everything in the leaves that may be a coordinate. `apart`: the hemisphere may be under a separate key."""
    data = look.joined
    yield from _with_comma(data)
    for number in NUMBER.finditer(data):
        start, end = number.span()
        if end - start <= 18 and b"." in number[0]:
            yield from _hemisphere(data, start, end)
        if 4 <= end - start <= 24 and _alone(data, start, end):
            if data[start - 1 : start] == b"-":
                start -= 1
            yield from _of_number(data[start:end], start, end)
            if apart and data[start : start + 1] != b"-":
                yield from _of_number(b"-" + data[start:end], start, end)
    yield from _with_exponent(data)
    yield from _in_several_numbers(data)


def _with_comma(data: bytes) -> Iterator[DegreesReading]:
    for found in COMMA.finditer(data) if b"," in data else ():
        size = float(b"%s.%s" % (found[2], found[3]))
        if size <= 180:
            yield DegreesReading(*found.span(), -size if found[1] else size, 10.0 ** -len(found[3]), "decimal comma")


def _with_exponent(data: bytes) -> Iterator[DegreesReading]:
    for number in EXPONENT.finditer(data) if b"e" in data or b"E" in data else ():
        mantissa, exponent = re.split(rb"[eE]", number[0])
        unit = 10.0 ** (int(exponent) - len(mantissa.partition(b".")[2]))
        if 1e-12 < unit < 0.1 and abs(float(number[0])) <= 180:
            yield DegreesReading(*number.span(), float(number[0]), unit, "as_given")


def _in_several_numbers(data: bytes) -> Iterator[DegreesReading]:
    """Degrees, minutes and seconds written one after the other, in any notation."""
    if any(mark in data for mark in MARKS) or LETTERED.search(data):
        for found in SIGNED.finditer(data):
            yield from _of_parts(found)
    for pattern, mark in ((SEPARATED, BETWEEN), (NMEA, LETTER_BEHIND), (PACKED, SIGN)):
        for found in pattern.finditer(data) if mark.search(data) else ():
            yield from _of_parts(found, sure=pattern is not SEPARATED)
    for found in RATIONAL.finditer(data) if b"/1," in data else ():
        divisor = int(found[4])
        degrees = int(found[1]) + int(found[2]) / 60 + int(found[3]) / divisor / 3600
        for sign in (1, -1):  # the hemisphere is under another key
            yield DegreesReading(*found.span(), sign * degrees, 1 / divisor / 3600, "degrees minutes seconds")


def _hemisphere(data: bytes, start: int, end: int) -> Iterator[DegreesReading]:
    """Decimal degrees with a letter for the hemisphere before or after them."""
    degrees = float(data[start:end])
    if degrees > 180:
        return
    unit = 10.0 ** -(end - 1 - data.index(b".", start))
    for found in (BEFORE.search(data[max(0, start - 8) : start]), BEHIND.match(data, end)):
        if found is not None:  # in a row of coordinates a letter may seem to belong to both
            letter = letter_of(found[1])
            signed = -degrees if letter in (b"S", b"W") else degrees
            yield DegreesReading(start, max(end, found.end()), signed, unit, "as_given", letter in (b"E", b"W"))


def _of_number(text: bytes, start: int, end: int) -> Iterator[DegreesReading]:
    if b"." in text:
        number = float(text)
        size = abs(number)
        decimals = len(text) - text.index(b".") - 1
        if size <= 180:
            yield DegreesReading(start, end, number, 10.0**-decimals, "as_given")
            if size <= 3.15 and decimals >= 6:
                yield DegreesReading(start, end, math.degrees(number), math.degrees(10.0**-decimals), "radians")
        elif size <= MERCATOR_M * 1.0000001:
            yield from _of_metres(number, 10.0**-decimals, start, end)
    else:
        yield from _of_whole_number(int(text), start, end)


def _of_whole_number(whole: int, start: int, end: int) -> Iterator[DegreesReading]:
    size = abs(whole)
    for least, most, scale, notation in SCALES:
        if least <= size <= most:
            yield DegreesReading(start, end, whole / scale, 1 / scale, notation)
    if size > 10**9:
        yield from _of_bits(whole, start, end)
    if 36_000 <= size <= 180 * MILLISECONDS:
        yield DegreesReading(start, end, whole / MILLISECONDS, 1 / MILLISECONDS, "milliseconds of arc")
    if SEMICIRCLES / 100 <= size <= 180 * SEMICIRCLES:
        yield DegreesReading(start, end, whole / SEMICIRCLES, 1 / SEMICIRCLES, "semicircles")
    if 10_000 <= size <= MERCATOR_M:
        yield from _of_metres(float(whole), 1.0, start, end)


def _of_bits(whole: int, start: int, end: int) -> Iterator[DegreesReading]:
    """A floating-point number whose bits were written as an integer: Double.doubleToLongBits, Float.floatToIntBits."""
    for form, whole_form, limit, unit in (("<d", "<q", 1 << 63, 1e-7), ("<f", "<i", 1 << 31, 1e-5)):
        if -limit <= whole < limit:
            degrees = struct.unpack(form, struct.pack(whole_form, whole))[0]
            if 0.01 < abs(degrees) <= 180:
                yield DegreesReading(start, end, degrees, unit, "bits of a real number")


def _of_metres(number: float, unit: float, start: int, end: int) -> Iterator[DegreesReading]:
    per_metre = 180 / MERCATOR_M * unit
    lat, lon = grids.of_mercator(number, number)
    yield DegreesReading(start, end, lon, per_metre, "web mercator", True)
    yield DegreesReading(start, end, lat, per_metre, "web mercator", False)


def _of_parts(found: re.Match[bytes], *, sure: bool = False) -> Iterator[DegreesReading]:
    """Degrees, minutes and perhaps seconds, with a letter or a sign for the hemisphere."""
    letter = letter_of(found[1] or found[6])
    minutes, seconds = float(found[4]), float(found[5] or 0)
    fraction = (found[5] or found[4]).partition(b".")[2]
    degrees = int(found[3]) + minutes / 60 + seconds / 3600
    if minutes >= 60 or seconds >= 60 or degrees > 180 or (found[5] and b"." in found[4]):
        return
    marked = sure or found.re is SIGNED
    if not marked and not (letter and found[5]) and len(fraction) < (1 if found[5] else 4):
        return
    if letter in (b"S", b"W") or found[2] == b"-":
        degrees = -degrees
    unit = 10.0 ** -len(fraction) / (3600 if found[5] else 60)
    notation = "degrees minutes seconds" if found[5] else "degrees minutes"
    if not marked and not letter:
        notation = "degrees:minutes:seconds"
    axis = None if not letter else letter in (b"E", b"W")
    yield DegreesReading(*found.span(), degrees, unit, notation, axis)


def letter_of(raw: bytes | None) -> bytes:
    """N, S, E or W for a letter or its Chinese words; anything else in upper case."""
    return HEMISPHERES.get((raw or b"").decode("utf-8", "replace"), (raw or b"").upper())


def _alone(data: bytes, start: int, end: int) -> bool:
    """Whether the number is complete: not the end of a word or of a longer number, with no further fraction."""
    left = data[start - 1 : start]
    after = data[end : end + 1]
    after_next = data[end + 1 : end + 2]
    if after and (after.isalnum() or (after == b"." and after_next.isdigit())):
        return False
    ahead = after == b"_" and (after_next == b"-" or after_next.isdigit())
    behind = left == b"_" and data[start - 2 : start - 1].isdigit()
    if b"_" in (left, after) and not (ahead or behind):
        return False
    if left.isalpha():  # !3d31.238361!4d121.435598, as in the URLs of maps
        return data[start - 3 : start - 2] == b"!" and data[start - 2 : start - 1].isdigit()
    return left != b"."

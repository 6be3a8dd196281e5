"""A small photo with a location: JPEG with EXIF (JEITA CP-3451), a single grey block."""

from __future__ import annotations

import base64
import struct

from appwitness.devices.android.persona.profile import PlannedPosition

GREY = base64.b64decode(
    "/9sAQwAbEhQXFBEbFxYXHhwbIChCKyglJShROj0wQmBVZWRfVV1baniZgWpxkHNbXYW1hpCeo6utq2eAvMm6pseZqKuk/8AACwgACAAIAQER"
    "AP/EABQAAQAAAAAAAAAAAAAAAAAAAAD/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AD//2Q=="
)
"""Eight by eight grey pixels: the JPEG data after the header."""
ASCII, LONG, RATIONAL, BYTE = 2, 4, 5, 1


def jpeg(place: PlannedPosition) -> bytes:
    """A photo whose metadata says that it was taken at a place."""
    gps = (
        (0, BYTE, b"\2\2\0\0"),
        (1, ASCII, b"N\0" if place.latitude >= 0 else b"S\0"),
        (2, RATIONAL, _degrees(place.latitude)),
        (3, ASCII, b"E\0" if place.longitude >= 0 else b"W\0"),
        (4, RATIONAL, _degrees(place.longitude)),
    )
    first = 8
    pointer = first + 2 + 12 + 4
    tiff = b"II*\0" + struct.pack("<I", first)
    tiff += struct.pack("<HHHIII", 1, 0x8825, LONG, 1, pointer, 0) + _directory(gps, pointer)
    exif = b"Exif\0\0" + tiff
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + GREY


def _degrees(angle: float) -> bytes:
    """An angle as degrees, minutes and seconds, exact to a millionth of a degree."""
    tenths = round(abs(angle) * 3600 * 100_000)
    minutes, seconds = divmod(tenths, 60 * 100_000)
    return struct.pack("<6I", minutes // 60, 1, minutes % 60, 1, seconds, 100_000)


def _directory(fields: tuple[tuple[int, int, bytes], ...], start: int) -> bytes:
    """An image file directory at offset `start`, followed by its longer values."""
    sizes = {ASCII: 1, BYTE: 1, LONG: 4, RATIONAL: 8}
    entries, values = b"", b""
    after = start + 2 + 12 * len(fields) + 4
    for tag, kind, data in fields:
        entries += struct.pack("<HHI", tag, kind, len(data) // sizes[kind])
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", after + len(values))
            values += data
    return struct.pack("<H", len(fields)) + entries + struct.pack("<I", 0) + values

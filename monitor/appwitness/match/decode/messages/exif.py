"""Decoder of EXIF in photographs: where they were taken, and their texts."""

from __future__ import annotations

import struct

from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, begins, decoder
from appwitness.match.decode.walk.reader import Broken, number

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
"""Type of a field -> size of one value in bytes."""
NESTED = {0x8769: "exif", 0x8825: "gps"}
"""Tags that point to further directories."""
TEXTS = frozenset((2, 7))
COORDINATES = {2: ("lat", 1, b"S"), 4: ("lon", 3, b"W")}
"""Tag in the GPS directory -> name, tag of the hemisphere, the letter that makes it negative."""


class _Directories:
    """The directories of one TIFF, the format of EXIF data."""

    def __init__(self, piece: UploadPiece, start: int) -> None:
        self.piece = piece
        self.data = piece.data
        self.start = start
        self.order = ">" if self.data[start : start + 2] == b"MM" else "<"
        self.found: list[UploadPiece] = []
        self.seen: set[int] = set()

    def unpack(self, form: str, at: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from(self.order + form, self.data, self.start + at)
        except struct.error:
            raise Broken from None

    def directory(self, at: int, name: str) -> None:
        """Append the fields of a directory, and of the directories that it points to."""
        if at in self.seen or len(self.seen) > 8:
            return
        self.seen.add(at)
        (count,) = self.unpack("H", at)
        fields: dict[int, tuple[int, int, int]] = {}
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, many = self.unpack("HHI", entry)
            size = SIZES.get(kind, 0) * many
            place = entry + 8 if size <= 4 else self.unpack("I", entry + 8)[0]
            fields[tag] = (kind, many, place)
            if tag in NESTED:
                self.directory(self.unpack("I", entry + 8)[0], NESTED[tag])
            elif kind in TEXTS and 4 <= size <= 1 << 16:
                begin = self.start + place
                self.found.append(self.piece.part("exif", begin, begin + size, f"{self.piece.path}.{name}.{tag}"))
        if name == "gps":
            self.coordinates(fields)

    def coordinates(self, fields: dict[int, tuple[int, int, int]]) -> None:
        for tag, (name, hemisphere, negative) in COORDINATES.items():
            kind, many, place = fields.get(tag, (0, 0, 0))
            if kind not in (5, 10) or many != 3:
                continue
            parts = self.unpack("6I", place)
            degrees = sum(
                top / (bottom or 1) / by for top, bottom, by in zip(parts[::2], parts[1::2], (1, 60, 3600), strict=True)
            )
            letter = self.start + fields.get(hemisphere, (0, 0, -self.start))[2]
            if self.data[letter : letter + 1] == negative:
                degrees = -degrees
            begin = self.start + place
            text = f"{degrees:.6f}"
            self.found.append(number(self.piece, "exif", text, begin, begin + 24, f"{self.piece.path}.gps.{name}"))


@decoder("exif", "binary", order=940, guess=False, sieve="covered", seen_in="cameras; androidx.exifinterface")
@begins(rb"\xff\xd8\xff|RIFF.{4}WEBP|.{4}ftyp|\x89PNG|II\x2a\x00|MM\x00\x2a|Exif\x00\x00")
def exif(piece: UploadPiece, room: Room) -> Found:
    """Where a photograph was taken, and the texts in it (its maker, its owner, a comment)."""
    data = piece.data
    start = 0
    if data[:2] not in (b"II", b"MM"):
        found = [at + 6 for mark in (b"Exif\0\0II", b"Exif\0\0MM") if (at := data.find(mark, 0, 1 << 17)) >= 0]
        if not found:
            return None
        start = min(found)
    directories = _Directories(piece, start)
    try:
        directories.directory(directories.unpack("I", 4)[0], "photo")
    except Broken:
        room.stop(f"exif at {piece.path}: the directory is broken")
    return directories.found or None

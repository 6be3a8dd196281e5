"""Decoder of vCards: every property under its own name, so that short names of people are recognized in context."""

from __future__ import annotations

import re

from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, decoder, holds

CARD = re.compile(rb"(?i)BEGIN:VCARD\r?\n(.*?)(?:\nEND:VCARD|\Z)", re.DOTALL)
PROPERTY = re.compile(rb"(?m)^(?:[\w-]+\.)?([A-Za-z][\w-]*)((?:;[^:\r\n]*)?):([^\r\n]+)")
PARTS_OF_NAME = ("family_name", "given_name", "middle_name", "prefix", "suffix")
"""The fields of `N` (RFC 6350)."""
FRAME = frozenset(("version", "rev", "prodid"))
PART = re.compile(rb"((?:[^;\\]|\\.)*)(?:;|\Z)", re.DOTALL)


@decoder(
    "vcard", "text", order=340, guess=False, sieve="covered", seen_in="Android's contacts app, when a contact is shared"
)
@holds(rb"(?i:BEGIN:VCARD)\r?\n")
def cards(piece: UploadPiece, room: Room) -> Found:
    """The values of properties; a name also part by part."""
    found: list[UploadPiece] = []
    all_of_them = list(CARD.finditer(piece.data))
    for number, card in enumerate(all_of_them):
        root = piece.path if len(all_of_them) == 1 else f"{piece.path}[{number}]"
        for line in PROPERTY.finditer(piece.data, *card.span(1)):
            name = line[1].decode().lower()
            if name in FRAME or len(found) >= room.leaves_left:
                continue
            path = child_path(root, name)
            if name == "n":
                parts = [part for part in PART.finditer(piece.data, *line.span(3)) if part.end() > part.start()]
                if b"QUOTED" not in line[2].upper():
                    for part, field in zip(parts, PARTS_OF_NAME, strict=False):
                        if part[1]:
                            found.append(piece.part("vcard", *part.span(1), f"{path}.{field}"))
                path = f"{path}.name"
            found.append(piece.part("vcard", *line.span(3), path))
    return found or None

"""A cursor shared by the readers of binary messages: position, bounds, and conversion of numbers to leaves."""

from __future__ import annotations

from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import Room, UploadPiece, as_text

DEEPEST = 100
"""Maximum nesting depth of arrays and maps in a binary message."""


class Broken(ValueError):
    """Not a message of this format."""


def number(piece: UploadPiece, step: str, text: str, start: int, end: int, path: str) -> UploadPiece:
    """A binary number as a leaf, in decimal."""
    return piece.turned(step, text.encode(), start, end, path)._replace(done=True)


def format_real(real: float, *, wide: bool) -> str:
    """A floating-point number in decimal, with as many digits as its precision allows."""
    return format(real, ".15g" if wide else ".8g") if abs(real) < 1e15 else str(real)


class MessageReader:
    """Reads the values of a self-describing binary message one after the other."""

    def __init__(self, piece: UploadPiece, step: str, room: Room) -> None:
        self.piece = piece
        self.data = piece.data
        self.step = step
        self.room = room
        self.pos = 0
        self.found: list[UploadPiece] = []
        self.containers = 0

    def take(self, size: int) -> bytes:
        """The next bytes; raises Broken if there are too few."""
        start, self.pos = self.pos, self.pos + size
        if self.pos > len(self.data):
            raise Broken
        return self.data[start : self.pos]

    def integer(self, size: int) -> int:
        """The next bytes as a big-endian integer."""
        return int.from_bytes(self.take(size))

    def chunk(self, size: int, path: str, *, text: bool) -> bytes:
        """The next bytes, which are also appended as a piece; raises Broken if they should be text and are not."""
        start = self.pos
        raw = self.take(size)
        if text and as_text(raw) is None:
            raise Broken
        if raw:
            self.found.append(self.piece.part(self.step, start, self.pos, path))
        return raw

    def number(self, text: str, start: int, path: str) -> None:
        """Append a number that began at `start`; short ones are not worth a leaf."""
        if len(text) > 4:
            self.found.append(number(self.piece, self.step, text, start, self.pos, path))

    def many(self, count: int, path: str, level: int, *, pairs: bool) -> bytes | int | float | None:
        """Read the members of an array, or of a map."""
        if count > len(self.data) - self.pos:
            raise Broken
        self.enter(level, path)
        self.containers += 1
        for index in range(count):
            self.member(index, path, level, pairs=pairs)
        return None

    def enter(self, level: int, path: str) -> None:
        """Go one level deeper; raises Broken if that is too deep."""
        if level > DEEPEST:
            self.room.stop(f"{self.step} at {path[:200]}: nested deeper than {DEEPEST}")
            raise Broken

    def member(self, index: int, path: str, level: int, *, pairs: bool) -> None:
        """Read one value, or a key and its value."""
        if not pairs:
            self.value(f"{path}[{index}]", level + 1)
            return
        before = len(self.found)
        key = self.value(path, level + 1)
        name = key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
        if len(name) <= 32 and not any(part.isdigit() for part in name.split()) and name.isascii():
            del self.found[before:]
        self.value(child_path(path, name), level + 1)

    def value(self, path: str, level: int) -> bytes | int | float | None:
        """Read one value and append what it holds; raises Broken."""
        raise NotImplementedError

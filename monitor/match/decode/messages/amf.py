"""Decoder of AMF0 and AMF3, in which Flash and RTMP (live video) write objects, alone or in the envelope of AMF
remoting."""

from __future__ import annotations

import struct
from enum import IntEnum

from monitor.match.decode.walk.paths import child_path
from monitor.match.decode.walk.pieces import Found, Piece, Room, as_text, begins, decoder
from monitor.match.decode.walk.reader import Broken, Reader, format_real


class Marker(IntEnum):
    """What kind of value follows: section 2.1 of AMF0's specification. What it reserves is none here."""

    REAL = 0
    BOOLEAN = 1
    STRING = 2
    OBJECT = 3
    NULL = 5
    UNDEFINED = 6
    REFERENCE = 7
    ECMA_ARRAY = 8
    END = 9
    STRICT_ARRAY = 10
    DATE = 11
    LONG_STRING = 12
    UNSUPPORTED = 13
    XML = 15
    TYPED_OBJECT = 16
    AMF3 = 17


class Marker3(IntEnum):
    """The same of AMF3, section 3.1."""

    UNDEFINED = 0
    NULL = 1
    FALSE = 2
    TRUE = 3
    INTEGER = 4
    REAL = 5
    STRING = 6
    OLD_XML = 7
    DATE = 8
    ARRAY = 9
    OBJECT = 10
    XML = 11
    BYTES = 12


UNKNOWN_SIZE = 0xFFFFFFFF
"""What an envelope says of a value whose size it does not tell."""


class _Amf(Reader):
    read = 0
    """Values, of which most may say nothing."""

    def __init__(self, piece: Piece, room: Room) -> None:
        super().__init__(piece, "amf", room)
        self.texts: list[tuple[int, int]] = []
        """Where the texts of AMF3 stand, by which later ones are named."""
        self.classes: list[tuple[list[str], bool]] = []
        """The names of the members of its objects, and whether others may follow."""

    def word(self) -> str:
        """A name: its length in two bytes, then UTF-8."""
        text = as_text(self.take(self.integer(2)))
        if text is None:
            raise Broken
        return text

    def value(self, path: str, level: int) -> None:
        """One value and its marker."""
        self.begin(path, level)
        marker, start = self.integer(1), self.pos
        match marker:
            case Marker.REAL:
                self.number(format_real(self.real(), wide=True), start, path)
            case Marker.BOOLEAN:
                self.take(1)
            case Marker.STRING:
                self.chunk(self.integer(2), path, text=True)
            case Marker.OBJECT | Marker.ECMA_ARRAY | Marker.TYPED_OBJECT:
                if marker == Marker.TYPED_OBJECT:
                    self.word()
                if marker == Marker.ECMA_ARRAY:
                    self.take(4)  # how many there are, which many leave at zero
                self.members(path, level)
            case Marker.NULL | Marker.UNDEFINED | Marker.UNSUPPORTED:
                pass
            case Marker.REFERENCE:
                self.take(2)
            case Marker.STRICT_ARRAY:
                self.many(self.integer(4), path, level, pairs=False)
            case Marker.DATE:
                self.number(f"{self.real():.0f}", start, path)
                self.take(2)
            case Marker.LONG_STRING | Marker.XML:
                self.chunk(self.integer(4), path, text=True)
            case Marker.AMF3:
                self.texts, self.classes = [], []  # each such value names only what is in it
                self.value3(path, level)
            case _:
                raise Broken

    def begin(self, path: str, level: int) -> None:
        """One more value, unless there are too many."""
        self.enter(level, path)
        self.read += 1
        if self.read > self.room.limits.leaves:
            raise Broken

    def real(self) -> float:
        """A double; one that is no number is none of AMF either."""
        real: float = struct.unpack(">d", self.take(8))[0]
        if real - real != 0:
            raise Broken
        return real

    def members(self, path: str, level: int) -> None:
        """Names and values of an object, up to the empty name and the marker of its end."""
        self.containers += 1
        while True:
            begin = self.pos + 2
            name = self.word()
            if not name:
                break
            here = child_path(path, name)
            self.named(name, begin, self.pos, here)
            self.value(here, level + 1)
        if self.integer(1) != Marker.END:
            raise Broken

    def named(self, name: str, start: int, end: int, path: str) -> None:
        """A name that may be data itself is a leaf as well."""
        if len(name) > 32 or not name.isascii() or any(char.isdigit() for char in name):
            self.found.append(self.piece.part(self.step, start, end, path))

    def values(self, path: str) -> None:
        """One value after the other, as an RTMP command has them: its name, a number, an object."""
        number = 0
        while self.pos < len(self.data):
            self.value(f"{path}[{number}]" if number or self.data[0] == Marker.STRING else path, 0)
            number += 1
        if not self.containers and number < 2:
            raise Broken

    def envelope(self, path: str) -> None:
        """AMF remoting: the version, then headers and messages, each with its name and its size."""
        self.take(2)
        for kind in ("headers", "messages"):
            for index in range(self.integer(2)):
                here = f"{path}.{kind}[{index}]"
                self.word()
                self.word() if kind == "messages" else self.take(1)
                size, start = self.integer(4), self.pos
                self.value(here, 0)
                if size not in (UNKNOWN_SIZE, self.pos - start):
                    raise Broken
        if self.pos != len(self.data):
            raise Broken

    # --- AMF3 ---

    def varying(self) -> int:
        """A number of 29 bits in one to four bytes."""
        value = 0
        for _ in range(3):
            byte = self.integer(1)
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        return value << 8 | self.integer(1)

    def text3(self, path: str = "") -> str:
        """A text, or the number of one before it; a leaf, where there is a path."""
        head = self.varying()
        if head & 1:
            start = self.pos
            self.take(head >> 1)
            where = start, self.pos
            if head > 1:
                self.texts.append(where)
        elif head >> 1 < len(self.texts):
            where = self.texts[head >> 1]
        else:
            raise Broken
        text = as_text(self.data[slice(*where)])
        if text is None:
            raise Broken
        if path and text:
            self.found.append(self.piece.part(self.step, *where, path))
        return text

    def value3(self, path: str, level: int) -> None:
        """One value of AMF3 and its marker."""
        self.begin(path, level)
        marker, start = self.integer(1), self.pos
        match marker:
            case Marker3.UNDEFINED | Marker3.NULL | Marker3.FALSE | Marker3.TRUE:
                pass
            case Marker3.INTEGER:
                value = self.varying()
                self.number(str(value - (value >> 28 << 29)), start, path)
            case Marker3.REAL:
                self.number(format_real(self.real(), wide=True), start, path)
            case Marker3.STRING:
                self.text3(path)
            case Marker3.OLD_XML | Marker3.XML | Marker3.BYTES:
                if (head := self.varying()) & 1:  # else the number of one before it, as below
                    self.chunk(head >> 1, path, text=marker != Marker3.BYTES)
            case Marker3.DATE:
                if self.varying() & 1:
                    self.number(f"{self.real():.0f}", start, path)
            case Marker3.ARRAY:
                if (head := self.varying()) & 1:
                    self.containers += 1
                    self.members3(path, level)
                    if head >> 1 > len(self.data) - self.pos:
                        raise Broken
                    for index in range(head >> 1):
                        self.value3(f"{path}[{index}]", level + 1)
            case Marker3.OBJECT:
                if (head := self.varying()) & 1:
                    self.containers += 1
                    self.object3(head, path, level)
            case _:
                raise Broken

    def object3(self, head: int, path: str, level: int) -> None:
        """The members that its class names, then those of its own; what a class writes in its own way is not read."""
        if head & 2:
            if head & 4 or head >> 4 > len(self.data) - self.pos:
                raise Broken
            self.text3()
            self.classes.append(([self.text3() for _ in range(head >> 4)], bool(head & 8)))
            number = len(self.classes) - 1
        else:
            number = head >> 2
        if number >= len(self.classes):
            raise Broken
        names, more = self.classes[number]
        for name in names:
            self.value3(child_path(path, name), level + 1)
        if more:
            self.members3(path, level)

    def members3(self, path: str, level: int) -> None:
        """Names and values up to the empty name."""
        while True:
            before = len(self.texts)
            name = self.text3()
            if not name:
                return
            here = child_path(path, name)
            if len(self.texts) > before:
                self.named(name, *self.texts[-1], here)
            self.value3(here, level + 1)


@decoder("amf", "binary", order=1020, guess=False, sieve="guess", seen_in="RTMP", alone=True)
@begins(
    rb"(?:[\x02\x03\x10]|\x08.{4})\x00[\x01-\x40][!-~]|\x0a\x00.{3}[\x00-\x11]|\x00[\x00\x03]\x00[\x00-\x09]\x00|"
    rb"\x11[\x09\x0a]|\x0a[\x03\x0b\x13\x23\x33\x43\x53\x63\x73]|\x09[\x01-\x7f]"
)
def amf(piece: Piece, room: Room) -> Found:
    """AMF, with nothing left over: an object, an array, a command, or an envelope."""
    data = piece.data
    reader = _Amf(piece, room)
    try:
        if data[0] == Marker.REAL:
            reader.envelope(piece.path)
        elif data[0] == Marker3.ARRAY or (data[0] == Marker3.OBJECT and data[1]):  # a list of AMF0 is never so long
            reader.value3(piece.path, 0)
            if reader.pos != len(data):
                return None
        else:
            reader.values(piece.path)
    except Broken:
        return None
    return reader.found or None

"""Decoder of Avro's object files: the records of every block, read by the schema that the file carries."""

from __future__ import annotations

import json
import struct
from typing import Any

from appwitness.match.decode.packed.compressed import CODINGS, unpack
from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, begins, decoder
from appwitness.match.decode.walk.reader import Broken, MessageReader, format_real

CODECS = {b"deflate": "raw deflate", b"snappy": "snappy", b"zstandard": "zstd", b"bzip2": "bz2", b"xz": "xz"}
SYNC = 16
"""Bytes of the marker after every block."""
Schema = Any
"""A schema as JSON: a name, a list of alternatives, or an object with a `type`."""


class _Avro(MessageReader):
    """Numbers, strings and containers, each read by its schema."""

    def __init__(self, piece: UploadPiece, room: Room, names: dict[str, Schema]) -> None:
        super().__init__(piece, "avro", room)
        self.names = names

    def long(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.integer(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value >> 1 ^ -(value & 1)
        raise Broken

    def text(self) -> bytes:
        size = self.long()
        if size < 0:
            raise Broken
        return self.take(size)

    def read(self, schema: Schema, path: str, level: int = 0) -> None:
        """Read one value of a schema; raises Broken if the bytes are not such a value."""
        if level > 100 or len(self.found) > self.room.leaves_left:
            raise Broken
        start = self.pos
        if isinstance(schema, list):
            self.read(self.chosen(schema), path, level + 1)
            return
        if isinstance(schema, str) and schema in self.names:
            schema = self.names[schema]
        kind = schema.get("type") if isinstance(schema, dict) else schema
        match kind:
            case "null" | "boolean":
                self.take(kind == "boolean")
            case "int" | "long" | "enum":
                self.number(str(self.long()), start, path)
            case "float" | "double":
                wide = kind == "double"
                real = struct.unpack("<d" if wide else "<f", self.take(8 if wide else 4))[0]
                self.number(format_real(real, wide=wide), start, path)
            case "bytes" | "string" | "fixed":
                self.chunk(int(schema["size"]) if kind == "fixed" else self.long(), path, text=False)
            case "array" | "map":
                self.members(schema, kind, path, level)
            case "record" | "error":
                for one in schema["fields"]:
                    self.read(one["type"], child_path(path, str(one["name"])), level + 1)
            case dict() | list():
                self.read(kind, path, level + 1)
            case _:
                raise Broken

    def chosen(self, alternatives: list[Schema]) -> Schema:
        """The schema that a union's index selects."""
        which = self.long()
        if not 0 <= which < len(alternatives):
            raise Broken
        return alternatives[which]

    def chunk(self, size: int, path: str, *, text: bool) -> bytes:
        """The next bytes as a piece; raises Broken if the size is negative."""
        if size < 0:
            raise Broken
        return super().chunk(size, path, text=text)

    def members(self, schema: Schema, kind: str, path: str, level: int) -> None:
        """Read an array or a map: blocks, each after its count, up to a count of zero."""
        index = 0
        while count := self.long():
            if count < 0:  # negative: the block's size in bytes follows
                count = -count
                self.long()
            if count > len(self.data):
                raise Broken
            for _ in range(count):
                if kind == "array":
                    self.read(schema["items"], f"{path}[{index}]", level + 1)
                else:
                    begin = self.pos
                    name = self.text().decode("utf-8", "replace")
                    here = child_path(path, name)
                    if len(name) > 32 or not name.isascii() or any(char.isdigit() for char in name):
                        self.found.append(self.piece.part(self.step, begin, self.pos, here))
                    self.read(schema["values"], here, level + 1)
                index += 1


def _named(schema: Schema, names: dict[str, Schema], level: int = 0) -> None:
    """Collect the schemas that have names, under the names by which others refer to them."""
    if level > 100:
        raise Broken
    if isinstance(schema, list):
        for one in schema:
            _named(one, names, level + 1)
    elif isinstance(schema, dict):
        if "name" in schema and isinstance(schema.get("type"), str):
            names[str(schema["name"])] = schema
            names[f"{schema.get('namespace', '')}.{schema['name']}"] = schema
        for key in ("fields", "items", "values", "type"):
            inner = schema.get(key)
            if isinstance(inner, list | dict):
                _named(inner, names, level + 1)


def _head(reader: _Avro) -> dict[str, bytes]:
    """The metadata of the file."""
    found: dict[str, bytes] = {}
    while count := reader.long():
        if count < 0:
            count = -count
            reader.long()
        if count > len(reader.data):
            raise Broken
        for _ in range(count):
            key = reader.text().decode("utf-8", "replace")
            found[key] = reader.text()
    reader.take(SYNC)
    return found


@decoder("avro", "binary", order=1010, guess=False, sieve="covered", seen_in="Apache Avro")
@begins(rb"Obj\x01")
def avro(piece: UploadPiece, room: Room) -> Found:
    """The records of an object file; a block whose records cannot be read is one piece."""
    found: list[UploadPiece] = []
    file = _Avro(piece, room, {})
    file.pos = 4
    try:
        said = _head(file)
        names: dict[str, Schema] = {}
        try:
            schema = json.loads(said.get("avro.schema", b"null"))
            _named(schema, names)
        except (ValueError, RecursionError):
            schema = None
        codec = said.get("avro.codec", b"null")
        ways = CODINGS.get(CODECS.get(codec, ""), ())
        while file.pos < len(file.data):
            count, size, start = file.long(), file.long(), file.pos
            if size < 0:
                raise Broken
            file.take(size + SYNC)
            end = start + size - (4 if codec == b"snappy" else 0)  # a checksum
            block = piece.part("", start, end, f"{piece.path}[{len(found)}]")
            inner = next((got for name, how in ways if (got := unpack(name, how, block, room))), None)
            block = inner[0] if inner else block
            found += _records(block, schema, names, count, room) or [block.part("avro", 0, len(block.data))]
    except Broken:
        room.stop(f"avro at {piece.path}: the file is broken")
    return found or None


def _records(block: UploadPiece, schema: Schema, names: dict[str, Schema], count: int, room: Room) -> list[UploadPiece]:
    """The values of `count` records; empty if they cannot be read."""
    if schema is None or count > len(block.data):
        return []
    reader = _Avro(block, room, names)
    try:
        for number in range(count):
            reader.read(schema, f"{block.path}[{number}]" if count > 1 else block.path)
    except (Broken, KeyError, TypeError, ValueError, AttributeError):
        return []
    return reader.found

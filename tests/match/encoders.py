"""What an app may do to a text before it sends it: one line each, the counterpart of the decoders."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import itertools
import json
import lzma
import plistlib
import quopri
import re
import sqlite3
import struct
import tarfile
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable
from typing import NamedTuple

import brotli
import cramjam
import lz4.block
import lz4.frame
import msgpack
import zstandard


class Encoder(NamedTuple):
    """One way to write bytes, and the steps by which they are read back."""

    encode: Callable[[bytes], bytes]
    steps: tuple[str, ...]
    text_only: bool = False
    """It can hold only UTF-8 text."""


def protobuf(data: bytes) -> bytes:
    return b"\x08\x96\x01\x12" + varint(len(data)) + data + b"\x19" + struct.pack("<d", 1.5)


def cbor(data: bytes) -> bytes:
    return b"\xa2\x61a\x07\x61v\x5a" + struct.pack(">I", len(data)) + data


def archive(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.bin", data)
    return file.getvalue()


def lz4_java(data: bytes) -> bytes:
    packed: bytes = lz4.block.compress(data, store_size=False)
    return b"LZ4Block\x26" + struct.pack("<III", len(packed), len(data), 0) + packed + b"LZ4Block\x16" + bytes(12)


def snappy_block(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(dumps({"n": "123456789 " * 13, "v": data.decode()})))


def snappy_java(data: bytes) -> bytes:
    packed = bytes(cramjam.snappy.compress_raw(data))
    return b"\x82SNAPPY\0\0\0\0\1\0\0\0\1" + struct.pack(">I", len(packed)) + packed


def multipart(data: bytes) -> bytes:
    mark = next(mark for number in itertools.count() if (mark := b"--b0u%d" % number) not in data)
    head = b'\r\nContent-Disposition: form-data; name="'
    return mark + head + b'n"\r\n\r\n1\r\n' + mark + head + b'v"\r\n\r\n' + data + b"\r\n" + mark + b"--\r\n"


def tar(data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as opened:
        for name, content in (("n.txt", b"1"), ("v.bin", data)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return file.getvalue()


def sqlite(data: bytes) -> bytes:
    database = sqlite3.connect(":memory:")
    database.execute("pragma page_size=512")
    database.execute("create table t (id integer primary key, n int, v blob)")
    database.executemany("insert into t (n, v) values (?, ?)", ((number, data) for number in range(3)))
    database.commit()
    return database.serialize()


def bson(data: bytes) -> bytes:
    inner = b"\x10n\0\1\0\0\0\x05v\0" + struct.pack("<IB", len(data), 0) + data
    return struct.pack("<I", len(inner) + 5) + inner + b"\0"


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes((number & 127 | 128,))
        number >>= 7
    return out + bytes((number,))


def thrift(data: bytes) -> bytes:
    return b"\x82\x21\x01\x04send\x1c\x15\x02\x18" + varint(len(data)) + data + b"\0\0"


def thrift_structure(data: bytes) -> bytes:
    return b"\x1c\x15\x02\0\x18\x04text\x18" + varint(len(data)) + data + b"\0"


def websocket(data: bytes) -> bytes:
    """Two fragments, and a ping between them."""

    def frame(head: int, part: bytes) -> bytes:
        size = bytes((0x80 | len(part),)) if len(part) < 126 else b"\xff" + struct.pack(">Q", len(part))
        masked = bytes(byte ^ mask for byte, mask in zip(part, itertools.cycle(b"\x9a\x37\xc4\x01"), strict=False))
        return bytes((head,)) + size + b"\x9a\x37\xc4\x01" + masked

    return frame(0x02, data[:9]) + frame(0x89, b"") + frame(0x80, data[9:])


def xor(data: bytes, key: int = 0xA5) -> bytes:
    return bytes(byte ^ key for byte in data)


def thrift_binary(data: bytes) -> bytes:
    inner = b"\x0a\x00\x01" + struct.pack(">q", 7) + b"\x0b\x00\x02" + struct.pack(">I", len(data)) + data + b"\0"
    return b"\x80\x01\x00\x01\0\0\0\x04send\0\0\0\x07\x0c\x00\x01" + inner + b"\0"


def flushed(data: bytes) -> bytes:
    machine = zlib.compressobj()
    return machine.compress(data) + machine.flush(zlib.Z_SYNC_FLUSH)


FIELDS = (("n", "int"), ("v", ["null", "bytes"]))


def avro(data: bytes) -> bytes:
    """One block of one record."""
    packed = raw_deflate(zigzag(7) + zigzag(1) + zigzag(len(data)) + data)
    schema = dumps({"type": "record", "name": "r", "fields": [{"name": c, "type": t} for c, t in FIELDS]})
    head = b"Obj\x01\x04\x14avro.codec\x0edeflate\x16avro.schema" + zigzag(len(schema)) + schema + b"\x00" + bytes(16)
    return head + zigzag(1) + zigzag(len(packed)) + packed + bytes(16)


def zigzag(number: int) -> bytes:
    return varint(number << 1)


def sqlite_log(data: bytes) -> bytes:
    """The pages of a file as the log that it was copied from."""
    file = sqlite(data)
    head = b"\x37\x7f\x06\x82" + struct.pack(">7I", 3_007_000, 512, 0, 1, 2, 3, 4)
    pages = [file[at : at + 512] for at in range(0, len(file), 512)]
    return head + b"".join(struct.pack(">6I", which, 0, 1, 2, 3, 4) + page for which, page in enumerate(pages, 1))


def dns(data: bytes) -> bytes:
    labels = [data[at : at + 63] for at in range(0, len(data), 63)]
    return b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + b"".join(bytes((len(one),)) + one for one in labels) + b"\0\0\1\0\1"


def jwt(data: bytes) -> bytes:
    parts = (b'{"alg":"none"}', dumps({"sub": data.decode()}), b"signature")
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


def dumps(value: object, *, ascii_only: bool = False) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode()


def raw_deflate(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-15)


ENCODERS: dict[str, Encoder] = {
    "json": Encoder(lambda data: dumps({"n": 1, "v": data.decode()}), ("json",), text_only=True),
    "json escapes": Encoder(lambda data: dumps({"v": data.decode()}, ascii_only=True), ("json",), text_only=True),
    "json string": Encoder(lambda data: dumps(data.decode()), ("json",), text_only=True),
    "json list": Encoder(lambda data: dumps([1, [data.decode()]]), ("json",), text_only=True),
    "form": Encoder(lambda data: b"n=1&v=" + urllib.parse.quote_plus(data).encode() + b"&z=", ("form",)),
    "percent": Encoder(lambda data: urllib.parse.quote(data, safe="").encode(), ("percent",)),
    "multipart": Encoder(multipart, ("multipart",)),
    "base64": Encoder(base64.b64encode, ("base64",)),
    "base64url": Encoder(lambda data: base64.urlsafe_b64encode(data).rstrip(b"="), ("base64",)),
    "hex": Encoder(lambda data: data.hex().encode(), ("hex",)),
    "HEX": Encoder(lambda data: data.hex().upper().encode(), ("hex",)),
    "base32": Encoder(base64.b32encode, ("base32",)),
    "gzip": Encoder(lambda data: gzip.compress(data, mtime=0), ("gzip",)),
    "zlib": Encoder(zlib.compress, ("deflate",)),
    "zstd": Encoder(zstandard.compress, ("zstd",)),
    "bz2": Encoder(bz2.compress, ("bz2",)),
    "xz": Encoder(lzma.compress, ("xz",)),
    "raw deflate": Encoder(raw_deflate, ("raw deflate",), text_only=True),
    "br": Encoder(brotli.compress, ("br",), text_only=True),
    "lz4": Encoder(lz4.frame.compress, ("lz4",)),
    "lz4 java": Encoder(lz4_java, ("lz4",)),
    "lz4 sized": Encoder(lz4.block.compress, ("lz4 block",)),
    "lz4 block": Encoder(lambda data: lz4.block.compress(data, store_size=False), ("lz4 block",), text_only=True),
    "snappy": Encoder(lambda data: bytes(cramjam.snappy.compress(data)), ("snappy",)),
    "snappy java": Encoder(snappy_java, ("snappy",)),
    "snappy block": Encoder(snappy_block, ("snappy block", "json"), text_only=True),
    "zip": Encoder(archive, ("zip",)),
    "tar": Encoder(tar, ("tar",)),
    "sqlite": Encoder(sqlite, ("sqlite",)),
    "plist": Encoder(lambda data: plistlib.dumps({"n": [1], "v": data}, fmt=plistlib.FMT_BINARY), ("plist",)),
    "plist text": Encoder(
        lambda data: plistlib.dumps({"v": data.decode()}, fmt=plistlib.FMT_BINARY), ("plist",), text_only=True
    ),
    "plist xml": Encoder(lambda data: plistlib.dumps({"n": [1, {}], "v": data}), ("plist",)),
    "bson": Encoder(bson, ("bson",)),
    "thrift": Encoder(thrift, ("thrift",)),
    "thrift structure": Encoder(thrift_structure, ("thrift",)),
    "websocket": Encoder(websocket, ("websocket",)),
    "xor": Encoder(lambda data: xor(dumps({"v": data.decode()})), ("xor", "json"), text_only=True),
    "protobuf": Encoder(protobuf, ("protobuf",)),
    "msgpack": Encoder(lambda data: msgpack.packb({"n": 1, "v": data}), ("msgpack",)),
    "cbor": Encoder(cbor, ("cbor",)),
    "html": Encoder(lambda data: b"<p>" + html.escape(data.decode()).encode() + b"</p>", (), text_only=True),
    "entities": Encoder(
        lambda data: "".join(f"&#{ord(char)};" for char in data.decode()).encode(), ("entities",), text_only=True
    ),
    "quoted-printable": Encoder(
        lambda data: b"".join(b"=%02X" % byte for byte in data), ("quoted-printable",), text_only=True
    ),
    "quopri": Encoder(quopri.encodestring, (), text_only=True),
    "utf-16le": Encoder(lambda data: b"\xff\xfe" + data.decode().encode("utf-16le"), ("utf-16le",), text_only=True),
    "utf-32be": Encoder(lambda data: b"\0\0\xfe\xff" + data.decode().encode("utf-32be"), ("utf-32be",), text_only=True),
    "thrift binary": Encoder(thrift_binary, ("thrift",)),
    "avro": Encoder(avro, ("raw deflate", "avro")),
    "sqlite log": Encoder(sqlite_log, ("sqlite log", "sqlite")),
    "grpc": Encoder(lambda data: struct.pack(">BI", 0, len(data)) + data, ("grpc",)),
    "cookie": Encoder(lambda data: b"a=1; v=" + urllib.parse.quote(data, safe="").encode() + b"; z=", ("cookie",)),
    "jwt": Encoder(jwt, ("jwt",), text_only=True),
    "base64 lines": Encoder(base64.encodebytes, ("base64",)),
    "base85": Encoder(base64.b85encode, ("base85",), text_only=True),
    "spaced hex": Encoder(lambda data: data.hex(" ").encode(), ("hex",)),
    "hex of characters": Encoder(lambda data: b"".join(b"\\X%02x" % byte for byte in data), ("hex",)),
    "hex of bytes": Encoder(lambda data: b", ".join(b"0x%02x" % byte for byte in data), ("hex",)),
    "encoded word": Encoder(
        lambda data: b"=?utf-8?B?" + base64.b64encode(data) + b"?=", ("encoded word",), text_only=True
    ),
    "character codes": Encoder(lambda data: ",".join(map(str, data)).encode(), ("character codes",), text_only=True),
    "characters": Encoder(lambda data: dumps(list(data.decode())), ("characters",), text_only=True),
    "octal escapes": Encoder(lambda data: b"".join(b"\\%03o" % byte for byte in data), ("escapes",), text_only=True),
    "braced escapes": Encoder(
        lambda data: "".join(f"\\u{{{ord(char):x}}}" for char in data.decode()).encode(), ("escapes",), text_only=True
    ),
    "full width": Encoder(
        lambda data: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in data.decode()).encode(),
        ("width",),
        text_only=True,
    ),
    "gb18030": Encoder(
        lambda data: dumps({"中文内容": data.decode()}).decode().encode("gb18030"), ("gb18030", "json"), text_only=True
    ),
    "byte array": Encoder(lambda data: dumps(list(data)), ("byte array",)),
    "byte map": Encoder(lambda data: dumps({str(at): byte for at, byte in enumerate(data)}), ("byte map",)),
    "latin-1": Encoder(lambda data: gzip.compress(data, mtime=0).decode("latin-1").encode(), ("latin-1", "gzip")),
    "base64, short lines": Encoder(
        lambda data: b"\n".join(re.findall(b".{1,20}", base64.b64encode(data))), ("base64",)
    ),
    "protobuf group": Encoder(lambda data: b"\x0b\x12" + varint(len(data)) + data + b"\x0c", ("protobuf",)),
    "zlib, flushed": Encoder(flushed, ("deflate",)),
    "log line": Encoder(lambda data: b"2026-01-01 INFO sent " + dumps({"v": data.decode()}), ("json",), text_only=True),
}

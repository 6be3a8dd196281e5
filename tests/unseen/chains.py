"""Chains of two to four steps, drawn at random and always the same for one number."""

from __future__ import annotations

import base64
import json
import random
import urllib.parse
import zlib
from collections.abc import Callable

import brotli
import cbor2
import msgpack
import zstandard

from appwitness.events import Value
from tests.unseen import Sent, way, world
from tests.unseen.containers import archive, field, grpc, table

TO_TEXT: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "base64url": lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
    "hex": lambda data: data.hex().encode(),
    "base32": base64.b32encode,
    "percent": lambda data: urllib.parse.quote(data, safe="").encode(),
}
TO_BYTES: dict[str, Callable[[bytes], bytes]] = {
    "gzip": world.gz,
    "zlib": zlib.compress,
    "zstd": zstandard.compress,
    "protobuf": lambda data: field(1, b"e") + field(2, data),
    "grpc": lambda data: grpc(field(2, data)),
    "messagepack": lambda data: msgpack.packb({"n": 1, "v": data}),
    "cbor": lambda data: cbor2.dumps({"n": 1, "v": data}),
    "zip": lambda data: archive("a.bin", data),
}
TEXT_ONLY: dict[str, Callable[[bytes], bytes]] = {
    "json": lambda data: world.dumps({"n": 1, "v": data.decode()}),
    "json, ascii": lambda data: json.dumps({"v": data.decode()}).encode(),
    "form": lambda data: b"n=1&v=" + urllib.parse.quote_plus(data).encode(),
    "csv": lambda data: table({"v": data.decode()}),
    "br": lambda data: brotli.compress(world.dumps({"v": data.decode()})),
}


def chain(number: int) -> None:
    """Register the chain of a number."""
    chance = random.Random(f"chain {number}")
    names: list[str] = []
    is_text = True
    for _ in range(chance.randint(2, 4)):
        pool = [*TO_TEXT, *TO_BYTES, *(TEXT_ONLY if is_text else ())]
        name = chance.choice(pool)
        names.append(name)
        is_text = name in TO_TEXT or (name in TEXT_ONLY and name != "br")

    def make(value: Value, chance: random.Random) -> Sent | None:
        data = world.dumps(world.fields_of(value, chance)) if value.type == "name" else value.text.encode()
        for name in names:
            data = (TO_TEXT | TO_BYTES | TEXT_ONLY)[name](data)
        return Sent(data)

    way(f"chain {number:02}: {', '.join(names)}", make)


for _number in range(60):
    chain(_number)

"""More clean traffic: what looks much like a value, is written in the ways that decoding goes to, and is none."""

from __future__ import annotations

import base64
import gzip
import hashlib
import random
import struct
import urllib.parse
import uuid
import zlib

import msgpack

from appwitness.events import Value
from tests.unseen import Sent, world
from tests.unseen.clean import as_json, b64, elsewhere, kind, near
from tests.unseen.notations import bd09, gcj02, geohash, quadkey
from tests.unseen.rarer import BASE58, BASE62, base45, dump, in_base, uuencoded


@kind
def near_in_other_letters(chance: random.Random, values: list[Value]) -> Sent:
    """Values with one letter changed, in rarer letters."""
    texts = [near(chance, values) for _ in range(6)]
    made = {
        "phone": base45(texts[0].encode()),
        "imei": dump(texts[1]),
        "file": uuencoded(texts[2]),
        "x": [byte ^ 0x5A for byte in texts[3].encode()],
        "name": texts[4][::-1],
        "b": gzip.compress(texts[5].encode(), mtime=0).decode("latin-1"),
    }
    return as_json(made, chance)


@kind
def long_numbers(chance: random.Random, values: list[Value]) -> Sent:
    """Random ids as numbers of any base, and digests of nearly a value in the same letters."""
    digest = int.from_bytes(hashlib.md5(near(chance, values).encode()).digest())
    made = {
        "a": in_base(chance.getrandbits(128), BASE58),
        "b": in_base(digest, BASE62),
        "c": str(digest),
        "d": in_base(chance.getrandbits(64), BASE62),
        "imei": str(chance.randrange(10**14, 10**15)).zfill(20),
        "e": ".".join(str(chance.randrange(256)) for _ in range(6)),
    }
    return as_json(made, chance)


@kind
def doubled_digests(chance: random.Random, values: list[Value]) -> Sent:
    """Digests of digests of nearly a value."""
    text = near(chance, values).encode()
    made = {
        f"{outer}{inner}": hashlib.new(outer, hashlib.new(inner, text).hexdigest().encode()).hexdigest()
        for outer in ("md5", "sha1", "sha256")
        for inner in ("md5", "sha256", "sha512")
    }
    return as_json(made, chance)


@kind
def near_places(chance: random.Random, values: list[Value]) -> Sent:
    """Places 150 m to 3 km from one that was read, in every system and grid: near, but not the place."""
    text = chance.choice([value.text for value in values if value.type == "location"])
    lat, lon = (float(part) for part in text.split(","))
    lat += chance.choice((-1, 1)) * chance.uniform(0.0016, 0.02)
    lon += chance.choice((-1, 1)) * chance.uniform(0.0016, 0.02)
    own = f"{lat},{lon}"
    made = {
        "lat": round(lat, chance.randint(4, 7)),
        "lng": round(lon, chance.randint(4, 7)),
        "gh": geohash(own, 9),
        "q": quadkey(own, 19),
        "e7": [round(lat * 1e7), round(lon * 1e7)],
        "p": b64(struct.pack("<2d", lat, lon)),
        "bits": struct.unpack(">q", struct.pack(">d", lat))[0],
    }
    for name, system in (("gcj", gcj02), ("bd", bd09)):
        there = system(own)
        made |= {name: f"{there[1]:.6f},{there[0]:.6f}"} if there else {}
    return as_json(made, chance)


@kind
def parts_of_values(chance: random.Random, values: list[Value]) -> Sent:
    """The country code, the maker's half of a MAC, the model of an IMEI, a domain, a surname: shared by many."""
    made = {
        "cc": "86",
        "area": "137",
        "oui": "a4c138",
        "tac": "86753002",
        "domain": "qq.example",
        "surname": "诸葛",
        "first": "Anna",
        "prefix": "7d3f0a52",
        "mcc": "460",
        "city": "London NW1",
        "street": "中关村大街",
        "app": "com.example",
    }
    return as_json(dict(chance.sample(sorted(made.items()), 6)), chance)


@kind
def prices_and_versions(chance: random.Random, values: list[Value]) -> Sent:
    made = {
        "price": [f"{chance.uniform(1, 999):.2f}" for _ in range(8)],
        "version": f"{chance.randrange(20)}.{chance.randrange(99)}.{chance.randrange(9999)}",
        "build": chance.randrange(10**8, 10**9),
        "date": f"2026{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}{chance.randrange(10**6):06d}",
        "order": f"SO-{chance.randrange(10**11):011d}",
        "tracking": f"SF1{chance.randrange(10**12):012d}",
        "barcode": f"69{chance.randrange(10**11):011d}",
        "ms": 1_773_478_800_000 + chance.randrange(10**7),
    }
    return as_json(made, chance)


@kind
def forms_of_everything(chance: random.Random, values: list[Value]) -> Sent:
    fields = {
        "sign": hashlib.md5(near(chance, values).encode()).hexdigest().upper(),
        "nonce": b64(chance.randbytes(16)),
        "ts": str(1_773_478_800 + chance.randrange(9999)),
        "data": b64(zlib.compress(world.dumps({"id": str(uuid.UUID(int=chance.getrandbits(128)))}))),
        "tel": near(chance, values),
        "lat": f"{elsewhere(chance)[0]:.5f}",
    }
    return Sent(urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded")


@kind
def packed_numbers(chance: random.Random, values: list[Value]) -> Sent:
    """Telemetry in MessagePack: real and whole numbers of every size."""
    made = {
        "a": [chance.gauss(0, 60) for _ in range(60)],
        "b": [chance.getrandbits(chance.randint(8, 63)) for _ in range(60)],
        "c": [chance.randrange(-1_800_000_000, 1_800_000_000) for _ in range(60)],
        "d": chance.randbytes(64),
    }
    return Sent(msgpack.packb(made), "application/msgpack")


@kind
def crash_report(chance: random.Random, values: list[Value]) -> Sent:
    frames = "\n".join(
        f"\tat a.b.C{chance.randrange(99)}.m(C.java:{chance.randrange(999)}) 0x{chance.getrandbits(40):010x}"
        for _ in range(40)
    )
    registers = " ".join(f"x{at} {chance.getrandbits(64):016x}" for at in range(28))
    return Sent(f"pid: {chance.randrange(30000)}\n{frames}\n{registers}\n".encode(), "text/plain")


@kind
def other_mail(chance: random.Random, values: list[Value]) -> Sent:
    """Addresses that begin or end as one that was read."""
    made = [
        f"{chance.choice(('x', 'a1', 'the'))}zhao.liu_13@example.org",
        "zhao.liu_13@example.org.cn",
        "zhao.liu_1@example.org",
        f"priyav{chance.randrange(10)}@gmail.com",
        "mingxuan.zg@qq.example.net",
    ]
    return as_json({"to": chance.sample(made, 3), "u": base64.b32encode(made[0].encode()).decode()}, chance)

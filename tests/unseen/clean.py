"""Traffic that carries no value of anybody that was read: what apps send all day, and what only looks like a value."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import random
import string
import struct
import urllib.parse
import uuid
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import bson
import cbor2
import msgpack
from PIL import Image

from appwitness.events import Access, Value
from tests.unseen import START, Sent, joined, linker, world
from tests.unseen.containers import dns, e, field, grpc, proto, varint
from tests.unseen.notations import geohash, mercator, sexagesimal

FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚文华建国"
TEXTS = (
    "李明天就要出发了，请提前准备好行李明细表和护照复印件。",
    "陈静静地坐在窗边，高强度的训练让王军官感到疲惫。",
    "张伟大的祖国，黄河之水天上来，杨柳依依，周末愉快！",
    "林丽质天成，马超市今日特价，朱文华章，何平台上线公告。",
    "今日推荐：新款手机分期免息，赠送耳机一副，限时抢购。",
    "The quick brown fox will mark the grace of hope and may join a rose at dawn.",
    "Bill paid in full; Grant approved, Frank reply from Rich Field, Art Banks and Joy.",
)


def contacts(size: int) -> tuple[Access, ...]:
    """An address book, read with one query."""
    chance = random.Random("contacts")
    values: list[Value] = []
    for row in range(size):
        if chance.random() < 0.7:
            name = chance.choice(FAMILY) + "".join(chance.choices(GIVEN, k=chance.randint(1, 2)))
        else:
            name = f"{chance.choice(('Mark', 'Grace', 'Rose', 'Dawn', 'Bill', 'Joy', 'Omar', 'Ines'))} "
            name += chance.choice(("Field", "Banks", "Park", "Ngo", "Silva", "Okafor", "Brandt", "Stone"))
        values.append(Value(type="name", text=name, row=row))
        values.append(Value(type="phone_number", text=f"13{chance.randrange(10**9):09d}", row=row))
        if chance.random() < 0.3:
            text = "".join(chance.choices(string.ascii_lowercase, k=7)) + f"{chance.randrange(1000)}@mail.test"
            values.append(Value(type="email", text=text, row=row))
    return (
        *world.ACCESSES,
        Access(
            at=START + timedelta(seconds=50),
            source="query",
            data="device_contacts",
            outcome="returned",
            values=tuple(values),
        ),
    )


Kind = Callable[[random.Random, list[Value]], Sent]
KINDS: list[tuple[str, Kind]] = []


def kind(function: Kind) -> Kind:
    KINDS.append((function.__name__, function))
    return function


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def as_json(fields: dict[str, Any], chance: random.Random) -> Sent:
    return Sent(world.dumps(world.document(fields, chance)), "application/json")


def elsewhere(chance: random.Random) -> tuple[float, float]:
    """A place 5 km and more from any that was read."""
    near = [tuple(map(float, value.text.split(","))) for value in world.VALUES if value.type == "location"]
    while True:
        if chance.random() < 0.5:
            lat, lon = chance.uniform(-70, 70), chance.uniform(-179, 179)
        else:
            lat, lon = (one + chance.uniform(-0.4, 0.4) for one in chance.choice(near))
        if all(max(abs(lat - one[0]), abs(lon - one[1])) > 0.09 for one in near):
            return lat, lon


def near_text(value: Value, chance: random.Random) -> str:
    """A value with one letter changed."""
    text = value.text
    places = [at for at, char in enumerate(text) if char.isalnum()]
    at = chance.choice(places[len(places) // 3 :])
    if text[at].isdigit():
        return text[:at] + str((int(text[at]) + chance.randint(1, 8)) % 10) + text[at + 1 :]
    if text[at].isascii():
        return text[:at] + chance.choice([char for char in "bcdeghkmp" if char != text[at].lower()]) + text[at + 1 :]
    return text[:at] + "镇" + text[at + 1 :]


SURE = frozenset(
    (
        *("phone_number", "email", "mac_address", "android_id", "advertising_id", "id_number", "bank_card"),
        *("device_id_imei", "device_id_imsi", "device_id_iccid", "device_id_serial"),
    )
)


def near(chance: random.Random, values: list[Value]) -> str:
    """What is nearly a value and is none."""
    texts = {value.text for value in values}
    while True:
        value = chance.choice(values)
        if value.type in SURE and (text := near_text(value, chance)) not in texts:
            return text


@kind
def analytics(chance: random.Random, values: list[Value]) -> Sent:
    events = [world.document({}, chance) for _ in range(chance.randint(1, 6))]
    return Sent(world.dumps({"events": events, "at": 1_773_478_800_000 + chance.randrange(10**8)}), "application/json")


@kind
def bid(chance: random.Random, values: list[Value]) -> Sent:
    lat, lon = elsewhere(chance)
    made = {
        "id": str(uuid.UUID(int=chance.getrandbits(128))),
        "imp": [{"bidfloor": round(chance.random() * 3, 4), "banner": {"w": 320, "h": 50}}],
        "device": {
            "ifa": str(uuid.UUID(int=chance.getrandbits(128))),
            "ip": ".".join(str(chance.randrange(1, 255)) for _ in range(4)),
            "geo": {"lat": round(lat, chance.randint(2, 7)), "lon": round(lon, chance.randint(2, 7))},
        },
        "user": {"buyeruid": b64(chance.randbytes(18)), "yob": chance.randrange(1950, 2010)},
    }
    return Sent(gzip.compress(world.dumps(made)), "application/json", headers=(("Content-Encoding", "gzip"),))


@kind
def places(chance: random.Random, values: list[Value]) -> Sent:
    """Other places in every notation."""
    lat, lon = elsewhere(chance)
    text = f"{lat},{lon}"
    x, y = mercator(text)
    fields = chance.choice(
        (
            {"q": f"{lat:.6f},{lon:.6f}"},
            {"lat": e(lat, 7), "lng": e(lon, 7)},
            {"la": e(lat, 6), "lo": e(lon, 6)},
            {"p": sexagesimal("{d}°{m}'{s}\"{h}")(text)},
            {"gh": geohash(text, chance.randint(6, 10))},
            {"x": round(x, 2), "y": round(y, 2)},
            {"p": b64(struct.pack("<2d", lat, lon))},
            {"lat": str(round(lat, 3)).replace(".", ","), "lon": str(round(lon, 3)).replace(".", ",")},
            {"c": [lon, lat]},
        )
    )
    return as_json(fields, chance)


@kind
def half_a_place(chance: random.Random, values: list[Value]) -> Sent:
    """The right latitude with another longitude, or both so coarse that they say nothing."""
    lat, lon = (float(part) for part in chance.choice([v.text for v in values if v.type == "location"]).split(","))
    if chance.random() < 0.5:
        return as_json({"lat": lat, "lon": round(lon + chance.uniform(0.02, 5), 6)}, chance)
    return as_json({"lat": round(lat, 1), "lon": round(lon, 1)}, chance)


@kind
def other_numbers(chance: random.Random, values: list[Value]) -> Sent:
    """Other people's telephone numbers, and numbers of other things."""
    made = {
        "phones": [
            f"{chance.choice(('+86', '', '0086'))}1{chance.randrange(3, 10)}{chance.randrange(10**9):09d}"
            for _ in range(6)
        ],
        "order": chance.randrange(10**15),
        "prices": [round(chance.random() * 900, 2) for _ in range(5)],
        "imei": f"86{chance.randrange(10**13):013d}",
        "when": [1_700_000_000 + chance.randrange(10**8), f"2026-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}"],
    }
    return as_json(made, chance)


@kind
def longer_numbers(chance: random.Random, values: list[Value]) -> Sent:
    """A value's digits inside a longer number."""
    value = chance.choice([one for one in values if one.type in ("phone_number", "device_id_imei")])
    digits = value.text.lstrip("+")
    before, behind = str(chance.randrange(1, 10)), str(chance.randrange(10, 1000))
    text = chance.choice((digits + behind, before + digits + behind, f"{before}{digits}", f"{digits}.{behind}"))
    if text.startswith("0") or (len(digits) == 15 and len(text) in (16, 17)):
        text = before + digits + "77"
    if text.startswith(("1", "86")) and text.endswith(digits):  # a country code
        text = "7" + text
    return as_json({chance.choice(("n", "order", "ts", "id")): text, "v": float(f"0.{digits}")}, chance)


@kind
def nearly(chance: random.Random, values: list[Value]) -> Sent:
    """Values with one letter changed, as they are or coded, under telling keys."""
    texts = [near(chance, values) for _ in range(4)]
    made = {
        "phone": texts[0],
        "device_id": b64(texts[1].encode()),
        "account": texts[2].encode().hex(),
        "u": urllib.parse.quote(texts[3]),
    }
    return as_json(made, chance)


@kind
def nearly_in_a_form(chance: random.Random, values: list[Value]) -> Sent:
    fields = {key: near(chance, values) for key in ("mobile", "mail", "imei", "mac")}
    return Sent(urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded")


@kind
def other_digests(chance: random.Random, values: list[Value]) -> Sent:
    """Digests of what is nearly a value, in every writing."""
    raws = [hashlib.new(name, near(chance, values).encode()).digest() for name in ("md5", "sha1", "sha256", "sha512")]
    made = {
        "h": raws[0].hex(),
        "imei": raws[1].hex().upper(),
        "em": b64(raws[2]),
        "x": raws[3].hex()[:32],
        "list": [hashlib.sha256(near(chance, values).encode()).hexdigest() for _ in range(5)],
    }
    return as_json(made, chance)


@kind
def checksums(chance: random.Random, values: list[Value]) -> Sent:
    made = {"crc": zlib.crc32(chance.randbytes(9)), "n": chance.getrandbits(32), "imei": chance.getrandbits(31)}
    return as_json(made, chance)


@kind
def tokens(chance: random.Random, values: list[Value]) -> Sent:
    """Random ids of every alphabet."""
    letters = string.ascii_letters + string.digits
    made = {
        "a": "".join(chance.choices(letters, k=chance.randint(6, 12))),
        "b": "".join(chance.choices(string.ascii_lowercase + string.digits, k=chance.randint(6, 13))),
        "c": b64(chance.randbytes(chance.randint(6, 64))),
        "d": chance.randbytes(chance.randint(4, 40)).hex(),
        "e": base64.b32encode(chance.randbytes(20)).decode(),
        "f": str(uuid.UUID(int=chance.getrandbits(128))),
        "g": str(chance.getrandbits(chance.randint(20, 128))),
        "m": ":".join(f"{byte:02x}" for byte in chance.randbytes(6)),
        "bytes": list(chance.randbytes(16)),
    }
    return as_json(made, chance)


@kind
def texts(chance: random.Random, values: list[Value]) -> Sent:
    """Names of two letters inside longer words, and names that are words."""
    body = " ".join(chance.choices(TEXTS, k=3))
    if chance.random() < 0.5:
        return Sent(urllib.parse.urlencode({"t": body}).encode(), "application/x-www-form-urlencoded")
    return as_json({"t": body, "title": chance.choice(("今日要闻", "Spring sale", "限时优惠"))}, chance)


@kind
def other_people(chance: random.Random, values: list[Value]) -> Sent:
    """Names and numbers of people that are in no address book."""
    people = [
        {
            "name": "诸葛" + "".join(chance.choices("鹏飞宇航", k=2)),
            "phone": f"19{chance.randrange(10**9):09d}",
            "email": f"{chance.choice(('kim', 'lee', 'sato'))}{chance.randrange(10**4)}@other.test",
        }
        for _ in range(4)
    ]
    return as_json({"people": people}, chance)


@kind
def messages(chance: random.Random, values: list[Value]) -> Sent:
    """Binary messages of every format."""
    inner = {"id": chance.getrandbits(40), "t": 1_773_478_800.5, "v": chance.randbytes(20), "s": "event"}
    return Sent(
        chance.choice(
            (
                lambda: proto({"k": "v", "id": str(chance.getrandbits(50))}, chance),
                lambda: grpc(proto({"n": "x"}, chance)),
                lambda: msgpack.packb(inner),
                lambda: cbor2.dumps(inner),
                lambda: bson.encode(inner),
                lambda: b"".join(field(at, struct.pack("<2d", *elsewhere(chance))) for at in range(1, 5)),
                lambda: b"".join(
                    b"\x08" + varint(chance.getrandbits(45)) + b"\x11" + chance.randbytes(8) for _ in range(9)
                ),
            )
        )(),
        "application/octet-stream",
    )


@kind
def random_bytes(chance: random.Random, values: list[Value]) -> Sent:
    return Sent(chance.randbytes(chance.choice((16, 20, 32, 48, 64, 96, 500, 3000))), "application/octet-stream")


@kind
def packed_noise(chance: random.Random, values: list[Value]) -> Sent:
    return Sent(gzip.compress(chance.randbytes(600)), "application/gzip")


@kind
def picture(chance: random.Random, values: list[Value]) -> Sent:
    made = Image.frombytes("RGB", (24, 24), chance.randbytes(24 * 24 * 3))
    file = io.BytesIO()
    made.save(file, chance.choice(("PNG", "JPEG", "GIF")))
    return Sent(file.getvalue(), "image/png")


@kind
def query(chance: random.Random, values: list[Value]) -> Sent:
    fields = {
        "sid": chance.randbytes(8).hex(),
        "t": str(1_773_478_800 + chance.randrange(9999)),
        "r": near(chance, values),
    }
    return Sent(
        url="https://t.test/p.gif?" + urllib.parse.urlencode(fields),
        headers=(("Cookie", f"uid={b64(chance.randbytes(12))}; s=1"), ("User-Agent", "App/1 (Android 13; Pixel 7)")),
    )


@kind
def name_server(chance: random.Random, values: list[Value]) -> Sent:
    return Sent(dns([chance.randbytes(15).hex().encode(), b"cdn"]), via="dns")


@kind
def sensors(chance: random.Random, values: list[Value]) -> Sent:
    made = {
        "acc": [[round(chance.gauss(0, 9.81), 6) for _ in range(3)] for _ in range(40)],
        "alt": round(chance.random() * 99, 2),
    }
    return as_json(made, chance)


@kind
def dates(chance: random.Random, values: list[Value]) -> Sent:
    made = {
        "at": f"2026-03-1{chance.randint(0, 9)}T09:{chance.randint(10, 59)}:27.{chance.randrange(10**6):06d}Z",
        "hours": ["08:30:00", "17:45:30.5", "31:14:18"],
        "version": f"{chance.randint(1, 9)}.{chance.randint(0, 20)}.{chance.randint(0, 400)}",
        "range": "121,435 - 31,238",
        "size": ["1,024", "31,238", "13,788"],
    }
    return as_json(made, chance)


class Wrong(NamedTuple):
    """A clean upload in which something was found."""

    kind: str
    sent: Sent
    found: str


def wrong(seed: int, uploads: int, size: int = 1000) -> Iterator[Wrong]:
    """Every flow that linking sees in so many clean uploads, beside the persona and `size` contacts."""
    from tests.unseen import alike  # noqa: F401  (it registers more kinds)

    accesses = contacts(size)
    values = [value for access in accesses for value in access.values]
    known = linker(accesses, world.VALUES)
    for number in range(uploads):
        name, make = KINDS[number % len(KINDS)]
        sent = make(random.Random(f"{seed} {number}"), values)
        for one in joined(sent, accesses, {}, known):
            match = one.matches[0]
            yield Wrong(
                name,
                sent,
                f"{one.access} {match.value} {match.variant} {match.of} {match.path} {match.found} {match.reasons}",
            )

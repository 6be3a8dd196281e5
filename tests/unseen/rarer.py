"""Rarer ways to write a text or a value: other people's bugs, dumps, alphabets, grids of the earth, numbers of ids."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import struct
import urllib.parse
import uuid
import zlib
from collections.abc import Callable
from typing import Any

from appwitness.events import Value
from tests.unseen import world
from tests.unseen.letters import in_json
from tests.unseen.notations import bd09, gcj02, geohash, national, notation, point, polyline, sexagesimal

DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def in_base(number: int, letters: str) -> str:
    out = ""
    while number:
        number, rest = divmod(number, len(letters))
        out = letters[rest] + out
    return out


def base45(data: bytes) -> str:
    """RFC 9285."""
    letters, out = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", ""
    for at in range(0, len(data), 2):
        number, size = int.from_bytes(data[at : at + 2]), 3 if at + 1 < len(data) else 2
        for _ in range(size):
            number, rest = divmod(number, 45)
            out += letters[rest]
    return out


def uuencoded(text: str) -> str:
    data = text.encode()
    lines = [binascii.b2a_uu(data[at : at + 45]).decode() for at in range(0, len(data), 45)]
    return "begin 644 v.txt\n" + "".join(lines) + "`\nend\n"


def dump(text: str) -> str:
    """As xxd writes it."""
    data, lines = text.encode(), []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        pairs = " ".join(row[i : i + 2].hex() for i in range(0, len(row), 2))
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}: {pairs:<39}  {shown}")
    return "\n".join(lines)


def is_ascii(value: Value) -> bool:
    return value.text.isascii()


def is_wide(value: Value) -> bool:
    return not value.text.isascii()


def is_latin(value: Value) -> bool:
    try:
        value.text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return is_wide(value)


LETTERS: dict[str, tuple[Callable[[str], Any], Callable[[Value], bool]]] = {
    "utf-8 read as latin-1": (lambda text: text.encode().decode("latin-1"), is_wide),
    "utf-8 read as latin-1, escaped": (lambda text: urllib.parse.quote(text.encode().decode("latin-1")), is_wide),
    "percent of latin-1": (lambda text: urllib.parse.quote(text, encoding="latin-1"), is_latin),
    "entities without semicolons": (lambda text: "".join(f"&#{ord(c)}" for c in text) + " ", is_wide),
    "entities, filled with zeros": (lambda text: "".join(f"&#{ord(c):06};" for c in text), lambda _: True),
    "repr of bytes": (lambda text: repr(text.encode()), is_wide),
    "css escapes": (lambda text: "".join(f"\\{ord(c):x} " for c in text), is_wide),
    "perl escapes": (lambda text: "".join(f"\\x{{{ord(c):x}}}" for c in text), lambda _: True),
    "u plus": (lambda text: " ".join(f"U+{ord(c):04X}" for c in text), is_wide),
    "long escapes": (lambda text: "".join(f"\\U{ord(c):08x}" for c in text), lambda _: True),
    "uuencode": (uuencoded, lambda _: True),
    "base45": (lambda text: base45(text.encode()), lambda _: True),
    "hex dump": (dump, lambda _: True),
    "hex in eights": (
        lambda text: "<" + " ".join(re.findall(".{1,8}", text.encode().hex())) + ">",
        lambda _: True,
    ),
    "blob literal": (lambda text: f"X'{text.encode().hex().upper()}'", lambda _: True),
    "bytea": (lambda text: f"\\x{text.encode().hex()}", lambda _: True),
    "array of C": (lambda text: "{" + ",".join(f"0x{byte:02X}" for byte in text.encode()) + "}", lambda _: True),
    "hex, percent signs lost": (lambda text: urllib.parse.quote(text, safe="").replace("%", "="), is_wide),
    "base64, plus lost to a space": (lambda text: b64(f"???>>>{text}".encode()).replace("+", " "), lambda _: True),
    "base64, line ends in it": (
        lambda text: "\r\n".join(re.findall(".{1,20}", b64(f"text: {text}".encode()))),
        lambda _: True,
    ),
    "base64 in a pem block": (
        lambda text: f"-----BEGIN DATA-----\n{base64.encodebytes(text.encode()).decode()}-----END DATA-----\n",
        lambda _: True,
    ),
    "base64 behind a data url without type": (lambda text: f"data:;base64,{b64(text.encode())}", lambda _: True),
    "yaml binary": (lambda text: f"!!binary {b64(text.encode())}", lambda _: True),
    "base64 of json in base64 of json": (
        lambda text: b64(world.dumps({"d": b64(world.dumps({"v": text}))})),
        lambda _: True,
    ),
    "json four deep": (lambda text: json.dumps(json.dumps(json.dumps(json.dumps({"v": text})))), lambda _: True),
    "zlib as letters of latin-1": (
        lambda text: zlib.compress(f"value of the field: {text}".encode()).decode("latin-1"),
        lambda _: True,
    ),
    "gzip as letters of latin-1": (lambda text: world.gz(text.encode()).decode("latin-1"), lambda _: True),
    "gzip as signed bytes": (
        lambda text: [byte - 256 if byte > 127 else byte for byte in world.gz(text.encode())],
        lambda _: True,
    ),
    "map of bytes": (lambda text: {str(at): byte for at, byte in enumerate(text.encode())}, lambda _: True),
    "buffer of node": (lambda text: {"type": "Buffer", "data": list(text.encode())}, lambda _: True),
    "soft hyphens between": ("\u00ad".join, lambda _: True),
    "left to right marks": (lambda text: f"\u202a{text}\u202c", lambda _: True),
    "joiners between": ("\u2060".join, lambda _: True),
    "url as a value": (lambda text: f"myapp://open?u={urllib.parse.quote(text, safe='')}#x", lambda _: True),
    "intent url": (
        lambda text: f"intent://x/#Intent;scheme=app;S.user={urllib.parse.quote(text, safe='')};end",
        lambda _: True,
    ),
    "xml attribute in a string": (
        lambda text: f'<u id="1" v="{text.replace("&", "&amp;").replace(chr(34), "&quot;")}"/>',
        lambda _: True,
    ),
    "tabs": (lambda text: f"1\t{text}\t0", lambda _: True),
    "carets": (lambda text: f"1^{text}^0", lambda _: True),
    "tildes": (lambda text: f"1~{text}~0", lambda _: True),
    "hashes": (lambda text: f"a#{text}#b", lambda _: True),
    "unit separators": (lambda text: f"1\x1f{text}\x1f0", lambda _: True),
    "section signs": (lambda text: f"1§{text}§0", lambda _: True),
    "colons": (lambda text: f"user::{text}::end", lambda value: ":" not in value.text),
    "brackets": (lambda text: f"[{text}][x]", lambda _: True),
    "angle brackets": (lambda text: f"<{text}>", lambda _: True),
    "mail header": (lambda text: f"Subject: x\r\nX-User: {text}\r\n\r\nhi", lambda _: True),
    "hessian string": (lambda text: "S" + chr(len(text)) + text, lambda _: True),
    "keys of one letter, in a query": (lambda text: f"a=1&b={urllib.parse.quote_plus(text)}&c=2", lambda _: True),
    "template": (lambda text: f"${{{text}}}", lambda _: True),
    "logcat": (lambda text: f"03-14 09:00:01.123  1234  1260 D Sdk     : send u={text}", lambda _: True),
    "stack trace": (
        lambda text: f"java.lang.IllegalStateException: no row for {text}\n\tat a.b.C.d(C.java:1)",
        is_ascii,
    ),
}
for _name, (_turn, _fits) in LETTERS.items():
    in_json(_turn, _name, _fits)

# --- digests in other letters ---

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE62 = DIGITS + LOWER.upper() + LOWER


def sha(text: str, name: str = "sha256") -> bytes:
    return hashlib.new(name, text.encode()).digest()


for _name, _turn in {
    "sha256 in base58": lambda text: in_base(int.from_bytes(sha(text)), BASE58),
    "md5 in base58": lambda text: in_base(int.from_bytes(sha(text, "md5")), BASE58),
    "md5 in base36": lambda text: in_base(int.from_bytes(sha(text, "md5")), DIGITS + LOWER),
    "md5 in base62": lambda text: in_base(int.from_bytes(sha(text, "md5")), BASE62),
    "sha1 in base32, lower": lambda text: base64.b32encode(sha(text, "sha1")).decode().lower(),
    "sha256 in base85": lambda text: base64.b85encode(sha(text)).decode(),
    "sha1 in ascii85": lambda text: base64.a85encode(sha(text, "sha1")).decode(),
    "sha256 in eights": lambda text: " ".join(re.findall(".{8}", sha(text).hex())),
    "sha256 in fours, hyphens": lambda text: "-".join(re.findall(".{4}", sha(text).hex())),
    "sha256 in base64 in lines": lambda text: "\n".join(re.findall(".{1,22}", b64(sha(text)))),
    "sha512 in base64url": lambda text: base64.urlsafe_b64encode(sha(text, "sha512")).decode().rstrip("="),
    "sha256 twice, hex upper inside": lambda text: sha(sha(text).hex().upper()).hex(),
    "sha1 of raw md5": lambda text: hashlib.sha1(sha(text, "md5")).hexdigest(),
    "md5 of base64 of sha256": lambda text: sha(b64(sha(text)), "md5").hex(),
    "sm3 of sm3": lambda text: sha(sha(text, "sm3").hex(), "sm3").hex(),
    "etag": lambda text: f'W/"{sha(text, "md5").hex()}"',
    "crypt-like": lambda text: f"$5${b64(sha(text))}",
    "ldap": lambda text: "{SHA}" + b64(sha(text, "sha1")),
    "digest header": lambda text: f"SHA-256={b64(sha(text))}",
    "multihash, hex": lambda text: "1220" + sha(text).hex(),
    "key and digest": lambda text: f"em={sha(text.lower()).hex()}&v=2",
    "digests of three kinds": lambda text: ";".join(sha(text, name).hex() for name in ("md5", "sha1", "sha256")),
    "list of objects": lambda text: [{"type": "sha256", "value": sha(text).hex()}, {"type": "x", "value": "0" * 64}],
}.items():
    in_json(_turn, _name)

# --- telephone numbers, mail, ids ---


HARD = frozenset(
    (
        *("enum", "two words", "four words", "with a title", "utm"),
        *("degrees, minutes and seconds apart", "degrees and minutes in lists"),
    )
)
"""Of these, no single field says enough, or the grid is one that no SDK is known to send."""


def arpa(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    return ".".join(reversed(digits)) + ".e164.arpa"


for _name, _types, _write in (
    ("sip", "phone_number", lambda text: f"sip:{text}@ims.mnc001.test;user=phone"),
    ("chat link", "phone_number", lambda text: f"https://wa.test/{re.sub(r'[^0-9]', '', text)}?text=hi"),
    ("filled with zeros", "phone_number", lambda text: re.sub(r"\D", "", text).zfill(18)),
    ("bigint", "phone_number", lambda text: f"{re.sub(r'[^0-9]', '', text)}n"),
    ("enum", "phone_number", arpa),
    ("dialled with pauses", "phone_number", lambda text: f"{text},,2#"),
    ("in quotes in a text", "phone_number", lambda text: f"call '{text}' now"),
    ("country in letters", "phone_number", lambda text: {"region": "XX", "phone": national(text)}),
    ("behind its label", "phone_number", lambda text: f"手机号：{text}，备注"),
    ("acct", "email", lambda text: f"acct:{text}"),
    ("xmpp", "email", lambda text: f"xmpp:{text}/phone"),
    ("at twice escaped", "email", lambda text: text.replace("@", "%2540")),
    ("mailto with a subject", "email", lambda text: f"mailto:{urllib.parse.quote(text)}?subject=x"),
    ("directory name", "email", lambda text: f"CN=x,O=y,emailAddress={text}"),
    ("quoted local part", "email", lambda text: '"{}"@{}'.format(*text.split("@"))),
    ("two in one text", "device_id_imei", lambda text: f"{text}/354859000000017"),
    ("behind its label", "device_id_imei", lambda text: f"IMEI:{text}"),
    ("urn with version", "device_id_imei", lambda text: f"urn:gsma:imei:{text[:8]}-{text[8:14]}-0;svn=07"),
    ("base64 of eight bytes", "device_id_imei", lambda text: b64(int(text).to_bytes(8))),
    ("base36", "device_id_imei", lambda text: in_base(int(text), DIGITS + LOWER)),
    ("octets in decimal", "mac_address", lambda text: ".".join(str(int(two, 16)) for two in re.split(r"\W", text))),
    (
        "maker and rest",
        "mac_address",
        lambda text: {"oui": text[:8].replace(":", ""), "nic": text[9:].replace(":", "")},
    ),
    (
        "64 bits, hyphens",
        "mac_address",
        lambda text: "-".join((*text.upper().split(":")[:3], "FF-FE", *text.upper().split(":")[3:])),
    ),
    (
        "link-local",
        "mac_address",
        lambda text: "fe80::{:x}{}:{}ff:fe{}:{}{}%wlan0".format(int(text[:2], 16) ^ 2, *text.lower().split(":")[1:]),
    ),
    ("behind its label", "mac_address", lambda text: f"mac={text};ssid=x"),
    ("base36", "android_id", lambda text: in_base(int(text, 16), DIGITS + LOWER)),
    ("fours", "android_id", lambda text: "-".join(re.findall("....", text))),
    ("two words", "android_id", lambda text: [int(text[:8], 16), int(text[8:], 16)]),
    ("signed bytes", "android_id", lambda text: [b - 256 if b > 127 else b for b in bytes.fromhex(text)]),
    ("base62 of the bytes", "advertising_id oaid", lambda text: in_base(uuid.UUID(text).int, BASE62)),
    ("base58 of the bytes", "advertising_id oaid", lambda text: in_base(uuid.UUID(text).int, BASE58)),
    ("base36 of the bytes", "advertising_id oaid", lambda text: in_base(uuid.UUID(text).int, DIGITS + LOWER)),
    ("base85 of the bytes", "advertising_id oaid", lambda text: base64.b85encode(uuid.UUID(text).bytes).decode()),
    (
        "two longs in hex",
        "advertising_id oaid",
        lambda text: {"hi": text.replace("-", "")[:16], "lo": text.replace("-", "")[16:]},
    ),
    ("four words", "advertising_id oaid", lambda text: list(struct.unpack(">4i", uuid.UUID(text).bytes))),
    ("fields of a uuid", "advertising_id oaid", lambda text: ":".join(text.split("-"))),
    ("first hyphen only", "advertising_id oaid", lambda text: text[:8] + "-" + text[9:].replace("-", "")),
    ("with a title", "name", lambda text: f"Dear {text}, welcome" if text.isascii() else f"尊敬的{text}先生："),
    (
        "vcard n",
        "name",
        lambda text: "N:{};{};;;".format(text.split()[-1], " ".join(text.split()[:-1])) if " " in text else None,
    ),
    ("middle dot", "name", lambda text: text.replace(" ", "·") if " " in text else None),
    ("slashes", "name", lambda text: "/".join(reversed(text.rsplit(" ", 1))).upper() if " " in text else None),
    ("json of parts", "address", lambda text: {"lines": re.split(r",\s*", text)} if "," in text else None),
):
    notation(_name, _types, _write, grade="hard" if _name in HARD else "ordinary")

# --- places ---


def utm(text: str) -> dict[str, Any]:
    """Easting, northing and zone, by the series of the USGS (Professional Paper 1395)."""
    lat, lon = point(text)
    zone = int((lon + 180) // 6) + 1
    a, e2 = 6378137.0, 0.00669437999014
    phi, lam = math.radians(lat), math.radians(lon - (zone * 6 - 183))
    n = a / math.sqrt(1 - e2 * math.sin(phi) ** 2)
    t, c, x = math.tan(phi) ** 2, e2 / (1 - e2) * math.cos(phi) ** 2, math.cos(phi) * lam
    m = a * (
        (1 - e2 / 4 - 3 * e2**2 / 64 - 5 * e2**3 / 256) * phi
        - (3 * e2 / 8 + 3 * e2**2 / 32 + 45 * e2**3 / 1024) * math.sin(2 * phi)
        + (15 * e2**2 / 256 + 45 * e2**3 / 1024) * math.sin(4 * phi)
        - 35 * e2**3 / 3072 * math.sin(6 * phi)
    )
    ep2 = e2 / (1 - e2)
    east = 0.9996 * n * (x + (1 - t + c) * x**3 / 6 + (5 - 18 * t + t**2 + 72 * c - 58 * ep2) * x**5 / 120) + 500_000
    north = 0.9996 * (
        m
        + n
        * math.tan(phi)
        * (x**2 / 2 + (5 - t + 9 * c + 4 * c**2) * x**4 / 24 + (61 - 58 * t + t**2 + 600 * c - 330 * ep2) * x**6 / 720)
    )
    return {"zone": zone, "easting": round(east, 2), "northing": round(north + (lat < 0) * 10_000_000, 2)}


def parts(degrees: float, letters: str) -> dict[str, Any]:
    size = round(abs(degrees) * 360_000)
    return {
        "deg": size // 360_000,
        "min": size % 360_000 // 6000,
        "sec": size % 6000 / 100,
        "ref": letters[degrees < 0],
    }


def split_point(text: str) -> dict[str, Any]:
    lat, lon = point(text)
    return {
        "lat": [int(abs(lat)), round((abs(lat) % 1) * 60, 4)],
        "lon": [int(abs(lon)), round((abs(lon) % 1) * 60, 4)],
        "h": "NS"[lat < 0] + "EW"[lon < 0],
    }


def both(write: Callable[[float], Any], lat: str = "lat", lon: str = "lon") -> Callable[[str], Any]:
    return lambda text: {lat: write(point(text)[0]), lon: write(point(text)[1])}


def iso_6709(text: str) -> str:
    def one(degrees: float, size: int) -> str:
        hundredths = round(abs(degrees) * 360_000)
        whole, rest = divmod(hundredths, 360_000)
        return f"{'+-'[degrees < 0]}{whole:0{size}d}{rest // 6000:02d}{rest % 6000 / 100:05.2f}"

    return f"{one(point(text)[0], 2)}{one(point(text)[1], 3)}/"


for _name, _write in {
    "utm": utm,
    "degrees, minutes and seconds apart": lambda text: {
        "lat": parts(point(text)[0], "NS"),
        "lon": parts(point(text)[1], "EW"),
    },
    "degrees and minutes in lists": split_point,
    "E4": both(lambda degrees: round(degrees * 1e4)),
    "E9": both(lambda degrees: round(degrees * 1e9)),
    "E6 as texts": both(lambda degrees: str(round(degrees * 1e6)), "la", "lo"),
    "doubles in hex": both(lambda degrees: struct.pack(">d", degrees).hex()),
    "bits of doubles": both(lambda degrees: struct.unpack(">q", struct.pack(">d", degrees))[0]),
    "bits of floats": both(lambda degrees: struct.unpack(">i", struct.pack(">f", degrees))[0]),
    "geohash, 10, under its key": lambda text: {"geohash": geohash(text, 10)},
    "geohash and more": lambda text: {"loc": f"{geohash(text, 9)},12.5,gps"},
    "gcj02 in a list": lambda text: (there := gcj02(text)) and {"loc": [round(there[1], 6), round(there[0], 6)]},
    "bd09 in a text": lambda text: (there := bd09(text)) and f"{there[1]:.6f},{there[0]:.6f}",
    "gcj02, degrees minutes seconds": lambda text: (
        (there := gcj02(text)) and sexagesimal("{d}°{m}'{s}\"{h}", 2)(f"{there[0]},{there[1]}")
    ),
    "bd09, E6": lambda text: (
        (there := bd09(text)) and {"latitude": round(there[0] * 1e6), "longitude": round(there[1] * 1e6)}
    ),
    "gcj02 geohash": lambda text: (there := gcj02(text)) and {"geohash": geohash(f"{there[0]},{there[1]}", 9)},
    "gpx": lambda text: '<trkpt lat="{}" lon="{}"><ele>4</ele></trkpt>'.format(*point(text)),
    "kml": lambda text: "<Point><coordinates>{1},{0},0</coordinates></Point>".format(*point(text)),
    "query in a text": lambda text: "maps?q=loc:{:.6f}+{:.6f}".format(*point(text)),
    "lines": lambda text: "lat: {:.6f}\nlng: {:.6f}".format(*point(text)),
    "brackets": lambda text: "({:.5f}, {:.5f})".format(*point(text)),
    "lat lng of a map": lambda text: "lat/lng: ({},{})".format(*point(text)),
    "geometry in a text": lambda text: json.dumps({"type": "Point", "coordinates": list(point(text)[::-1])}),
    "wkb in hex": lambda text: "0101000000" + struct.pack("<2d", *point(text)[::-1]).hex().upper(),
    "wkb in base64": lambda text: b64(b"\x00\x00\x00\x00\x01" + struct.pack(">2d", *point(text)[::-1])),
    "polyline, six decimals": lambda text: {"polyline": polyline(text, 6)},
    "iso 6709 with seconds": iso_6709,
    "with an accuracy between": lambda text: "{:.6f}|12.0|{:.6f}".format(*point(text)),
    "column and row": lambda text: {"columns": ["t", "lat", "lon"], "rows": [[1, *point(text)]]},
    "track": lambda text: {"track": [[0.5, 0.5], list(point(text)), [1.5, 1.5]]},
    "fixed width": lambda text: "{:+011.6f}{:+012.6f}".format(*point(text)),
    "sha256 of lon,lat": lambda text: hashlib.sha256("{1},{0}".format(*text.split(",")).encode()).hexdigest(),
    "md5 of the geohash": lambda text: hashlib.md5(geohash(text, 9).encode()).hexdigest(),
    "base64 of a text": lambda text: b64("{:.6f},{:.6f}".format(*point(text)).encode()),
}.items():
    notation(_name, "location", _write, grade="hard" if _name in HARD else "ordinary")

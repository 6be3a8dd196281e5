"""Ways to write a text in other letters, and digests of it: the value stands in one field of a JSON document."""

from __future__ import annotations

import base64
import bz2
import codecs
import email.header
import hashlib
import html
import json
import lzma
import quopri
import random
import re
import urllib.parse
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import cramjam
import lz4.block
import lz4.frame
import mmh3
import zstandard

from appwitness.events import Value
from tests.unseen import Sent, way, world

Turn = Callable[[str], Any]
B64 = base64.b64encode


def in_json(turn: Turn, name: str, fits: Callable[[Value], bool] = lambda _: True) -> None:
    """Register a way that turns the texts and puts them into a document."""

    def make(value: Value, chance: random.Random) -> Sent | None:
        if not fits(value):
            return None
        made = world.document(world.fields_of(value, chance, turn), chance)
        return Sent(world.dumps(made), "application/json")

    way(name, make)


def wrapped(text: str) -> str:
    """base64 in lines, with enough before it that there are several."""
    return base64.encodebytes(f"report 7; level=info; text follows here: {text} end of it".encode()).decode()


def jwt(text: str) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"sub": text, "iat": 1}
    return f"{part({'alg': 'HS256'})}.{part(claims)}.{base64.urlsafe_b64encode(b'signature bytes').decode()}"


def base58(text: str) -> str:
    number, out = int.from_bytes(text.encode()), ""
    while number:
        number, rest = divmod(number, 58)
        out = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + out
    return out


def is_han(value: Value) -> bool:
    return bool(re.search("[\u4e00-\u9fff]{3}", value.text))


LETTERS: dict[str, Turn] = {
    "plain": str,
    "trimmed and spaced": lambda text: f"  {text} ",
    "inside a sentence": lambda text: f"value: {text}, end",
    "percent": lambda text: urllib.parse.quote(text, safe=""),
    "percent, every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent, lower case": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "percent twice": lambda text: urllib.parse.quote(urllib.parse.quote(text, safe=""), safe=""),
    "percent three times": lambda text: urllib.parse.quote(
        urllib.parse.quote(urllib.parse.quote_plus(text, safe=""), safe=""), safe=""
    ),
    "percent-u": lambda text: "".join(f"%u{ord(char):04X}" for char in text),
    "unicode escapes in a string": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "braced unicode escapes": lambda text: "".join(f"\\u{{{ord(char):x}}}" for char in text),
    "hex escapes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "octal escapes": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "entities, decimal": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "entities, hex": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "entities, named": lambda text: html.escape(f"<b>{text}</b> & more"),
    "entities twice": lambda text: html.escape("".join(f"&#{ord(char)};" for char in text)),
    "quoted-printable": lambda text: quopri.encodestring(f"a=1; {text}".encode(), quotetabs=True).decode(),
    "quoted-printable, every byte": lambda text: "".join(f"={byte:02X}" for byte in text.encode()),
    "encoded word, b": lambda text: f"=?utf-8?B?{B64(text.encode()).decode()}?=",
    "encoded word, q": lambda text: "=?UTF-8?Q?" + "".join(f"={byte:02X}" for byte in text.encode()) + "?=",
    "encoded word by the library": lambda text: email.header.Header(text, "utf-8").encode(),
    "base64": lambda text: B64(text.encode()).decode(),
    "base64, unpadded": lambda text: B64(text.encode()).decode().rstrip("="),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in lines": wrapped,
    "base64 twice": lambda text: B64(B64(text.encode())).decode(),
    "base64 three times": lambda text: B64(B64(B64(text.encode()))).decode(),
    "base64 of hex": lambda text: B64(text.encode().hex().encode()).decode(),
    "hex of base64": lambda text: B64(text.encode()).hex(),
    "base64 of percent": lambda text: B64(urllib.parse.quote(text, safe="").encode()).decode(),
    "percent of base64": lambda text: urllib.parse.quote(B64(text.encode()).decode(), safe=""),
    "base64 behind three letters": lambda text: "k7Q" + B64(text.encode()).decode(),
    "base64 behind a prefix": lambda text: "v1:" + B64(text.encode()).decode(),
    "base64, first byte salt": lambda text: B64(b"\x07" + text.encode()).decode(),
    "base64, two bytes salt": lambda text: B64(b"\xa9\x1e" + text.encode()).decode(),
    "base64 of json": lambda text: B64(world.dumps({"v": text, "t": 3})).decode(),
    "base64 of utf-16": lambda text: B64(text.encode("utf-16le")).decode(),
    "base64 of utf-16 with a mark": lambda text: B64(text.encode("utf-16")).decode(),
    "base64 of gzip": lambda text: B64(world.gz(text.encode())).decode(),
    "base64url of zlib": lambda text: base64.urlsafe_b64encode(zlib.compress(text.encode())).decode(),
    "base64 of raw deflate": lambda text: B64(zlib.compress(world.dumps({"v": text}), wbits=-15)).decode(),
    "base64 of br": lambda text: B64(brotli.compress(world.dumps({"v": text}))).decode(),
    "base64 of zstd": lambda text: B64(zstandard.compress(text.encode())).decode(),
    "base64 of bz2": lambda text: B64(bz2.compress(text.encode())).decode(),
    "base64 of xz": lambda text: B64(lzma.compress(text.encode())).decode(),
    "base64 of lz4 frame": lambda text: B64(lz4.frame.compress(text.encode())).decode(),
    "base64 of lz4 block": lambda text: B64(lz4.block.compress(world.dumps({"v": text}), store_size=False)).decode(),
    "base64 of snappy": lambda text: B64(bytes(cramjam.snappy.compress_raw(world.dumps({"v": text})))).decode(),
    "hex": lambda text: text.encode().hex(),
    "hex, upper": lambda text: text.encode().hex().upper(),
    "hex twice": lambda text: text.encode().hex().encode().hex(),
    "hex, 0x": lambda text: "0x" + text.encode().hex(),
    "hex, spaced": lambda text: text.encode().hex(" "),
    "hex, colons": lambda text: text.encode().hex(":").upper(),
    "hex, hyphens": lambda text: text.encode().hex("-"),
    "hex, 0x each": lambda text: ", ".join(f"0x{byte:02X}" for byte in text.encode()),
    "hex of utf-16": lambda text: text.encode("utf-16be").hex(),
    "hex of gzip": lambda text: world.gz(text.encode()).hex(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "base32, lower and unpadded": lambda text: base64.b32encode(text.encode()).decode().rstrip("=").lower(),
    "base32 with hex letters": lambda text: base64.b32hexencode(text.encode()).decode(),
    "base58": base58,
    "base85": lambda text: base64.b85encode(text.encode()).decode(),
    "ascii85": lambda text: base64.a85encode(text.encode()).decode(),
    "ascii85, adobe": lambda text: base64.a85encode(text.encode(), adobe=True).decode(),
    "z85": lambda text: base64.z85encode(text.encode()).decode() if hasattr(base64, "z85encode") else text,
    "json in a string": lambda text: json.dumps({"a": {"v": text}}, ensure_ascii=False),
    "json in a string, three deep": lambda text: json.dumps({"x": json.dumps({"y": json.dumps({"v": text})})}),
    "list of bytes": lambda text: list(text.encode()),
    "list of signed bytes": lambda text: [byte - 256 if byte > 127 else byte for byte in text.encode()],
    "list of characters": list,
    "bytes as text": lambda text: ",".join(str(byte) for byte in text.encode()),
    "code points": lambda text: " ".join(str(ord(char)) for char in text),
    "binary digits": lambda text: "".join(f"{byte:08b}" for byte in text.encode()),
    "full width": lambda text: "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text),
    "zero width between": "\u200b".join,
    "bold letters": lambda text: "".join(chr(0x1D7CE + int(char)) if char in "0123456789" else char for char in text),
    "jwt": jwt,
    "bearer": lambda text: "Bearer " + jwt(text),
    "query string inside": lambda text: "a=1&v=" + urllib.parse.quote_plus(text) + "&z=2",
    "url inside": lambda text: "https://cb.test/x?v=" + urllib.parse.quote(text) + "#top",
    "url inside a url": lambda text: (
        "https://r.test/?u=" + urllib.parse.quote("https://cb.test/x?v=" + urllib.parse.quote(text), safe="")
    ),
    "data url": lambda text: "data:text/plain;charset=utf-8;base64," + B64(text.encode()).decode(),
    "xml inside": lambda text: f"<r><v>{html.escape(text)}</v></r>",
    "csv inside": lambda text: f'1,"{text}",x\n2,"",y\n',
    "key=value; pairs": lambda text: f"a=1; v={text}; z=2",
    "pipes": lambda text: f"1.0|{text}|android|13",
    "double pipes": lambda text: f"sdk||{text}||7",
    "utf-7": lambda text: text.encode("utf-7").decode(),
    "twice, the first time for base64url": lambda text: (
        base64.urlsafe_b64encode(base64.urlsafe_b64encode(text.encode()).rstrip(b"=")).rstrip(b"=").decode()
    ),
}
for _name, _turn in LETTERS.items():
    if _name == "z85":
        in_json(lambda text: base64.b85encode(text.encode().ljust(-(-len(text.encode()) // 4) * 4)).decode(), _name)
    elif _name == "bold letters":
        in_json(_turn, _name, lambda value: sum(char.isdigit() for char in value.text) > 3)
    else:
        in_json(_turn, _name)
for _charset in ("gb18030", "utf-16be"):
    in_json(lambda text, c=_charset: B64(text.encode(c)).decode(), f"base64 of {_charset}, Chinese", is_han)  # type: ignore[misc]
    in_json(lambda text, c=_charset: text.encode(c).hex(), f"hex of {_charset}, Chinese", is_han)  # type: ignore[misc]
in_json(lambda text: "".join(f"%{byte:02X}" for byte in text.encode("gb18030")), "percent of gb18030", is_han)
in_json(lambda text: codecs.encode(text, "idna").decode(), "xn--", lambda value: is_han(value) and len(value.text) < 9)


def escapes(value: Value, chance: random.Random) -> Sent:
    made = world.document({key: f"@{text}@" for key, text in world.fields_of(value, chance).items()}, chance)
    body = re.sub(rb"@([^@\"]+(?:@[^@\"]+)?)@", lambda found: _escaped(found[1]), world.dumps(made))
    return Sent(body, "application/json")


def _escaped(raw: bytes) -> bytes:
    units = raw.decode().encode("utf-16be")
    return b"".join(b"\\u%04X" % int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))


way("json escapes, every letter", escapes)


# --- digests ---


def form_to_digest(value: Value) -> str:
    """What apps digest: e-mail addresses in lower case, all else as the API gave it."""
    return value.text.lower() if value.type == "email" else value.text


DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    name: (lambda data, name=name: hashlib.new(name, data).digest())
    for name in [
        "md5",
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "sha512_256",
        "sha3_224",
        "sha3_256",
        "sha3_384",
        "sha3_512",
        "blake2b",
        "blake2s",
        "sm3",
        "ripemd160",
    ]
} | {
    "blake2b, 32 bytes": lambda data: hashlib.blake2b(data, digest_size=32).digest(),
    "blake2b, 20 bytes": lambda data: hashlib.blake2b(data, digest_size=20).digest(),
    "blake2b, 16 bytes": lambda data: hashlib.blake2b(data, digest_size=16).digest(),
    "shake128": lambda data: hashlib.shake_128(data).digest(32),
    "shake256": lambda data: hashlib.shake_256(data).digest(64),
    "murmur3 128": mmh3.hash_bytes,
}
WRITTEN: dict[str, Turn | Callable[[bytes], Any]] = {
    "hex": lambda raw: raw.hex(),
    "HEX": lambda raw: raw.hex().upper(),
    "base64": lambda raw: B64(raw).decode(),
    "base64url": lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
}


def digested(name: str, turn: Callable[[str], Any], fits: Callable[[Value], bool] = lambda _: True) -> None:
    """Register a way that sends a digest under a key that says little."""

    def make(value: Value, chance: random.Random) -> Sent | None:
        if not fits(value):
            return None
        keys = iter(("h", "x"))
        made = {next(keys): turn(form_to_digest(one)) for one in world.together(value)}
        return Sent(world.dumps(world.document(made, chance)), "application/json")

    way(name, make)


for _name, _digest in DIGESTS.items():
    for _written, _write in WRITTEN.items():
        if _written == "hex" or _name in ("md5", "sha1", "sha256", "sha3_256", "sm3"):
            digested(f"{_name}, {_written}", lambda text, d=_digest, w=_write: w(d(text.encode())))  # type: ignore[misc]


def h(name: str, data: bytes | str) -> bytes:
    return hashlib.new(name, data.encode() if isinstance(data, str) else data).digest()


OTHER: dict[str, Callable[[str], Any]] = {
    "md5 of md5": lambda text: h("md5", h("md5", text).hex()).hex(),
    "sha256 of md5": lambda text: h("sha256", h("md5", text).hex()).hex(),
    "sha1 of md5": lambda text: h("sha1", h("md5", text).hex()).hex(),
    "md5 of sha1, upper": lambda text: h("md5", h("sha1", text).hex()).hex().upper(),
    "sha256 of sha256": lambda text: h("sha256", h("sha256", text).hex()).hex(),
    "sha256 of sha256, raw": lambda text: h("sha256", h("sha256", text)).hex(),
    "md5 of upper md5": lambda text: h("md5", h("md5", text).hex().upper()).hex(),
    "md5 three times": lambda text: h("md5", h("md5", h("md5", text).hex()).hex()).hex(),
    "sha512 of sha512": lambda text: h("sha512", h("sha512", text).hex()).hex(),
    "md5, middle half": lambda text: h("md5", text).hex()[8:24],
    "md5, middle half, upper": lambda text: h("md5", text).hex()[8:24].upper(),
    "md5, last half": lambda text: h("md5", text).hex()[16:],
    "sha256, first 16 digits": lambda text: h("sha256", text).hex()[:16],
    "sha256, first 20 digits": lambda text: h("sha256", text).hex()[:20],
    "sha1, first 32 digits": lambda text: h("sha1", text).hex()[:32],
    "sha512, first half": lambda text: h("sha512", text).hex()[:64],
    "sha256, last 16 digits": lambda text: h("sha256", text).hex()[-16:],
    "sha256, base64, first 22 letters": lambda text: B64(h("sha256", text)).decode()[:22],
    "md5 as uuid": lambda text: re.sub("(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", h("md5", text).hex()),
    "md5 with colons": lambda text: h("md5", text).hex(":"),
    "sha256 with spaces": lambda text: h("sha256", text).hex(" ").upper(),
    "sha256, 0x": lambda text: "0x" + h("sha256", text).hex(),
    "sha1 as a number": lambda text: f"{int.from_bytes(h('sha1', text)):x}",
    "sha256 in decimal": lambda text: str(int.from_bytes(h("sha256", text))),
    "md5 as bytes": lambda text: list(h("md5", text)),
    "sha1 as signed bytes": lambda text: [byte - 256 if byte > 127 else byte for byte in h("sha1", text)],
    "sha256 in base32": lambda text: base64.b32encode(h("sha256", text)).decode(),
    "base64 of the hex of sha256": lambda text: B64(h("sha256", text).hex().encode()).decode(),
    "hex of the base64 of md5": lambda text: B64(h("md5", text)).hex(),
    "sha256 behind its name": lambda text: "sha256:" + h("sha256", text).hex(),
    "sha256 behind letters": lambda text: "1_" + h("sha256", text).hex(),
    "sri": lambda text: "sha256-" + B64(h("sha256", text)).decode(),
    "md5 of utf-16": lambda text: h("md5", text.encode("utf-16le")).hex(),
    "java name uuid": lambda text: str(__import__("uuid").UUID(bytes=h("md5", text), version=3)),
    "md5 of the trimmed upper case": lambda text: h("md5", text.upper()).hex(),
    "sha256 of lower case": lambda text: h("sha256", text.lower()).hex(),
    "md5 of percent": lambda text: h("md5", urllib.parse.quote(text, safe="")).hex(),
    "sha256 of base64": lambda text: h("sha256", B64(text.encode())).hex(),
    "sha1 and md5 joined": lambda text: h("sha1", text).hex() + h("md5", text).hex(),
    "sha256 in a query": lambda text: "em=" + h("sha256", text).hex() + "&v=2",
    "md5 in a list": lambda text: ["0" * 32, h("md5", text).hex()],
}
for _name, _turn in OTHER.items():
    digested(_name, _turn)


def checksum(name: str, turn: Callable[[bytes], Any]) -> None:
    """Register a checksum of 32 bits, under a key that says what it is of, since it is no proof alone."""

    def make(value: Value, chance: random.Random) -> Sent | None:
        if value.type not in ("phone_number", "email", "device_id_imei", "mac_address", "android_id"):
            return None
        key = {"android_id": "android_id"}.get(value.type, world.KEYS.get(value.type, ("",))[0])
        return Sent(world.dumps(world.document({key: turn(form_to_digest(value).encode())}, chance)), "text/json")

    way(name, make)


checksum("crc32, hex", lambda data: f"{zlib.crc32(data):08x}")
checksum("crc32, number", zlib.crc32)
checksum("crc32, signed number", lambda data: zlib.crc32(data) - (1 << 32 if zlib.crc32(data) >> 31 else 0))
checksum("adler32", zlib.adler32)
checksum("murmur3 32, signed number", mmh3.hash)
checksum("murmur3 32, hex", lambda data: f"{mmh3.hash(data, signed=False):08x}")
checksum("String.hashCode", lambda data: _hash_code(data.decode()))


def _hash_code(text: str) -> int:
    units = text.encode("utf-16be")
    state = 0
    for at in range(0, len(units), 2):
        state = (state * 31 + int.from_bytes(units[at : at + 2])) & 0xFFFFFFFF
    return state - (1 << 32 if state >> 31 else 0)

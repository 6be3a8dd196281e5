"""Further ways to write a text or its digest: letters of JavaScript, dumps of languages, digests as whole numbers."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import struct
import urllib.parse
import uuid
import zlib

import mmh3

from appwitness.events import Value
from tests.unseen import WAYS, world
from tests.unseen.letters import digested, in_json
from tests.unseen.rarer import DIGITS, LOWER, b64, in_base

LZ = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
RFC_32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
CROCKFORD = str.maketrans(RFC_32, "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
ZOOKO = str.maketrans(RFC_32, "ybndrfg8ejkmcpqxot1uwisza345h769")
GEOHASH = str.maketrans(RFC_32, "0123456789bcdefghjkmnpqrstuvwxyz")
CRYPT = str.maketrans(LZ[:64], "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def can(value: Value, charset: str) -> bool:
    try:
        return not value.text.isascii() and bool(value.text.encode(charset))
    except UnicodeEncodeError:
        return False


def base91(data: bytes) -> str:
    letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,./:;<=>?@[]^_`{|}~"'
    number = bits = 0
    out = ""
    for byte in data:
        number |= byte << bits
        bits += 8
        if bits > 13:
            word = number & 8191
            width = 13 if word > 88 else 14
            word = word if word > 88 else number & 16383
            number, bits = number >> width, bits - width
            out += letters[word % 91] + letters[word // 91]
    if bits:
        out += letters[number % 91] + (letters[number // 91] if bits > 7 or number > 90 else "")
    return out


# --- texts in other letters ---


def lz_string(text: str, bits: int = 6, letters: str = LZ) -> str:
    """lz-string, compressToBase64: an LZ of growing codes, written with the lowest bit first."""
    codes: dict[str, int] = {}
    fresh: set[str] = set()
    out: list[int] = []
    size, enlarge, word = 2, 2.0, ""

    def put(number: int, width: int) -> None:
        out.extend(number >> at & 1 for at in range(width))

    def flush(word: str) -> None:
        nonlocal size, enlarge
        if word in fresh:
            wide = ord(word[0]) > 255
            put(int(wide), size)
            put(ord(word[0]), 16 if wide else 8)
            enlarge -= 1
            if enlarge == 0:
                enlarge, size = 2**size, size + 1
            fresh.discard(word)
        else:
            put(codes[word], size)
        enlarge -= 1
        if enlarge == 0:
            enlarge, size = 2**size, size + 1

    for char in text:
        if char not in codes:
            codes[char] = len(codes) + 3
            fresh.add(char)
        if word + char in codes:
            word += char
        else:
            flush(word)
            codes[word + char] = len(codes) + 3
            word = char
    flush(word)
    put(2, size)
    while True:
        out.append(0)
        if len(out) % bits == 0:
            break
    groups = (out[at : at + bits] for at in range(0, len(out), bits))
    return "".join(letters[int("".join(map(str, group)), 2)] for group in groups)


for _name, _turn, _fits in (
    ("lz-string", lz_string, None),
    ("lz-string of json", lambda t: lz_string(json.dumps({"v": t})), None),
    (
        "escape of javascript",
        lambda t: "".join(
            c if c.isalnum() and c.isascii() else f"%{ord(c):02X}" if ord(c) < 256 else f"%u{ord(c):04X}" for c in t
        ),
        None,
    ),
    ("backslashes twice", lambda t: json.dumps(json.dumps(t)), None),
    ("entities of xml in json in xml", lambda t: html.escape(json.dumps({"v": html.escape(t)})), None),
    ("big5", lambda t: b64(t.encode("big5")), "big5"),
    ("utf-16 in java's escapes, upper", lambda t: "".join(f"\\u{ord(c):04X}" for c in t), None),
    ("ucs2 of a short message", lambda t: t.encode("utf-16be").hex().upper(), None),
    ("utf-8 with a mark", lambda t: b64(b"\xef\xbb\xbf" + t.encode()), None),
    ("base64 with an underscore at the end", lambda t: b64(t.encode()).replace("=", "_"), None),
    (
        "base64 with points at the end",
        lambda t: b64(t.encode()).replace("+", "-").replace("/", "_").replace("=", "."),
        None,
    ),
    (
        "base64, percent twice",
        lambda t: urllib.parse.quote(urllib.parse.quote(b64(t.encode()), safe=""), safe=""),
        None,
    ),
    ("base64 in quotes", lambda t: json.dumps(b64(t.encode())), None),
    ("base64 behind its type", lambda t: f"b:{b64(t.encode())}", None),
    ("base64 between dollars", lambda t: f"$${b64(t.encode())}$$", None),
    ("base64 of base32", lambda t: b64(base64.b32encode(t.encode())), None),
    ("hex, commas", lambda t: ",".join(f"{b:02x}" for b in t.encode()), None),
    ("hex, x'", lambda t: f"x'{t.encode().hex()}'", None),
    ("hex, backslash x in json", lambda t: "".join(f"\\x{b:02X}" for b in t.encode()), None),
    ("hex in base64 in hex", lambda t: b64(t.encode().hex().encode()).encode().hex(), None),
    ("bytes behind a name of java", lambda t: f"[B@{list(t.encode())}", None),
    ("bytes of python", lambda t: repr(list(t.encode())), None),
    ("bytes, semicolons", lambda t: ";".join(map(str, t.encode())), None),
    ("bytes, blanks", lambda t: " ".join(map(str, t.encode())), None),
    ("gzip behind a length", lambda t: b64(struct.pack(">I", len(t.encode())) + world.gz(t.encode())), None),
    ("zlib behind a length", lambda t: b64(struct.pack(">I", len(t.encode())) + zlib.compress(t.encode())), None),
    (
        "zlib behind a length, little",
        lambda t: b64(struct.pack("<I", len(t.encode())) + zlib.compress(t.encode())),
        None,
    ),
    ("zlib behind a version", lambda t: b64(b"\x01\x00" + zlib.compress(t.encode())), None),
    ("raw deflate in hex", lambda t: zlib.compress(json.dumps({"v": t}).encode(), wbits=-15).hex(), None),
    (
        "raw deflate, percent",
        lambda t: urllib.parse.quote(b64(zlib.compress(json.dumps({"v": t}).encode(), wbits=-15)), safe=""),
        None,
    ),
    ("yaml", lambda t: f"a: 1\nv: {json.dumps(t, ensure_ascii=False)}\nb: 2\n", None),
    ("toml", lambda t: f"[user]\nv = {json.dumps(t, ensure_ascii=False)}\n", None),
    ("ini", lambda t: f"[user]\nv={t}\n", None),
    ("lisp", lambda t: f"(user (v {json.dumps(t, ensure_ascii=False)}))", None),
    ("rison", lambda t: "(v:'" + t.replace("!", "!!").replace("'", "!'") + "')", None),
    ("php serialized", lambda t: f'a:1:{{s:1:"v";s:{len(t.encode())}:"{t}";}}', None),
    ("repr of python", lambda t: repr({"v": t}), None),
    ("ruby", lambda t: f'{{:v=>"{t}"}}', None),
    ("edn", lambda t: f'{{:v "{t}"}}', None),
    ("swift", lambda t: f'["v": "{t}"]', None),
    ("optional of swift", lambda t: f'Optional("{t}")', None),
    ("objective-c", lambda t: f'{{\n    v = "{t}";\n}}', None),
    ("java map", lambda t: f"{{a=1, v={t}, b=2}}", None),
    ("plist in a text", lambda t: f"<plist><dict><key>v</key><string>{html.escape(t)}</string></dict></plist>", None),
    ("shared preferences", lambda t: f'<map><string name="v">{html.escape(t)}</string></map>', None),
    ("cdata", lambda t: f"<v><![CDATA[{t}]]></v>", None),
    ("bbcode", lambda t: f"[v]{t}[/v]", None),
    ("markdown", lambda t: f"**{t}** | `{t}`", None),
    (
        "utf-8 read as western",
        lambda t: t.encode().decode("cp1252", "ignore") if t.isascii() else t.encode().decode("latin-1"),
        None,
    ),
    ("combining", lambda t: __import__("unicodedata").normalize("NFD", t), None),
):
    in_json(_turn, f"dumped: {_name}", *(() if _fits is None else (lambda v, c=_fits: can(v, c),)))

# --- digests ---


def sha(text: str, name: str = "sha256") -> bytes:
    return hashlib.new(name, text.encode()).digest()


for _name, _turn in {
    "long of sha256, big endian": lambda t: int.from_bytes(sha(t)[:8], signed=True),
    "long of sha256, little endian": lambda t: int.from_bytes(sha(t)[:8], "little", signed=True),
    "long of md5, unsigned": lambda t: int.from_bytes(sha(t, "md5")[:8]),
    "long of md5 in a text": lambda t: str(int.from_bytes(sha(t, "md5")[:8], signed=True)),
    "two longs of md5": lambda t: list(struct.unpack(">2q", sha(t, "md5"))),
    "md5 as a whole number": lambda t: str(int.from_bytes(sha(t, "md5"))),
    "sha256 as a signed number": lambda t: str(int.from_bytes(sha(t), signed=True)),
    "md5 in braces": lambda t: "{" + str(uuid.UUID(bytes=sha(t, "md5"))).upper() + "}",
    "sha1 as a uuid": lambda t: str(uuid.UUID(bytes=sha(t, "sha1")[:16])),
    "sha256 as a uuid": lambda t: str(uuid.UUID(bytes=sha(t)[:16])),
    "uuid of version 5, dns": lambda t: str(uuid.uuid5(uuid.NAMESPACE_DNS, t)),
    "gravatar": lambda t: f"https://secure.gravatar.test/avatar/{sha(t, 'md5').hex()}?d=mm",
    "path of a cdn": lambda t: "/cache/{0[0]}/{0[1]}/{0}.png".format(sha(t, "md5").hex()),
    "enhanced conversion": lambda t: "tv.1~em." + base64.urlsafe_b64encode(sha(t)).decode().rstrip("="),
    "enhanced conversion, number": lambda t: (
        "tv.1~pn0." + base64.urlsafe_b64encode(sha(t)).decode().rstrip("=") + "~co0.US"
    ),
    "id of a segment": lambda t: f"sha256:{sha(t).hex()}:v2",
    "bytes of java in a text": lambda t: str([b - 256 if b > 127 else b for b in sha(t, "md5")]),
    "sha256, first 12 bytes, base64url": lambda t: base64.urlsafe_b64encode(sha(t)[:12]).decode(),
    "sha256, first 8 bytes, base64": lambda t: b64(sha(t)[:8]),
    "sha1, first 10 digits": lambda t: sha(t, "sha1").hex()[:20],
    "sha256 with its case mixed": lambda t: "".join(c.upper() if n % 2 else c for n, c in enumerate(sha(t).hex())),
    "sha256 in two fields": lambda t: {"a": sha(t).hex()[:32], "b": sha(t).hex()[32:]},
    "sha256 between a number and time": lambda t: f"1.{sha(t).hex()}.1773478800",
    "sha256 in base62": lambda t: in_base(int.from_bytes(sha(t)), DIGITS + LOWER + LOWER.upper()),
    "hash and length": lambda t: f"{sha(t, 'sha1').hex()}{len(t):02d}",
    "sha256 of md5, raw": lambda t: hashlib.sha256(sha(t, "md5")).hexdigest(),
    "murmur3 128, first long": lambda t: mmh3.hash64(t.encode())[0],
    "murmur3 128, two longs": lambda t: list(mmh3.hash64(t.encode())),
}.items():
    digested(f"dumped: {_name}", _turn)


HARD = ("dumped: lz-string", "dumped: big5", "dumped: uuid of version 5, dns")
"""Of these, nothing tells how they begin, or the charset and the namespace are one of many."""
for _name in HARD:
    WAYS[_name] = WAYS[_name]._replace(grade="hard")

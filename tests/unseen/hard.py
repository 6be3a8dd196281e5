"""Ways that leave little to go by: masks, turned and cut texts, other alphabets, numbers in other bases."""

from __future__ import annotations

import base64
import codecs
import random
import string
from collections.abc import Callable
from itertools import cycle
from typing import Any

from appwitness.events import Value
from tests.unseen import Sent, way, world

Turn = Callable[[str], Any]


def hard(name: str, turn: Turn, fits: Callable[[Value], bool] = lambda _: True) -> None:
    """Register a turn of the value in one or several fields."""

    def make(value: Value, chance: random.Random) -> Sent | None:
        if not fits(value) or (value.type == "location" and "decimals" not in name):
            return None
        fields: dict[str, Any] = {}
        for one in world.together(value):
            turned = turn(one.text)
            fields |= (
                turned
                if isinstance(turned, dict) and len(world.together(value)) == 1
                else {world.key_of(one, chance): turned if not isinstance(turned, dict) else one.text}
            )
        parts = {key: part for key, part in fields.items() if key[0] in "bhp" and key[1:].isdigit()}  # side by side
        made = world.document({key: one for key, one in fields.items() if key not in parts}, chance)
        return Sent(world.dumps({"u": parts, "d": made} if parts else made), "application/json")

    way(f"hard: {name}", make, "hard")


def whole(name: str, turn: Callable[[bytes], bytes]) -> None:
    """Register a turn of the whole body."""

    def make(value: Value, chance: random.Random) -> Sent:
        return Sent(
            turn(world.dumps(world.document(world.fields_of(value, chance), chance))), "application/octet-stream"
        )

    way(f"hard: {name}", make, "hard")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def xor(data: bytes, key: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(data, cycle(key), strict=False))


def base(number: int, letters: str) -> str:
    out = ""
    while number:
        number, rest = divmod(number, len(letters))
        out = letters[rest] + out
    return out


def decimal(value: Value) -> bool:
    return value.text.lstrip("+").isdigit()


DIGITS, LOWER, UPPER = string.digits, string.ascii_lowercase, string.ascii_uppercase
hard("xor, base64", lambda text: b64(xor(text.encode(), b"\x5a")))
hard("xor, hex", lambda text: xor(text.encode(), b"\x13").hex())
hard("xor with 0xff, base64", lambda text: b64(xor(text.encode(), b"\xff")))
hard("xor of a document, base64", lambda text: b64(xor(world.dumps({"v": text}), b"\xa7")))
hard(
    "xor of a form, hex",
    lambda text: xor(b"a=1&v=" + text.replace(" ", "+").encode(), b"\x2b").hex(),
    lambda v: v.text.isascii(),
)
hard("reversed", lambda text: text[::-1])
hard("reversed, base64", lambda text: b64(text[::-1].encode()))
hard("base64, reversed", lambda text: b64(text.encode())[::-1])
hard("hex, reversed", lambda text: text.encode().hex()[::-1])
hard("reversed bytes, hex", lambda text: text.encode()[::-1].hex())
hard(
    "rot13", lambda text: codecs.encode(text, "rot13"), lambda v: not v.text.lstrip("+").isdigit() and v.text.isascii()
)
hard("rot13 of base64", lambda text: codecs.encode(b64(text.encode()), "rot13"))
hard(
    "rot47",
    lambda text: "".join(chr(33 + (ord(char) - 33 + 47) % 94) if "!" <= char <= "~" else char for char in text),
    lambda v: v.text.isascii(),
)
hard("two halves, two fields", lambda text: {"p1": text[: len(text) // 2], "p2": text[len(text) // 2 :]})
hard("two halves in a list", lambda text: [text[: len(text) // 2], text[len(text) // 2 :]])
hard("pieces of four in a list", lambda text: [text[at : at + 4] for at in range(0, len(text), 4)])
hard("base64 in two fields", lambda text: {"b1": b64(text.encode())[:8], "b2": b64(text.encode())[8:]})
hard("hex in two fields", lambda text: {"h1": text.encode().hex()[:12], "h2": text.encode().hex()[12:]})
hard("hyphens between letters", "-".join)
hard("spaces between letters", " ".join)
hard("base36 of the number", lambda text: base(int(text.lstrip("+")), DIGITS + LOWER), decimal)
hard("base36 of the number, upper", lambda text: base(int(text.lstrip("+")), DIGITS + UPPER), decimal)
hard("base62 of the number", lambda text: base(int(text.lstrip("+")), DIGITS + UPPER + LOWER), decimal)
hard("base62 of the number, lower first", lambda text: base(int(text.lstrip("+")), DIGITS + LOWER + UPPER), decimal)
hard("base32 of the number", lambda text: base(int(text.lstrip("+")), DIGITS + "abcdefghijklmnopqrstuv"), decimal)
hard("base64 with its cases turned", lambda text: b64(text.encode()).swapcase())
hard("base64 with dots", lambda text: b64(text.encode()).translate(str.maketrans("+/=", "._-")))
hard("base64 with tildes", lambda text: b64(text.encode()).translate(str.maketrans("+/=", "-~.")))
hard("base64, each byte one more", lambda text: b64(bytes((byte + 1) % 256 for byte in text.encode())))
hard("each letter one more", lambda text: "".join(chr(ord(char) + 1) for char in text))
hard("bits turned, hex", lambda text: bytes(~byte & 255 for byte in text.encode()).hex())
hard("nibbles swapped, hex", lambda text: bytes((byte & 15) << 4 | byte >> 4 for byte in text.encode()).hex())
hard(
    "hex in capitals with spaces of four",
    lambda text: " ".join(text.encode().hex().upper()[at : at + 4] for at in range(0, 2 * len(text.encode()), 4)),
)
hard("gzip of the reversed, base64", lambda text: b64(world.gz(text[::-1].encode())))
hard("base64 with a letter in front of each line", lambda text: "Q" + b64(text.encode()))
whole("xor of the body", lambda body: xor(body, b"\x42"))
whole("xor of the body with a high key", lambda body: xor(body, b"\xd3"))
whole("xor of the body with four bytes", lambda body: xor(body, b"\x9a\x37\xc4\x01"))
whole("body reversed", lambda body: body[::-1])
whole("base64 of the body reversed", lambda body: base64.b64encode(body)[::-1])
whole("xor of gzip", lambda body: xor(world.gz(body), b"\x35"))
whole("base64 of xor of the body", lambda body: base64.b64encode(xor(body, b"\x6e")))
whole("gzip without its head", lambda body: world.gz(body)[10:])
whole("body with its bits turned", lambda body: bytes(~byte & 255 for byte in body))
whole("each byte one more", lambda body: bytes((byte + 1) % 256 for byte in body))

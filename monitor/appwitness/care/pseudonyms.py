"""Replaces a personal value in a shared copy with a token of the same shape, in each form that the value takes."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote_to_bytes

from appwitness.catalog.withheld import is_placeholder
from appwitness.events import Value
from appwitness.match import variants
from appwitness.match.hits import Hit
from appwitness.match.variants.dates import DATE

DIGITS, UPPER, LOWER = "0123456789", "BCDFGHJKLMNPQRSTVWXZ", "bcdfghjklmnpqrstvwxz"
VOWELS = "aeiouy"
HAN = "明华丽强军平红文建国志伟芳玉秀英海山林春雪云江波峰磊静敏洁涛斌辉刚健宁佳欣怡晨宇航博睿思远"
"""Characters used in the tokens of Chinese names."""
SUBSCRIBER_DIGITS = 8
"""Number of digits replaced at the end of a phone number: country and operator stay, and all its notations agree."""
ATTEMPTS = 20
HIDDEN_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
NEAR_DEGREES = 0.6
"""Greatest distance, in degrees, at which a number counts as a rounded form of a coordinate and is replaced."""

type Codec = tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]


class Tokens:
    """Tokens for the values of one recording: equal values get equal tokens, by a random key that is never stored."""

    def __init__(self, values: Iterable[Value]) -> None:
        self._key = secrets.token_bytes(32)
        self._known = {(value.type, value.text) for value in values}
        self._texts = {text for _, text in self._known}
        self._made: dict[tuple[str, str], str] = {}

    def of(self, value: Value) -> Value:
        """The token of a value; a value that identifies nobody is returned unchanged."""
        key = (value.type, value.text)
        if key not in self._made:
            self._made[key] = value.text if not value.text.strip() or is_placeholder(value) else self._token(value)
        return value.model_copy({"text": self._made[key]})

    def _token(self, value: Value) -> str:
        kind = variants.kind_of(value)
        made = value.text
        for attempt in range(ATTEMPTS):
            made = self._shaped(kind, value.text, attempt)
            if made not in self._texts:
                break
        return made

    def _shaped(self, kind: str, text: str, attempt: int = 0) -> str:
        if kind == "location":
            return re.sub(r"\d+(?:\.\d+)?", lambda found: self._degrees(found.group(), attempt), text)
        if kind == "date" and (parts := DATE.fullmatch(text.strip())):
            stream = self._stream("date", text.strip(), attempt)
            month, day = str(next(stream) % 9 + 1), str(next(stream) % 9 + 1)
            year, dash = 1950 + next(stream) % 50, parts[2]
            return f"{year}{dash}{month.zfill(len(parts[3]))}{dash}{day.zfill(len(parts[4]))}"
        if kind == "ip" and text.count(".") == 3:
            stream = self._stream("ip", text, attempt)
            return re.sub(r"\d+", lambda found: _octet(len(found.group()), next(stream)), text)
        if kind == "phone":
            places = [at for at, char in enumerate(text) if char.isdigit()]
            kept = places[:-SUBSCRIBER_DIGITS]
            made = self._scrambled("".join(text[at] for at in places[len(kept) :]), attempt)
            letters = list(text)
            for at, digit in zip(places[len(kept) :], made, strict=True):
                letters[at] = digit
            return "".join(letters)
        if kind == "email" and "@" in text:
            local, _, domain = text.rpartition("@")
            name, dot, top = domain.rpartition(".")
            return f"{self._scrambled(local, attempt)}@{self._scrambled(name, attempt)}{dot}{top}"
        hexadecimal = kind in ("mac", "id")
        made = self._scrambled(text, attempt, hexadecimal)
        return _with_check_digit(made) if _luhn(text) else made

    def scrambled(self, text: str) -> str:
        """A meaningless text of the same shape; equal texts give equal results."""
        return self._scrambled(text, 0)

    def _scrambled(self, text: str, attempt: int, hexadecimal: bool = False) -> str:
        stream = self._stream("text", text.casefold(), attempt)
        return "".join(_like(char, next(stream), hexadecimal) for char in text)

    def _stream(self, *seed: object) -> Iterator[int]:
        """Pseudo-random numbers below 2 ** 32 that depend only on key and seed."""
        count = 0
        while True:
            block = hmac.digest(self._key, repr((*seed, count)).encode("utf-8", "replace"), "sha512")
            yield from (int.from_bytes(block[at : at + 4]) for at in range(0, len(block), 4))
            count += 1

    def _degrees(self, text: str, attempt: int) -> str:
        """Degrees with the same number of digits, and in a range in which a latitude stays a latitude."""
        whole, dot, part = text.partition(".")
        stream = self._stream("degrees", text, attempt)
        low, high = {1: (0, 9), 2: (10, 89)}.get(len(whole), (100, 179))
        return f"{low + next(stream) % (high - low + 1)}{dot}{''.join(DIGITS[next(stream) % 10] for _ in part)}"

    # one form of a value, as found

    def instead(self, hit: Hit, old: bytes) -> bytes | None:
        """The replacement for the bytes `old`, in which a form of a value was found; None when there is none."""
        if hit.variant.how == "place":
            return self._place(hit, old)
        if hit.leaf.exact:
            return self._form(hit, old) or self._nothing(old)
        found = hit.found.encode("utf-8", "replace")
        for decode, encode in CODECS:
            try:
                inner = decode(old)
                if inner == old or encode(inner).lower() != old.lower():
                    continue
            except (ValueError, binascii.Error):
                continue
            if found and found in inner and (new := self._form(hit, found) or self._nothing(found)):
                return encode(inner.replace(found, new))
            if hit.variant.how == "leaf" and (new := self._form(hit, inner)):
                return encode(new)
        return None

    def _form(self, hit: Hit, old: bytes) -> bytes | None:
        """The token in the same form."""
        new = self._pattern(hit)
        if new is None or new == hit.variant.pattern:
            return None
        pattern = hit.variant.pattern
        if hit.variant.how == "digits":
            places = [at for at, byte in enumerate(old) if chr(byte) in DIGITS]
            if len(places) != len(new):
                return None
            made = bytearray(old)
            for at, digit in zip(places, new, strict=True):
                made[at] = digit
            return bytes(made)
        for write in WRITTEN:
            if write(pattern) == old:
                return write(new)
        return None

    def _pattern(self, hit: Hit) -> bytes | None:
        value, token = hit.value, self.of(hit.value)
        if hit.variant.how == "leaf":
            of = [(name, form, raw) for name, form, raw, _ in variants.digests_of(value)]
            made = [(name, form, raw) for name, form, raw, _ in variants.digests_of(token)]
        else:
            of = [(f"{one.name} {one.how}", one.of, one.pattern) for one in variants.texts_of(value)]
            made = [(f"{one.name} {one.how}", one.of, one.pattern) for one in variants.texts_of(token)]
        at = next((at for at, one in enumerate(of) if one[2] == hit.variant.pattern), None)
        if at is None:
            return None
        nth = [one[:2] for one in of[:at]].count(of[at][:2])
        alike = [one[2] for one in made if one[:2] == of[at][:2]]
        return alike[nth] if nth < len(alike) else None

    def _place(self, hit: Hit, old: bytes) -> bytes | None:
        """Replace numbers close to a place's latitude or longitude with the token's, to the same number of decimals."""
        pairs = list(
            zip(
                re.findall(r"-?\d+(?:\.\d+)?", hit.value.text),
                re.findall(r"-?\d+(?:\.\d+)?", self.of(hit.value).text),
                strict=True,
            )
        )

        def put(found: re.Match[bytes]) -> bytes:
            written = found.group()
            decimals = len(written.partition(b".")[2])
            for was, now in pairs:
                if abs(float(written) - float(was)) <= NEAR_DEGREES:
                    return f"{float(now):.{decimals}f}".encode()
            return written

        made = HIDDEN_NUMBER.sub(put, old)
        return made if made != old else None

    def _nothing(self, old: bytes) -> bytes | None:
        """Meaningless text of the same shape, for a form that the token cannot take."""
        try:
            text = old.decode()
        except UnicodeDecodeError:
            return None
        made = self.scrambled(text)
        return made.encode() if made != text and made.isprintable() else None


def _like(char: str, number: int, hexadecimal: bool) -> str:
    if char in DIGITS:
        return DIGITS[number % 10]
    if hexadecimal and char in "abcdefABCDEF":
        return ("abcdef" if char.islower() else "ABCDEF")[number % 6]
    if char.lower() in VOWELS:
        return VOWELS[number % 6] if char.islower() else VOWELS[number % 6].upper()
    if char.isascii() and char.isalpha():
        return (LOWER if char.islower() else UPPER)[number % 20]
    if char.isalpha():
        chosen = HAN[number % len(HAN)]
        return chosen if len(chosen.encode()) == len(char.encode("utf-8", "replace")) else LOWER[number % 20]
    return char


def _octet(digits: int, number: int) -> str:
    return str({1: 1 + number % 9, 2: 10 + number % 90}.get(digits, 100 + number % 100))


def _luhn(text: str) -> bool:
    """Whether a text is a long number with a valid Luhn check digit."""
    return bool(re.fullmatch(r"\d{14,20}", text)) and _sum(text) % 10 == 0


def _sum(digits: str) -> int:
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits)))
    return sum(each - 9 * (each > 9) for each in doubled)


def _with_check_digit(digits: str) -> str:
    return digits[:-1] + str(-_sum(f"{digits[:-1]}0") % 10)


def _escaped(data: bytes) -> bytes:
    return json.dumps(data.decode()).encode()[1:-1]


def _unescaped(data: bytes) -> bytes:
    return str(json.loads(b'"' + data + b'"')).encode()


def _padding(data: bytes) -> bytes:
    return data + b"=" * (-len(data) % 4)


CODECS: tuple[Codec, ...] = (
    (_unescaped, _escaped),
    (_unescaped, lambda data: b"".join(f"\\u{ord(char):04x}".encode() for char in data.decode())),
    (unquote_to_bytes, lambda data: quote(data, safe="").encode()),
    (unquote_to_bytes, lambda data: quote(data).encode()),
    (lambda data: unquote_to_bytes(data.replace(b"+", b" ")), lambda data: quote_plus(data).encode()),
    (lambda data: base64.b64decode(data, validate=True), base64.b64encode),
    (lambda data: base64.b64decode(_padding(data), validate=True), lambda data: base64.b64encode(data).rstrip(b"=")),
    (lambda data: base64.urlsafe_b64decode(_padding(data)), lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")),
    (base64.urlsafe_b64decode, base64.urlsafe_b64encode),
    (lambda data: bytes.fromhex(data.decode()), lambda data: data.hex().encode()),
    (lambda data: bytes.fromhex(data.decode()), lambda data: data.hex().upper().encode()),
    (lambda data: bytes.fromhex(data.decode().removeprefix("0x")), lambda data: f"0x{data.hex().upper()}".encode()),
)
"""Encodings of text; only the encoded text as a whole has a position in the upload. A codec is used if encoding the
decoded text returns the original again, ignoring case."""
WRITTEN: tuple[Callable[[bytes], bytes], ...] = (
    bytes,
    bytes.lower,
    bytes.upper,
    lambda data: data.hex().encode(),
    lambda data: data.hex().upper().encode(),
    base64.b64encode,
    lambda data: base64.b64encode(data).rstrip(b"="),
    lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
)
"""How a form may be written in an upload."""

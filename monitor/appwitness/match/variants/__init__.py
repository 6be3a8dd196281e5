"""The forms in which a value may be sent: normal forms by type, their spellings, their digests, locations as
numbers."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from appwitness.events import Value
from appwitness.match.variants import composed, digests, disguises, phones
from appwitness.match.variants.dates import DATE
from appwitness.match.variants.normal import FORMS, HAN, HEX_ID, MAC, SURNAMES, UUID, Forms, kind_of, varied

__all__ = [
    "COMPOSED",
    "FORMS",
    "HAN",
    "SUMMED",
    "SURNAMES",
    "UNCHECKED",
    "Digested",
    "Edge",
    "Forms",
    "How",
    "Variant",
    "bits_of",
    "bytes_of",
    "digested",
    "digests_of",
    "in_binary",
    "in_disguise",
    "is_grouped",
    "kind_of",
    "of",
    "texts_of",
    "uses",
]

How = Literal["text", "utf-8", "bytes", "digits", "leaf", "place"]
"""How a form is found. text: anywhere in a leaf, in any charset or in base64; utf-8: only in UTF-8; bytes: exactly
these bytes in binary data; digits: the digits of a number written with separators; leaf: a digest that is all of a
leaf's bytes; place: numbers near this point."""
Edge = Literal["digit", "word", "hex", "version", "none"]
"""What must not stand beside a text. digit: another digit; word: another letter or digit; hex: another hex digit;
version: anything but two digits after it; none: no restriction."""


class Variant(NamedTuple):
    """One form of a value."""

    name: str
    """plain, digits, e164, lower, sha256, coordinates ..."""
    of: str
    """The normal form that it was made from: as_given, e164, national ..."""
    how: How
    pattern: bytes
    """What to look for: UTF-8 text, digits, raw digest; empty for a place."""
    edge: Edge = "none"
    bits: float = 0
    """How much information it carries: a chance hit at one position has the probability 2 ** -bits."""

    @property
    def unchecked(self) -> bool:
        """Whether it is a number without its check digit: a digit after it, or one cut off, may make it another
        number."""
        return self.of == UNCHECKED


UNCHECKED = "without_check_digit"


@lru_cache(maxsize=4096)
def bits_of(text: str) -> float:
    """How much information a text carries, in bits: estimated from its letters, and meant to be too low rather than
    too high."""
    pure = text.replace("-", "").replace(":", "")
    if HEX_ID.fullmatch(pure):
        return 3.7 * len(pure)
    if text.isascii():
        digits = len(text) - len(text.translate(NO_DIGITS))
        return 2.9 * digits + 2.3 * (len(text) - digits)
    han = len(HAN.findall(text))
    digits = sum(char.isdecimal() for char in text)
    return 6.5 * han + 2.9 * digits + 2.3 * (len(text) - han - digits)


NO_DIGITS = str.maketrans("", "", "0123456789")
PARTS = frozenset(("local", "initial"))
PART_BITS = 20.0
"""Maximum bits of a part of an address or a name, which others may share: less than proof."""
DATE_BITS = 15.0
"""Maximum bits of a date, however it is written: a life has some thirty thousand days."""
CHECKSUM_BITS = 20.0
"""Maximum bits of a 32-bit checksum: less than proof, because many numbers and words are examined."""
SEARCHED = 2
"""Minimum characters of a text that is looked for at all, except a single Chinese character that is a word."""
DIGESTED = 3
"""Minimum bytes of a text whose digests are looked for."""


Digested = tuple[str, str, bytes, float]
"""A digest of a value: name of the variant, normal form, raw bytes, bits of the form. A plain tuple, because a value
has hundreds of them and hardly any is ever found; `digested` makes a variant of one."""


def of(value: Value) -> tuple[Variant, ...]:
    """All forms of a value, in a fixed order."""
    return (*texts_of(value), *map(digested, digests_of(value)))


def digested(digest: Digested) -> Variant:
    """A digest as a variant that is all of a leaf."""
    name, form_name, raw, bits = digest
    return Variant(name, form_name, "leaf", raw, "none", bits)


MAIN_FORMS = 4
"""How many of a value's first normal forms are looked for in every charset and as digests of digests."""
IN_DIGITS = frozenset(("formatted", "separated", "uri"))
"""Normal forms that are found by their digits, whatever separators stand between them."""


Use = tuple[str, str, bytes, How | None, digests.Depth | None]
"""A use of a normal form: its name, its text, the text as UTF-8, how it is searched for as a text (None: not at
all), and which of its digests are searched for (None: none). A plain tuple, because a value has dozens of them."""


@lru_cache(maxsize=16)  # called twice for each value that is added
def uses(kind: str, forms: Forms) -> tuple[Use, ...]:
    """How each normal form of a value is looked for; of forms that differ only in case, only the first is looked for
    as a text."""
    made: list[Use] = []
    seen: set[bytes] = set()  # lower case for ASCII only, as the search compares
    chosen = 0
    for number, (name, text) in enumerate(forms):
        coded = text.encode("utf-8", "replace")
        lower = coded.lower()
        how: How | None = None
        if (
            lower not in seen
            and (len(text) >= SEARCHED or (kind == "text" and len(coded) > SEARCHED))
            and not _is_left_out(kind, name)
        ):
            seen.add(lower)
            how = "text" if number < MAIN_FORMS or kind == "mac" else "utf-8"
        depth: digests.Depth | None = None
        if len(coded) >= DIGESTED:
            depth = "usual"
            if name not in UNCHOSEN:
                chosen += 1
                depth = "doubled" if chosen <= MAIN_FORMS else "all"
        made.append((name, text, coded, how, depth))
    return tuple(made)


def _is_left_out(kind: str, name: str) -> bool:
    """Whether a normal form is found in another way than as a text, as a place is by its numbers."""
    return name in IN_DIGITS if kind == "phone" else kind == "location" and name != "as_given"


def is_grouped(kind: str, name: str, text: str) -> bool:
    """Whether a form is a number that is also looked for with separators between its digits. `trunk_0` is not: its
    zero may be the one before the point of a decimal number."""
    return kind in ("phone", "imei", "number") and len(text) >= 7 and text.isdecimal() and name != "trunk_0"


def in_disguise(forms: Forms) -> Iterator[tuple[str, str]]:
    """(name, text) of each disguise of a value, if the value carries enough bits."""
    given = forms[0][1] if forms else ""
    if bits_of(given) < DISGUISED_BITS:
        return
    yield from disguises.disguised(given)


DISGUISED_BITS = 30.0


def texts_of(value: Value) -> Iterator[Variant]:
    """The forms of a value that are not digests."""
    kind = kind_of(value)
    forms = FORMS[kind](value.text)
    yield from in_binary(kind, forms)
    for name, text, coded, how, _ in uses(kind, forms):
        if how is None:
            continue
        variant = "plain" if name == "as_given" else name
        bits = min(bits_of(text), DATE_BITS if kind == "date" else PART_BITS if name in PARTS else math.inf)
        yield Variant(variant, name, how, coded, "none" if name == "beginning" else _edge(text), bits)
        if is_grouped(kind, name, text):
            yield Variant(variant, name, "digits", text.encode(), "digit", bits)
    if kind == "location":
        yield Variant("coordinates", "as_given", "place", b"")
    for name, text in forms:
        if name not in SUMMED:
            continue
        bits = min(bits_of(text), CHECKSUM_BITS)
        for checksum, sum32 in _checksums(text):
            if sum32 > 1 << 24:
                for written in _written(sum32):
                    yield Variant(checksum, name, "utf-8", written.encode(), "digit", bits)
    for name, text in in_disguise(forms):
        coded = text.encode("utf-8", "replace")
        yield Variant(name, "as_given", "utf-8", coded, _edge(text), bits_of(forms[0][1]))


def bytes_of(kind: str, forms: Forms) -> bytes:
    """The bytes that an id stands for, whose digests are looked for as well; empty for any other value."""
    pure = _pure(forms[0][1]) if kind in ("mac", "id") else ""
    return bytes.fromhex(pure) if pure and varied(pure) else b""


def digests_of(value: Value) -> list[Digested]:
    """The digests and checksums of every normal form of a value."""
    kind = kind_of(value)
    forms = FORMS[kind](value.text)
    found: list[Digested] = []
    if raw_id := bytes_of(kind, forms):
        found += [(name, "bytes", digests.DIGESTS[name](raw_id), 8.0 * len(raw_id)) for name in digests.COMMON]
    for number, (name, text, data, _, depth) in enumerate(uses(kind, forms)):
        if depth is None:
            continue
        bits = bits_of(text)
        found += [(digest, name, raw, bits) for digest, raw in digests.of(data, depth)]
        if number == 0:
            found += _in_charsets(text, bits)
            found += [(digest, name, raw, bits) for digest, raw in composed.given(text)]
        if name in COMPOSED:
            found += [(digest, name, raw, bits) for digest, raw in composed.of(text)]
        if name in SUMMED:
            sums = _checksums(text)
            found += [(checksum, name, sum32.to_bytes(4), min(bits, CHECKSUM_BITS)) for checksum, sum32 in sums]
    return found


UNCHOSEN = frozenset(
    (
        *("e164_elsewhere", "international_elsewhere"),
        *("hex_number", "formatted", "separated", "uri", "international_011", "integer", "integer_backwards"),
        *("signed_integer", "zeros_dropped", "backwards", "eui64", "half", "guid", "underscores", "dotted"),
        *("dotted_upper", "quoted", "swapped", "joined", "joined_lower", "spaced", "lines", "raw", "urn", "nai"),
        *("rounded_2", "rounded_3", "rounded_4", "rounded_5", "rounded_6", "lat_lon", "lon_lat"),
        *(f"rounded_{decimals}_lon_lat" for decimals in range(2, 7)),
        *(
            "local",
            "initial",
            "street",
            "without_town",
            "unpadded",
            "in_words",
            "seconds",
            "padded",
            "for_files",
            "undotted",
            "slug",
            "slashes",
            "beginning",
            "lower_without_accents",
        ),
        *(f"geohash_{size}" for size in range(6, 11)),
    )
)
"""Normal forms that hardly anybody would hash; only their usual digests are looked for."""
CHOSEN = frozenset(("lower", "e164", "international", "national", "significant", "bare", "bare_upper", "digits"))
"""Normal forms that are chosen to make values alike before they are hashed."""
SUMMED = CHOSEN | {"as_given"}
"""Normal forms whose checksums are looked for."""
COMPOSED = frozenset(("as_given", "lower", "e164", "national", "bare"))
"""Those of them whose rare digests are looked for as well."""


def in_binary(kind: str, forms: Forms) -> Iterator[Variant]:
    """Ids and dates as the bytes that they stand for, numbers packed two digits per byte, and an IMEI with its
    software version."""
    text = forms[0][1] if forms else ""
    if kind in ("mac", "id"):
        pure = _pure(text)
        if pure and varied(pure):
            raw = bytes.fromhex(pure)
            yield Variant("bytes", "bare", "bytes", raw, "none", 4.0 * len(pure))
            yield Variant("bytes", "backwards", "bytes", raw[::-1], "none", 4.0 * len(pure))
            if len(raw) == 16:
                yield Variant("bytes", "guid", "bytes", uuid.UUID(bytes=raw).bytes_le, "none", 4.0 * len(pure))
                halves = raw[7::-1] + raw[:7:-1]  # as the old Java driver of MongoDB wrote the two longs
                yield Variant("bytes", "halves_backwards", "bytes", halves, "none", 4.0 * len(pure))
    elif kind == "date" and (parts := DATE.fullmatch(text)):
        year, month, day = (int(parts[group]) for group in (1, 3, 4))
        message = bytes((0x08, year & 0x7F | 0x80, year >> 7, 0x10, month, 0x18, day))  # google.type.Date in protobuf
        yield Variant("bytes", "message", "bytes", message, "none", DATE_BITS)
    elif kind in ("phone", "number"):
        yield from _packed_digits(phones.digits_of(text) if kind == "phone" else text)
    elif kind == "imei" and len(digits := phones.digits_of(text)) == 15 and varied("0" + digits):
        yield Variant("packed_digits", "as_given", "bytes", bytes.fromhex("0" + digits), "none", 44.0)
        yield Variant("packed_digits", "as_given", "bytes", bytes.fromhex(digits + "f"), "none", 44.0)
        turned = _swapped(f"{digits}f")
        yield Variant("packed_digits", "swapped", "bytes", bytes.fromhex(turned), "none", 44.0)
        identity = _swapped(f"a{digits}")  # as in TS 24.008: the kind, then the digits
        yield Variant("packed_digits", "mobile_identity", "bytes", bytes.fromhex(identity), "none", 44.0)
        yield Variant("bytes", "big_endian", "bytes", int(digits).to_bytes(8), "none", 44.0)
        yield Variant("bytes", "little_endian", "bytes", int(digits).to_bytes(8, "little"), "none", 44.0)
        yield Variant("with_software_version", UNCHECKED, "utf-8", digits[:14].encode(), "version", 40.0)


def _packed_digits(digits: str) -> Iterator[Variant]:
    """A number packed two digits per byte, in either order, as on SIM cards and in short messages; and as eight
    bytes."""
    if not digits.isdecimal() or not 10 <= len(digits) <= 20:
        return
    filled = digits + "f" * (len(digits) % 2)
    bits = bits_of(digits)
    coded_as = [("in_order", filled), ("swapped", _swapped(filled))]
    coded_as += [("mobile_identity", _swapped(f"9{digits}"))] if len(digits) == 15 else []
    for of, coded in coded_as:
        if varied(coded):
            yield Variant("packed_digits", of, "bytes", bytes.fromhex(coded), "none", bits)
    number = int(digits)
    if 1 << 32 < number < 1 << 63:
        yield Variant("bytes", "big_endian", "bytes", number.to_bytes(8), "none", bits)
        yield Variant("bytes", "little_endian", "bytes", number.to_bytes(8, "little"), "none", bits)


def _swapped(digits: str) -> str:
    """The digits with each pair swapped."""
    return "".join(f"{second}{first}" for first, second in zip(digits[::2], digits[1::2], strict=True))


def _pure(text: str) -> str:
    """The hex digits of an id; empty if they are not whole bytes."""
    pure = re.sub(r"[^\da-fA-F]", "", text)
    return "" if len(pure) % 2 else pure


def _in_charsets(text: str, bits: float) -> Iterator[Digested]:
    """Digests of a value in other charsets, only of the form as given."""
    for charset in ("utf-16le", "utf-16be", "gb18030"):
        if charset != "gb18030" or not text.isascii():
            data = text.encode(charset, "replace")
            for digest in digests.COMMON:
                yield digest, f"as_given_{charset}", digests.DIGESTS[digest](data), bits


@lru_cache(maxsize=64)  # called twice for each form
def _checksums(text: str) -> tuple[tuple[str, int], ...]:
    """The 32-bit checksums of a text: (name, checksum)."""
    data = text.encode("utf-8", "replace")
    made = [(name, compute(data)) for name, compute in digests.CHECKSUMS.items()]
    return (*made, ("hash_code", composed.hash_code(data)))


def _written(sum32: int) -> Iterator[str]:
    """A checksum as a number, unsigned and signed; also in hex, if all its digits are decimal."""
    yield str(sum32)
    if sum32 >> 31:
        yield str(sum32 - (1 << 32))
    if f"{sum32:08x}".isdecimal():
        yield f"{sum32:08x}"


def _edge(text: str) -> Edge:
    if not text.isdecimal() and (MAC.fullmatch(text) or HEX_ID.fullmatch(text) or UUID.fullmatch(text)):
        return "hex"
    if text[0] in "+0123456789" and text[-1].isdecimal() and not re.search(r"[^\W\d_]", text):
        return "digit"
    return "none" if HAN.search(text[0]) and HAN.search(text[-1]) and len(text) > 3 else "word"

"""Finds values cut into neighbouring fields: given and family name, area code and number, parts of an IMEI; or cut
anywhere, which yields only a candidate."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from appwitness.events import Value
from appwitness.findings import Why, because
from appwitness.match.decode.walk.pieces import Leaf
from appwitness.match.hits import STRONG_BITS, TELLING, Hit, all_of, last_key, parent_of
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.sieve import Sieve
from appwitness.match.native.tables import WordTable, hashes_of
from appwitness.match.search import Search
from appwitness.match.variants import FORMS, HAN, SURNAMES, UNCHECKED, Variant, bits_of, digests, kind_of
from appwitness.match.variants.dates import DATE
from appwitness.match.variants.normal import UMLAUTS, without_accents
from appwitness.match.variants.phones import digits_of

LONGEST = 64
"""Maximum letters of a part."""
NEAR = 12
"""Maximum number of leaves between one part and the next: a leaf may have been read in several ways."""
KEYS = {
    "name": re.compile(r"name|given|family|first|last|middle|^(?:fn|ln|gn|sn)$|姓|名"),
    "phone": re.compile(r"phone|mobile|msisdn|tel|cell|num|area|prefix|line|part|country|code|^cc$|电话|号码|区号"),
    "mac": re.compile(r"mac|oui|nic|vendor|maker|addr|device|prefix|rest|suffix|part|[0-9]$"),
    "id": re.compile(r"id|uuid|most|least|high|low|msb|lsb|hi$|lo$|part|word|half|[0-9]$"),
    "imei": re.compile(r"imei|tac|snr|serial|device|part|check"),
    "date": re.compile(TELLING["date"].pattern + r"|[.\[\"_]b[_-]?(?:year|month|mon|day)\b"),
    "email": re.compile(r"mail|user|local|account|domain|host|login|邮箱"),
    "number": re.compile(r"mcc|mnc|msin|imsi|iccid|card|part|number|id|卡号"),
    "address": re.compile(
        r"addr|street|city|town|state|zip|post|province|district|detail|line|country|region|[省市区县街]"
    ),
}


Cuts = list[tuple[str, tuple[str, ...]]]
"""Ways to cut a value: the normal form, and its parts in order."""
CANDIDATE_BITS = 30.0
"""Minimum bits of a value that is assembled from parts cut anywhere."""
SURE_BITS = 40.0
"""Minimum bits for an id or MAC address to be believed in parts, whatever their keys are."""
PIECES = 24
"""Maximum number of parts that a value is assembled from."""
BEGINNING = 4
"""Leading letters by which the possible first part of a value is recognized."""
SURE_OF_LITTLE = 3.0
"""Bits of a value that was assembled from parts under keys that say nothing: a candidate, no proof."""


class Splits:
    """Values that may be cut. Only hashes are stored of each; the parts of a value are made again when it is found."""

    def __init__(self, narrow: Sieve) -> None:
        """`narrow`: the sieve, to which the parts are added as well."""
        self._narrow = narrow
        self._firsts, self._cuts, self._whole = WordTable(), WordTable(), WordTable()
        """Hashes of first parts (all for slot 0), of the first two parts, and of whole forms, both for the slots of
        their values."""
        self._beginnings: set[str] = set()

    def add(self, slot: int, value: Value) -> None:
        """Look for the parts of a value from now on."""
        kind, text = kind_of(value), value.text
        cuts = list(cuts_of(kind, text))
        self._narrow.add_words(rarest(cuts))
        once = {part for _, parts in cuts for part in parts}
        self._narrow.add_shorts([part.encode() for part in once if SHORT_PART.fullmatch(part)])
        if folded := _folded(cuts):
            self._firsts.put(hashes_of(parts[0] for _, parts in folded), 0)
            self._cuts.put(hashes_of(parts[:2] for _, parts in folded), slot)
        if whole := _whole(kind, text):
            self._whole.put(hashes_of(form for _, form in whole), slot)
            self._beginnings.update([form[:size] for _, form in whole for size in range(1, BEGINNING + 1)])

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """Every value whose parts are whole leaves beside each other."""
        cut = list(self._neighbours(look, search))
        anywhere = list(self._joined(look, search))
        sure = {hit.key for hit in cut if hit.strong}
        candidates = {hit.key for hit in anywhere}
        yield from (hit for hit in cut if hit.strong or hit.key not in candidates)
        yield from (hit for hit in anywhere if hit.key not in sure)

    def _neighbours(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        texts = [
            (number, leaf.text.strip().casefold())
            for number, leaf in enumerate(look.leaves)
            if leaf.text is not None and len(leaf.text) <= LONGEST
        ]
        firsts = self._firsts.find(hashes_of(text for _, text in texts)) if self._firsts else ()
        for number, first in dict.fromkeys(texts[row.start] for row in firsts):
            beside = sorted(_texts_beside(look, number))
            slots = {row.slot for row in self._cuts.find(hashes_of((first, text) for text in beside))}
            for slot in sorted(slots):
                yield from self._cut(look, number, beside, slot, search)

    def _cut(self, look: JoinedLeaves, number: int, beside: list[str], slot: int, search: Search) -> Iterator[Hit]:
        """The hits of a slot's value whose first part is this leaf."""
        value = search.known.value(slot)
        kind, text = kind_of(value), value.text
        first = (look.leaves[number].text or "").strip().casefold()
        for of, parts in _folded(list(cuts_of(kind, text))):
            numbers = _beside(look, number, parts) if parts[0] == first and parts[1] in beside else None
            if numbers is None or (of == UNCHECKED and _is_digit(look.leaves, numbers[-1] + 1)):
                continue
            keys = [
                look.leaves[one].path.lower() if kind == "date" else last_key(look.leaves[one].path) for one in numbers
            ]
            telling = all(KEYS[kind].search(key) for key in keys)
            if of == FROM_ZERO and not (telling and DAY_OF_MONTH.search(keys[-1])):
                continue
            bits = bits_of(text) if of in digests.COMMON else sum(bits_of(part) for part in parts)
            variant = Variant("split", of, "utf-8", b"", "none", bits)
            paths = [look.leaves[one].path for one in numbers]
            for one, path in zip(numbers, paths, strict=True):
                rest = ", ".join(other for other in paths if other != path)
                reasons = (
                    because(Why.IN_PARTS, count=len(parts), rest=rest),
                    because(Why.KEYS if telling else Why.NO_KEYS),
                )
                sure = bits >= (STRONG_BITS if telling else SURE_BITS if kind in ("id", "mac") else math.inf)
                spot = all_of(look.leaves[one], "utf-8")
                yield from search.hit(slot, variant, spot, strong=sure, telling=telling, reasons=reasons)

    def _joined(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """Values that are spread over neighbouring fields in order, each field holding the next part."""
        beginnings, leaves = self._beginnings, look.leaves
        rows_of_leaves: list[tuple[str, list[int]]] = []
        for number, leaf in enumerate(leaves):
            text = leaf.text
            if text is None or not 0 < len(text) <= LONGEST or text[:BEGINNING].casefold() not in beginnings:
                continue
            own, last, joined, numbers = parent_of(leaf.path), leaf.path, text.casefold(), [number]
            for later in range(number + 1, min(len(leaves), number + PIECES)):
                other = leaves[later]
                if other.path == last:
                    continue
                if other.text is None or parent_of(other.path) != own or len(joined) + len(other.text) > LONGEST:
                    break
                joined += other.text.casefold()
                last = other.path
                numbers.append(later)
                if joined[:BEGINNING] not in beginnings:
                    break
                if not _goes_on(leaves, number, later):
                    rows_of_leaves.append((joined, numbers[:]))
        found = self._whole.find(hashes_of(joined for joined, _ in rows_of_leaves)) if rows_of_leaves else ()
        for slot, at in sorted({(row.slot, row.start) for row in found}, key=lambda one: one[::-1]):
            joined, numbers = rows_of_leaves[at]
            value = search.known.value(slot)
            for of in (of for of, form in _whole(kind_of(value), value.text) if form == joined):
                variant = Variant("split", of, "utf-8", b"", "none", SURE_OF_LITTLE)
                first, last = leaves[numbers[0]].path, leaves[numbers[-1]].path
                why = because(Why.CUT_ANYWHERE, count=len(numbers), first=first, last=last)
                for one in numbers:
                    spot = all_of(leaves[one], "utf-8")
                    yield from search.hit(slot, variant, spot, strong=True, telling=False, reasons=(why,))


def _is_digit(leaves: Sequence[Leaf], number: int) -> bool:
    """Whether a leaf is one digit: after the rest of an IMEI, it is the check digit of another IMEI."""
    text = leaves[number].text if number < len(leaves) else None
    return text is not None and len(text) == 1 and text.isdecimal()


def _goes_on(leaves: Sequence[Leaf], first: int, last: int) -> bool:
    """Whether a list of single letters or digits continues before or after these leaves."""
    if len(leaves[first].text or "") > 1 or len(leaves[last].text or "") > 1:
        return False
    own = parent_of(leaves[first].path)
    return any(
        0 <= at < len(leaves) and parent_of(leaves[at].path) == own and len(leaves[at].text or "") == 1
        for at in (first - 1, last + 1)
    )


def _folded(cuts: Cuts) -> Cuts:
    """The same in lower case, without duplicates and without those that have an empty or too long part."""
    found: dict[tuple[str, ...], str] = {}
    for of, parts in cuts:
        found.setdefault(tuple(map(str.casefold, parts)), of)
    return [(of, parts) for parts, of in found.items() if "" not in parts and len(max(parts, key=len)) <= LONGEST]


def _whole(kind: str, text: str) -> list[tuple[str, str]]:
    """(normal form, the value in it in lower case) of the forms with enough bits to be assembled from any parts."""
    forms = FORMS[kind](text)
    chosen = forms if kind == "phone" else forms[:1]
    return [
        (of, form.casefold())
        for of, form in chosen
        if of in WHOLE and bits_of(form) >= CANDIDATE_BITS and len(form) <= LONGEST
    ]


WHOLE = frozenset(("as_given", "digits", "national", "international", "significant"))


def cuts_of(kind: str, text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(normal form, its parts in order) for each way to cut a value."""
    return CUTS[kind](text) if kind in CUTS else iter(())


def _cuts_of_name(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    words = text.replace(",", " ").split()
    if len(words) == 1 and 2 <= len(words[0]) <= 4 and all(HAN.match(char) for char in words[0]):
        cut = 2 if words[0][:2] in SURNAMES and len(words[0]) > 2 else 1
        words = [words[0][:cut], words[0][cut:]]
    written = [words]
    if not text.isascii() and (plain := without_accents(" ".join(words))).isascii():
        written += [plain.split()]
        written += [with_two.split()] if (with_two := text.translate(UMLAUTS)).isascii() else []
    for names in ((" ".join(own[:cut]), " ".join(own[cut:])) for own in written for cut in range(1, len(own))):
        yield "as_given", names
        for digest in digests.COMMON:
            first, last = (digests.DIGESTS[digest](part.lower().encode("utf-8", "replace")).hex() for part in names)
            yield digest, (first, last)


def _cuts_of_date(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if birthday := DATE.fullmatch(text.strip()):
        year, month, day = birthday[1], int(birthday[3]), int(birthday[4])
        yield "as_given", (year, f"{month}", f"{day}")
        yield "as_given", (year, f"{month:02d}", f"{day:02d}")
        yield FROM_ZERO, (year, f"{month - 1}", f"{day}")


def _cuts_of_phone(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for of, form in FORMS["phone"](text):
        if of in ("as_given", "digits", "significant", "national") and form.isdecimal() and len(form) >= 9:
            for cut in range(2, 6):
                yield of, (form[:cut], form[cut:])
            for cuts in ((0, 3, 7, len(form)), (0, 3, 6, len(form)), (0, 4, 7, len(form))):
                yield of, tuple(form[start:end] for start, end in pairwise(cuts))


def _cuts_of_email(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    local, _, domain = text.strip().partition("@")
    yield "as_given", (local, domain)


def _cuts_of_number(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if text.isdecimal() and len(text) == 15:
        yield "as_given", (text[:3], text[3:5], text[5:])
        yield "as_given", (text[:3], text[3:6], text[6:])
        yield "as_given", (text[:5], text[5:])


def _cuts_of_address(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    parts = tuple(part for part in re.split(r"\s*[,;\n]\s*", text.strip()) if part)
    if len(parts) > 1:
        yield "as_given", parts
        rest = tuple(half for part in parts[1:] for half in _two_of(POSTCODE, part))
        yield "as_given", (*parts[:1], *rest)
        yield "as_given", (*(half for part in parts[:1] for half in _two_of(HOUSE, part)), *rest)


def _cuts_of_mac(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if len(pure := re.sub(r"[^\da-fA-F]", "", text)) == 12:
        twos = [pure[at : at + 2] for at in range(0, 12, 2)]
        for between in (":", "-", ""):
            yield "maker_and_rest", (between.join(twos[:3]), between.join(twos[3:]))


def _cuts_of_id(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if len(pure := text.strip().replace("-", "")) in (16, 32):
        for size in (len(pure) // 2, 8):
            hexes = tuple(pure[at : at + size] for at in range(0, len(pure), size))
            yield "in_words", hexes
            numbers = [int(part, 16) for part in hexes]
            yield "in_words", tuple(map(str, numbers))
            yield "in_words", tuple(str(number - (number >> 4 * size - 1 << 4 * size)) for number in numbers)


def _cuts_of_imei(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    digits = digits_of(text)
    if digits.isdecimal() and len(digits) == 15:
        yield "as_given", (digits[:8], digits[8:])
        yield "as_given", (digits[:8], digits[8:14], digits[14])
        yield UNCHECKED, (digits[:8], digits[8:14])
        yield UNCHECKED, (digits[:7], digits[7:14])
        yield "as_given", (digits[:7], digits[7:])


CUTS = {
    "name": _cuts_of_name,
    "date": _cuts_of_date,
    "phone": _cuts_of_phone,
    "email": _cuts_of_email,
    "number": _cuts_of_number,
    "address": _cuts_of_address,
    "mac": _cuts_of_mac,
    "id": _cuts_of_id,
    "imei": _cuts_of_imei,
}
"""Kind of value -> the ways in which it may be cut."""

FROM_ZERO = "month_from_zero"
"""The form of a date whose month counts from zero, as in Java's Calendar: another birthday may read the same, so the
key of the day must confirm it."""
DAY_OF_MONTH = re.compile(r"day_?of_?month")
POSTCODE = re.compile(r"(\w\w+) (\d{5}(?:-\d{4})?)|(\d{4,6}) (.+)")
"""A state before its postcode, or a postcode before its town."""
HOUSE = re.compile(r"(\D{3,}?) (\d{1,4} ?[a-zA-Z]?)|(\d{1,5}) (\D{3,})")
"""A street before its house number, or the other way round."""


def _two_of(pattern: re.Pattern[str], part: str) -> list[str]:
    """A part of an address as two fields, or unchanged."""
    found = pattern.fullmatch(part)
    return [half for half in found.groups() if half] if found else [part]


def rarest(cuts: Cuts) -> set[bytes]:
    """The longest word among the parts of each cut: wherever the value is, this word is too. If it is a short
    number, the two longest, one after the other."""
    found: set[bytes] = set()
    for _, parts in cuts:
        words = parts if "".join(parts).isalnum() else WORDS.findall(" ".join(parts))
        word = max(words, key=len, default="")
        if words is not parts and 0 < len(word) < SHORT_WORD:  # two digits of an address say nothing
            word = max(parts, key=len)
        if len(word) < SHORT_NUMBER and word.isdecimal():
            longest = sorted(sorted(range(len(words)), key=lambda at: -len(words[at]))[:2])
            word = "".join(words[at] for at in longest)
        found.add(word.encode())
    return found - {b""}


SHORT_PART = re.compile(r"[0-9]{1,4}")
SHORT_WORD = 3
SHORT_NUMBER = 5
"""Minimum digits of a number that alone is a reason to look at what stands beside it."""
WORDS = re.compile(r"[^\W_]+")


def _texts_beside(look: JoinedLeaves, first: int) -> set[str]:
    """The texts near a leaf, in the same object or list."""
    own = parent_of(look.leaves[first].path)
    return {
        leaf.text.strip().casefold()
        for leaf in look.leaves[max(0, first - NEAR) : first + NEAR + 1]
        if leaf.text is not None and len(leaf.text) <= LONGEST and parent_of(leaf.path) == own
    }


def _beside(look: JoinedLeaves, first: int, parts: tuple[str, ...]) -> tuple[int, ...] | None:
    """The leaves of all parts, near the first and in the same object or list; None if a part is missing."""
    own = parent_of(look.leaves[first].path)
    numbers = [first]
    taken = {look.leaves[first].path}
    for part in parts[1:]:
        for number in range(max(0, first - NEAR), min(len(look.leaves), first + NEAR + 1)):
            leaf = look.leaves[number]
            if leaf.text is None or leaf.path in taken or len(leaf.text) > LONGEST or parent_of(leaf.path) != own:
                continue
            if leaf.text.strip().casefold() == part:
                numbers.append(number)
                taken.add(leaf.path)
                break
        else:
            return None
    return tuple(numbers)

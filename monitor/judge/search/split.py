"""Finds values cut into neighbouring fields: given and family name, area code and number, parts of an IMEI; or cut
anywhere, which is only a candidate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from monitor.events import Value
from monitor.judge.search.hits import STRONG_BITS, last_key, parent_of
from monitor.judge.search.look import Look
from monitor.judge.search.numbers import Numbers
from monitor.judge.variants import FORMS, HAN, SURNAMES, Variant, bits_of
from monitor.judge.variants.phones import digits_of

LONGEST = 64
"""Letters of a part."""
NEAR = 12
"""Leaves between one part and the next: a leaf may have been read in several ways."""
KEYS = {
    "name": re.compile(r"name|given|family|first|last|middle|^(?:fn|ln|gn|sn)$|姓|名"),
    "phone": re.compile(r"phone|mobile|msisdn|tel|cell|num|area|prefix|line|part|country|code|^cc$|电话|号码|区号"),
    "imei": re.compile(r"imei|tac|snr|serial|device|part|check"),
    "email": re.compile(r"mail|user|local|account|domain|host|login|邮箱"),
    "number": re.compile(r"mcc|mnc|msin|imsi|iccid|card|part|number|id|卡号"),
    "address": re.compile(
        r"addr|street|city|town|state|zip|post|province|district|detail|line|country|region|[省市区县街]"
    ),
}


class Found(NamedTuple):
    """One part of a value, whose other parts are in fields beside it."""

    slot: int
    variant: Variant
    leaf: int
    strong: bool
    telling: bool
    why: str


_Cut = tuple[int, str, str, tuple[str, ...]]
"""One way in which a value may be cut: slot, kind, normal form, parts."""
CANDIDATE_BITS = 30.0
"""What a value must say to be put together from parts that were cut anywhere."""
PIECES = 24
"""Parts of which a value is put together at most."""
BEGINNING = 4
"""Letters by which what may be the first part of a value is known."""
SURE_OF_LITTLE = 3.0
"""Bits that a value says which was put together from parts under keys that say nothing: a candidate, no proof."""


class Splits:
    """Values that may be cut."""

    def __init__(self) -> None:
        self._whole: dict[str, tuple[tuple[int, str], ...]] = {}
        self._beginnings: set[str] = set()
        self._firsts: set[str] = set()
        self._all: list[_Cut] = []
        self._cuts: Numbers[tuple[str, str]] = Numbers()
        """By the first two parts, which of all."""

    def add(self, slot: int, kind: str, value: Value) -> None:
        """Look for the parts of a value from now on."""
        seen: set[tuple[str, ...]] = set()
        for of, parts in _cuts(kind, value.text):
            coded = tuple(part.casefold() for part in parts)
            if coded not in seen and all(0 < len(part) <= LONGEST for part in coded):
                seen.add(coded)
                self._firsts.add(coded[0])
                self._cuts.add((coded[0], coded[1]), len(self._all))
                self._all.append((slot, kind, of, coded))
        forms = FORMS[kind](value.text)
        for of, form in forms if kind == "phone" else forms[:1]:
            if of in WHOLE and bits_of(form) >= CANDIDATE_BITS and len(form) <= LONGEST:
                text = form.casefold()
                self._whole[text] = (*self._whole.get(text, ()), (slot, of))
                self._beginnings |= {text[:size] for size in range(1, BEGINNING + 1)}

    def find(self, look: Look) -> Iterator[Found]:
        """Every value whose parts are each all of a leaf, beside each other."""
        cut = list(self._neighbours(look))
        anywhere = list(self._joined(look))
        sure = {found.slot for found in cut if found.strong}
        candidates = {found.slot for found in anywhere}
        yield from (found for found in cut if found.strong or found.slot not in candidates)
        yield from (found for found in anywhere if found.slot not in sure)

    def _neighbours(self, look: Look) -> Iterator[Found]:
        if not self._all:
            return
        for number, leaf in enumerate(look.leaves):
            if leaf.text is None or len(leaf.text) > LONGEST:
                continue
            first = leaf.text.strip().casefold()
            if first not in self._firsts:
                continue
            beside = _texts_beside(look, number)
            for cut in sorted(cut for text in beside for cut in self._cuts.get((first, text))):
                slot, kind, of, parts = self._all[cut]
                numbers = _beside(look, number, parts)
                if numbers is None:
                    continue
                keys = [last_key(look.leaves[one].path) for one in numbers]
                telling = all(KEYS[kind].search(key) for key in keys)
                bits = sum(bits_of(part) for part in parts)
                variant = Variant("split", of, "utf-8", b"", "none", bits)
                paths = [look.leaves[one].path for one in numbers]
                for one, path in zip(numbers, paths, strict=True):
                    rest = " and ".join(other for other in paths if other != path)
                    why = f"in {len(parts)} parts, the rest at {rest}"
                    why += "; the keys say so" if telling else "; the keys do not say so"
                    yield Found(slot, variant, one, telling and bits >= STRONG_BITS, telling, why)

    def _joined(self, look: Look) -> Iterator[Found]:
        """Values of which neighbouring fields each hold the next part, in the order in which they stand."""
        beginnings, leaves = self._beginnings, look.leaves
        for number, leaf in enumerate(leaves):
            text = leaf.text
            if text is None or not 0 < len(text) <= LONGEST or text[:BEGINNING].casefold() not in beginnings:
                continue
            own, last, joined, numbers = parent_of(leaf.path), leaf.path, text.casefold(), [number]
            for further in range(number + 1, min(len(leaves), number + PIECES)):
                other = leaves[further]
                if other.path == last:
                    continue
                if other.text is None or parent_of(other.path) != own or len(joined) + len(other.text) > LONGEST:
                    break
                joined += other.text.casefold()
                last = other.path
                numbers.append(further)
                if joined[:BEGINNING] not in beginnings:
                    break
                for slot, of in self._whole.get(joined, ()):
                    variant = Variant("split", of, "utf-8", b"", "none", SURE_OF_LITTLE)
                    why = f"in {len(numbers)} parts, from {leaf.path} to {last}; the keys do not say so: a candidate"
                    for one in numbers:
                        yield Found(slot, variant, one, True, False, why)


WHOLE = frozenset(("as_given", "digits", "national", "international", "significant"))


def _cuts(kind: str, text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(normal form, its parts in order)."""
    if kind == "name":
        words = text.replace(",", " ").split()
        if len(words) == 1 and 2 <= len(words[0]) <= 4 and all(HAN.match(char) for char in words[0]):
            cut = 2 if words[0][:2] in SURNAMES and len(words[0]) > 2 else 1
            words = [words[0][:cut], words[0][cut:]]
        for cut in range(1, len(words)):
            yield "as_given", (" ".join(words[:cut]), " ".join(words[cut:]))
    elif kind == "phone":
        for of, form in FORMS["phone"](text):
            if of in ("as_given", "digits", "significant", "national") and form.isdecimal() and len(form) >= 9:
                for cut in range(2, 6):
                    yield of, (form[:cut], form[cut:])
                for cuts in ((0, 3, 7, len(form)), (0, 3, 6, len(form)), (0, 4, 7, len(form))):
                    yield of, tuple(form[start:end] for start, end in pairwise(cuts))
    elif kind == "email":
        local, _, domain = text.strip().partition("@")
        yield "as_given", (local, domain)
    elif kind == "number" and text.isdecimal() and len(text) == 15:
        yield "as_given", (text[:3], text[3:5], text[5:])
        yield "as_given", (text[:3], text[3:6], text[6:])
        yield "as_given", (text[:5], text[5:])
    elif kind == "address":
        parts = tuple(part for part in re.split(r"\s*[,;\n]\s*", text.strip()) if part)
        if len(parts) > 1:
            yield "as_given", parts
    elif kind == "imei":
        digits = digits_of(text)
        if digits.isdecimal() and len(digits) == 15:
            yield "as_given", (digits[:8], digits[8:])
            yield "as_given", (digits[:8], digits[8:14], digits[14])
            yield "without_check_digit", (digits[:8], digits[8:14])
            yield "without_check_digit", (digits[:7], digits[7:14])
            yield "as_given", (digits[:7], digits[7:])


def _texts_beside(look: Look, first: int) -> set[str]:
    """What stands near a leaf, in the same object or list."""
    own = parent_of(look.leaves[first].path)
    return {
        leaf.text.strip().casefold()
        for leaf in look.leaves[max(0, first - NEAR) : first + NEAR + 1]
        if leaf.text is not None and len(leaf.text) <= LONGEST and parent_of(leaf.path) == own
    }


def _beside(look: Look, first: int, parts: tuple[str, ...]) -> tuple[int, ...] | None:
    """The leaves of all parts, near the first and in the same object or list as it; None when one is missing."""
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

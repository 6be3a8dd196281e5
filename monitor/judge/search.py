"""Finds many forms of many values in the leaves of an upload, in one pass over all of them."""

from __future__ import annotations

import base64
import binascii
import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import ahocorasick_rs

from monitor.events import Value
from monitor.judge import variants
from monitor.judge.decode.pieces import Leaf
from monitor.judge.variants import Variant, digests, places

STRONG_BITS = 24.0
"""A form that says less than this needs support: a telling key, or another value of the same row in the same upload."""
EXCERPT = 60
TOLERANCE_M = 15.0
"""Numbers within this many metres of a place are that place, if they are not rounded more coarsely."""
BETWEEN = b"\xff\xfe\xfd\xfc"
"""Stands between leaves that are searched together; in no text, and in no pattern."""

TELLING: dict[str, re.Pattern[str]] = {
    "phone": re.compile(r"phone|mobile|msisdn|tel|cell|number|line1|sms|contact|手机|电话|号码|^(?:pn|mob|no)$"),
    "name": re.compile(
        r"name|nick|contact|person|people|friend|user|owner|author|title|姓名|名字|联系人|^(?:fn|ln|nm)$"
    ),
    "email": re.compile(r"mail|account|login|邮箱"),
    "imei": re.compile(r"imei|device|meid|udid|^(?:id|did)$"),
    "mac": re.compile(r"mac|wlan|wifi|bssid|ether|bt|addr"),
    "id": re.compile(r"id|uuid|device|install|serial|gaid|android"),
    "text": re.compile(r"ssid|bssid|wifi|network|text|msg|message|content|body|sms|clip|address|addr|account"),
    "lat": re.compile(r"^(?:lat|latitude|la|y|lt|纬度|.*[._-]?lat|.*latitude.*)$"),
    "lon": re.compile(r"^(?:lon|lng|long|longitude|lo|x|ln|lg|经度|.*[._-]?(?:lon|lng)|.*longitude.*)$"),
    "place": re.compile(r"loc|geo|gps|pos|coord|point|^ll$|place|位置|坐标|lat|lng"),
}
"""Kind of value -> keys that say that such a value stands there."""


class Hit(NamedTuple):
    """One form of one value at one place."""

    key: Hashable
    value: Value
    variant: Variant
    leaf: Leaf
    decoding: tuple[str, ...]
    start: int
    """First byte in what is stored."""
    end: int
    before: str
    found: str
    after: str
    chance: float
    """That this is coincidence."""
    telling: bool
    """Whether the key of the leaf says that such a value stands there."""
    strong: bool
    """Whether the form is unlikely enough to stand without support."""
    why: str
    """The reasons, for `Match.note`."""
    error_m: float = 0.0
    """Metres between a place and the numbers found."""
    fits: bool = True
    """Whether the numbers are the place's own, rounded or cut, not only near it."""


class _Pattern(NamedTuple):
    """What the automaton looks for, and what it would mean."""

    slot: int
    variant: Variant
    charset: str
    """utf-8 anywhere; the others only where the leaf is not text. base64 0, 1, 2: at this alignment."""


class _Level(NamedTuple):
    """Some patterns and the automaton that finds them."""

    patterns: list[bytes]
    automaton: ahocorasick_rs.BytesAhoCorasick


NUMBERS = re.compile(
    rb"(?:(?<![\w.])|(?<=[@=(/,;:_ a-zA-Z]))-?\d{1,3}\.\d{2,20}(?![\w.])|(?<![\w.])-?\d{6,11}(?![\w.])"
)
SPLIT_NUMBER = re.compile(rb"(?<![\w.])(?:\+|00)?\(?\d{1,6}\)?(?:(?:[ ().\-/]|\xc2\xa0){1,3}\d{1,12}){1,7}(?![\w])")
GEOHASH = re.compile(rb"(?<![\w])[0-9b-hjkmnp-z]{6,12}(?![\w])")
LAST_KEY = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\.([^.\[\]]+)|^([^.\[\]]+)')
WORD = re.compile(rb"[\w]|[\x80-\xff]")
WITH_COUNTRY = ("international", "digits", "e164")
"""Normal forms of a telephone number before which a plus changes nothing."""
LONGER = re.compile(rb"[:-][0-9a-fA-F]{2}(?![0-9a-zA-Z])")
"""A further byte of a hex id that is written with separators; backwards too."""
HEX = b"0123456789abcdefABCDEF"
DIGIT = b"0123456789"
UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Index:
    """Values to look for; more may be added between any two searches, and are found from then on."""

    def __init__(self) -> None:
        self._slots: list[tuple[Hashable, Value, str]] = []
        self._known: set[Hashable] = set()
        self._patterns: dict[bytes, list[_Pattern]] = {}
        self._fresh: list[bytes] = []
        self._levels: list[_Level] = []
        self._digests: dict[bytes, int | list[int]] = {}  # first bytes -> slot << 16 | number of the variant
        self._digits: dict[bytes, list[tuple[int, Variant]]] = {}
        self._places: list[tuple[int, places.Place]] = []
        self._grid: dict[tuple[bool, int], list[int]] = defaultdict(list)
        self._geohashes: dict[bytes, list[tuple[int, Variant]]] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, key: Hashable, value: Value) -> None:
        """Look for `value` from now on; hits name it by `key`. A key that is known already is left as it is."""
        if key in self._known:
            return
        self._known.add(key)
        slot = len(self._slots)
        self._slots.append((key, value, variants.kind_of(value)))
        for number, variant in enumerate(variants.of(value)):
            match variant.how:
                case "text":
                    for pattern, charset in _encoded(variant.pattern):
                        self._add_pattern(pattern, _Pattern(slot, variant, charset))
                case "utf-8":
                    self._add_pattern(variant.pattern, _Pattern(slot, variant, "utf-8"))
                case "digits":
                    self._digits.setdefault(variant.pattern, []).append((slot, variant))
                case "leaf":
                    self._add_digest(variant.pattern[: digests.SHORTEST], slot << 16 | number)
                case "place":
                    self._add_places(slot, value)

    def _add_digest(self, beginning: bytes, meaning: int) -> None:
        known = self._digests.get(beginning)
        if known is None:
            self._digests[beginning] = meaning
        elif isinstance(known, int):
            self._digests[beginning] = [known, meaning]
        else:
            known.append(meaning)

    def _add_pattern(self, pattern: bytes, meaning: _Pattern) -> None:
        lower = pattern.lower()
        meanings = self._patterns.get(lower)
        if meanings is None:
            self._patterns[lower] = [meaning]
            self._fresh.append(lower)
        else:
            meanings.append(meaning)

    def _add_places(self, slot: int, value: Value) -> None:
        point = places.parse(value.text)
        if point is None:
            return
        for place in places.systems(*point):
            number = len(self._places)
            self._places.append((slot, place))
            for axis, degrees in ((False, place.lat), (True, place.lon)):
                self._grid[axis, math.floor(degrees * 20)].append(number)
            for size in range(6, 13):
                text = places.geohash(place.lat, place.lon, size).encode()
                of = "as_given" if place.system == "wgs84" else place.system
                bits = 5.0 * size - 6
                self._geohashes.setdefault(text, []).append((slot, Variant("geohash", of, "leaf", text, "word", bits)))

    def _current(self) -> list[_Level]:
        """The automata, with what was added since the last search; small ones are merged as they grow in number."""
        if self._fresh:
            patterns, self._fresh = self._fresh, []
            while self._levels and len(self._levels[-1].patterns) <= 2 * len(patterns):
                patterns = self._levels.pop().patterns + patterns
            self._levels.append(_Level(patterns, ahocorasick_rs.BytesAhoCorasick(patterns)))
        return self._levels

    # --- searching ---

    def find(self, leaves: Sequence[Leaf]) -> list[Hit]:
        """All hits in the leaves of one upload, overlapping ones of one value reduced to the best, in a fixed order."""
        if not self._slots or not leaves:
            return []
        look = _Look(leaves)
        hits: list[Hit] = []
        self._find_texts(look, hits)
        self._find_digests(look, hits)
        if self._digits:
            self._find_split_numbers(look, hits)
        if self._places:
            self._find_places(look, hits)
        return _best(hits)

    def _hit(self, look: _Look, slot: int, variant: Variant, leaf: Leaf, start: int, end: int, charset: str) -> Hit:
        """A hit at the bytes from start to end of one leaf."""
        key, value, kind = self._slots[slot]
        before, found, after = _excerpt(leaf, start, end, charset)
        telling = bool(TELLING[kind if kind in TELLING else "place"].search(last_key(leaf.path)))
        chance = min(1.0, max(1.0, look.size / 4) * 2.0**-variant.bits)
        if telling:
            chance /= 100
        return Hit(
            key=key,
            value=value,
            variant=variant,
            leaf=leaf,
            decoding=leaf.decoding if charset in ("utf-8", "") else (*leaf.decoding, charset),
            start=leaf.start + start if leaf.exact else leaf.start,
            end=leaf.start + end if leaf.exact else leaf.end,
            before=before,
            found=found,
            after=after,
            chance=chance,
            telling=telling,
            strong=variant.bits >= STRONG_BITS or (variant.how == "leaf" and len(variant.pattern) >= digests.SHORTEST),
            why=_why(variant, found, last_key(leaf.path) if telling else ""),
        )

    def _find_texts(self, look: _Look, hits: list[Hit]) -> None:
        low = look.joined.lower()
        for level in self._current():
            patterns = level.patterns
            for index, start, end in level.automaton.find_matches_as_indexes(low, overlapping=True):
                number = look.leaf_at(start)
                offset = look.starts[number]
                leaf = look.leaves[number]
                begin, stop = start - offset, end - offset
                if stop > len(leaf.data):
                    continue
                for meaning in self._patterns[patterns[index]]:
                    if meaning.charset.startswith("base64"):
                        hits.extend(self._in_base64(look, meaning, leaf, begin, stop))
                        continue
                    if meaning.charset != "utf-8" and leaf.text is not None:
                        continue
                    if _stands_alone(leaf, begin, stop, meaning):
                        hits.append(self._hit(look, meaning.slot, meaning.variant, leaf, begin, stop, meaning.charset))

    def _in_base64(self, look: _Look, meaning: _Pattern, leaf: Leaf, start: int, end: int) -> Iterable[Hit]:
        """A form inside base64 that begins where no decoder could know: behind other letters of its alphabet."""
        alignment = int(meaning.charset[-1])
        begin = start - (0, 2, 3)[alignment]
        first = start
        while first > 0 and leaf.data[first - 1] in BASE64:
            first -= 1
        if begin < first or (begin - first) % 4 == 0:
            return
        last = end
        while last < len(leaf.data) and leaf.data[last] in BASE64:
            last += 1
        origin = first + (begin - first) % 4
        run = leaf.data[origin:last].translate(STANDARD)
        run = run[: len(run) - (len(run) % 4 == 1)]
        try:
            data = binascii.a2b_base64(run + b"=" * (-len(run) % 4))
        except binascii.Error:
            return
        at = (begin - origin) // 4 * 3 + alignment
        size = len(meaning.variant.pattern)
        if data[at : at + size].lower() != meaning.variant.pattern.lower():
            return
        inner = Leaf(leaf.path, "", data, (*leaf.decoding, "base64"), leaf.start, leaf.end, False)
        if leaf.exact:
            inner = inner._replace(start=leaf.start + origin, end=leaf.start + last)
        if _stands_alone(inner, at, at + size, meaning._replace(charset="utf-8")):
            yield self._hit(look, meaning.slot, meaning.variant, inner, at, at + size, "utf-8")

    def _find_digests(self, look: _Look, hits: list[Hit]) -> None:
        known = self._digests
        sizes = digests.SIZES
        for leaf in look.leaves:
            data = leaf.data
            size = len(data)
            if size == 36 and UUID.fullmatch(data):
                data = bytes.fromhex(data.replace(b"-", b"").decode())
            elif size not in sizes and size != 4:
                continue
            meanings = known.get(data[: digests.SHORTEST])
            if meanings is None:
                continue
            for meaning in [meanings] if isinstance(meanings, int) else meanings:
                slot, number = meaning >> 16, meaning & 0xFFFF
                variant = variants.of(self._slots[slot][1])[number]
                if variant.pattern.startswith(data):
                    if len(data) < len(variant.pattern):
                        variant = variant._replace(name=f"{variant.name}_first_{len(data)}")
                    hits.append(self._hit(look, slot, variant, leaf, 0, size, ""))

    def _find_split_numbers(self, look: _Look, hits: list[Hit]) -> None:
        for run in SPLIT_NUMBER.finditer(look.joined):
            digits = re.sub(rb"\D", b"", run[0])
            tries = {digits, re.sub(rb"\D", b"", run[0].replace(b"(0)", b""))}
            for candidate in sorted(tries):
                for slot, variant in self._digits.get(candidate, ()):
                    number = look.leaf_at(run.start())
                    leaf = look.leaves[number]
                    start, end = run.start() - look.starts[number], run.end() - look.starts[number]
                    if leaf.text is not None and end <= len(leaf.data):
                        split = variant._replace(name="separated")
                        hits.append(self._hit(look, slot, split, leaf, start, end, "utf-8"))

    # --- places ---

    def _find_places(self, look: _Look, hits: list[Hit]) -> None:
        axes: dict[tuple[int, bool], list[_Coordinate]] = defaultdict(list)
        for found in NUMBERS.finditer(look.joined):
            text = found[0]
            number = -1
            for degrees, decimals, scale in _readings(text):
                for axis in (False, True):
                    if not axis and abs(degrees) > 90:
                        continue
                    cell = math.floor(degrees * 20)
                    for place_number in {
                        one for near in (cell - 1, cell, cell + 1) for one in self._grid.get((axis, near), ())
                    }:
                        place = self._places[place_number][1]
                        off = _error(degrees, decimals, place, lon=axis)
                        if off is None:
                            continue
                        if number < 0:
                            number = look.leaf_at(found.start())
                        offset = look.starts[number]
                        axes[place_number, axis].append(
                            _Coordinate(number, found.start() - offset, found.end() - offset, decimals, scale, *off)
                        )
        for place_number in sorted({number for number, _ in axes}):
            pair = _pair(look, axes.get((place_number, False), []), axes.get((place_number, True), []))
            coarse = self._places[place_number][1].system != "wgs84"
            for lat, lon, relation in pair:
                if coarse and min(lat.decimals, lon.decimals) < 3:
                    continue
                hits.extend(self._place_hits(look, place_number, lat, lon, relation))
        for word in GEOHASH.finditer(look.joined):
            for slot, variant in self._geohashes.get(word[0], ()):
                number = look.leaf_at(word.start())
                offset = look.starts[number]
                leaf = look.leaves[number]
                hit = self._hit(look, slot, variant, leaf, word.start() - offset, word.end() - offset, "utf-8")
                telling = re.search(r"gh|hash|geo|loc|pos|cell", last_key(hit.leaf.path)) is not None
                size = len(word[0])
                hits.append(hit._replace(telling=telling, strong=size >= 8, why=f"geohash of {size} characters"))

    def _place_hits(
        self, look: _Look, place_number: int, lat: _Coordinate, lon: _Coordinate, relation: str
    ) -> Iterable[Hit]:
        slot, place = self._places[place_number]
        decimals = min(lat.decimals, lon.decimals)
        error = math.hypot(lat.error, lon.error)
        name = "coordinates" if place.system == "wgs84" else place.system
        of = "as_given" if lat.scale == 1 else f"degrees x {lat.scale}"
        bits = max(1.0, (min(lat.decimals, 6) + min(lon.decimals, 6)) * 3.3 - 4)
        variant = Variant(name, of, "place", b"", "digit", bits)
        coarse = (
            "precise" if decimals >= 5 else "a street" if decimals == 4 else "coarse" if decimals == 3 else "a town"
        )
        metres = 10.0 ** (5 - decimals) if decimals < 5 else 1.0
        why = f"{decimals} decimals ({coarse}, about {metres:g} m), {error:.0f} m from the place read; {relation}"
        if lat.leaf == lon.leaf:
            start, end = min(lat.start, lon.start), max(lat.end, lon.end)
            hit = self._hit(look, slot, variant, look.leaves[lat.leaf], start, end, "utf-8")
            yield hit._replace(strong=True, why=why, error_m=error, fits=lat.fits and lon.fits)
            return
        for one, other in ((lat, lon), (lon, lat)):
            hit = self._hit(look, slot, variant, look.leaves[one.leaf], one.start, one.end, "utf-8")
            there = look.leaves[other.leaf].path
            part = "latitude" if one is lat else "longitude"
            rest = "longitude" if one is lat else "latitude"
            yield hit._replace(
                strong=True, why=f"{part}, the {rest} at {there}: {why}", error_m=error, fits=lat.fits and lon.fits
            )


class _Look:
    """The leaves of one upload, side by side in one run of bytes."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        self.leaves = leaves
        self.joined = BETWEEN.join([leaf.data for leaf in leaves])
        self.starts: list[int] = []
        at = 0
        gap = len(BETWEEN)
        for leaf in leaves:
            self.starts.append(at)
            at += len(leaf.data) + gap
        self.size = at

    def leaf_at(self, position: int) -> int:
        """The number of the leaf that holds a position."""
        return bisect_right(self.starts, position) - 1


BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
STANDARD = bytes.maketrans(b"-_", b"+/")


def _encoded(text: bytes) -> Iterable[tuple[bytes, str]]:
    """The bytes that a text may be inside data that is no UTF-8 text, and inside base64 at any alignment."""
    yield text, "utf-8"
    word = text.decode()
    for charset in ("utf-16le", "utf-16be"):
        yield word.encode(charset), charset
    if not word.isascii():
        yield word.encode("gb18030"), "gb18030"
    if len(text) >= 6:
        for alignment in range(3):
            coded = base64.b64encode(b"\0" * alignment + text)
            core = coded[(0, 2, 3)[alignment] : (alignment + len(text)) * 8 // 6]
            if len(core) < 8:
                continue
            yield core, f"base64 {alignment}"
            if b"+" in core or b"/" in core:
                yield core.translate(bytes.maketrans(b"+/", b"-_")), f"base64 {alignment}"


def last_key(path: str) -> str:
    """The innermost name of a path, lower case: `$.user.phones[3]` is `phones`."""
    last = ""
    for found in LAST_KEY.finditer(path):
        last = found[1] or found[2] or found[3] or last
    return last.lower()


def _stands_alone(leaf: Leaf, start: int, end: int, meaning: _Pattern) -> bool:
    """Whether the text is not part of a longer one: no digit beside digits, no letter beside a word."""
    edge = meaning.variant.edge
    data = leaf.data
    if edge == "none":
        return True
    step = 2 if meaning.charset.startswith("utf-16") else 1
    if step == 2:
        low = 0 if meaning.charset == "utf-16le" else 1
        before, after = data[start - 2 : start], data[end : end + 2]
        left = before[low : low + 1] if len(before) == 2 and before[1 - low] == 0 else b""
        right = after[low : low + 1] if len(after) == 2 and after[1 - low] == 0 else b""
        beyond = b""
        further = b""
    else:
        left, right = data[start - 1 : start] if start else b"", data[end : end + 1]
        beyond, further = data[start - 2 : start - 1] if start > 1 else b"", data[end + 1 : end + 2]
    if leaf.text is None:
        return _alone_in_binary(data, start, end, step, edge)
    if edge == "digit":
        if left == b"+" and meaning.variant.of not in WITH_COUNTRY:
            return False
        if (left and left in DIGIT) or (right and right in DIGIT):
            return False
        decimal = (left == b"." and beyond and beyond in DIGIT) or (right == b"." and further and further in DIGIT)
        return not decimal
    if edge == "hex":
        if (left and left in HEX) or (right and right in HEX):
            return False
        return not (
            LONGER.match(data, end) or LONGER.match(data[max(0, start - 3) : start][::-1] + data[start - 4 : start - 3])
        )
    if b"@" in meaning.variant.pattern and (
        (left and left in b".+-%" and beyond.isalnum()) or (right and right in b".-" and further.isalnum())
    ):
        return False
    first, last = data[start : start + 1], data[end - 1 : end]
    if left and WORD.match(left) and WORD.match(first) and left != b"_":
        return not _joined(data, start, before=True)
    if right and WORD.match(right) and WORD.match(last) and right != b"_":
        return not _joined(data, end, before=False)
    return True


def _joined(data: bytes, at: int, *, before: bool) -> bool:
    """Whether the characters on both sides of `at` belong to one word."""
    left = data[max(0, at - 4) : at].decode("utf-8", "ignore")[-1:]
    right = data[at : at + 4].decode("utf-8", "ignore")[:1]
    if not left or not right:
        return False
    if bool(variants.HAN.match(left)) != bool(variants.HAN.match(right)):
        return False
    return left.isalnum() and right.isalnum()


def _alone_in_binary(data: bytes, start: int, end: int, step: int, edge: str) -> bool:
    """In data that is no text, a byte or two beside the found text may look like digits or letters by chance."""
    wanted, many = (bytes.isdigit, 3) if edge == "digit" else (bytes.isalnum, 4)
    left = data[max(0, start - many * step) : start]
    right = data[end : end + many * step]
    if step == 2:
        left, right = left.replace(b"\0", b""), right.replace(b"\0", b"")
    return not (len(left) == many and wanted(left)) and not (len(right) == many and wanted(right))


def _excerpt(leaf: Leaf, start: int, end: int, charset: str) -> tuple[str, str, str]:
    """Text before, the found text, text after."""
    data = leaf.data
    if leaf.text is not None:
        return (
            data[max(0, start - 4 * EXCERPT) : start].decode("utf-8", "ignore")[-EXCERPT:],
            data[start:end].decode("utf-8", "replace"),
            data[end : end + 4 * EXCERPT].decode("utf-8", "ignore")[:EXCERPT],
        )
    if charset == "":
        last = leaf.decoding[-1] if leaf.decoding else ""
        return "", base64.b64encode(data).decode() if last == "base64" else data.hex(), ""
    show = [data[max(0, start - EXCERPT) : start], data[end : end + EXCERPT]]
    before, after = ("".join(chr(b) if 32 <= b < 127 else "·" for b in part) for part in show)
    return before, data[start:end].decode(charset, "replace"), after


def _why(variant: Variant, found: str, key: str) -> str:
    if variant.how == "leaf":
        what = f"{variant.name.replace('_', ' ')} of the {variant.of.replace('_', ' ')} form, all of it"
    elif variant.edge == "digit":
        what = f"{sum(char.isdecimal() for char in found)} digits standing alone"
    else:
        what = f"{len(found)} characters"
    return f"{what}; the key `{key}` says so" if key else what


def _best(hits: list[Hit]) -> list[Hit]:
    """Of hits of one value that overlap in what is stored, the best: the longest text, the innermost path, the fewest
    steps; with the narrowest range that any of them had for the same text."""

    def rank(hit: Hit) -> tuple[object, ...]:
        return (
            hit.variant.how == "place",
            hit.variant.name in ("gcj02", "bd09"),
            -len(hit.found),
            hit.error_m,
            -len(hit.leaf.path),
            hit.leaf.text is None,
            len(hit.decoding),
            hit.end - hit.start,
            hit.leaf.path,
            hit.start,
            hit.variant.how not in ("text", "utf-8"),
            hit.variant.name,
            hit.variant.of,
        )

    kept: list[Hit] = []
    taken: dict[tuple[Hashable, str], list[int]] = defaultdict(list)
    for hit in sorted(hits, key=rank):
        numbers = taken[hit.key, root_of(hit.leaf.path)]
        overlapping = [number for number in numbers if kept[number].start < hit.end and hit.start < kept[number].end]
        if overlapping and not _elsewhere(hit, [kept[number] for number in overlapping]):
            for number in overlapping:
                best = kept[number]
                if best.found == hit.found and best.start <= hit.start and hit.end <= best.end and hit.leaf.exact:
                    kept[number] = best._replace(start=hit.start, end=hit.end)
            continue
        numbers.append(len(kept))
        kept.append(hit)
    return sorted(kept, key=lambda hit: (hit.leaf.path, hit.start, hit.end, hit.value.type, hit.value.text))


def _elsewhere(hit: Hit, others: list[Hit]) -> bool:
    """Whether a hit without an exact place is at another path than those it overlaps: the same compressed body may
    hold one value in many places."""
    if hit.leaf.exact:
        return False
    own = hit.leaf.path
    return not any(other.leaf.path.startswith(own) or own.startswith(other.leaf.path) for other in others)


def root_of(path: str) -> str:
    """What a place in `path` counts in: the body (`$`), `url`, or one header."""
    if path.startswith("headers."):
        return ".".join(path.split(".")[:2])
    return "url" if path.startswith("url") else "$"


# --- places ---


class _Coordinate(NamedTuple):
    """A number that may be one coordinate of a place."""

    leaf: int
    start: int
    end: int
    decimals: int
    scale: int
    error: float
    fits: bool


def _readings(text: bytes) -> Iterable[tuple[float, int, int]]:
    """(degrees, decimals, scale) that a number may stand for."""
    if b"." in text:
        degrees = float(text)
        if abs(degrees) <= 180:
            yield degrees, len(text) - text.index(b".") - 1, 1
        return
    whole = int(text)
    for scale, decimals in ((10**5, 5), (10**6, 6), (10**7, 7)):
        if abs(whole) <= 180 * scale and abs(whole) >= scale // 10:
            yield whole / scale, decimals, scale


def _error(degrees: float, decimals: int, place: places.Place, *, lon: bool) -> tuple[float, bool] | None:
    """Metres between a number and a place's coordinate, and whether it is that coordinate, rounded or cut; None when
    it is not even near it."""
    true = place.lon if lon else place.lat
    metres = places.METRES_PER_DEGREE * (math.cos(math.radians(place.lat)) if lon else 1.0)
    off = abs(degrees - true)
    unit = 10.0**-decimals
    rounded = off <= unit / 2 * 1.000001
    cut = abs(degrees) <= abs(true) and off < unit * 1.000001
    if rounded or cut or off * metres <= TOLERANCE_M:
        return off * metres, rounded or cut
    return None


def _pair(
    look: _Look, lats: list[_Coordinate], lons: list[_Coordinate]
) -> Iterable[tuple[_Coordinate, _Coordinate, str]]:
    """Latitudes and longitudes that belong together, with how we know."""
    if not lats or not lons:
        return
    used: set[tuple[int, int]] = set()
    for lat in lats[:200]:
        best: tuple[tuple[float, ...], _Coordinate, str] | None = None
        for lon in lons[:200]:
            relation = _relation(look, lat, lon)
            if relation is None:
                continue
            rank, words = relation
            distance = abs(look.starts[lat.leaf] + lat.start - look.starts[lon.leaf] - lon.start)
            order = (float(rank), lat.error + lon.error, float(distance))
            if best is None or order < best[0]:
                best = order, lon, words
        if best is not None and (lat.leaf, lat.start) not in used:
            used.add((lat.leaf, lat.start))
            yield lat, best[1], best[2]


def _relation(look: _Look, lat: _Coordinate, lon: _Coordinate) -> tuple[int, str] | None:
    """How closely two numbers stand together, 0 closest; None when not closely enough for their precision."""
    if lat.scale != lon.scale:
        return None
    decimals = min(lat.decimals, lon.decimals)
    first, second = look.leaves[lat.leaf], look.leaves[lon.leaf]
    if lat.leaf == lon.leaf:
        if lat.start == lon.start:
            return None
        gap = max(lat.start, lon.start) - min(lat.end, lon.end)
        if gap <= 24 and decimals >= 2:
            return 0, "latitude and longitude side by side"
        return (3, "both in one text") if decimals >= 4 else None
    keys = TELLING["lat"].match(last_key(first.path)), TELLING["lon"].match(last_key(second.path))
    siblings = _parent(first.path) == _parent(second.path)
    if all(keys):
        if siblings and decimals >= 2:
            return 0, "the keys say latitude and longitude"
        if decimals >= 3:
            return 1, "the keys say latitude and longitude"
    if siblings and decimals >= 3 and abs(lat.leaf - lon.leaf) <= 2:
        return 1, "side by side"
    if decimals >= 4:
        return 3, "both in one upload"
    return None


def _parent(path: str) -> str:
    cut = max(path.rfind("."), path.rfind("["))
    return path[:cut] if cut > 0 else path

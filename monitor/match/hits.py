"""What was found: hits, their excerpts and reasons, and which of several that overlap to keep."""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import NamedTuple

from monitor.events import Ref, Value
from monitor.findings import Reason, Why, because
from monitor.match.decode.walk.pieces import Leaf
from monitor.match.edges import ADDRESS, TITLE
from monitor.match.variants import Variant, digests

STRONG_BITS = 24.0
"""A form that says less than this needs support: a telling key, or another value of the same row in the same upload."""
EXCERPT = 60
"""Characters of the leaf that are shown before and after."""

TELLING: dict[str, re.Pattern[str]] = {
    "phone": re.compile(r"phone|mobile|msisdn|tel|cell|number|line1|sms|contact|手机|电话|号码|^(?:pn|mob|no)$"),
    "name": re.compile(
        r"name|nick|contact|person|people|friend|user|owner|author|姓名|名字|联系人|^(?:fn|ln|nm|xm)$|"
        r"consignee|linkman|recipient|receiver|addressee|passenger|收货人|收件人|寄件人|乘客|xingming"
    ),
    "email": re.compile(r"mail|account|login|user_?name|^user$|uname|handle|nick|邮箱"),
    "imei": re.compile(r"imei|device|meid|udid|^(?:id|did)$"),
    "mac": re.compile(r"mac|wlan|wifi|bssid|ether|bt|addr"),
    "id": re.compile(r"id|uuid|device|install|serial|gaid|android"),
    "text": re.compile(r"ssid|bssid|wifi|network|text|msg|message|content|body|sms|clip|address|addr|account"),
    "number": re.compile(
        r"imsi|iccid|(?:^|[_.-])sim|card|serial|passport|social|ssn|tax|bank|iban|account|cert|idno|id_?num|证|卡"
    ),
    "device_id_serial": re.compile(r"serial|^sn$|device"),
    "installed_apps": re.compile(r"app|pkg|package|bundle|installed"),
    "carrier": re.compile(
        r"carrier|operator|network_?(?:name|provider)|(?:^|[_.-])(?:isp|mcc|mnc|plmn|sim)|provider|运营商"
    ),
    "gender": re.compile(r"gender|(?:^|[_.-])sex(?:$|[_.-])|性别|xingbie"),
    "device_model_os": re.compile(
        r"model|brand|manufactur|vendor|hardware|(?:^|[_.-])os(?:$|[_.-])|os_?(?:name|ver)|^(?:device|dm|platform)$|"
        r"device_?(?:type|name|info)|locale|^lang|language|country|time_?zone|机型|型号"
    ),
    "device_state": re.compile(r"locale|^lang|language|country|time_?zone|orientation|battery|screen"),
    "location_coarse": re.compile(
        r"country|city|region|province|locality|town|district|loc|geo|gps|pos|coord|point|^ll$|place|城市|省|位置"
    ),
    "wifi_ssid_bssid": re.compile(r"ssid|wi-?fi|wlan|hotspot|router|access_?point|(?:^|[_.-])ap(?:$|[_.-])|热点"),
    "network_state": re.compile(r"net(?:work)?|conn(?:ection)?_?type|网络"),
    "marital_status": re.compile(r"marital|marriage|married|婚"),
    "religion_politics": re.compile(r"relig|faith|politic|宗教"),
    "race": re.compile(r"(?:^|[_.-])race(?:$|[_.-])|ethnic|民族"),
    "sexual_orientation": re.compile(r"orientation|sexual"),
    "calendar_events": re.compile(r"event|calendar|title|agenda|meeting|appointment|日程"),
    "date": re.compile(r"birth|dob|bday|born|geburt|naissance|nacimiento|nascimento|生日|出生|誕生|생일|생년"),
    "lat": re.compile(r"^(?:lat|latitude|la|y|lt|纬度|.*[._-]?lat|.*latitude.*)$"),
    "lon": re.compile(r"^(?:lon|lng|long|longitude|lo|x|ln|lg|经度|.*[._-]?(?:lon|lng)|.*longitude.*)$"),
    "place": re.compile(r"loc|geo|gps|pos|coord|point|^ll$|place|位置|坐标|lat|lng"),
}
"""Kind of value -> keys that say that such a value stands there."""
THINGS = (
    "app|application|event|screen|view|page|file|path|host|domain|server|class|package|process|thread|method|function|"
    "module|library|sdk|version|build|os|platform|device|model|brand|product|item|article|offer|category|company|"
    "business|brand|publisher|seller|merchant|shop|store|campaign|ad|banner|creative|city|country|region|street|state|"
    "place|poi|station|carrier|operator|network|field|column|table|cookie|service|image|video|song|track|album|artist|"
    "channel|font|theme|layer|tag|level|action|activity|fragment|metric|span|key|param|property|config|feature|flag|job|"
    "tab|section|button|menu|group|folder|room|wifi|ssid|hotspot|dialog|widget|card|icon|route|source|medium|plan|"
    "task|queue|topic|bucket|index|schema|database|db|codec|template|label|type|font|color|colour|team|league|movie"
)
"""What has a name and is no person."""
UNTELLING: dict[str, re.Pattern[str]] = {
    "name": re.compile(
        rf"^(?:\w*[_.-])?(?:{THINGS})s?[_.-]?names?$"
        r"|(?:user|owner|contact|person|author|friend|people)s?[_.-]?"
        r"(?:agent|type|count|status|group|segment|role|level|lang|language|country|properties|settings|interface|input)"
    ),
    "phone": re.compile(
        r"(?:build|line|version|order|serial|sequence|seq|page|row|flight|episode|issue|ticket|batch|chunk|part|lot|"
        r"model|item|track|room|house|port|random|process|thread|frame|event|session|request|retry|error|tracking|"
        r"invoice|article|product|car|table|track)[_.-]?(?:number|no)|telemetry|intel|cancel|excell|cell[_.-]?id|hotel"
    ),
}
"""Kind of value -> keys that would be telling, were it not for what else they say: a `lineNumber` is no telephone."""
OF_THINGS = re.compile(rf"(?:^|[_.-])(?:{THINGS})s?$|(?:companies|cities|countries|categories|activities)$")
"""Keys of objects in which a bare `name` is that of a thing."""
SAID_OF_EVERYTHING = re.compile(
    r"headers\.(?:user-agent|accept\b.*|content-(?!disposition).*|sec-.*|host|origin|referer|connection|te|via|server"
    r"|cache-control|date|if-.*|x-requested-with|upgrade|range|etag|pragma|expect|transfer-encoding)$"
)
"""Headers that HTTP itself fills in: `user-agent` says nothing about a user, `content-type` nothing about a message."""
BARE_NAME = frozenset(("name", "names", "title", "label"))


@lru_cache(maxsize=4096)
def tells(kind: str, path: str) -> bool:
    """Whether the key at the end of a path says that a value of this kind stands there."""
    key = last_key(path)
    kind = kind if kind in TELLING else "place"
    if not TELLING[kind].search(key) or SAID_OF_EVERYTHING.match(path):
        return False
    if kind in UNTELLING and UNTELLING[kind].search(key):
        return False
    return not (kind == "name" and key in BARE_NAME and OF_THINGS.search(last_key(LISTED.sub("", parent_of(path)))))


LISTED = re.compile(r"(?:\[\d+\])+$")


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
    reasons: tuple[Reason, ...]
    """How it stands there; what belief says of it is appended."""
    error_m: float = 0.0
    """Metres between a place and the numbers found."""
    fits: bool = True
    """Whether the numbers are the place's own, rounded or cut, not only near it."""
    evidence: tuple[Ref, ...] = ()
    """Transforms of the app that lie between what was sent and where the form stands, the outermost first."""
    form: str = ""
    """What the app had made of the value when it sent it, where such transforms say so: salted_sha256, encrypted."""
    namesake: bool = False
    """A name with nothing of its row beside it: it may be that of another who bears it too."""

    def because(self, code: Why, **fields: str | float) -> Hit:
        """The same with a further reason, which belief gives."""
        return self._replace(reasons=(*self.reasons, because(code, **fields)))


IN_BRACKETS = re.compile(r"\[([^\[\]]*[^\[\]\d][^\[\]]*)\](?:\[\d*\])*$")
"""The innermost name of a key of a form, as PHP nests them: `user[name][]`."""
LAST_KEY = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\.([^.\[\]]+)|^([^.\[\]]+)')


@lru_cache(maxsize=4096)
def last_key(path: str) -> str:
    """The innermost name of a path, lower case: `$.user.phones[3]` is `phones`."""
    last = ""
    for found in LAST_KEY.finditer(path):
        last = found[1] or found[2] or found[3] or last
    nested = IN_BRACKETS.search(last)
    return (nested[1] if nested else last).lower()


def parent_of(path: str) -> str:
    """The path of the object or list that a leaf is in."""
    cut = max(path.rfind("."), path.rfind("["))
    return path[:cut] if cut > 0 else path


def hit_at(
    key: Hashable, value: Value, kind: str, variant: Variant, leaf: Leaf, start: int, end: int, charset: str, size: int
) -> Hit:
    """A hit at the bytes from start to end of a leaf, in an upload of `size` bytes; charset empty: a digest."""
    before, found, after = excerpt(leaf, start, end, charset)
    if variant.bits < ADDRESS_BITS and is_address(leaf, start, end, variant):
        variant = variant._replace(bits=ADDRESS_BITS)
    name = last_key(leaf.path)
    telling = tells(kind, leaf.path) or (value.type in TELLING and tells(value.type, leaf.path))
    chance = min(1.0, max(1.0, size / 4) * 2.0**-variant.bits)
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
        chance=chance / 100 if telling else chance,
        telling=telling,
        strong=variant.bits >= STRONG_BITS or (variant.how == "leaf" and len(variant.pattern) >= digests.SHORTEST),
        reasons=_reasons(variant, found, name if telling else ""),
    )


ADDRESS_BITS = 30.0
"""What an address of mail says that stands alone, however short it is: nobody else has it."""
MAIL = re.compile(
    rb"(?i)[a-z0-9][\w.+-]*@(?:[a-z0-9-]+\.)+(?:[a-z]{2}|com|org|net|edu|gov|mil|int|info|biz|name|pro|mobi|app|dev|xyz|"
    rb"top|vip|club|site|online|shop|store|tech|asia|live|work|email|mail|cloud|icu|wang|ltd|art|fun|space|website|group|"
    rb"team|world|life|blog|page|zone|today|news|media|digital|agency|studio|company)"
)
BEFORE_MAIL = re.compile(rb"(?:^|[\s,;:<>()\[\]{}\"=&?|\x00-\x1f\x7f-\xff]|(?<![\w.])['/*`])\Z")
"""What stands before an address that is no part of it: its first part may hold nearly any sign."""
BEHIND_MAIL = re.compile(rb"(?![\w@%+]|-\w)")


def is_address(leaf: Leaf, start: int, end: int, variant: Variant) -> bool:
    """Whether a form is a whole address of mail, and nothing that may belong to one stands beside it."""
    if b"@" not in variant.pattern or variant.how not in ("text", "utf-8") or not MAIL.fullmatch(variant.pattern):
        return False
    data = leaf.data
    if leaf.text is None:
        counted = start > 0 and data[start - 1] == end - start
        wide = end - start != len(variant.pattern)
        return counted or wide or bool(BEFORE_MAIL.search(data[:start][-8:]) and BEHIND_MAIL.match(data[end : end + 2]))
    return bool(BEFORE_MAIL.search(data[max(0, start - 8) : start]) and BEHIND_MAIL.match(data[end : end + 2]))


OPENS = re.compile(rf"(?:^|{ADDRESS}|[,;|、，；\n\t\"'<>()\[\]{{}}])\s*$")
CLOSES = re.compile(rf"\s*(?:$|{TITLE}|[,;|、，；\n\t\"'<>()\[\]{{}}])")


def is_whole(hit: Hit) -> bool:
    """Whether a text is all of its leaf, or one entry of a list that the leaf is, and no word of a sentence."""
    if hit.leaf.text is None:
        return not hit.before and not hit.after
    return bool(OPENS.search(hit.before) and CLOSES.match(hit.after))


def excerpt(leaf: Leaf, start: int, end: int, charset: str) -> tuple[str, str, str]:
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
        whole = start == 0 and end == len(data)
        return "", base64.b64encode(data).decode() if last == "base64" and whole else data[start:end].hex(), ""
    show = [data[max(0, start - EXCERPT) : start], data[end : end + EXCERPT]]
    before, after = ("".join(chr(b) if 32 <= b < 127 else "·" for b in part) for part in show)
    return before, data[start:end].decode(charset, "replace"), after


def as_written(hits: list[Hit], leaves: Sequence[Leaf]) -> list[Hit]:
    """Digests in the letters that they were sent in, which the texts have that they were read from."""
    if not any(map(_is_read, hits)):
        return hits
    texts: dict[tuple[str, tuple[str, ...]], list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        if leaf.exact and leaf.text is not None:
            texts[leaf.path, leaf.decoding].append(leaf)

    def written(hit: Hit) -> Hit:
        for leaf in texts.get((hit.leaf.path, hit.leaf.decoding[:-1]), ()) if _is_read(hit) else ():
            if leaf.start <= hit.start and hit.end <= leaf.end:
                return hit._replace(found=leaf.data[hit.start - leaf.start : hit.end - leaf.start].decode())
        return hit

    return [written(hit) for hit in hits]


def _is_read(hit: Hit) -> bool:
    """Whether it is a digest that was read from letters."""
    return hit.variant.how == "leaf" and hit.leaf.decoding[-1:] in (("base64",), ("hex",))


def _reasons(variant: Variant, found: str, key: str) -> tuple[Reason, ...]:
    if variant.how == "leaf":
        what = because(Why.WHOLE_DIGEST, variant=variant.name, of=variant.of)
    elif variant.how == "bytes":
        what = because(Why.BYTES, count=len(variant.pattern))
    elif variant.edge == "version":
        what = because(Why.DIGITS_AND_VERSION, count=len(found))
    elif variant.edge == "digit":
        what = because(Why.DIGITS, count=sum(char.isdecimal() for char in found))
    else:
        what = because(Why.CHARACTERS, count=len(found))
    return (what, because(Why.KEY, key=key)) if key else (what,)


def longest_of_glued(hits: list[Hit]) -> list[Hit]:
    """Hits, without those that in the input of a digest are the beginning of a longer value of their type."""
    glued = [hit for hit in hits if hit.leaf.glued]
    if len({hit.key for hit in glued}) < 2:
        return hits
    dropped = {
        id(hit)
        for hit in glued
        for other in glued
        if other.key != hit.key and other.value.type == hit.value.type and other.leaf is hit.leaf
        if len(other.found) > len(hit.found) and hit.found in other.found
    }
    return [hit for hit in hits if id(hit) not in dropped]


def without_halves(hits: list[Hit]) -> list[Hit]:
    """Hits, without halves of an id of which the other is not there: it may be another's."""
    halves: dict[Hashable, set[bool]] = defaultdict(set)
    for hit in hits:
        if hit.variant.of == "half":
            halves[hit.key].add(_is_first_half(hit))
    lone = {key for key, of_key in halves.items() if len(of_key) < 2}
    return [hit for hit in hits if hit.variant.of != "half" or hit.key not in lone] if lone else hits


def whole_or_cut(hits: list[Hit], leaves: Sequence[Leaf]) -> list[Hit]:
    """Hits, without beginnings of texts that are not all of a leaf, or which others may begin with: what a text is cut
    to has some digits of it, or is most of it."""
    return [hit for hit in hits if hit.variant.of != "beginning" or (_is_cut(hit) and not _goes_on(hit, leaves))]


def _goes_on(hit: Hit, leaves: Sequence[Leaf]) -> bool:
    """Whether a text was cut here, not by the app: where digests may stand, or because another reading has more."""
    if hit.leaf.decoding[-1:] == ("digests",):
        return True
    text, root = (hit.leaf.text or "").rstrip(), root_of(hit.leaf.path)
    longer = (leaf.text for leaf in leaves if leaf.text is not None and root_of(leaf.path) == root)
    return any(len(other) > len(text) and other.startswith(text) for other in longer)


def _is_cut(hit: Hit) -> bool:
    text, whole = (hit.leaf.text or "").strip().rstrip("….").rstrip(), hit.value.text.strip()
    enough = sum(map(str.isdecimal, text)) >= FEW_DIGITS or len(text) >= MOST_OF_IT * len(whole)
    return enough and len(text) < len(whole) and whole.startswith(text)


FEW_DIGITS, MOST_OF_IT = 3, 0.6


def _is_first_half(hit: Hit) -> bool:
    half, text = hit.value.text.replace("-", "").lower()[:16], hit.variant.pattern.decode()
    return text == half or (text.lstrip("-").isdecimal() and int(text) % (1 << 64) == int(half, 16))


def best(hits: list[Hit]) -> list[Hit]:
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
                other = kept[number]
                if other.found == hit.found and other.start <= hit.start and hit.end <= other.end and hit.leaf.exact:
                    kept[number] = other._replace(start=hit.start, end=hit.end)
        elif len(numbers) < MOST:
            numbers.append(len(kept))
            kept.append(hit)
    return sorted(kept, key=lambda hit: (hit.leaf.path, hit.start, hit.end, hit.value.type, hit.value.text))


MOST = 256
"""Places of one value that are kept; more add nothing."""


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

"""Hits, their excerpts, and where they stand in an upload."""

from __future__ import annotations

import base64
import re
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict, Unpack

from appwitness.events import Ref, Value
from appwitness.findings import Reason, Why, because
from appwitness.match.decode.walk.pieces import Leaf
from appwitness.match.edges import ADDRESS, TITLE
from appwitness.match.variants import Variant, digests, kind_of

STRONG_BITS = 24.0
"""A form with fewer bits needs support: a telling key, or another value of the same row in the same upload."""
EXCERPT = 60
"""Characters of the leaf that are shown before and after a hit."""

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
"""Kind of value -> keys that indicate such a value."""
THINGS = (
    "app|application|event|screen|view|page|file|path|host|domain|server|class|package|process|thread|method|function|"
    "module|library|sdk|version|build|os|platform|device|model|brand|product|item|article|offer|category|company|"
    "business|brand|publisher|seller|merchant|shop|store|campaign|ad|banner|creative|city|country|region|street|state|"
    "place|poi|station|carrier|operator|network|field|column|table|cookie|service|image|video|song|track|album|artist|"
    "channel|font|theme|layer|tag|level|action|activity|fragment|metric|span|key|param|property|config|feature|flag|job|"
    "tab|section|button|menu|group|folder|room|wifi|ssid|hotspot|dialog|widget|card|icon|route|source|medium|plan|"
    "task|queue|topic|bucket|index|schema|database|db|codec|template|label|type|font|color|colour|team|league|movie"
)
"""Things that have a name and are not people."""
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
"""Kind of value -> keys that seem telling but mean something else: a `lineNumber` is no telephone number."""
OF_THINGS = re.compile(rf"(?:^|[_.-])(?:{THINGS})s?$|(?:companies|cities|countries|categories|activities)$")
"""Keys of objects in which a bare `name` is the name of a thing."""
SAID_OF_EVERYTHING = re.compile(
    r"headers\.(?:user-agent|accept\b.*|content-(?!disposition).*|sec-.*|host|origin|referer|connection|te|via|server"
    r"|cache-control|date|if-.*|x-requested-with|upgrade|range|etag|pragma|expect|transfer-encoding)$"
)
"""Headers that HTTP itself fills in: `user-agent` says nothing about a user, `content-type` nothing about a message."""
BARE_NAME = frozenset(("name", "names", "title", "label"))


@lru_cache(maxsize=4096)
def tells(kind: str, path: str) -> bool:
    """Whether the last key of a path indicates a value of this kind."""
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
    """Offset of the first byte in what is stored."""
    end: int
    before: str
    found: str
    after: str
    chance: float
    """The probability that this is coincidence."""
    telling: bool
    """Whether the key of the leaf indicates such a value."""
    strong: bool
    """Whether the form is unlikely enough to be believed without support."""
    reasons: tuple[Reason, ...]
    """How the form was found; belief appends its own reasons."""
    error_m: float = 0.0
    """Metres between a place and the found numbers."""
    fits: bool = True
    """Whether the numbers are the place's own, rounded or truncated, and not merely near it."""
    evidence: tuple[Ref, ...] = ()
    """Transforms of the app between what was sent and the bytes with the form, outermost first."""
    forms: tuple[str, ...] = ()
    """What the digests and ciphers in `evidence` produced (`sha256`, `encrypted`), outermost first."""
    whole: bool = False
    """Whether the leaf is the whole input of the innermost transform."""
    namesake: bool = False
    """Whether this is a name with nothing else of its row beside it, which may be a namesake's."""

    def because(self, code: Why, **fields: str | float) -> Hit:
        """The same hit with one more reason; called by belief."""
        return self._replace(reasons=(*self.reasons, because(code, **fields)))


IN_BRACKETS = re.compile(r"\[([^\[\]]*[^\[\]\d][^\[\]]*)\](?:\[\d*\])*$")
"""The innermost name in a form key, nested as in PHP: `user[name][]`."""
LAST_KEY = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\.([^.\[\]]+)|^([^.\[\]]+)')


@lru_cache(maxsize=4096)
def last_key(path: str) -> str:
    """The innermost name of a path in lower case: `phones` for `$.user.phones[3]`."""
    last = ""
    for found in LAST_KEY.finditer(path):
        last = found[1] or found[2] or found[3] or last
    nested = IN_BRACKETS.search(last)
    return (nested[1] if nested else last).lower()


def parent_of(path: str) -> str:
    """The path of the object or list that a leaf is in."""
    cut = max(path.rfind("."), path.rfind("["))
    return path[:cut] if cut > 0 else path


class Spot(NamedTuple):
    """The bytes of a leaf where a form stands."""

    leaf: Leaf
    start: int
    end: int
    charset: str = "utf-8"
    """Empty if they are not text."""

    @property
    def stored(self) -> tuple[int, int]:
        """Offsets in what is stored: of the first byte, and of the byte after the last."""
        leaf = self.leaf
        return (leaf.start + self.start, leaf.start + self.end) if leaf.exact else (leaf.start, leaf.end)


def all_of(leaf: Leaf, charset: str = "") -> Spot:
    """The spot that is a whole leaf."""
    return Spot(leaf, 0, len(leaf.data), charset)


class HitFields(TypedDict, total=False):
    """Fields of a hit that a finder sets itself instead of having them derived from the form and the place."""

    decoding: tuple[str, ...]
    found: str
    chance: float
    telling: bool
    strong: bool
    reasons: tuple[Reason, ...]
    error_m: float
    fits: bool
    evidence: tuple[Ref, ...]
    forms: tuple[str, ...]
    whole: bool


def hit_at(key: Hashable, value: Value, variant: Variant, spot: Spot, size: int, **said: Unpack[HitFields]) -> Hit:
    """Make a hit in an upload of `size` bytes."""
    leaf, first, last, charset = spot
    before, found, after = excerpt(leaf, first, last, charset)
    if variant.bits < ADDRESS_BITS and is_address(leaf, first, last, variant):
        variant = variant._replace(bits=ADDRESS_BITS)
    kind = kind_of(value)
    telling = tells(kind, leaf.path) or (value.type in TELLING and tells(value.type, leaf.path))
    chance = min(1.0, max(1.0, size / 4) * 2.0**-variant.bits)
    start, end = spot.stored
    made: dict[str, Any] = {
        "decoding": leaf.decoding if charset in ("utf-8", "") else (*leaf.decoding, charset),
        "found": found,
        "chance": chance / 100 if telling else chance,
        "telling": telling,
        "strong": variant.bits >= STRONG_BITS or (variant.how == "leaf" and len(variant.pattern) >= digests.SHORTEST),
    }
    made |= said
    if "reasons" not in made:
        made["reasons"] = how_found(variant, found, last_key(leaf.path) if telling else "")
    return Hit(key, value, variant, leaf, start=start, end=end, before=before, after=after, **made)


ADDRESS_BITS = 30.0
"""Bits of an e-mail address that stands alone, however short it is: nobody else has it."""
MAIL = re.compile(
    rb"(?i)[a-z0-9][\w.+-]*@(?:[a-z0-9-]+\.)+(?:[a-z]{2}|com|org|net|edu|gov|mil|int|info|biz|name|pro|mobi|app|dev|xyz|"
    rb"top|vip|club|site|online|shop|store|tech|asia|live|work|email|mail|cloud|icu|wang|ltd|art|fun|space|website|group|"
    rb"team|world|life|blog|page|zone|today|news|media|digital|agency|studio|company)"
)
BEFORE_MAIL = re.compile(rb"(?:^|[\s,;:<>()\[\]{}\"=&?|\x00-\x1f\x7f-\xff]|(?<![\w.])['/*`])\Z")
"""What may stand before an address without being part of it: its local part may contain nearly any character."""
BEHIND_MAIL = re.compile(rb"(?![\w@%+]|-\w)")


def is_address(leaf: Leaf, start: int, end: int, variant: Variant) -> bool:
    """Whether a form is a complete e-mail address, and nothing beside it may belong to one."""
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
    """Whether a text is all of its leaf, or one entry of a list in the leaf, and not a word of a sentence."""
    if hit.leaf.text is None:
        return not hit.before and not hit.after
    return bool(OPENS.search(hit.before) and CLOSES.match(hit.after))


def excerpt(leaf: Leaf, start: int, end: int, charset: str) -> tuple[str, str, str]:
    """The text before, the found text, and the text after."""
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


def how_found(variant: Variant, found: str, key: str = "") -> tuple[Reason, ...]:
    """The first reasons of a hit; `key`: the key of the leaf, if it is telling."""
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


def root_of(path: str) -> str:
    """The part of an upload to which positions of `path` refer: the body (`$`), `url`, or one header."""
    if path.startswith("headers."):
        return ".".join(path.split(".")[:2])
    return "url" if path.startswith("url") else "$"

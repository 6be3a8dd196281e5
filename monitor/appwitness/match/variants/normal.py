"""Normal forms: the spellings of a value by its type, before any encoding; also tells the type of a value."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
import uuid
from collections.abc import Callable
from functools import lru_cache

from appwitness.events import Value
from appwitness.match.geo import systems
from appwitness.match.variants import dates, phones

Forms = tuple[tuple[str, str], ...]
"""(name of the normal form, the value in it), `as_given` first."""
FORMS: dict[str, Callable[[str], Forms]] = {}
"""Kind of value -> its normal forms."""

HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]")
MAC = re.compile(r"(?i)[\da-f]{2}([:-]?)(?:[\da-f]{2}\1){4}[\da-f]{2}")
UUID = re.compile(r"(?i)[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}")
DISTRICT = re.compile("(?<=[省市区县州盟旗])")
"""Where a Chinese address may be cut: after a province, a city or a district."""
STROKES = str.maketrans("łŁøØđĐßıæÆœŒ", "lLoOdDsiaAoO")
"""Letters with a stroke, and others that have no decomposition -> the nearest plain letter."""
LIGATURES = {
    ord(letter): two for letter, two in {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE"}.items()
}
"""Letters for which programs that remove accents write two."""
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
"""How German is written without umlauts; Scandinavian passports do the same."""
CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya i yi ye g u".split(),  # noqa: SIM905
        strict=True,
    )
)
GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρσςτυφχψω",
        "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split(),  # noqa: SIM905
        strict=True,
    )
)
LATIN = {ord(letter): latin.replace("_", "") for letter, latin in (CYRILLIC | GREEK).items()}
"""Letters as passports transliterate them."""
PAIRS = (("ου", "ou"), ("αυ", "av"), ("ευ", "ev"))
ELSEWHERE = re.compile("[\u0370-\u03ff\u0400-\u04ff]")
HEX_ID = re.compile(r"(?i)(?=.*[a-f])(?=.*\d)[\da-f]{12,64}")
SURNAMES = frozenset(
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 夏侯 诸葛 尉迟 皇甫 公孙 慕容 司徒 长孙 宇文 司空 令狐 百里 西门".split()  # noqa: SIM905
)


def form(kind: str) -> Callable[[Callable[[str], Forms]], Callable[[str], Forms]]:
    """Register the normal forms of one kind of value."""

    def register(function: Callable[[str], Forms]) -> Callable[[str], Forms]:
        FORMS[kind] = lru_cache(maxsize=16)(function)  # called three times for each value that is added
        return function

    return register


FORMS["phone"] = phones.forms
FORMS["location"] = systems.forms


def _unique(*forms: tuple[str, str]) -> Forms:
    found: dict[str, str] = {}
    for name, text in forms:
        if text:
            found.setdefault(text, name)
    return tuple((name, text) for text, name in found.items())


@form("email")
def email(text: str) -> Forms:
    """An e-mail address: case, the tag after `+`, the dots that Gmail ignores."""
    given = text.strip()
    lower = given.lower()
    local, _, domain = lower.partition("@")
    untagged = f"{local.partition('+')[0]}@{domain}"
    bare = f"{local.partition('+')[0].replace('.', '')}@{domain}"
    return _unique(
        ("as_given", given),
        ("lower", lower),
        ("upper", given.upper()),
        ("untagged", untagged),
        ("bare", bare if domain in ("gmail.com", "googlemail.com") else ""),
        ("quoted", f'"{lower.partition("@")[0]}"@{domain}'),
        ("local", lower.partition("@")[0]),
        ("undotted", f"{untagged.partition('@')[0].replace('.', '')}@{domain}"),
        *(("in_words", f"{local}{at}{domain.replace('.', dot)}") for at, dot in IN_WORDS),
        *(("in_words", lower.replace("@", at).replace(".", dot)) for at, dot in IN_WORDS[:2]),
        *(("for_files", lower.replace("@", at)) for at in ("_at_", "-at-", "_", "#")),
        ("for_files", re.sub(r"[^a-z0-9]", "_", lower)),
    )


IN_WORDS = ((" at ", " dot "), (" [at] ", " [dot] "), ("[at]", "[dot]"), (" (at) ", " (dot) "))
"""How addresses are hidden from harvesters: what replaces `@`, and a dot."""


@form("name")
def name(text: str) -> Forms:
    """A person's name: case, width, order and separators."""
    given = text.strip()
    narrow = unicodedata.normalize("NFKC", given)
    words = narrow.replace(",", " ").split()
    plain = _without_marks(narrow)
    forms = [("as_given", given), ("narrow", narrow), ("lower", narrow.lower()), ("upper", narrow.upper())]
    forms += [("without_accents", plain), ("without_accents", plain.translate(STROKES))]
    if not narrow.isascii() and len(ascii_only := plain.encode("ascii", "ignore").decode()) > 0.8 * len(plain):
        forms += [("without_accents", ascii_only)]
    else:
        ascii_only = plain
    if len(words) == 1 and 2 < len(narrow) <= 4 and all(HAN.match(char) for char in narrow):
        forms += [("spaced", " ".join(narrow))]
    if len(words) == 1 and 2 <= len(words[0]) <= 4 and all(HAN.match(char) for char in words[0]):
        cut = 2 if words[0][:2] in SURNAMES else 1
        words = [words[0][:cut], words[0][cut:]] if len(words[0]) > cut else words
    if len(words) > 1:
        first, last = " ".join(words[:-1]), words[-1]
        if not HAN.search(narrow):
            forms += [("slug", NO_SLUG.sub("-", ascii_only.lower()).strip("-"))]
            forms += [("initial", f"{words[0][0]}{dot} {last}") for dot in (".", "")]
            forms += [("swapped", f"{last} {first}"), ("swapped", f"{last}, {first}"), ("swapped", f"{last},{first}")]
            forms += [("swapped", f"{last}{between}{first}") for between in ";/|^"]
            forms += [("swapped", f"{last}/{first}".upper())]
            forms += [("lower_swapped", f"{last} {first}".lower())]
            if not given.isascii():
                forms += [("swapped", f"{last} {first}".upper()), ("swapped", f"{last}, {first}".upper())]
            if len(words) > 2:  # both of two surnames come first
                both = " ".join(words[1:])
                forms += [("swapped", f"{both}{between}{words[0]}") for between in (" ", ", ")]
                forms += [("swapped", f"{both} {words[0]}".upper())]
        else:
            forms += [("spaced", " ".join(words)), ("swapped", f"{last}{first}"), ("swapped", f"{last} {first}")]
        forms += [("joined", between.join(words)) for between in ("", "_", ".", "-", "+", ";", "  ", "·")]
        forms += [("joined_lower", "".join(words).lower())]
    forms += [("latin", latin) for latin in _latin(narrow)]
    if (unaccented := without_accents(narrow)) != narrow and unaccented.isascii():
        forms += [("without_accents", unaccented), ("lower_without_accents", unaccented.lower())]
        if len(words) > 1:
            last, first = unaccented.split()[-1], " ".join(unaccented.split()[:-1])
            forms += [("slug", NO_SLUG.sub("-", unaccented.lower()).strip("-"))]
            forms += [("joined", between.join(unaccented.split())) for between in ("", "_", ".")]
            forms += [("swapped", f"{last}{between}{first}") for between in (" ", ", ")]
    if "'" in narrow or "\u2019" in narrow:
        straight = narrow.replace("\u2019", "'")
        # curly as keyboards write it, doubled as in SQL
        forms += [("apostrophe", straight), ("apostrophe", straight.replace("'", "\u2019"))]
        forms += [("apostrophe", straight.replace("'", "''"))]
    return _unique(*forms)


def without_accents(text: str) -> str:
    """A name in the ASCII letters that are most like its own."""
    return _without_marks(text).translate(LIGATURES).translate(STROKES)


def _without_marks(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


NO_SLUG = re.compile(r"[\W_]+")


def _latin(text: str) -> list[str]:
    """A name in plain Latin letters, as passports transliterate German, Cyrillic and Greek."""
    found = [text.translate(UMLAUTS)] if UMLAUTS.keys() & {ord(letter) for letter in text} else []
    if ELSEWHERE.search(text):
        plain = "".join(
            letter for letter in unicodedata.normalize("NFD", text.lower()) if letter not in "\u0301\u0300\u0342\u0345"
        )
        plain = unicodedata.normalize("NFC", plain)
        for pair, latin in PAIRS:
            plain = plain.replace(pair, latin)
        words = plain.translate(LATIN).title().split()
        found += [" ".join(words)]
        if len(words) > 1:
            found += [f"{words[-1]} {' '.join(words[:-1])}"]
    return found


VARIED = 5
"""Minimum distinct bytes of an id that is proof as bytes; 02:00:00:00:00:00, which Android returns for any MAC, is
not."""


def varied(pure: str) -> bool:
    """Whether an id, given in hex, has enough distinct bytes."""
    return len(set(bytes.fromhex(pure))) >= VARIED


@form("mac")
def mac(text: str) -> Forms:
    """A MAC address: colons, hyphens, dots or nothing between the bytes; case."""
    pure = re.sub(r"[^\da-fA-F]", "", text).lower()
    twos = [pure[i : i + 2] for i in range(0, 12, 2)]
    dotted = ".".join((pure[:4], pure[4:8], pure[8:]))
    lower = (("colons", ":".join(twos)), ("hyphens", "-".join(twos)), ("bare", pure), ("dotted", dotted))
    backwards = "".join(reversed(twos))
    host = f"{int(twos[0], 16) ^ 2:x}{twos[1]}:{int(twos[2], 16):x}ff:fe{twos[3]}:{int(twos[4] + twos[5], 16):x}"
    rarely = [("separated", between.join(twos)) for between in "._ "]
    rarely += [("zeros_dropped", ":".join(f"{int(two, 16):x}" for two in twos)), ("backwards", backwards)]
    if varied(pure):
        rarely += [("backwards", ":".join(reversed(twos))), ("eui64", host)]
        rarely += [("eui64", between.join((*twos[:3], "ff", "fe", *twos[3:]))) for between in ("", ":", "-")]
    return _unique(
        ("as_given", text.strip()),
        *lower,
        *((f"{kind}_upper", form.upper()) for kind, form in lower),
        ("integer", str(int(pure, 16)) if varied(pure) else ""),
        ("integer_backwards", str(int(backwards, 16)) if varied(pure) else ""),
        *rarely,
    )


@form("imei")
def imei(text: str) -> Forms:
    """An IMEI with and without its check digit, in hex, and as the URN that telephony uses."""
    digits = phones.digits_of(text)
    return _unique(
        ("as_given", text.strip()),
        ("digits", digits),
        ("without_check_digit", digits[:14]),
        ("hex_number", _hex_number(digits)),
        ("urn", f"{digits[:8]}-{digits[8:14]}-0"),
        ("integer", digits.lstrip("0") if digits.startswith("0") else ""),
    )


@form("number")
def number(text: str) -> Forms:
    """Numbers of cards, subscribers and persons: with and without separators, in hex; an ICCID without its check
    digit."""
    given = text.strip()
    bare = re.sub(r"[^\dXx]", "", given).upper()
    return _unique(
        ("as_given", given),
        ("digits", bare),
        ("lower", bare.lower()),
        ("without_check_digit", bare[:-1] if bare.startswith("89") and len(bare) in (19, 20) else ""),
        ("hex_number", _hex_number(bare) if bare.isdecimal() else ""),
        ("nai", f"0{bare}" if len(bare) == 15 else ""),  # a subscriber as an account name
    )


@form("ip")
def ip(text: str) -> Forms:
    """An IP address with dots or colons, in full, and as the integers that Android and databases make of it."""
    given = text.strip()
    address = ipaddress.ip_address(given)
    forms = [("as_given", given), ("short", address.compressed), ("full", address.exploded)]
    if address.version == 4:
        raw = address.packed
        forms += [("integer", str(int.from_bytes(raw))), ("integer_backwards", str(int.from_bytes(raw, "little")))]
        if raw[3] > 127:
            forms += [("signed_integer", str(int.from_bytes(raw, "little", signed=True)))]
        forms += [("hyphens", given.replace(".", "-")), ("backwards", ".".join(reversed(given.split("."))))]
    else:
        forms += [("upper", address.exploded.upper())]
    return _unique(*forms)


@form("address")
def address(text: str) -> Forms:
    """A postal address with other blanks, separators and line ends between its parts, and without any."""
    given = text.strip()
    narrow = unicodedata.normalize("NFKC", given)
    parts = [part for part in re.split(r"\s*[,;\n]\s*", narrow) if part]
    words = re.split(r"[\s,;]+", narrow)
    cut: list[str] = []
    if len(words) == 1 and HAN.search(narrow):
        words = [part for part in DISTRICT.split(narrow) if part]
        cut = [f"{' '.join(words[:at])} {''.join(words[at:])}" for at in range(1, min(4, len(words)))]
    return _unique(
        ("as_given", given),
        ("narrow", narrow),
        ("lower", narrow.lower()),
        ("upper", narrow.upper()),
        *(("separated", between.join(parts)) for between in ("\n", "\r\n", ",", "; ", " ")),
        *(("separated", between.join(words)) for between in ("", " ", "\n", "_", "-", "+")),
        *(("separated", blanks) for blanks in cut),
        ("street", parts[0] if len(parts) > 1 and any(char.isdecimal() for char in parts[0]) else ""),
        ("without_town", "".join(words[1:]) if cut else ""),
    )


@form("date")
def date(text: str) -> Forms:
    """A birthday in all its spellings."""
    return _unique(*dates.spelled(text))


@form("id")
def identifier(text: str) -> Forms:
    """An id in hex or as a UUID: case, hyphens, as an integer."""
    given = text.strip()
    pure = given.replace("-", "")
    number = int(pure, 16)
    forms = [
        ("as_given", given),
        ("lower", given.lower()),
        ("upper", given.upper()),
        ("bare", pure.lower()),
        ("bare_upper", pure.upper()),
    ]
    if len(pure) == 14:  # an MEID, which is also written in decimal, part by part
        forms += [("decimal", f"{int(pure[:8], 16):010d}{int(pure[8:], 16):08d}")]
    if len(pure) == 16:
        forms += [("zeros_dropped", pure.lstrip("0").lower() if varied(pure) else "")]
        forms += [("padded", f"00000000-0000-0000-{pure[:4]}-{pure[4:]}".lower())]
        forms += [("integer", str(number)), ("signed_integer", str(number - (1 << 64)) if number >> 63 else "")]
    if UUID.fullmatch(given) and varied(pure):
        halves = [int.from_bytes(bytes.fromhex(half), signed=True) for half in (pure[:16], pure[16:])]
        forms += [("half", str(half)) for half in halves]
        forms += [("half", str(half + (1 << 64))) for half in halves if half < 0]
        forms += [("underscores", given.lower().replace("-", "_")), ("guid", uuid.UUID(given).bytes_le.hex())]
        forms += [("half", pure[:16].lower()), ("half", pure[16:].lower())]
    return _unique(*forms)


@form("text")
def plain_text(text: str) -> Forms:
    """Anything else: as it is, trimmed, and in either case."""
    given = text.strip()
    narrow = unicodedata.normalize("NFKC", given)
    return _unique(
        ("as_given", given),
        ("raw", text),
        ("unquoted", given.strip('"')),  # Android puts the name of a network in quotes
        ("narrow", narrow),
        ("lower", narrow.lower()),
        ("upper", narrow.upper()),
        *(("unspaced", re.sub(between, "", narrow)) for between in (r"[\s,]+", r"\s+")),
        *(("spaced", re.sub(between, " ", narrow)) for between in (r"[\s,]+", r"\s+")),
        ("lines", re.sub(r"[\s,]+", "\n", narrow)),
        ("beginning", given[: SHORT_HAN if HAN.search(given) else SHORT] if len(given) >= CUT else ""),
        ("slashes", given.replace(".", "/") if PACKAGE.fullmatch(given) else ""),
    )


SHORT, SHORT_HAN, CUT = 16, 12, 24
"""Letters by which a truncated text is recognized (fewer if it is Chinese), and minimum letters of the whole text."""
PACKAGE = re.compile(r"[A-Za-z]\w*(?:\.\w+){2,}")
"""The package name of an app, whose parts are also the folders of its code."""


def _hex_number(digits: str) -> str:
    return f"{int(digits):x}" if len(digits) > 10 else ""


OF_PHONES = frozenset(("msisdn", "call_log", "sms_sender"))
"""Types of value that are telephone numbers, besides those that have `phone` in their name."""
NUMBERED = frozenset(("id_number", "bank_card", "account_id"))
"""Types of value that are numbers, other than those of devices."""


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _kind_of_imei(text: str) -> str:
    if re.fullmatch(r"\d{14,16}", text):
        return "imei"
    return "id" if HEX_ID.fullmatch(text) and len(text) == 14 else "text"


def kind_of(value: Value) -> str:
    """The kind of a value, which determines its normal forms: decided by its type, otherwise by its shape."""
    code, text = value.type, value.text.strip()
    if code == "location" or (code.startswith("location") and systems.parse(text)):
        return "location" if systems.parse(text) else "text"
    if "imei" in code or "meid" in code:
        return _kind_of_imei(text)
    if code == "birthday" and dates.DATE.fullmatch(text):
        return "date"
    if re.fullmatch(r"[\dXx][\dXx -]{10,24}", text) and (code in NUMBERED or code.startswith("device_id")):
        return "number"
    if code == "address":
        return "address"
    if code == "ip_address" and _is_ip(text):
        return "ip"
    if "email" in code or re.fullmatch(r"[^\s@]+@[^\s@]+\.\w+", text):
        return "email"
    of_phone = "phone" in code or code in OF_PHONES
    if MAC.fullmatch(text) and not (of_phone and text.isdecimal()):
        return "mac"
    if UUID.fullmatch(text) or HEX_ID.fullmatch(text):
        return "id"
    if of_phone:
        return "phone" if 5 <= len(phones.digits_of(text)) <= 17 and not re.search(r"[^\W\d_]", text) else "text"
    if code == "name" or code.endswith("_name"):
        return "name"
    return "text"

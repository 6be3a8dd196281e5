"""Values that the user says were on the device: `--value TYPE=VALUE`, validated before the search."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

from appwitness.catalog import yaml_files
from appwitness.events import Value
from appwitness.judge.data_types import DataTypes
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

NEAREST = 4
"""Maximum number of types that an error suggests."""


def persona(words: Sequence[str]) -> tuple[Value, ...]:
    """Parse `phone_number=+8613800138000` and the like. Raises UserError for an unknown type, and for an impossible
    value."""
    values: list[Value] = []
    for word in words:
        type_, equals, text = word.partition("=")
        type_, text = type_.strip(), text.strip()
        if not equals or not type_ or not text:
            raise UserError(
                Spoken("--value {word!r} is not TYPE=VALUE.", word=word),
                "Write it as --value phone_number=+8613800138000.",
            )
        _refuse_unknown(type_)
        shape = SHAPES.get(type_)
        if shape is not None and not shape[0](text):
            raise UserError(
                Spoken("--value {word!r}: {text!r} is not {shape}.", word=word, text=text, shape=shape[1]),
                Spoken("Write it as --value {type}={shape}.", type=type_, shape=shape[2]),
            )
        if len(text) == 1 and text.isascii():
            raise UserError(
                Spoken("--value {word!r}: a single character is in every upload, and is not looked for.", word=word),
                "If the app sends a word for it, give that word.",
            )
        values.append(Value(type=type_, text=text))
    return tuple(values)


def _refuse_unknown(type_: str) -> None:
    (path,) = yaml_files.files("data_types.yml")
    known = {one.code: one.en.lower() for one in yaml_files.parse(path, DataTypes).items}
    if type_ in known:
        return
    words = set(re.findall(r"[a-z0-9]+", type_.lower()))

    def likeness(code: str) -> float:
        parts = set(code.split("_")) | set(re.findall(r"[a-z]+", known[code]))
        return difflib.SequenceMatcher(None, type_.lower(), code).ratio() + len(words & parts)

    nearest = sorted(known, key=likeness, reverse=True)[:NEAREST]
    raise UserError(
        Spoken("There is no type {type!r}; the nearest are {nearest}.", type=type_, nearest=", ".join(nearest)),
        "`appwitness list data-types` lists them all.",
    )


def _is_place(text: str) -> bool:
    found = re.fullmatch(r"([-+]?\d{1,2}(?:\.\d+)?)\s*,\s*([-+]?\d{1,3}(?:\.\d+)?)", text)
    return found is not None and abs(float(found[1])) <= 90 and abs(float(found[2])) <= 180


def _digits(least: int, most: int) -> Callable[[str], bool]:
    """A number of digits, with the separators that people write between them."""
    return lambda text: (
        bool(re.fullmatch(r"[+\d][\d\s().\-/]*", text.lstrip("( "))) and least <= sum(map(str.isdigit, text)) <= most
    )


def _matches(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text, re.IGNORECASE) is not None


_UUID = r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}"
_PLACE = (_is_place, "latitude and longitude in degrees", "52.520008,13.404954")
SHAPES: dict[str, tuple[Callable[[str], bool], str, str]] = {
    "location": _PLACE,
    "location_coarse": (
        lambda text: _is_place(text) or not re.search(r"\d\s*,\s*[-+]?\d", text),
        "a place's name, or latitude and longitude in degrees",
        "52.52,13.40",
    ),
    "phone_number": (_digits(3, 17), "a phone number", "+8613800138000"),
    "email": (_matches(r"[^@\s]+@[^@\s]+"), "an email address", "ann@example.com"),
    "device_id_imei": (
        lambda text: _digits(14, 16)(text) or _matches(r"[0-9a-f]{14}")(text),
        "an IMEI or MEID, which have 14 to 16 digits",
        "490154203237518",
    ),
    "device_id_imsi": (_digits(6, 15), "an IMSI, which has up to 15 digits", "460001234567890"),
    "device_id_iccid": (_matches(r"[0-9a-f\s]{18,24}"), "an ICCID, which has 18 to 22 digits", "8986001234567890123"),
    "android_id": (_matches(r"[0-9a-f]{8,16}"), "an Android ID, which has 16 hex digits", "3f2a9c81d04b6e57"),
    "advertising_id": (_matches(_UUID), "an advertising id, which is a UUID", "38400000-8cf0-11bd-b23e-10b96e40000d"),
    "mac_address": (
        _matches(r"[0-9a-f]{2}([:-]?[0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}"),
        "a MAC address",
        "a4:50:46:12:9b:7e",
    ),
    "ip_address": (
        _matches(r"[0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*(%\w+)?"),
        "an IP address",
        "192.0.2.7",
    ),
}
"""Type -> test of whether a text can be a value of it, a description of such values, an example. Only impossible
values are refused."""

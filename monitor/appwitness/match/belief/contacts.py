"""Finds phone numbers and e-mail addresses of people in an upload, whoever they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from appwitness.events import Value
from appwitness.match import variants
from appwitness.match.belief.steps import WORDS, tokens_of
from appwitness.match.hits import tells
from appwitness.match.reads import Key

Contact = Literal["phone", "email", "address"]
"""Kinds of value that identify the person of a row."""

MAIL = re.compile(r"[^\s@<>,;:*\"']+@[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(r"[+(]?\d[\d\s().\-/\u2010-\u2015]*\d")
WRITTEN = re.compile(
    r"(?:\+|00)[1-9][\d\s().\-/]{6,20}\d|\(\d{2,5}\)[\d\s.\-/]{5,14}\d|"
    r"0?\d{2,4}(?P<mark>[ .-])\d{3,4}(?P=mark)\d{4}|1[3-9]\d{9}|0[1-9]\d{8,10}"
)
"""A number that is a telephone number by its shape alone: with a plus, parentheses or groups, as in China, or after
a leading zero; a bare number may be anything."""
FEWEST, MOST = 7, 15
"""Digits of a telephone number (E.164); shorter ones are service numbers."""
NOT_A_NUMBER = frozenset(
    (
        *("id", "ids", "at", "ts", "time", "date", "count", "version", "type", "code", "hash", "size", "len", "length"),
        *("status", "label", "os", "model", "created", "updated", "seq", "index", "total", "amount", "price"),
    )
)
"""Words that, at the end of a key, say that its value is not what the rest of the key names: `phone_type`."""
ADDRESSES = re.compile(r"address|addr(?![a-z])|^adr$|street|residence|地址|住址")
NOT_OF_PEOPLE = frozenset(
    (
        *("ip", "mac", "mail", "email", "url", "uri", "web", "wallet", "btc", "eth", "bt", "wifi", "bluetooth"),
        *("memory", "server", "host", "remote", "local", "id", "type", "count", "hash"),
    )
)
"""Words in keys of addresses where nobody lives."""
SAYS_NOTHING = frozenset(
    ("value", "number", "text", "raw", "formatted", "display", "content", "data", "digits", "normalized")
)
POSTAL = re.compile(r"(?=.*[^\W\d_])(?=.*(?:\d|[\u3400-\u9fff]))[^*@{}<>=\"]{6,200}", re.DOTALL)
SPACED = re.compile(r"\s|[\u3400-\u9fff]")
TIMES = re.compile(r"1[4-9]\d{8}(?:\d{3})?")
"""Seconds or milliseconds since 1970."""
DATES = re.compile(r"(?:19|20)\d\d[-./]\d\d?[-./]\d\d?(?:[ T].*)?|\d+\.\d+|(?:\d{1,3}\.){3}\d{1,3}")


def contacts_of(text: str, path: str) -> Iterator[tuple[Contact, str]]:
    """The number or address that makes up a whole leaf, if any."""
    text = text.strip()
    if len(text) > 200 or len(text) < FEWEST - 1:
        return
    if "@" in text:
        if MAIL.fullmatch(text):
            yield "email", text
        return
    if PHONE.fullmatch(text) and not DATES.fullmatch(text) and FEWEST <= _digits(text) <= MOST:
        if (WRITTEN.fullmatch(text) and not TIMES.fullmatch(text)) or _tells_phone(path):
            yield "phone", text
    elif POSTAL.fullmatch(text) and SPACED.search(text) and _tells_address(path):
        yield "address", text


def contacts_in(text: str) -> Iterator[tuple[Contact, str]]:
    """Phone numbers and e-mail addresses in one row of a text."""
    for found in MAIL.finditer(text):
        yield "email", found[0]
    for found in re.finditer(rf"(?<![\w.@/+-])(?:{WRITTEN.pattern})(?![\w@])", text):
        if FEWEST <= _digits(found[0]) <= MOST and not TIMES.fullmatch(found[0]) and not DATES.fullmatch(found[0]):
            yield "phone", found[0]


@lru_cache(maxsize=4096)
def _tells_phone(path: str) -> bool:
    key = _telling_key(path)
    words = [word.lower() for word in WORDS.findall(key)]
    return bool(words) and words[-1] not in NOT_A_NUMBER and tells("phone", f"$.{key}")


@lru_cache(maxsize=4096)
def _tells_address(path: str) -> bool:
    key = _telling_key(path)
    words = {word.lower() for word in WORDS.findall(key)}
    return bool(ADDRESSES.search(key.lower())) and words.isdisjoint(NOT_OF_PEOPLE)


def _telling_key(path: str) -> str:
    """The last key of a path that says what the text is: `phones` for `phones[0].value`."""
    keys = [token for token in tokens_of(path) if isinstance(token, str)]
    return keys[-2] if len(keys) > 1 and keys[-1].lower() in SAYS_NOTHING else keys[-1]


def _digits(text: str) -> int:
    return sum(map(str.isdecimal, text))


@lru_cache(maxsize=4096)
def kind_of(key: Key) -> str:
    """phone, email, address, or another kind of value."""
    return variants.kind_of(Value(type=key[0], text=key[1]))


@lru_cache(maxsize=8192)
def _plain(kind: str, text: str) -> str:
    """A number or address, independent of its notation."""
    if kind == "phone":
        return re.sub(r"\D", "", text)[-FEWEST:]
    if kind == "email":
        local, _, domain = text.casefold().rpartition("@")
        return f"{local.partition('+')[0].replace('.', '')}@{domain}"
    return re.sub(r"[\W_]", "", text.casefold())


def is_same(kind: Contact, text: str, key: Key) -> bool:
    """Whether the text is the same as a value, or for an address, whether one contains the other."""
    if kind_of(key) != kind:
        return False
    one, other = _plain(kind, text), _plain(kind, key[1])
    return one == other or (kind == "address" and (one in other or other in one))

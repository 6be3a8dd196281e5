"""Normal forms of telephone numbers, from the phonenumbers library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat

HOMES = ("CN", "US", "GB", "DE", "IN", "BR", "FR", "JP")
"""Countries that a number without a country code may belong to; each one in which it is valid counts."""
ABROAD = tuple(
    (code, re.compile(mobile))
    for code, mobile in (
        ("20", r"0(1[0-25]\d{8})"),
        ("27", r"0([6-8]\d{8})"),
        ("30", r"(69\d{8})"),
        ("31", r"0(6\d{8})"),
        ("32", r"0(4[5-9]\d{7})"),
        ("34", r"([67]\d{8})"),
        ("351", r"(9[1236]\d{7})"),
        ("353", r"0(8[3-9]\d{7})"),
        ("354", r"([678]\d{6})"),
        ("355", r"0(6[7-9]\d{7})"),
        ("357", r"(9[4-9]\d{6})"),
        ("358", r"0((?:4\d|50)\d{4,8})"),
        ("359", r"0([89]8\d{7}|87\d{7}|89\d{7}|988\d{6})"),
        ("36", r"06([2357]0\d{7}|31\d{7})"),
        ("370", r"[08](6\d{7})"),
        ("371", r"(2\d{7})"),
        ("372", r"(5\d{6,7})"),
        ("375", r"80((?:25|29|33|44)\d{7})"),
        ("380", r"0([3-9]\d{8})"),
        ("381", r"0(6\d{7,8})"),
        ("385", r"0(9[1257-9]\d{6,7})"),
        ("386", r"0([3-7][01]\d{6}|6[4-9]\d{6})"),
        ("39", r"(3\d{8,9})"),
        ("40", r"0(7\d{8})"),
        ("41", r"0(7[5-9]\d{7})"),
        ("420", r"([67]\d{8})"),
        ("421", r"0(9\d{8})"),
        ("43", r"0(6[5-9]\d{7,10})"),
        ("45", r"([2-9]\d{7})"),
        ("46", r"0(7[02369]\d{7})"),
        ("47", r"([49]\d{7})"),
        ("48", r"([4-8]\d{8})"),
        ("51", r"(9\d{8})"),
        ("52", r"([2-9]\d{9})"),
        ("56", r"(9\d{8}|[2-9]\d{8})"),
        ("57", r"(3\d{9})"),
        ("58", r"0(4[12]\d{8})"),
        ("593", r"0(9\d{8})"),
        ("60", r"0(1\d{8,9})"),
        ("61", r"0(4\d{8})"),
        ("62", r"0(8\d{8,11})"),
        ("63", r"0(9\d{9})"),
        ("64", r"0(2\d{7,9})"),
        ("65", r"([89]\d{7})"),
        ("66", r"0([689]\d{8})"),
        ("7", r"8(9\d{9}|7\d{9})"),
        ("82", r"0(10\d{8})"),
        ("84", r"0([35789]\d{8})"),
        ("852", r"([4-79]\d{7})"),
        ("853", r"(6\d{7})"),
        ("855", r"0([16-9]\d{7,8})"),
        ("880", r"0(1\d{9})"),
        ("886", r"0(9\d{8})"),
        ("90", r"0(5\d{9})"),
        ("92", r"0(3\d{9})"),
        ("94", r"0(7\d{8})"),
        ("95", r"0(9\d{7,9})"),
        ("961", r"((?:3|7[0-9]|81)\d{6})"),
        ("962", r"0(7[789]\d{7})"),
        ("964", r"0(7\d{9})"),
        ("965", r"([569]\d{7})"),
        ("966", r"0(5\d{8})"),
        ("971", r"0(5[024-68]\d{7})"),
        ("972", r"0(5\d{8})"),
        ("974", r"([3567]\d{7})"),
        ("977", r"(9[678]\d{8})"),
        ("98", r"0(9\d{9})"),
        ("212", r"0([67]\d{8})"),
        ("213", r"0([567]\d{8})"),
        ("216", r"([2459]\d{7})"),
        ("233", r"0([25]\d{8})"),
        ("234", r"0([789][01]\d{8})"),
        ("254", r"0([17]\d{8})"),
        ("255", r"0([67]\d{8})"),
        ("256", r"0(7\d{8})"),
    )
)
"""Codes of further countries, each with a pattern of its mobile numbers as written at home, whose group is what
follows the code (ITU-T E.129 and what the regulators publish). A number may fit several. Querying the library for
each would take a hundred times as long."""
IN_ARGENTINA = re.compile(r"0?([1-3]\d{1,3})15(\d{6,8})")
"""How a mobile number is dialled in Argentina: with 15 between area code and number; from abroad, with a 9 before both
instead."""
TRUNK_0 = frozenset(("33", "44", "49", "61", "81", "82", "91"))
"""Codes of countries in which every number is dialled with a leading zero."""
CHINESE_MOBILE = re.compile(r"1[3-9]\d{9}")


def digits_of(text: str) -> str:
    """The digits of a text."""
    return text.translate(NO_ASCII_DIGITS) if text.isascii() else NO_DIGIT.sub("", text)


NO_DIGIT = re.compile(r"\D")
NO_ASCII_DIGITS = {letter: None for letter in range(128) if not chr(letter).isdecimal()}


@lru_cache(maxsize=4096)
def forms(text: str) -> tuple[tuple[str, str], ...]:
    """(name of the form, the number in it), without duplicates; `as_given` first."""
    given = text.strip()
    digits = digits_of(given)
    found = {given: "as_given"}
    named = [("digits", digits)] if digits else []
    if len(digits) > 10:
        named.append(("hex_number", f"{int(digits):x}"))
    told = _with_country(given, digits)
    known = _valid([told] if told else [(given, home) for home in HOMES])
    for number in known:
        named += _forms_of(number)
    if not told:
        named += _abroad(digits, {str(number.country_code) for number in known})
    for name, form in named:
        found.setdefault(form, name)
    return tuple((name, form) for form, name in found.items())


def _forms_of(number: phonenumbers.PhoneNumber) -> Iterator[tuple[str, str]]:
    code = str(number.country_code)
    significant = phonenumbers.national_significant_number(number)
    whole = code + significant
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    yield "e164", f"+{whole}"
    yield "international", whole
    yield "national", digits_of(national)
    yield "significant", significant
    if code in TRUNK_0 or (code == "86" and CHINESE_MOBILE.fullmatch(significant)):
        yield "trunk_0", f"0{significant}"  # as dialled from another town, whatever its range
    yield "international_00", f"00{whole}"
    yield "international_011", f"011{whole}"
    yield "hex_number", f"{int(whole):x}"
    yield "formatted", international
    yield "formatted", national
    yield "uri", _uri(number, international)
    for between in "- ":
        yield "separated", f"+{code}{between}{significant}"
        yield "separated", f"{code}{between}{significant}"
        if len(significant) == 11:
            yield "separated", f"{significant[:3]}{between}{significant[3:7]}{between}{significant[7:]}"


def _abroad(digits: str, known: set[str]) -> Iterator[tuple[str, str]]:
    """The forms of a mobile number in the further countries where it is one."""
    found = [(code, at_home[1]) for code, mobile in ABROAD if (at_home := mobile.fullmatch(digits))]
    if (parts := IN_ARGENTINA.fullmatch(digits)) and len(parts[1] + parts[2]) == 10:
        found.append(("54", f"9{parts[1]}{parts[2]}"))
    for code, significant in found:
        if code not in known:
            yield "significant", significant
            yield "e164_elsewhere", f"+{code}{significant}"
            yield "international_elsewhere", f"{code}{significant}"


def _uri(number: phonenumbers.PhoneNumber, international: str) -> str:
    """The RFC 3966 form: the international one with hyphens, which takes a tenth of the time of formatting it again."""
    if number.extension:
        return phonenumbers.format_number(number, PhoneNumberFormat.RFC3966)
    return "tel:+" + BETWEEN_DIGITS.sub("-", international[1:])


BETWEEN_DIGITS = re.compile(r"\D+")


def _with_country(given: str, digits: str) -> tuple[str, str | None] | None:
    """A number that tells its country, and the country whose rules apply to it (None: the one that it names); None
    if the number does not tell."""
    if given.startswith("+"):
        return given, None
    if digits.startswith("00") and len(digits) > 10:
        return f"+{digits[2:]}", None
    if digits.startswith("86") and CHINESE_MOBILE.fullmatch(digits[2:]):
        return f"+{digits}", None
    return (digits, "CN") if CHINESE_MOBILE.fullmatch(digits) else None


def _valid(tries: Iterable[tuple[str, str | None]]) -> list[phonenumbers.PhoneNumber]:
    """Numbers that are possible in the country that they name, or valid in the one whose rules apply."""
    found: list[phonenumbers.PhoneNumber] = []
    for candidate, home in tries:
        try:
            number = phonenumbers.parse(candidate, home)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number) if home is None else phonenumbers.is_valid_number(number):
            found.append(number)
    return found

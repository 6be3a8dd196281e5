"""Normal forms of telephone numbers, by the phonenumbers library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat

HOMES = ("CN", "US", "GB", "DE", "IN", "BR", "FR", "JP")
"""Countries that a number without a country code may belong to; each in which it is valid counts."""
ABROAD: dict[str, re.Pattern[str]] = {
    country: re.compile(mobile)
    for country, mobile in (
        ("KR", r"010\d{8}"),
        ("RU", r"89\d{9}"),
        ("TW", r"09\d{8}"),
        ("AU", r"04\d{8}"),
        ("VN", r"0[35789]\d{8}"),
        ("TH", r"0[689]\d{8}"),
        ("ID", r"08\d{8,11}"),
        ("MY", r"01\d{8,9}"),
        ("PH", r"09\d{9}"),
        ("PK", r"03\d{9}"),
        ("BD", r"01\d{9}"),
        ("EG", r"01[0-25]\d{8}"),
        ("NG", r"0[789][01]\d{8}"),
        ("TR", r"05\d{9}"),
        ("SA", r"05\d{8}"),
        ("IL", r"05\d{8}"),
        ("ZA", r"0[678]\d{8}"),
        ("UA", r"0[3-9]\d{8}"),
        ("NL", r"06\d{8}"),
        ("SE", r"07\d{8}"),
        ("ES", r"[67]\d{8}"),
        ("PL", r"[4-8]\d{8}"),
        ("IT", r"3\d{9}"),
    )
}
"""Further countries, each for numbers that are written as its mobile ones are: it takes long to try them all."""
TRUNK_0 = frozenset(("33", "44", "49", "61", "81", "82", "91"))
"""Codes of countries in which a nought stands before all numbers."""
CHINESE_MOBILE = re.compile(r"1[3-9]\d{9}")


def digits_of(text: str) -> str:
    """Only the digits."""
    return text.translate(NO_ASCII_DIGITS) if text.isascii() else NO_DIGIT.sub("", text)


NO_DIGIT = re.compile(r"\D")
NO_ASCII_DIGITS = {letter: None for letter in range(128) if not chr(letter).isdecimal()}


@lru_cache(maxsize=4096)
def forms(text: str) -> tuple[tuple[str, str], ...]:
    """(name of the form, the number in it), without repeats; `as_given` first."""
    given = text.strip()
    digits = digits_of(given)
    found = {given: "as_given"}
    named = [("digits", digits)] if digits else []
    if len(digits) > 10:
        named.append(("hex_number", f"{int(digits):x}"))
    for number in numbers(given, digits):
        named += _forms_of(number)
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
        yield "trunk_0", f"0{significant}"  # as it is dialled from another town, whatever its range
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


def _uri(number: phonenumbers.PhoneNumber, international: str) -> str:
    """As RFC 3966 has it: the same with hyphens, which takes a tenth of the time to format it once more."""
    if number.extension:
        return phonenumbers.format_number(number, PhoneNumberFormat.RFC3966)
    return "tel:+" + BETWEEN_DIGITS.sub("-", international[1:])


BETWEEN_DIGITS = re.compile(r"\D+")


def numbers(given: str, digits: str) -> list[phonenumbers.PhoneNumber]:
    """What the text may be a number of: one where it names its country, else one for each home where it is valid."""
    tries: list[tuple[str, str | None]]
    if given.startswith("+"):
        tries = [(given, None)]
    elif digits.startswith("00") and len(digits) > 10:
        tries = [("+" + digits[2:], None)]
    elif digits.startswith("86") and CHINESE_MOBILE.fullmatch(digits[2:]):
        tries = [("+" + digits, None)]
    elif CHINESE_MOBILE.fullmatch(digits):
        tries = [(digits, "CN")]
    else:
        tries = [(given, home) for home in HOMES]
        tries += [(given, country) for country, mobile in ABROAD.items() if mobile.fullmatch(digits)]
    found: list[phonenumbers.PhoneNumber] = []
    for candidate, home in tries:
        try:
            number = phonenumbers.parse(candidate, home)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number) if home is None else phonenumbers.is_valid_number(number):
            found.append(number)
    return found

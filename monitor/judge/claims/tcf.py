"""Reads the consent strings of IAB Europe's Transparency and Consent Framework: version 2, and what is left of 1.

After the published formats: IAB Tech Lab, "Consent string and vendor list formats v2" and "v1.1".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitor.judge.claims.bit_fields import Bits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(2017, 1, 1, tzinfo=UTC)
"""There was no framework before; a string that says so is none."""
_LAST = datetime(2100, 1, 1, tzinfo=UTC)


Vendors = tuple[range, ...]
"""Numbers of vendors as they are written, in runs: a short string can name tens of thousands many times over."""


@dataclass(frozen=True)
class Restriction:
    """What the publisher does not allow some vendors for one purpose."""

    purpose: int
    type: int
    """0: not allowed, 1: needs consent, 2: needs legitimate interest."""
    vendors: Vendors


@dataclass(frozen=True)
class Tcf:
    """What a string says. Purposes and vendors by their numbers in the framework's lists."""

    version: int
    created: datetime
    updated: datetime
    cmp_id: int
    language: str
    vendor_list: int
    purposes: tuple[int, ...]
    """Those the user consented to, as the string says."""
    policy: int | None = None
    legitimate_interests: tuple[int, ...] = ()
    """Purposes that somebody bases on a legitimate interest; nobody's consent."""
    special_features: tuple[int, ...] = ()
    """1: precise location, 2: scanning the device."""
    publisher_country: str | None = None
    vendors: Vendors | None = None
    """None: the string ends before them."""
    interest_vendors: Vendors = ()
    restrictions: tuple[Restriction, ...] = ()


def read(text: str) -> Tcf:
    """The core of a string of version 2 or 1. Raises ValueError with the reason when it is not one."""
    core = text.partition(".")[0]
    bits = Bits.of_base64url(core)
    version = bits.number(6)
    if version not in (1, 2):
        raise ValueError(f"version {version}, not 1 or 2")
    created, updated = _time(bits), _time(bits)
    cmp_id = bits.number(12)
    bits.number(12 + 6)  # version of the CMP, screen
    language = bits.letters(2)
    vendor_list = bits.number(12)
    if version == 1:
        purposes = bits.numbers_set(24)
        return Tcf(1, created, updated, cmp_id, language, vendor_list, purposes, vendors=_vendors_v1(bits))
    policy = bits.number(6)
    bits.number(1 + 1)  # specific to a service, own texts
    special_features = bits.numbers_set(12)
    purposes, interests = bits.numbers_set(24), bits.numbers_set(24)
    bits.number(1)  # purpose 1 is not asked about in the publisher's country
    country = bits.letters(2)
    vendors: Vendors | None = None
    interest_vendors: Vendors = ()
    restrictions: tuple[Restriction, ...] = ()
    try:
        vendors = _vendors(bits)
        interest_vendors = _vendors(bits)
        restrictions = tuple(Restriction(bits.number(6), bits.number(2), _ranges(bits)) for _ in range(bits.number(12)))
    except ValueError:  # cut short, as logs and lines of a recording cut it: the purposes are there anyway
        pass
    return Tcf(
        version=2,
        created=created,
        updated=updated,
        cmp_id=cmp_id,
        language=language,
        vendor_list=vendor_list,
        policy=policy,
        purposes=purposes,
        legitimate_interests=interests,
        special_features=special_features,
        publisher_country=country,
        vendors=vendors,
        interest_vendors=interest_vendors,
        restrictions=restrictions,
    )


def express(text: str) -> tuple[int, ...]:
    """The purposes expressly consented to in a string of the Canadian framework. Raises ValueError as `read` does."""
    bits = Bits.of_base64url(text.partition(".")[0])
    if bits.number(6) != 1:
        raise ValueError("not version 1")
    _time(bits)
    _time(bits)
    bits.number(12 + 12 + 6)
    bits.letters(2)
    bits.number(12 + 6 + 1 + 12)  # vendor list, policy, own texts, special features
    return bits.numbers_set(24)


def _time(bits: Bits) -> datetime:
    at = _EPOCH + timedelta(milliseconds=100 * bits.number(36))
    if not _FIRST <= at < _LAST:
        raise ValueError(f"made in {at.year}")
    return at


def _vendors(bits: Bits) -> Vendors:
    most = bits.number(16)
    return _ranges(bits) if bits.flag() else _runs(bits.numbers_set(most))


def _ranges(bits: Bits) -> Vendors:
    found: list[range] = []
    for _ in range(bits.number(12)):
        is_range, first = bits.flag(), bits.number(16)
        found.append(range(first, (bits.number(16) if is_range else first) + 1))
    return tuple(found)


def _runs(numbers: tuple[int, ...]) -> Vendors:
    """Ascending numbers as runs."""
    found: list[range] = []
    for number in numbers:
        if found and found[-1].stop == number:
            found[-1] = range(found[-1].start, number + 1)
        else:
            found.append(range(number, number + 1))
    return tuple(found)


def _vendors_v1(bits: Bits) -> Vendors | None:
    try:
        most = bits.number(16)
        if not bits.flag():
            return _runs(bits.numbers_set(most))
        by_default = bits.flag()
        named = _ranges(bits)
    except ValueError:
        return None
    return _all_but(named, most) if by_default else named


def _all_but(named: Vendors, most: int) -> Vendors:
    found: list[range] = []
    start = 1
    for run in sorted(named, key=lambda each: each.start):
        if run.start > start:
            found.append(range(start, run.start))
        start = max(start, run.stop)
    return (*found, range(start, most + 1)) if start <= most else tuple(found)

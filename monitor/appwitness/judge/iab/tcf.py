"""Parses consent strings of IAB Europe's Transparency and Consent Framework: version 2, and what is left of 1.

Follows the published formats: IAB Tech Lab, "Consent string and vendor list formats v2" and "v1.1".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appwitness.judge.iab.bit_fields import Bits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(2017, 1, 1, tzinfo=UTC)
"""The framework did not exist before; a string that claims an earlier time is invalid."""
_LAST = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Tcf:
    """What a string says about the user's choices. Purposes are numbered as in the framework's lists."""

    version: int
    updated: datetime
    cmp_id: int
    purposes: tuple[int, ...]
    """Purposes that the user consented to, according to the string."""
    special_features: tuple[int, ...] = ()
    """1: precise location, 2: scanning the device."""
    vendors: int | None = None
    """How many vendors the user consented to; None: the string ends before them."""


def read(text: str) -> Tcf:
    """The core of a string of version 2 or 1. Raises ValueError, with the reason, for anything else."""
    core = text.partition(".")[0]
    bits = Bits.of_base64url(core)
    version = bits.number(6)
    if version not in (1, 2):
        raise ValueError(f"version {version}, not 1 or 2")
    _time(bits)  # created
    updated = _time(bits)
    cmp_id = bits.number(12)
    bits.number(12 + 6)  # version of the CMP, screen
    bits.letters(2)  # language
    bits.number(12)  # version of the vendor list
    if version == 1:
        return Tcf(1, updated, cmp_id, bits.numbers_set(24), vendors=_vendors(bits, by_default=True))
    bits.number(6 + 1 + 1)  # policy, service-specific flag, publisher's own texts
    special_features = bits.numbers_set(12)
    purposes = bits.numbers_set(24)
    bits.number(24 + 1)  # legitimate interests, which are not consent; PurposeOneTreatment: purpose 1 was not asked
    bits.letters(2)  # the publisher's country
    return Tcf(2, updated, cmp_id, purposes, special_features, _vendors(bits))


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


def _vendors(bits: Bits, *, by_default: bool = False) -> int | None:
    """How many vendors are named; None if the string is truncated, as it is in logs. `by_default`: a range list
    begins with the default for the vendors that it does not name (version 1)."""
    try:
        most = bits.number(16)
        if not bits.flag():
            return len(bits.numbers_set(most))
        others = by_default and bits.flag()
        named = 0
        for _ in range(bits.number(12)):
            is_range, first = bits.flag(), bits.number(16)
            named += max(0, bits.number(16) - first + 1) if is_range else 1
    except ValueError:
        return None
    return max(0, most - named) if others else named

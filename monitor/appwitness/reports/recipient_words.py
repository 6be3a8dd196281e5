"""A recipient in words: who it is, and in which country, as far as that is known and by what."""

from __future__ import annotations

from appwitness.findings import Recipient
from appwitness.reports.words import Words, plain


def country(recipient: Recipient, words: Words) -> str:
    """The country with what it rests on; empty where it is not known."""
    if not recipient.country:
        return ""
    if not recipient.country_basis:
        return plain(recipient.country)
    basis = words(f"basis_{recipient.country_basis}")
    date = f"{words('comma')}{recipient.country_as_of}" if recipient.country_as_of else ""
    return plain(f"{recipient.country}{words('open')}{basis}{date}{words('close')}")


def who(recipient: Recipient, words: Words) -> str:
    """Name, party and country, as one line."""
    parts = (plain(recipient.name or ""), words(f"party_{recipient.party}"), country(recipient, words))
    return words("comma").join(part for part in parts if part)

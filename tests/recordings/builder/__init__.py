"""Tells the recordings of tests: each in a few lines of Python, its lines checked by the contract."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder import (
    claimed,
    clean,
    consents,
    kinds,
    lawful,
    marks,
    moments,
    observed,
    permissions,
    recipients,
    witnessed,
)
from tests.recordings.builder.case import Case

MODULES = (consents, claimed, permissions, moments, recipients, kinds, observed, witnessed, marks, clean, lawful)


def cases() -> Iterator[Case]:
    """Every recording, by what it is about."""
    for module in MODULES:
        yield from module.cases()

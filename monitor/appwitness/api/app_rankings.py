"""Rankings across the apps of an index, by recipient, data type, SDK or rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from appwitness.correlate import Knowledge
from appwitness.store import Store
from appwitness.store.lists import ROWS, ListPage
from appwitness.store.models import WHEN, When
from appwitness.store.ranking import FILTERS as FILTERS
from appwitness.store.ranking import GROUPS as GROUPS
from appwitness.store.ranking import UNKNOWN as UNKNOWN
from appwitness.store.ranking import Basis, Rankings
from appwitness.store.ranking import By as By
from appwitness.store.ranking import Ranked as Ranked


class RankedApps(NamedTuple):
    """One page of a ranking, and its basis."""

    page: ListPage[Ranked]
    basis: Basis
    moments: tuple[When, ...]
    """The `When` values for which its rows count apps; empty if it ranks rules or findings, or is filtered by rule: a
    rule itself implies when."""


def ranked(
    store: Store, known: Knowledge, by: By, filters: Mapping[str, str], page: int = 1, rows: int = ROWS
) -> RankedApps:
    """Rank recipients, rules or whatever `by` names by the number of apps they concern, `rows` to a page.

    Each filter (FILTERS) selects one value, or UNKNOWN; `text` matches a part of the row's name; empty texts are
    ignored. Raises UserError if the index cannot be used.
    """
    rankings = Rankings(store, {rule.id: rule.shown_by for rule in known.rules})
    by_rule = by in ("rule", "finding") or filters.get("rule")
    found = rankings.ranking(by, filters, page, rows)
    return RankedApps(found, rankings.basis(by, filters), () if by_rule else WHEN)


def hosts_of(store: Store, recipient: str) -> list[str]:
    """Some of the recipient's hosts that received something, sorted by name."""
    return Rankings(store).hosts(recipient)

"""Observed against declared, as rows: what was seen, and whether the app's maker declares it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from appwitness.findings import Report
from appwitness.findings.people import picked
from appwitness.reports.words import Words, plain

ORDER = ("no", "yes", "unseen")
"""What was seen and is not declared first."""


class DeclaredRow(NamedTuple):
    """One kind of data at one recipient."""

    state: Literal["no", "yes", "unseen"]
    data: str
    recipient: str
    observed: str
    declaration: str
    purpose: str
    evidence: str


def rows(report: Report, words: Words) -> list[DeclaredRow]:
    """The table of a report whose tester gave a policy.yml; none otherwise."""
    found = []
    for each in report.declared:
        state: Literal["no", "yes", "unseen"] = "no" if not each.declared else "yes" if each.observed else "unseen"
        found.append(
            DeclaredRow(
                state=state,
                data=picked(each.data, words.lang) if each.picked else words.data(each.data),
                recipient=plain(each.recipient) if each.recipient else words("read") if each.observed else "–",
                observed=f"{each.observed:,}",
                declaration=words(f"declared_{state}"),
                purpose=plain(each.purpose or ""),
                evidence=", ".join(map(plain, each.evidence)),
            )
        )
    return sorted(found, key=lambda row: ORDER.index(row.state))

"""The page that ranks over apps: who receives, what is sent, by which SDK, against which rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from appwitness.api.app_rankings import FILTERS, GROUPS, UNKNOWN, By, Ranked
from appwitness.reports.ranking_words import basis as in_words
from appwitness.reports.ranking_words import masked, named
from appwitness.web.overview_pages import masked_host, state_of_all
from appwitness.web.query import PageRequest

PAUSE_S = 30
"""Between two looks for news: to count over all apps may take a second."""


def ranking(asked: PageRequest) -> Response:
    """The rows of one ranking, and how many apps could have been among them."""
    index = asked.site.index
    by: By = next((each for each in GROUPS if each == asked.text("by")), "recipient")
    filters = {name: asked.text(name) for name in (*FILTERS, "text")}
    found, basis, moments = index.ranking(by, filters, asked.page)
    titles = {rule.id: dict(rule.title) for rule in index.known.rules}

    def called(column: str, value: str | None) -> str:
        return named(asked.words, column, None if value == UNKNOWN else value, titles, index.known.recipients.name_of)

    facts = {
        "state": state_of_all(asked),
        "by": by,
        "filters": filters,
        "basis": basis,
        "hosts": [masked_host(asked, host) for host in index.hosts_of(filters["recipient"])],
        "rows": [_row(asked, row) for row in found.rows],
        "page": found.number,
        "pages": found.last,
        "total": found.total,
        "_bys": [each for each in GROUPS if each != "app"],
        "_said": in_words(asked.words, basis.able, basis.gaps.runs, basis.left),
        "_when": moments,
        "_events": f"/events?pause={PAUSE_S}",
        "_named": called,
        "_behind": lambda row: _behind(asked, by, filters, row),
    }
    return asked.answer("ranking.html", facts)


def _row(asked: PageRequest, row: Ranked) -> dict[str, Any]:
    if asked.reveal:
        return row._asdict()
    of = {name: masked(name, value) for name, value in row.of.items()}
    beside = {name: [masked(name, value) for value in values] for name, values in row.beside.items()}
    return {**row._asdict(), "of": of, "beside": beside}


def _behind(asked: PageRequest, by: By, filters: Mapping[str, str], row: Mapping[str, Any]) -> str:
    """The address of what is behind a row: its findings, its apps, a recording of it."""
    kept = {**filters, "text": "", **{name: value or UNKNOWN for name, value in row["of"].items()}}
    if by != "app":
        return asked.link("ranking", by="finding" if by == "rule" else "app", **kept)
    if kept["rule"]:
        return asked.link("recordings", row["example"], "findings", rule=kept["rule"])
    return asked.link("recordings", row["example"])

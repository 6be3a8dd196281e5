"""The page that ranks over apps: who receives, what is sent, by which SDK, against which rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from monitor.judge.rules import Rule
from monitor.reports.ranking import basis as in_words
from monitor.store.ranking import FILTERS, GROUPS, SENT, UNKNOWN, WHEN, By, Counted, Needed, Ranked, Rankings
from monitor.web.asked import Asked
from monitor.web.overview import shown_host, state_of_all

PAUSE_S = 30
"""Between two looks for news: to count over all apps may take a second."""


def ranking(asked: Asked) -> Response:
    """The rows of one ranking, and how many apps could have been among them."""
    rankings = Rankings(asked.site.store)
    by: By = next((each for each in GROUPS if each == asked.text("by")), "recipient")
    filters = {name: asked.text(name) for name in (*FILTERS, "text")}
    found = rankings.ranking(by, filters, asked.page)
    rules = {rule.id: rule for rule in asked.site.known.rules}
    basis = rankings.basis(() if by in ("rule", "finding") else SENT)
    of_rule = {
        name: rankings.able(needs(rules[name])) if name in rules else basis.all
        for name in dict.fromkeys(row.of["rule"] or "" for row in found.rows if "rule" in row.of)
    }
    facts = {
        "state": state_of_all(asked),
        "by": by,
        "filters": filters,
        "basis": basis,
        "rows": [_row(asked, row, rules, of_rule.get(row.of.get("rule") or "", basis.able)) for row in found.rows],
        "page": found.number,
        "pages": found.last,
        "total": found.total,
        "_bys": [each for each in GROUPS if each != "app"],
        "_said": in_words(asked.words, basis.able, basis.gaps.runs, basis.left),
        "_when": () if by in ("rule", "finding") or filters["rule"] else WHEN,  # a rule says itself when it was
        "_events": f"/events?pause={PAUSE_S}",
        "_named": lambda name, value: _named(asked, rules, name, value),
        "_behind": lambda row: _behind(asked, by, filters, row),
    }  # fmt: skip
    return asked.answer("ranking.html", facts)


def needs(rule: Rule) -> frozenset[Needed]:
    """What a run needs for a rule to judge it."""
    return frozenset[Needed]({*rule.needs, "values"} if rule.on == "flow" else rule.needs)


def _row(asked: Asked, row: Ranked, rules: Mapping[str, Rule], able: Counted) -> dict[str, Any]:
    rule = rules.get(row.of.get("rule") or "")
    of = {name: value and _shown(asked, name, value) for name, value in row.of.items()}
    beside = {name: [_shown(asked, name, value) for value in values] for name, values in row.beside.items()}
    return {**row._asdict(), "of": of, "beside": beside, "able": able.apps, "level": rule and rule.level}


def _shown(asked: Asked, name: str, value: str) -> str:
    return shown_host(asked, value) if name == "recipient" else value


def _named(asked: Asked, rules: Mapping[str, Rule], name: str, value: str | None) -> str:
    """What a row or a filter stands for, as people call it."""
    words = asked.words
    if value in (None, UNKNOWN):
        return words("ranked_unknown")
    match name:
        case "data":
            return words.data(value)
        case "rule":
            return words.of(dict(rules[value].title)) if value in rules else value
        case "recipient":
            known = asked.site.known.recipients.of_host(value)
            return words("ranked_addresses") if value == "ip" else f"{known.name} ({value})" if known else value
        case _:
            return value


def _behind(asked: Asked, by: By, filters: Mapping[str, str], row: Mapping[str, Any]) -> str:
    """The address of what is behind a row: its findings, its apps, a recording of it."""
    kept = {**filters, "text": "", **{name: value or UNKNOWN for name, value in row["of"].items()}}
    if by != "app":
        return asked.link("ranking", by="finding" if by == "rule" else "app", **kept)
    if kept["rule"]:
        return asked.link("recordings", row["example"], "findings", rule=kept["rule"])
    return asked.link("recordings", row["example"])

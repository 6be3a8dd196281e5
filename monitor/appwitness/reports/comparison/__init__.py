"""Renders a comparison of runs for a terminal, a program or a browser; masked once, then rendered."""

from __future__ import annotations

import json
from collections.abc import Sequence

from appwitness.events import Value
from appwitness.findings import Candidate, Comparison, Report
from appwitness.findings.mask import Mask, known_values, mask_value
from appwitness.reports.words import Words
from appwitness.support import escape
from appwitness.support.errors import UserError

FORMATS = ("text", "json", "html")


def render(
    comparison: Comparison, format: str, *, of: Sequence[Report] = (), reveal: bool = False, lang: str = "en"
) -> str:
    """The comparison in one of FORMATS. `of` are the compared reports, whose values are masked unless `reveal`.

    Raises UserError for a format or a language that does not exist.
    """
    if format not in FORMATS:
        raise UserError(f"There is no format {format!r} of a comparison.", f"Choose one of {', '.join(FORMATS)}.")
    words = Words(lang)
    shown = comparison if reveal else masked(comparison, of)
    if format == "json":
        tree = {**shown.model_dump(mode="json"), "masked": not reveal}
        return escape.json(json.dumps(tree, ensure_ascii=False, indent=2)) + "\n"
    if format == "text":
        from appwitness.reports.comparison.comparison_text import text

        return text(shown, words)
    from appwitness.reports.comparison.table import ComparisonTable
    from appwitness.reports.html import fill

    return fill("comparison.html", words, table=ComparisonTable(shown, words), comparison=shown, reveal=reveal)


def masked(comparison: Comparison, of: Sequence[Report] = ()) -> Comparison:
    """The same comparison with every personal value masked, wherever it shows."""
    values = [value for report in of for value in known_values(report)]
    values += [value for row in comparison.rows for value in row.values]
    values += [value for each in comparison.runs for value in each.run.persona]
    mask = Mask(values)
    return comparison.model_copy(
        update={
            "runs": tuple(each.model_copy(update={"run": mask.run(each.run)}) for each in comparison.runs),
            "rows": tuple(
                row.model_copy(
                    update={
                        "values": tuple(_value(value) for value in row.values),
                        "recipient": row.recipient and mask.event(row.recipient),
                    }
                )
                for row in comparison.rows
            ),
            "candidates": tuple(_candidate(candidate, mask) for candidate in comparison.candidates),
        }
    )


def _value(value: Value) -> Value:
    return value.model_copy(update={"text": mask_value(value.type, value.text)})


def _candidate(candidate: Candidate, mask: Mask) -> Candidate:
    """What a candidate carries is unknown, and may be a value in a form that nobody has seen: only its ends show."""
    seen = tuple(each.model_copy(update={"text": mask_value("", each.text)}) for each in candidate.seen)
    changes = {
        "host": mask.host(candidate.host),
        "path": mask.excerpt(candidate.path),
        "leaf": mask.name(candidate.leaf),
        "seen": seen,
    }
    return candidate.model_copy(update=changes)

"""Renders a report for a terminal, a program, a browser, a code host or a build server."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from monitor.errors import UserError
from monitor.findings import Report
from monitor.reports.mask import masked
from monitor.reports.words import LANGUAGES, Words

FORMATS: dict[str, str] = {
    "text": "monitor.reports.text",
    "json": "monitor.reports.json",
    "html": "monitor.reports.html",
    "sarif": "monitor.reports.sarif",
    "junit": "monitor.reports.junit",
}
"""format -> the module whose `render(report, *, lang, reveal)` writes it; imported late."""


class _Renders(Protocol):
    def render(self, report: Report, *, lang: str, reveal: bool) -> str: ...


def render(report: Report, format: str, *, reveal: bool = False, lang: str = "en") -> str:
    """The report in one of FORMATS. Personal values are masked unless `reveal`; a renderer never sees them otherwise.

    Raises UserError for a format or a language that does not exist.
    """
    if format not in FORMATS:
        raise UserError(f"There is no report format {format!r}.", f"Choose one of {', '.join(FORMATS)}.")
    Words(lang)
    room = cast(_Renders, import_module(FORMATS[format]))
    return room.render(report if reveal else masked(report), lang=lang, reveal=reveal)


__all__ = ["FORMATS", "LANGUAGES", "render"]

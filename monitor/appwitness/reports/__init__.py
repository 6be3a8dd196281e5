"""Renders a report for a terminal, a program, a browser, a code host or a build server."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from appwitness.findings import Report
from appwitness.findings.mask import masked
from appwitness.reports.words import LANGUAGES, Words
from appwitness.support.collecting import uncollected
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

FORMATS: dict[str, str] = {
    "text": "appwitness.reports.text",
    "json": "appwitness.reports.json",
    "html": "appwitness.reports.html",
    "sarif": "appwitness.reports.sarif",
    "junit": "appwitness.reports.junit",
    "complaint": "appwitness.reports.complaint",
    "complaint-html": "appwitness.reports.complaint.page",
}
"""Format -> the module whose `render(report, *, lang, reveal)` writes it; imported late."""
LETTERS = ("complaint", "complaint-html")
"""The formats that accept a template of the user's own."""
IN_ONE_LANGUAGE = ("text", "html", "sarif", "junit")
"""The formats whose findings are only in the language of the report."""


class _Renders(Protocol):
    def render(self, report: Report, *, lang: str, reveal: bool, **options: Any) -> str: ...


def render(
    report: Report,
    format: str,
    *,
    reveal: bool = False,
    lang: str = "en",
    template: Path | None = None,
    verbose: bool = False,
) -> str:
    """The report in one of FORMATS. Unless `reveal`, personal values are masked before a renderer sees them.

    `verbose`: the text is complete instead of fitting one screen. `template`: the user's own template for a letter,
    used instead of ours. Raises UserError for an unknown format or language, and if `template` is given for a format
    that takes none.
    """
    if format not in FORMATS:
        raise UserError(
            Spoken("There is no report format {format!r}.", format=format),
            Spoken("Choose one of {formats}.", formats=", ".join(FORMATS)),
        )
    Words(lang)
    if template and format not in LETTERS:
        raise UserError(
            Spoken("The format {format} has no template.", format=format),
            Spoken("Use it with --format {letters}.", letters=" or ".join(LETTERS)),
        )
    options: dict[str, Any] = {"template": template} if template else {}
    if format == "text":
        options["verbose"] = verbose
    room = cast(_Renders, import_module(FORMATS[format]))
    with uncollected():
        shown = report if reveal else masked(report, lang=lang if format in IN_ONE_LANGUAGE else None)
        return room.render(shown, lang=lang, reveal=reveal, **options)


__all__ = ["FORMATS", "LANGUAGES", "LETTERS", "render"]

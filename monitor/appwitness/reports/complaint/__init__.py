"""The report as a complaint to an authority, in Markdown: facts, evidence, and blanks for the complainant."""

from __future__ import annotations

from pathlib import Path

from appwitness.findings import Report
from appwitness.reports.complaint.letter import Letter
from appwitness.reports.complaint.own import written, written_by
from appwitness.reports.words import Words
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

LAWS = ("cn", "eu")
"""Jurisdictions for whose law we have a letter; --law chooses one."""


def render(report: Report, *, lang: str = "en", reveal: bool = False, template: Path | None = None) -> str:
    """The letter as Markdown, from our template for the law and language or from the user's own `template`.

    Raises UserError if there is nothing to complain about, or we have no letter for the chosen law, and FileError with
    the line for a template that cannot be used.
    """
    words = Words(lang)
    law = _law(report, lang, own=template is not None)
    letter = Letter(report, words, law, reveal)
    if not letter.facts:
        raise UserError(
            "There is nothing to complain about: no finding above the level info in this recording.",
            "`appwitness report` says what was observed, and what could not be.",
        )
    if template:
        return written_by(template, words, letter.fields())
    return written(f"complaint/{law}.{lang}.md", words, letter.fields())


def _law(report: Report, lang: str, own: bool) -> str:
    """The chosen law; if several were chosen or none, the one that goes with the language, if possible."""
    natural = "cn" if lang == "zh" else "eu"
    if not report.laws:
        return natural
    fitting = report.laws if own else [law for law in report.laws if law in LAWS]
    if not fitting:
        raise UserError(
            Spoken("There is no letter under the law of {laws}.", laws=", ".join(report.laws)),
            Spoken("Choose --law {laws}, or give a --template.", laws=" or ".join(LAWS)),
        )
    return natural if natural in fitting else fitting[0]

"""The complaint as one printable page: the same letter, its Markdown converted to HTML."""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt

from appwitness.findings import Report
from appwitness.reports import complaint
from appwitness.reports.html import fill, safe
from appwitness.reports.words import Words

_BLANK = re.compile(r"<strong>(【[^<]*】|\[[^<]*\])</strong>")
"""Blanks that the complainant must fill in, as the templates mark them: bold, in brackets."""


def render(report: Report, *, lang: str = "en", reveal: bool = False, template: Path | None = None) -> str:
    """The letter as a self-contained HTML document; HTML in the letter is shown as text, like everything foreign."""
    letter = complaint.render(report, lang=lang, reveal=reveal, template=template)
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(letter)
    html = _BLANK.sub(r"<mark>\1</mark>", html)
    title = re.search(r"^# (.+)$", letter, re.MULTILINE)
    return fill("complaint.html", Words(lang), body=safe(html), title=title[1] if title else report.run.app.package)

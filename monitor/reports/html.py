"""The report as one page: nothing is loaded from anywhere, nothing runs, everything foreign is escaped."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from monitor.findings import Report
from monitor.reports.page import Page
from monitor.reports.words import Words, plain

TEMPLATES = Path(__file__).parent.parent / "templates"


def render(report: Report, *, lang: str = "en", reveal: bool = False) -> str:
    """The report as a self-contained HTML document."""
    words = Words(lang)
    return fill("report.html", words, page=Page(report, words, reveal), report=report)


def fill(template: str, words: Words, **fields: Any) -> str:
    """One of the templates as a document with its style and its policy inside."""
    style = (TEMPLATES / "report.css").read_text("utf-8")
    return environment().get_template(template).render(t=words, style=style, policy=policy(style), **fields)


def policy(style: str) -> str:
    """The content security policy: no script, no request, no form; only our own style, known by its digest."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def environment() -> Environment:
    """The templates: everything escaped, no control characters, no name left undefined."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _harmless(shown: Any) -> Any:
    return plain(shown) if isinstance(shown, str) and not isinstance(shown, Markup) else shown

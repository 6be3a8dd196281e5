"""The report as one page: nothing is loaded from anywhere, nothing runs, everything foreign is escaped."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from monitor import escape
from monitor.errors import FileError, UserError
from monitor.findings import Report
from monitor.reports.page import Page
from monitor.reports.words import Words

TEMPLATES = Path(__file__).parent / "templates"


def render(report: Report, *, lang: str = "en", reveal: bool = False) -> str:
    """The report as a self-contained HTML document."""
    words = Words(lang)
    return fill("report.html", words, page=Page(report, words, reveal), report=report)


def fill(template: str, words: Words, *, folder: Path = TEMPLATES, **fields: Any) -> str:
    """One of the templates in `folder` as a document with its style and its policy inside."""
    style = (TEMPLATES / "report.css").read_text("utf-8")
    return environment(folder).get_template(template).render(t=words, style=style, policy=policy(style), **fields)


def write(template: str | Path, words: Words, **fields: Any) -> str:
    """One of the templates, or a file of the user's own, as Markdown: what is filled in stands for itself.

    Raises UserError for a file that cannot be read, and FileError with its line for one that is no template.
    """
    room = _markdown()
    if isinstance(template, str):
        return room.get_template(template).render(t=words, **fields)
    try:
        source = template.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{template} cannot be read: {error}.", "Name a Jinja2 template, a text file.") from None
    try:
        return room.from_string(source).render(t=words, **fields)
    except TemplateError as error:
        line = error.lineno if isinstance(error, TemplateSyntaxError) else None
        raise FileError(template, line, f"{error.message}.", "monitor/reports/templates/complaint has ours.") from None


def safe(html: str) -> Markup:
    """HTML that was made from escaped text, for a template to take as it is."""
    return Markup(html)  # noqa: S704


def policy(style: str) -> str:
    """The content security policy: no script, no request, no form; only our own style, known by its digest."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def environment(folder: Path = TEMPLATES) -> Environment:
    """The templates: everything escaped, no control characters, no name left undefined."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=escape.html,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _markdown() -> Environment:
    """The letters: in what is filled in, nothing that Markdown would act on. A user's own runs no code of ours."""
    room = SandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_literal,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    room.filters["code"] = _code
    return room


def _literal(shown: Any) -> Any:
    """A text on one line with every character that Markdown acts on escaped."""
    if isinstance(shown, Markup) or not isinstance(shown, str):
        return shown
    return Markup(escape.markdown(shown))  # noqa: S704


def _code(text: object) -> Markup:
    """A text as a span of code."""
    return Markup(escape.code(text))  # noqa: S704

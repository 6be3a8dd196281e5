"""The report as one HTML page: it loads nothing, runs nothing, and escapes all foreign text."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.environment import TemplateModule
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from appwitness.findings import Report
from appwitness.reports.page import Page
from appwitness.reports.words import Words
from appwitness.support import escape

TEMPLATES = Path(__file__).parent / "templates"
NOT_IN_A_STRING = re.compile(r"[^A-Za-z0-9 .:_-]")
"""Characters that must not go into a string of a stylesheet when it is made from foreign text."""


def render(report: Report, *, lang: str = "en", reveal: bool = False) -> str:
    """The report as a self-contained HTML document."""
    words = Words(lang)
    page = Page(report, words, reveal)
    foot = f"{report.recording}  SHA-256 {page.seal}" if page.seal else report.recording
    return fill("report.html", words, foot=foot, page=page, report=report)


def fill(template: str, words: Words, *, folder: Path = TEMPLATES, foot: str = "", **fields: Any) -> str:
    """Render a template from `folder` into a document that contains its style and its policy; `foot` is printed at
    the foot of each sheet."""
    style = (TEMPLATES / "report.css").read_text("utf-8")
    if foot:
        literal = NOT_IN_A_STRING.sub("?", foot)
        style += f'@media print {{ @page {{ @bottom-left {{ content: "{literal}"; font: 6.5pt monospace; }} }} }}\n'
    return environment(folder).get_template(template).render(t=words, style=style, policy=policy(style), **fields)


def write_own(source: str, words: Words, most: int, **fields: Any) -> str:
    """Render a user's own template in the same way, up to `most` characters; for use in a separate process, see
    complaint/own.py.

    Raises WrongTemplate, and whatever else rendering a template can raise.
    """
    parts: list[str] = []
    size = 0
    try:
        for part in letters().from_string(source).generate(t=words.__call__, **fields):
            parts.append(part)
            size += len(part)
            if size > most:
                raise WrongTemplate(None, f"it writes more than {most:,} characters.")
    except TemplateError as error:
        raise WrongTemplate(
            error.lineno if isinstance(error, TemplateSyntaxError) else None, f"{str(error.message).rstrip('.')}."
        ) from None
    return "".join(parts)


class WrongTemplate(Exception):
    """What is wrong with a template, and on which of its lines, if known."""

    def __init__(self, line: int | None, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def safe(html: str) -> Markup:
    """HTML that was made from escaped text, for a template to insert unchanged."""
    return Markup(html)  # noqa: S704


def policy(style: str) -> str:
    """The content security policy: no scripts, requests or forms; only our own style, identified by its digest, and
    pictures inside the document."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


@cache
def environment(folder: Path = TEMPLATES) -> Environment:
    """The environment for templates: everything is escaped, control characters are removed, and undefined names are
    errors."""
    return Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=escape.html,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


FILTERS = (
    "abs", "batch", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "format",
    "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min", "reject",
    "rejectattr", "replace", "reverse", "round", "select", "selectattr", "slice", "sort", "string", "sum", "title",
    "trim", "truncate", "unique", "upper", "wordcount", "wordwrap",
)  # fmt: skip
"""Jinja2's filters that a letter may use: they take and return texts, numbers and lists."""
METHODS = {dict: ("get", "items", "keys", "values")}
"""Methods that a letter may call on a value, besides accessing fields of a mapping."""


class _Letters(ImmutableSandboxedEnvironment):
    """The environment for letters: plain data, the filters above and our own parts; no attributes of any other
    object."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field of a mapping takes precedence over a method of the same name: `fact.values`."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow the public attributes of Jinja2's own objects, and for data the methods in METHODS."""
        if isinstance(obj, LoopContext | TemplateModule):
            return super().is_safe_attribute(obj, attr, value)
        return attr in METHODS.get(type(obj), ())

    def wrap_str_format(self, value: Any) -> None:
        """Do nothing: no text has methods here, not even `format`, so there is nothing to make safe."""

    def is_safe_callable(self, obj: Any) -> bool:
        """Allow functions and macros, but not classes."""
        return not isinstance(obj, type) and super().is_safe_callable(obj)


@cache
def letters() -> Environment:
    """The environment for letters: Markdown is escaped in whatever is filled in. A user's own template runs no code and
    reads no file.

    It may import our parts of letters and nothing else.
    """
    ours = {f"complaint/{file.name}": file.read_text("utf-8") for file in (TEMPLATES / "complaint").iterdir()}
    room = _Letters(
        loader=DictLoader(ours),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_literal,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    room.globals = {"range": room.globals["range"]}
    room.filters = {name: room.filters[name] for name in FILTERS} | {"code": _code}
    return room


def _literal(shown: Any) -> Any:
    """A text on one line, with every character escaped that is special in Markdown."""
    if isinstance(shown, Markup) or not isinstance(shown, str):
        return shown
    return Markup(escape.markdown(shown))  # noqa: S704


def _code(text: object) -> Markup:
    """A text as a code span."""
    return Markup(escape.code(text))  # noqa: S704

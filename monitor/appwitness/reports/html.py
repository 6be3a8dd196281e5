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
"""What no string of a style may hold that is made of foreign text."""


def render(report: Report, *, lang: str = "en", reveal: bool = False) -> str:
    """The report as a self-contained HTML document."""
    words = Words(lang)
    page = Page(report, words, reveal)
    foot = f"{report.recording}  SHA-256 {page.seal}" if page.seal else report.recording
    return fill("report.html", words, foot=foot, page=page, report=report)


def fill(template: str, words: Words, *, folder: Path = TEMPLATES, foot: str = "", **fields: Any) -> str:
    """One of the templates in `folder` as a document with its style and its policy inside; `foot` stands at the foot of
    each printed sheet."""
    style = (TEMPLATES / "report.css").read_text("utf-8")
    if foot:
        literal = NOT_IN_A_STRING.sub("?", foot)
        style += f'@media print {{ @page {{ @bottom-left {{ content: "{literal}"; font: 6.5pt monospace; }} }} }}\n'
    return environment(folder).get_template(template).render(t=words, style=style, policy=policy(style), **fields)


def write_own(source: str, words: Words, most: int, **fields: Any) -> str:
    """A user's own template the same way, up to this many characters; for a process of its own, see complaint/own.py.

    Raises WrongTemplate, and whatever a template can make go wrong.
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
    """What is wrong with a template, and in which of its lines, where that is known."""

    def __init__(self, line: int | None, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def safe(html: str) -> Markup:
    """HTML that was made from escaped text, for a template to take as it is."""
    return Markup(html)  # noqa: S704


def policy(style: str) -> str:
    """The content security policy: no script, no request, no form; only our own style, known by its digest, and
    pictures that are in the document."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


@cache
def environment(folder: Path = TEMPLATES) -> Environment:
    """The templates: everything escaped, no control characters, no name left undefined."""
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
"""Those of Jinja2's filters that a letter may use: they take texts, numbers and lists, and give such."""
METHODS = {dict: ("get", "items", "keys", "values")}
"""What a letter may ask of a value, besides the fields of a mapping."""


class _Letters(ImmutableSandboxedEnvironment):
    """What letters are written in: plain data, the filters above and parts of ours; no attribute of any object."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field of a mapping before a method of the same name: `fact.values`."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allows the public attributes of Jinja2's own objects, and of data those in METHODS."""
        if isinstance(obj, LoopContext | TemplateModule):
            return super().is_safe_attribute(obj, attr, value)
        return attr in METHODS.get(type(obj), ())

    def wrap_str_format(self, value: Any) -> None:
        """No text has methods here, `format` neither: there is nothing to make safe."""

    def is_safe_callable(self, obj: Any) -> bool:
        """Functions and macros, no classes."""
        return not isinstance(obj, type) and super().is_safe_callable(obj)


@cache
def letters() -> Environment:
    """The letters: in what is filled in, nothing that Markdown would act on. A user's own runs no code, reads no file.

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
    """A text on one line with every character that Markdown acts on escaped."""
    if isinstance(shown, Markup) or not isinstance(shown, str):
        return shown
    return Markup(escape.markdown(shown))  # noqa: S704


def _code(text: object) -> Markup:
    """A text as a span of code."""
    return Markup(escape.code(text))  # noqa: S704

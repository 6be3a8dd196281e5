"""Escapes foreign text, one function for each medium, so that it cannot act on a terminal, page or document."""

from __future__ import annotations

import json as json_
import re
from functools import lru_cache

from markupsafe import Markup

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters except newlines and tabs, characters that change the text direction, and lone surrogates."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""
_ACTIVE = re.compile(
    r"[\\`*_\[\]<>|]|~(?=~)|&(?=#?\w)|:(?=//)|(?<=\bwww)\.|(?<=\w)@(?=\w)|^(?=#|[-+=]+(?:\s|$))",
    re.IGNORECASE,
)
"""What Markdown interprets: CommonMark, and addresses that GitHub turns into links."""
_FORMULA = re.compile("[\\s\ufeff\u200b]*[=+@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212-]|[\\t\\r\\n|%]")
"""Beginnings of cells that spreadsheets run as formulas, including full-width characters."""
_COMMAND = re.compile(
    r"""
    (?P<azure>\#)(?=\#(?:\[|vso\[|teamcity\[))    # Azure Pipelines and GitHub (old), TeamCity: anywhere in a line
    | ^(?P<github>\s*:)(?=:)                      # GitHub Actions
    | (?P<junit>\[)(?=\[ATTACHMENT\|)            # JUnit attachments of Jenkins and GitLab
    | (?P<gitlab>section)(?=_(?:start|end):)    # folds of GitLab
    | (?P<travis>travis)(?=_(?:fold|time):)
    | ^(?P<buildkite>--|\+\+|~~|\^\^)(?=[-+~^]\s)  # folds of Buildkite
    """,
    re.MULTILINE | re.IGNORECASE | re.VERBOSE,
)
"""What build servers interpret as a command in a log, up to where a space makes it plain text."""
_REFERENCE = re.compile(r"(?<=[@#!~%$])(?=\w)|(?<=\bGH)(?=-\d)|^(?=/\w)", re.IGNORECASE)
"""Where the Markdown of code hosts sees a mention, a reference or a quick action, even when escaped."""
SHORT = 100
"""Maximum length of a text whose escaped form is cached, in characters."""
ZERO_WIDTH = "\N{ZERO WIDTH SPACE}"
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def terminal(text: object) -> str:
    """A text that moves no cursor, changes no colour and reads in the direction in which it is written."""
    said = str(text)
    return _repeated(said) if len(said) <= SHORT else _terminal(said)


def _terminal(text: str) -> str:
    return inert(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))


_repeated = lru_cache(4096)(_terminal)
"""Like `_terminal`, cached: for names and labels, which a report repeats thousands of times."""


def inert(text: str) -> str:
    """A text that gives no commands to a build server when it is printed in its log."""
    return _COMMAND.sub(lambda found: f"{found.group()} ", text)


def field(text: object) -> str:
    """Like `terminal`, for a part of a line: newlines become spaces, so that it cannot begin a line."""
    return terminal(" ".join(str(text).split("\n")) if "\n" in str(text) else text)


def markdown(text: object) -> str:
    """A text on one line that Markdown shows unchanged: no HTML, no links, no lists."""
    line = " ".join(terminal(text).split("\n")).strip()
    line = _ACTIVE.sub(lambda found: f"\\{found.group()}", line)
    line = _REFERENCE.sub(ZERO_WIDTH, line)
    return _NUMBERED.sub(r"\1\\\2", line)


def code(text: object) -> str:
    """A text as a code span in Markdown. A text with a bar, which would end a table cell even within a code span, is
    escaped instead."""
    shown = " ".join(terminal(text).split()) or " "
    if "|" in shown:
        return markdown(shown)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    room = " " if "`" in shown else ""
    return f"{fence}{room}{shown}{room}{fence}"


def sarif(text: object) -> str:
    """A text for a SARIF message, in which `[words](target)` would be a link."""
    return terminal(text).replace("](", "] (")


def cell(value: object) -> object:
    """A CSV cell that no spreadsheet runs as a formula: one that begins like a formula, even after spaces, gets a
    leading apostrophe."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def xml(text: object) -> str:
    """A text for XML 1.0; markup must still be escaped by the writer of the document."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", terminal(text))


def html(shown: object) -> object:
    """A value for a template, before the template escapes it; our own HTML is left as it is."""
    return terminal(shown) if isinstance(shown, str) and not isinstance(shown, Markup) else shown


def json(document: str) -> str:
    """A JSON document that is safe in a terminal: the same values, with active characters as escapes."""
    document = _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", document)
    return _COMMAND.sub(lambda found: f"{found.group()[:-1]}\\u{ord(found.group()[-1]):04x}", document)


def document(tree: object) -> str:
    """A value as an indented JSON document that is safe in a terminal, with a final newline."""
    return json(json_.dumps(tree, ensure_ascii=False, indent=2)) + "\n"

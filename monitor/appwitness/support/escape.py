"""Escapes foreign text, one function for each medium, so that it cannot act on a terminal, page or document."""

from __future__ import annotations

import json as json_
import re

from markupsafe import Markup

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but for line ends and tabs, those that turn the writing direction, and halves of characters."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""
_ACTIVE = re.compile(
    r"[\\`*_\[\]<>|]|~(?=~)|&(?=#?\w)|:(?=//)|(?<=\bwww)\.|(?<=\w)@(?=\w)|^(?=#|[-+=]+(?:\s|$))",
    re.IGNORECASE,
)
"""What Markdown acts on: CommonMark, and the links that GitHub's makes of addresses by itself."""
_FORMULA = re.compile("[\\s\ufeff\u200b]*[=+@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212-]|[\\t\\r\\n|%]")
"""How a cell begins that spreadsheets run, in full width too."""
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
"""What build servers take for an order when it is printed, up to where a space makes it a text."""
_REFERENCE = re.compile(r"(?<=[@#!~%$])(?=\w)|(?<=\bGH)(?=-\d)|^(?=/\w)", re.IGNORECASE)
"""Where Markdown of code hosts sees a mention, a reference or a quick action, whatever is escaped."""
ZERO_WIDTH = "\N{ZERO WIDTH SPACE}"
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def terminal(text: object) -> str:
    """A text that moves no cursor, colours nothing and is read in the direction in which it is written."""
    return inert(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text)))


def inert(text: str) -> str:
    """A text that orders nothing of a build server in whose log it is printed."""
    return _COMMAND.sub(lambda found: f"{found.group()} ", text)


def field(text: object) -> str:
    """The same for a piece of a line: a text that begins no line of its own."""
    return terminal(" ".join(str(text).split("\n")) if "\n" in str(text) else text)


def markdown(text: object) -> str:
    """A text on one line that Markdown shows as it is: no HTML, no link, no list."""
    line = " ".join(terminal(text).split("\n")).strip()
    line = _ACTIVE.sub(lambda found: f"\\{found.group()}", line)
    line = _REFERENCE.sub(ZERO_WIDTH, line)
    return _NUMBERED.sub(r"\1\\\2", line)


def code(text: object) -> str:
    """A text as a span of code in Markdown; one with a bar, which ends a cell of a table even there, as it is."""
    shown = " ".join(terminal(text).split()) or " "
    if "|" in shown:
        return markdown(shown)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    room = " " if "`" in shown else ""
    return f"{fence}{room}{shown}{room}{fence}"


def sarif(text: object) -> str:
    """A text for a message of SARIF, in which `[words](target)` would be a link."""
    return terminal(text).replace("](", "] (")


def cell(value: object) -> object:
    """A cell of CSV that no spreadsheet runs as a formula: one that begins as such, behind spaces too, is quoted."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def xml(text: object) -> str:
    """A text for XML 1.0; who writes the document escapes its marks."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", terminal(text))


def html(shown: object) -> object:
    """What a template fills in, before it is escaped; HTML of our own is left as it is."""
    return terminal(shown) if isinstance(shown, str) and not isinstance(shown, Markup) else shown


def json(document: str) -> str:
    """A JSON document that a terminal shows as it is: the same values, what would act written as an escape."""
    document = _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", document)
    return _COMMAND.sub(lambda found: f"{found.group()[:-1]}\\u{ord(found.group()[-1]):04x}", document)


def document(tree: object) -> str:
    """What JSON has as an indented document of the same kind, with a newline at its end."""
    return json(json_.dumps(tree, ensure_ascii=False, indent=2)) + "\n"

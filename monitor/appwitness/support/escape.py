"""Foreign text for a medium, one function each: what an app, a server or a file made up acts on nothing there."""

from __future__ import annotations

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
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def terminal(text: object) -> str:
    """A text that moves no cursor, colours nothing and is read in the direction in which it is written."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text))


def markdown(text: object) -> str:
    """A text on one line that Markdown shows as it is: no HTML, no link, no list."""
    line = " ".join(terminal(text).split("\n")).strip()
    line = _ACTIVE.sub(lambda found: f"\\{found.group()}", line)
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


def xml(text: object) -> str:
    """A text for XML 1.0; who writes the document escapes its marks."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", terminal(text))


def html(shown: object) -> object:
    """What a template fills in, before it is escaped; HTML of our own is left as it is."""
    return terminal(shown) if isinstance(shown, str) and not isinstance(shown, Markup) else shown


def json(document: str) -> str:
    """A JSON document that a terminal shows as it is: the same values, what would act written as an escape."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", document)

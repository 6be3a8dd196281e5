"""What the command line prints, in the language of the user's locale: lines, help, and the messages of click."""

from __future__ import annotations

import gettext
import inspect
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import cloup

from appwitness.cli.front_page import language
from appwitness.support.spoken import DOMAIN, LOCALE, Spoken, say


def tr(text: str, /, **fields: Any) -> str:
    """The text in the user's language, with the names in its braces filled in."""
    return say(Spoken(text, **fields) if fields else text, language())


def have_click_say_it() -> None:
    """Make click use the same catalogue: it looks its messages up by gettext."""
    gettext.bindtextdomain(DOMAIN, LOCALE)
    gettext.textdomain(DOMAIN if language() != "en" else "messages")


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a help text, each on one line, as the catalogue has them."""
    return [" ".join(each.split()) for each in re.split(r"\n\s*\n", inspect.cleandoc(text).strip())]


class LocalFormatter(cloup.HelpFormatter):
    """Writes help in the user's language; English is left to cloup."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line."""
        super().write_usage(prog, args, tr("Usage:") if prefix is None else prefix)

    def write_heading(self, heading: str, newline: bool = True) -> None:
        """Write the title of a section."""
        if language() == "en":
            super().write_heading(heading, newline)
        else:
            self.write(" " * self.current_indent, tr(heading), "：", "\n" * newline)

    def write_text(self, text: str, *args: Any, **kwargs: Any) -> None:
        """Write paragraphs of text."""
        if language() == "en":
            super().write_text(text, *args, **kwargs)
            return
        indent = " " * self.current_indent
        said = (wrapped(tr(each), self.available_width) for each in paragraphs(text))
        self.write("\n\n".join("\n".join(f"{indent}{line}" for line in lines) for lines in said), "\n")

    def write_tabular_dl(
        self, rows: Sequence[tuple[str, str | Callable[[int], str]]], col1_width: int, col_spacing: int, col2_width: int
    ) -> None:
        """Write options or verbs, each with its description."""
        if language() == "en":
            super().write_tabular_dl(rows, col1_width, col_spacing, col2_width)
            return
        indent = " " * self.current_indent
        second = f"{indent}{' ' * (col1_width + col_spacing)}"
        for name, text in rows:
            lines = [
                second + line for line in wrapped(_option(text(col2_width) if callable(text) else text), col2_width)
            ]
            if lines and len(name) <= col1_width:
                self.write(f"{indent}{name}".ljust(len(second)), lines.pop(0).lstrip(), "\n")
            else:
                self.write(indent, name, "\n")
            self.write(*(f"{line}\n" for line in lines))


def _option(text: str) -> str:
    """The help of an option in the user's language; in the brackets that click adds, only a default in words is
    translated."""
    says, brackets, more = text.partition("  [")
    more = re.sub(r"\((.*?)\)", lambda found: f"（{tr(found[1])}）", more)
    return tr(says) + brackets.strip() + more


PIECE = re.compile(r"\s+|`[^`]+`|[\x21-\x7e]+|.", re.DOTALL)
"""A piece within which a line is never broken: a command, a word of ASCII, or a character of a script without
spaces."""
NOT_FIRST = "，。；：、！？）”’》」…"
NOT_LAST = "（“‘《「"


def width(text: str) -> int:
    """Columns of a terminal that the text takes up."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in text)


def wrapped(text: str, columns: int) -> Iterator[str]:
    """Lines of Chinese text of at most this width: broken between any two characters, but not before a comma."""
    line = ""
    for piece in _unbroken(PIECE.findall(text)):
        if line and width(line + piece.rstrip()) > columns:
            yield line.rstrip()
            line = piece.lstrip()
        else:
            line += piece
    if line.strip():
        yield line.rstrip()


def _unbroken(pieces: Iterable[str]) -> Iterator[str]:
    """The same pieces with punctuation joined to the piece that it belongs to."""
    held = ""
    for piece in pieces:
        if held and (piece in NOT_FIRST or held[-1] in NOT_LAST):
            held += piece
        else:
            if held:
                yield held
            held = piece
    yield held


class LocalContext(cloup.Context):
    """The context of a verb, whose help is in the user's language."""

    formatter_class = LocalFormatter

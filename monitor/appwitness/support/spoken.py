"""Texts for users: English in the code, other languages in `locale`, read with gettext."""

from __future__ import annotations

import gettext
from collections.abc import Iterable
from contextlib import suppress
from functools import cache, reduce
from itertools import pairwise
from pathlib import Path
from string import Formatter
from typing import Any

LOCALE = Path(__file__).with_name("locale")
"""The folder of `zh.po` and of what the build makes of it (hatch_build.py): `zh/LC_MESSAGES/appwitness.mo`."""
DOMAIN = "appwitness"
LITERAL = 12
"""Minimum number of literal characters that a template must have to be recognised in a text."""
DEEPEST, LONGEST = 4, 2_000
"""Maximum nesting of texts, and maximum length in characters: anything beyond is not our text."""
Pieces = list[tuple[str, str | None]]


class Spoken(str):
    """An English text that can be translated: `Spoken("{path} is empty.", path=path)`.

    Used as a plain string, as in JSON and logs, it is English.
    """

    template: str
    fields: dict[str, Any]

    def __new__(cls, template: str, /, **fields: Any) -> Spoken:
        """The text, with the fields in its braces filled in."""
        made = super().__new__(cls, template.format(**fields))
        made.template, made.fields = template, fields
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.template,), self.fields


def literal(text: str) -> Spoken:
    """A text without fields that is translated together with the text it is inserted into."""
    return text if isinstance(text, Spoken) else Spoken(text.replace("{", "{{").replace("}", "}}"))


COMMA, SEMICOLON, AND, OR = "{first}, {more}", "{first}; {more}", "{first} and {more}", "{first} or {more}"
SPACE = "{first} {more}"
"""Templates that join the texts of a list."""


def listed(texts: Iterable[str], between: str = COMMA) -> str:
    """The texts joined into one; empty when there are none."""
    there = list(texts)
    return reduce(lambda first, more: Spoken(between, first=first, more=more), there) if there else ""


def say(text: str, language: str) -> str:
    """The text in a language (en, zh); in English when `locale` lacks it.

    Fields of a `Spoken` that are `Spoken` themselves are translated, too.
    """
    if language == "en" or not text:
        return text
    catalogue = _catalogue(language)
    if not isinstance(text, Spoken):
        return catalogue.gettext(text)
    fields = {name: _said(each, language) for name, each in text.fields.items()}
    return catalogue.gettext(text.template).format(**fields)


def heard(text: str, language: str, deep: int = DEEPEST) -> str:
    """Translate one of our English texts that was recorded, such as a note of run.json.

    The template it was made from is found in the catalogue, and its fields are translated in the same way. An unknown
    text is returned unchanged.
    """
    if language == "en" or not text or not deep or len(text) > LONGEST:
        return text
    if (whole := _catalogue(language).gettext(text)) != text:
        return whole
    for pieces, said in _templates(language):
        if (found := _fields(pieces, text)) is not None:
            parts = ((literal_, name) for literal_, name, _, _ in Formatter().parse(said))
            return "".join(
                literal_ + (heard(found[name], language, deep - 1) if name is not None else "")
                for literal_, name in parts
            )
    return text


def _fields(pieces: Pieces, text: str) -> dict[str, str] | None:
    """The fields of a text that was made from a template's pieces; None when the pieces do not occur in it in this
    order."""
    found: dict[str, str] = {}
    if not text.startswith(pieces[0][0]):
        return None
    at = len(pieces[0][0])
    for (_, name), (after, following) in pairwise((*pieces, ("", None))):
        if name is None:
            break
        end = len(text) - len(after) if following is None else text.find(after, at)
        if end < at or text[end : end + len(after)] != after:
            return None
        value = text[at:end]
        if not value or found.setdefault(name, value) != value:
            return None
        at = end + len(after)
    return found if at == len(text) else None


@cache
def _templates(language: str) -> list[tuple[Pieces, str]]:
    """Templates with fields, as pairs of a literal and the field after it, and their translations; the longest
    first."""
    made: list[tuple[Pieces, str]] = []
    for text, said in vars(_catalogue(language)).get("_catalog", {}).items():
        if not isinstance(text, str):  # a plural form
            continue
        with suppress(ValueError):  # click's own texts, which use another syntax for fields
            pieces = [(literal_, name) for literal_, name, _, _ in Formatter().parse(text)]
            if any(name for _, name in pieces) and sum(len(literal_) for literal_, _ in pieces) >= LITERAL:
                made.append((pieces, said))
    return sorted(made, key=lambda each: -sum(len(literal_) for literal_, _ in each[0]))


def _said(field: Any, language: str) -> Any:
    if isinstance(field, Exception) and field.args:  # an error is shown as its first argument
        field = field.args[0]
    return say(field, language) if isinstance(field, Spoken) else field


def english(value: object) -> str:
    """How msgspec encodes a Spoken: as plain text. Raises NotImplementedError for anything else, as msgspec
    requires."""
    if isinstance(value, Spoken):
        return str(value)
    raise NotImplementedError


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, [language], fallback=True)

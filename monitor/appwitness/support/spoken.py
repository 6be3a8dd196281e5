"""What is said to a person: English in the code, other languages in `locale`, from which gettext takes them."""

from __future__ import annotations

import gettext
from collections.abc import Iterable
from functools import cache, reduce
from pathlib import Path
from typing import Any

LOCALE = Path(__file__).with_name("locale")
"""`zh.po`, and what the build makes of it (hatch_build.py): `zh/LC_MESSAGES/appwitness.mo`."""
DOMAIN = "appwitness"


class Spoken(str):
    """An English text that can be said in other languages: `Spoken("{path} is empty.", path=path)`.

    Where it is used as a text, as in JSON and logs, it is English.
    """

    template: str
    fields: dict[str, Any]

    def __new__(cls, template: str, /, **fields: Any) -> Spoken:
        """The text, with the names in its braces filled in."""
        made = super().__new__(cls, template.format(**fields))
        made.template, made.fields = template, fields
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.template,), self.fields


def literal(text: str) -> Spoken:
    """A text of ours without fields as what it is filled into says it, in the same language."""
    return text if isinstance(text, Spoken) else Spoken(text.replace("{", "{{").replace("}", "}}"))


COMMA, SEMICOLON, AND, OR = "{first}, {more}", "{first}; {more}", "{first} and {more}", "{first} or {more}"
SPACE = "{first} {more}"
"""How texts of a list are joined."""


def listed(texts: Iterable[str], between: str = COMMA) -> str:
    """The texts one after the other; empty where there is none."""
    there = list(texts)
    return reduce(lambda first, more: Spoken(between, first=first, more=more), there) if there else ""


def say(text: str, language: str) -> str:
    """The text in a language (en, zh): in English where `locale` does not have it.

    What a `Spoken` is filled with is said in that language, too, where it is one itself.
    """
    if language == "en" or not text:
        return text
    catalogue = _catalogue(language)
    if not isinstance(text, Spoken):
        return catalogue.gettext(text)
    fields = {name: _said(each, language) for name, each in text.fields.items()}
    return catalogue.gettext(text.template).format(**fields)


def _said(field: Any, language: str) -> Any:
    if isinstance(field, Exception) and field.args:  # an error says what its first argument says
        field = field.args[0]
    return say(field, language) if isinstance(field, Spoken) else field


def english(value: object) -> str:
    """What msgspec writes for a text of this kind. Raises NotImplementedError for anything else, as it asks."""
    if isinstance(value, Spoken):
        return str(value)
    raise NotImplementedError


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, [language], fallback=True)

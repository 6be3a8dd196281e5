"""The types of app and the data that each needs: the model of catalog/app_types.yml."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from appwitness.catalog.entries import CatalogEntry
from appwitness.events import DataType
from appwitness.findings import Article
from appwitness.judge.laws import Words
from appwitness.support.errors import UserError

Checked = Literal["source", "source_partial", "recalled"]
"""What was matched in a stored copy of the law: the whole entry; only its beginning; or only the type's name, while
the rest is from memory."""
CITES = {
    "en": "Provisions on the Scope of Necessary Personal Information for Common Types of Mobile Internet Applications"
    " (2021 No. 14), art. 5({})",
    "zh": "《常见类型移动互联网应用程序必要个人信息范围规定》（国信办秘字〔2021〕14号）第五条第（{}）项",
}


class UnknownAppType(UserError, ValueError):
    """The name matches no type of app, or several; the message lists the candidates."""


class Need(CatalogEntry):
    """One item that a type of app needs."""

    en: str
    zh: str
    data: DataType | None = Field(description="its kind in data_types.yml; null: no API of the device gives it")
    when: Words | None = Field(default=None, description="the service that needs it, where not all of the type do")


class AppType(CatalogEntry):
    """One of the common types of app."""

    number: int = Field(ge=1, description="its item of art. 5")
    numeral: str = Field(description="the same as Chinese law prints it")
    code: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    en: str
    zh: str
    function: Words = Field(description="its basic function")
    checked: Checked
    needs: tuple[Need, ...]
    _also: frozenset[DataType] = PrivateAttr(default=frozenset())

    @cached_property
    def necessary(self) -> frozenset[DataType]:
        """The data types that its basic function needs."""
        return frozenset(need.data for need in self.needs if need.data)

    def covers(self, data: DataType) -> bool:
        """Whether a data type is necessary for this type of app, comes with one that is, or is not covered by the
        provisions."""
        return data in self.necessary or data in self._also

    @cached_property
    def article(self) -> Article:
        """The item of art. 5 that lists what this type needs."""
        return Article(
            law="CN-SCOPE",
            article=f"5({self.number})",
            jurisdiction="cn",
            citation={"en": CITES["en"].format(self.number), "zh": CITES["zh"].format(self.numeral)},
            says={"en": f"{self.en}: {self._says('en')}", "zh": f"{self.zh}：{self._says('zh')}"},
            verify=self.checked != "source",
        )

    def _says(self, language: str) -> str:
        needs = [_words(need, language) for need in self.needs]
        if language == "en":
            return f"necessary for its basic function: {'; '.join(needs) or 'no personal information'}"
        return f"必要个人信息为{'、'.join(needs)}" if needs else "无须个人信息，即可使用基本功能服务"


def _words(need: Need, language: str) -> str:
    text = need.en if language == "en" else need.zh
    if need.when is None:
        return text
    return f"{text} ({need.when['en']})" if language == "en" else f"{text}（{need.when['zh']}）"


class AppTypes(CatalogEntry):
    """catalog/app_types.yml."""

    as_of: date
    not_judged: tuple[DataType, ...] = Field(default=(), description="kinds that the provisions do not speak of")
    includes: dict[DataType, tuple[DataType, ...]] = Field(
        default_factory=dict, description="kinds that come with a necessary one"
    )
    types: tuple[AppType, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if [each.number for each in self.types] != list(range(1, len(self.types) + 1)):
            raise ValueError("expected the types numbered 1, 2, 3 ... in order")
        for each in self.types:
            also = {data for kind in each.necessary for data in self.includes.get(kind, ())}
            each._also = frozenset(also.union(self.not_judged))  # noqa: SLF001 (it was made here)
        return self

    def of(self, name: str | int) -> AppType:
        """The type with this number, code, or English or Chinese name; otherwise the only type that has a name
        containing the text.

        Case, spaces and a final 类 are ignored. Raises UnknownAppType, which lists the candidates.
        """
        asked = _plain(str(name))
        if asked.isdecimal():
            found = [each for each in self.types if each.number == int(asked)]
        else:
            found = [each for each in self.types if asked in _names(each)] or [
                each for each in self.types if asked and any(asked in one for one in _names(each))
            ]
        if len(found) == 1:
            return found[0]
        listed = "; ".join(f"{each.number} {each.en} ({each.zh})" for each in found or self.types)
        if found:
            raise UnknownAppType(f"{name!r} may be several types of app.", f"Name one by its number: {listed}.")
        raise UnknownAppType(f"There is no type of app {str(name)!r}.", f"Name one by number or name: {listed}.")


def _names(type_: AppType) -> tuple[str, ...]:
    return _plain(type_.en), _plain(type_.zh), _plain(type_.code)


def _plain(text: str) -> str:
    """The text without case, spaces, punctuation and a final 类, with "&" as "and"."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("&", "and")
    return re.sub(r"[\W_]+", "", text).removesuffix("类")

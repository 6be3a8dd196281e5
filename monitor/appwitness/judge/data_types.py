"""The kinds of personal data: the model of catalog/data_types.yml, and their names in words."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from appwitness.catalog.entries import CatalogEntry
from appwitness.events import DataType


class Kind(CatalogEntry):
    """One kind of personal data, with its counterparts in the vocabularies that others use."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = Field(description="as lines and rules name it")
    en: str = Field(description="name in English, as inside a sentence: `phone number`")
    zh: str = Field(description="name in Chinese")
    gbt35273: str = Field(description="row of appendix A of GB/T 35273")
    play: str = Field(description="category of Google Play's data safety section")
    gdpr_art9: Literal[False, "possible", "biometric", "health", "belief", "sex", "race"] = Field(
        description="special category of GDPR art. 9"
    )
    others: bool = Field(default=False, description="mostly about other people than the user")
    fixed: bool = Field(default=False, description="an identifier that the user cannot reset")
    ordinary: bool = Field(default=False, description="what every app sees of the device; alone it identifies nobody")
    guessable: bool = Field(
        default=False, description="so few possible values that a digest is reversed by trying them"
    )
    pipl_sensitive: bool | Literal["context", "track"] = Field(
        description="sensitive under PIPL art. 28; context: depends on use; track: when it becomes a movement track"
    )


class DataTypes(CatalogEntry):
    """catalog/data_types.yml."""

    items: tuple[Kind, ...]

    @cached_property
    def codes(self) -> frozenset[DataType]:
        """Every code that the catalog knows."""
        return frozenset(self._by_code)

    def label(self, code: DataType, language: Literal["en", "zh"]) -> str:
        """The name of a kind in a language; an unknown code unchanged, but with spaces."""
        kind = self._by_code.get(code)
        if kind is None:
            return code.replace("_", " ")
        return kind.en if language == "en" else kind.zh

    @cached_property
    def _by_code(self) -> dict[DataType, Kind]:
        return {kind.code: kind for kind in self.items}

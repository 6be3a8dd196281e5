"""All of catalog/consent.yml: words on screens, permissions, and calls and keys that say something of consent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from monitor import catalog
from monitor.events import ConsentState, DataType, Scope
from monitor.labels import Labels
from monitor.observe.sources import Pattern


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Says(_Entry):
    """What a value says; what matches neither says nothing by itself."""

    given: Pattern | None = Field(default="^(true|1|yes)$", description="found in the value, case aside; None: never")
    refused: Pattern | None = Field(default="^(false|0|no)$", description="the same for a no; it is looked for first")

    def status(self, value: str) -> ConsentState:
        """given, refused, or requested where the value does not tell."""
        answers: tuple[tuple[ConsentState, str | None], ...] = (("refused", self.refused), ("given", self.given))
        for status, pattern in answers:
            if pattern is not None and re.search(pattern, value, re.IGNORECASE):
                return status
        return "requested"


class SdkCall(Says):
    """A call by which the app tells an SDK that the user agreed."""

    cls: str = Field(alias="class")
    method: str
    argument: int | None = Field(
        default=None, description="index of what says so, from the end when negative; None: the call itself says so"
    )
    key: str | None = Field(default=None, description="only calls whose first argument is this text")
    scope: Scope = "general_policy"


class Store(_Entry):
    """A class that writes preferences: methods that take key and value."""

    cls: str = Field(alias="class")
    methods: tuple[str, ...]


class Preference(Says):
    """Keys of a store that say something of consent."""

    keys: Pattern = Field(description="found in the key, case aside")
    signal: Literal["preference", "iab_tcf", "iab_gpp"] = "preference"
    scope: Scope = "general_policy"
    form: Literal["text", "tcf"] = Field(default="text", description="tcf: a TC string, by the purposes agreed to")


class ConsentWords(Labels):
    """catalog/consent.yml; labels by language."""

    model_config = ConfigDict(extra="forbid")

    permissions: dict[str, tuple[DataType, ...]]
    sdk_calls: tuple[SdkCall, ...]
    stores: tuple[Store, ...]
    preferences: tuple[Preference, ...]


def load(path: Path | None = None) -> ConsentWords:
    """The catalog's consent.yml, or another file of that shape. Raises FileError with the line."""
    return catalog.parse(path or catalog.HERE / "consent.yml", ConsentWords)

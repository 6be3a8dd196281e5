"""A rule as its file in catalog/rules says it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from monitor.events import DataType
from monitor.findings import Confidence, ConsentName, Level, Party
from monitor.judge.rules import sentences
from monitor.judge.rules.sentences import LANGUAGES

_FLOW_ONLY = ("party", "cleartext", "confidence", "rows")
"""Conditions that an access cannot meet."""

SeparateScope = Literal[
    "sensitive_separate",
    "third_party_separate",
    "cross_border_separate",
    "minor_guardian",
    "ads_tracking",
    "system_permission",
]


def _both(words: dict[str, str]) -> dict[str, str]:
    if set(words) != set(LANGUAGES) or not all(words.values()):
        raise ValueError("expected a text for each of en and zh")
    return words


Words = Annotated[dict[str, str], AfterValidator(_both)]


class Strict(BaseModel):
    """A frozen model that refuses a field it does not know: a misspelt condition must not hold always."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Separate(Strict):
    """What the user must have decided in a scope of its own."""

    scope: SeparateScope
    consent: tuple[ConsentName, ...] = Field(min_length=1)


class Condition(Strict):
    """Holds when everything that it names holds."""

    consent: tuple[ConsentName, ...] | None = Field(default=None, description="the general consent at that moment")
    separate: Separate | None = Field(default=None, description="a separate consent at that moment")
    data: tuple[DataType, ...] | None = Field(default=None, description="the kind of data is one of these")
    party: tuple[Party, ...] | None = Field(default=None, description="the recipient is one of these")
    cleartext: bool | None = Field(default=None, description="the upload was (not) protected by TLS")
    confidence: float | None = Field(default=None, ge=0, le=1, description="the best match is at least this certain")


class When(Condition):
    """What a rule looks for."""

    rows: int | None = Field(
        default=None,
        ge=1,
        description="entries of this many different people went to one recipient, in all its uploads",
    )


class Raised(Strict):
    """Another level where a further condition holds."""

    level: Level
    when: Condition


class Rule(Strict):
    """catalog/rules/<id>.yml: one judgement."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="name of its file, without .yml")
    on: Literal["access", "flow"] = Field(description="what it judges: reads, or what left the device")
    level: Level
    levels: tuple[Raised, ...] = Field(default=(), description="other levels; the first that holds counts")
    at_most: Confidence = Field(default="proven", description="confidence that a finding of this rule can reach")
    title: Words
    why: Words
    remedy: Words
    references: tuple[str, ...] = ()
    when: When
    detail: Words = Field(description="one sentence of facts; it may use {words} of sentences.WORDS")

    @model_validator(mode="before")
    @classmethod
    def _on_is_a_word(cls, data: Any) -> Any:
        """YAML 1.1 reads a bare `on` as true; nobody who writes a rule should have to know."""
        return {"on" if key is True else key: value for key, value in data.items()} if isinstance(data, dict) else data

    @field_validator("levels")
    @classmethod
    def _levels_fit(cls, levels: tuple[Raised, ...], info: ValidationInfo) -> tuple[Raised, ...]:
        for raised in levels:
            _fits(raised.when, info)
        return levels

    @field_validator("when")
    @classmethod
    def _when_fits(cls, when: When, info: ValidationInfo) -> When:
        _fits(when, info)
        return when

    @field_validator("detail")
    @classmethod
    def _words_exist(cls, detail: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        words = dict(sentences.WORDS.get(info.data.get("on", ""), {}))
        when = info.data.get("when")
        if when is not None and when.separate is None:
            words.pop("separate", None)
        unknown = sorted({word for text in detail.values() for word in sentences.used_words(text)} - set(words))
        if unknown and words:
            raise ValueError(f"unknown {_braced(unknown)}; expected only {_braced(words)}")
        return detail


def _fits(condition: Condition, info: ValidationInfo) -> None:
    if info.data.get("on") == "access":
        wrong = [name for name in _FLOW_ONLY if getattr(condition, name, None) is not None]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: a rule on accesses cannot ask for this; expected `on: flow`")


def _braced(words: Iterable[str]) -> str:
    return ", ".join(f"{{{word}}}" for word in words)

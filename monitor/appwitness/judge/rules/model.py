"""The model of a rule file in catalog/rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field, ValidationInfo, create_model, field_validator, model_validator

from appwitness.catalog.entries import CatalogEntry, known_names
from appwitness.events import Observers
from appwitness.findings import Confidence, Level, Need
from appwitness.judge.rules import conditions as _conditions  # noqa: F401  (registers them)
from appwitness.judge.rules import sentences
from appwitness.judge.rules.condition_registry import CONDITIONS, DeclaredCondition, JudgedRun, On, Test, always_holds
from appwitness.judge.rules.grouping import FindingGroup
from appwitness.judge.rules.translations import Words

Kinds = Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Z]\d{2}$")], ...], known_names("kinds", "catalog/laws.yml")]


class AskedConditions(CatalogEntry):
    """The conditions that a rule file names; their fields come from the registry. Conditions not named are None."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    @cached_property
    def asked(self) -> list[tuple[DeclaredCondition, Any]]:
        """The conditions that it names, in the order of the registry, each with the file's value."""
        return [
            (CONDITIONS[name], value) for name in type(self).model_fields if (value := getattr(self, name)) is not None
        ]

    def holds_for(self, group: FindingGroup) -> bool:
        """Whether a group meets all conditions on groups."""
        return all(declared.test(value, group) for declared, value in self.asked if declared.of_groups)

    def test(self, run: JudgedRun) -> Test:
        """One test for a sighting that combines all named conditions, except those on groups."""
        tests = [declared.test(value, run) for declared, value in self.asked if not declared.of_groups]
        return reduce(_both, reversed(tests)) if tests else always_holds


def _both(second: Test, first: Test) -> Test:
    return lambda each: first(each) and second(each)


def _model(name: str, base: type[AskedConditions], says: str, *, of_groups: bool) -> type[AskedConditions]:
    fields: Any = {each.name: each.model_field for each in CONDITIONS.values() if each.of_groups == of_groups}
    return create_model(name, __base__=base, __module__=__name__, __doc__=says, **fields)


if TYPE_CHECKING:
    Condition = AskedConditions
    When = AskedConditions
else:
    Condition = _model(
        "Condition",
        AskedConditions,
        "Holds when everything that it names holds; what is not known never holds.",
        of_groups=False,
    )
    When = _model("When", Condition, "What a rule looks for.", of_groups=True)


class Raised(CatalogEntry):
    """Another level, used if a further condition holds."""

    level: Level
    when: Condition


class Rule(CatalogEntry):
    """catalog/rules/<id>.yml: one judgement."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="name of its file, without .yml")
    on: On = Field(description="what it judges: reads, what left the device, consent lines, claims, the whole run")
    level: Level
    levels: tuple[Raised, ...] = Field(default=(), description="other levels; the first that holds counts")
    at_most: Confidence = Field(default="proven", description="confidence that a finding of this rule can reach")
    needs: tuple[Need, ...] = Field(
        default=(),
        description="observers without which it does not judge, as it would take what nobody watched for what did not "
        "happen; consent may also be what an operator has taken for granted (--assume-consent)",
    )
    kinds: Kinds = Field(default=(), description="finding types of catalog/laws.yml")
    title: Words
    why: Words
    remedy: Words
    passes: Words | None = Field(default=None, description="what resembles it and is not a finding")
    references: tuple[str, ...] = Field(default=(), description="what it rests on besides the laws of its kinds")
    when: When
    detail: Words = Field(description="one sentence of facts; it may use {words} of sentences.WORDS")

    def lacks(self, observers: Observers, assumed: bool = False) -> tuple[Need, ...]:
        """The observers that it needs and that were missing; `assumed`: consent was assumed."""
        return tuple(need for need in self.needs if not (getattr(observers, need) or (need == "consent" and assumed)))

    @property
    def shown_by(self) -> frozenset[Need | Literal["values"]]:
        """The observations that a run needs to show a finding; for a rule on flows, also known values to look for."""
        return frozenset({*self.needs, *(("values",) if self.on == "flow" else ())})

    @property
    def needs_whole_run(self) -> bool:
        """Whether it looks for what did not happen, which only the whole run shows."""
        return self.on == "run" or any(declared.whole_run for declared, _ in self.when.asked)

    @property
    def needs_others(self) -> bool:
        """Whether its result for a sighting depends on what else was sent."""
        conditions = (self.when, *(each.when for each in self.levels))
        return any(declared.others for each in conditions for declared, _ in each.asked)

    @model_validator(mode="before")
    @classmethod
    def _on_is_a_word(cls, data: Any) -> Any:
        """YAML 1.1 reads a bare `on` as true; authors of rules should not have to know that."""
        return {"on" if key is True else key: value for key, value in data.items()} if isinstance(data, dict) else data

    @model_validator(mode="before")
    @classmethod
    def _needs_what_it_asks(cls, data: Any) -> Any:
        """Add the observers that the rule's conditions depend on, whether or not its file names them."""
        if not isinstance(data, dict) or not isinstance(data.get("when"), dict):
            return data
        named = data.get("needs") or ()
        if not isinstance(named, list | tuple):
            return data
        return {**data, "needs": [*named, *(need for need in _rests_on(data) if need not in named)]}

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
        when = info.data.get("when")
        words = [
            word
            for word in sentences.WORDS.get(info.data.get("on", ""), {})
            if when is None or word not in sentences.NEEDS or getattr(when, sentences.NEEDS[word]) is not None
        ]
        unknown = sorted({word for text in detail.values() for word in sentences.used_words(text)} - set(words))
        if unknown and words:
            raise ValueError(f"unknown {_braced(unknown)}; expected only {_braced(words)}")
        return detail


def _rests_on(rule: dict[Any, Any]) -> Iterator[Need]:
    """The observers that a rule depends on, by what it judges and which conditions it uses."""
    on, when = rule.get("on", rule.get(True)), rule["when"]
    asked = [each for each in CONDITIONS.values() if each.in_files in when]
    needs = {need for each in asked for need in each.needs_of(when[each.in_files])}
    if on == "access":
        needs.add("hooks")
    if on == "flow":
        needs.add("proxy")
    return (need for need in get_args(Need) if need in needs)


def _fits(condition: Condition, info: ValidationInfo) -> None:
    on = info.data.get("on")
    if on is None:
        return
    wrong = [declared for declared, _ in condition.asked if on not in declared.on]
    if wrong:
        words = ", ".join(declared.in_files for declared in wrong)
        fitting = sorted(set.intersection(*(set(declared.on) for declared in wrong)))
        raise ValueError(
            f"{words}: not possible in a rule on {_PLURALS[on]}"
            + (f"; expected `on: {' or '.join(fitting)}`" if fitting else "")
        )


_PLURALS: dict[str, str] = {
    "access": "accesses",
    "flow": "flows",
    "consent": "consent lines",
    "claim": "claims",
    "run": "the run",
}


def _braced(words: Iterable[str]) -> str:
    return ", ".join(f"{{{word}}}" for word in words)

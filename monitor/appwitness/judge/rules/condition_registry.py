"""The registry of conditions that a rule file may use: how each is tested and described."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_type_hints

from pydantic import Field

from appwitness.findings import Need
from appwitness.judge.rules.facts import RunFacts
from appwitness.judge.rules.sightings import Sighting, Sightings

On = Literal["access", "flow", "consent", "claim", "run"]
"""What a rule judges."""
Test = Callable[[Sighting], bool]
Text = tuple[str, str]
"""English and Chinese."""
NamedValues = Literal["data", "consent", "party", "signal"]
"""Values that the reports have names for: data types, states of consent, parties, signals."""


@dataclass(frozen=True)
class JudgedRun:
    """What one run shows: the facts, and the sightings made of them."""

    facts: RunFacts
    sightings: Sightings


@dataclass(kw_only=True)
class DeclaredCondition:
    """One condition that a rule file may name; as a decorator, it registers a function as its test.

    The function's name is the field's name in the file, without a trailing underscore (for a word that Python
    reserves). The annotation of its first parameter is the field's type, with its bounds. The function takes the file's
    value and a JudgedRun, and returns the test for one sighting; with `of_groups` it takes the file's value and a
    group, and returns whether the group meets the condition. Conditions are tested in the order of registration, so
    cheap and selective ones belong first. An unknown fact must never satisfy a condition.

    Raises ValueError for an impossible declaration, such as a second one with the same name.
    """

    on: tuple[On, ...]
    """The rules that may use it."""
    says: Text
    """Text on the page of a rule; {} is the file's value."""
    description: str | None = None
    """Text in the JSON Schema of rule files."""
    choices: Mapping[str, Text] = field(default_factory=dict)
    """Texts for the values that a file may use, if these are words of our own."""
    named: NamedValues | None = None
    """The values that a file may use, if the reports have names for them."""
    needs: tuple[Need, ...] | Callable[[Any], tuple[Need, ...]] = ()
    """Observers without which it cannot be tested; a function if that depends on the file's value."""
    whole_run: bool = False
    """Whether it looks for what did not happen, which only the whole run shows."""
    others: bool = False
    """Whether its result for a sighting depends on what else was sent."""
    of_groups: bool = False
    """Whether it is tested on all sightings of one finding together."""
    name: str = field(init=False)
    type: Any = field(init=False)
    test: Callable[..., Any] = field(init=False)

    def __call__[F: Callable[..., Any]](self, function: F) -> F:
        """Register a function."""
        name = function.__name__
        if name in CONDITIONS:
            raise ValueError(f"{name}: there is a condition of this name")
        if not self.on or not set(self.on) <= set(get_args(On)) or not all(self.says):
            raise ValueError(f"{name}: on {self.on!r}, says {self.says!r}")
        self.name, self.test = name, function
        self.type = next(iter(get_type_hints(function, include_extras=True).values()))
        CONDITIONS[name] = self
        return function

    @property
    def in_files(self) -> str:
        """Its name in rule files."""
        return self.name.rstrip("_")

    @property
    def model_field(self) -> tuple[Any, Any]:
        """Type and field for a pydantic model; None stands for a condition that a rule does not use."""
        alias = self.in_files if self.in_files != self.name else None
        return self.type | None, Field(default=None, description=self.description, alias=alias)

    def needs_of(self, asked: Any) -> tuple[Need, ...]:
        """Observers without which it cannot be tested for a file's value, which may be any YAML."""
        return self.needs(asked) if callable(self.needs) else self.needs


condition = DeclaredCondition
CONDITIONS: dict[str, DeclaredCondition] = {}
"""By name, in the order in which they are tested."""


def never_holds(_: Sighting) -> bool:
    """The test if the run lacks the facts for a condition."""
    return False


def always_holds(_: Sighting) -> bool:
    """The test if the run itself meets the condition, whatever the sighting."""
    return True

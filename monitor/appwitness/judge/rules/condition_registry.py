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
"""Values that the reports have names for: kinds of data, states of consent, parties, signals."""


@dataclass(frozen=True)
class JudgedRun:
    """What one run shows: the facts, and the same laid out by moment."""

    facts: RunFacts
    sightings: Sightings


@dataclass(kw_only=True)
class DeclaredCondition:
    """One condition that a rule file may name; as a decorator, it registers a function as its test.

    The name of the function is the field's name in the file; a trailing underscore, for a word that is Python's own, is
    not written there. The annotation of the first parameter is the field's type, with its bounds. The function takes
    what the file asks for and a JudgedRun, and returns the test of one sighting; with `of_groups` it takes what the
    file asks for and a group, and returns whether that is large enough. The first ones to be registered are tested
    first: cheap and telling ones belong at the beginning. What is not known must never hold.

    Raises ValueError for a declaration that cannot be, such as a second one of the same name.
    """

    on: tuple[On, ...]
    """The rules that may ask for it."""
    says: Text
    """What the page of a rule says; {} is what the file asks for."""
    description: str | None = None
    """What the JSON Schema of rule files says."""
    choices: Mapping[str, Text] = field(default_factory=dict)
    """Texts of the values that a file may ask for, where these are words of our own."""
    named: NamedValues | None = None
    """The values that a file may ask for, where the reports have names for them."""
    needs: tuple[Need, ...] | Callable[[Any], tuple[Need, ...]] = ()
    """Observers without which it cannot be tested; a function where that depends on what the file asks for."""
    whole_run: bool = False
    """It looks for what did not happen, so that only the whole run shows it."""
    others: bool = False
    """What it says of a sighting depends on what else was sent."""
    of_groups: bool = False
    """It is tested on the sightings of one finding together."""
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
        """Type and field of a pydantic model; None where a rule does not ask for it."""
        alias = self.in_files if self.in_files != self.name else None
        return self.type | None, Field(default=None, description=self.description, alias=alias)

    def needs_of(self, asked: Any) -> tuple[Need, ...]:
        """Observers without which it cannot be tested for what a file asks for, which may be any YAML."""
        return self.needs(asked) if callable(self.needs) else self.needs


condition = DeclaredCondition
CONDITIONS: dict[str, DeclaredCondition] = {}
"""By name, in the order in which they are tested."""


def never_holds(_: Sighting) -> bool:
    """A test for what is not known of the run."""
    return False


def always_holds(_: Sighting) -> bool:
    """A test for what the run itself meets, whatever the sighting."""
    return True

"""A rule as its file in catalog/rules says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from appwitness.catalog.entries import CatalogEntry
from appwitness.events import DataType, Observers, Signal
from appwitness.findings import Confidence, ConsentName, Level, Need, Party
from appwitness.judge.rules import sentences
from appwitness.judge.rules.translations import Words

On = Literal["access", "flow", "consent", "claim", "run"]
SeparateScope = Literal[
    "sensitive_separate",
    "third_party_separate",
    "cross_border_separate",
    "minor_guardian",
    "ads_tracking",
    "system_permission",
]
PhaseName = Literal["background", "screen_off", "before_start"]
LabelKind = Literal["refuse", "basic", "agree", "ambiguous", "later", "forced", "bundled", "unticked", "pre_ticked"]
ClaimKind = Literal["tcf", "gpp", "gcs", "gcd", "npa", "lmt", "gdpr_consent", "us_privacy", "sdk", "preference"]

_FOR: dict[str, tuple[On, ...]] = {
    "consent": ("access", "flow", "consent", "claim"),
    "separate": ("access", "flow", "claim"),
    "soon_s": ("access", "flow"),
    "data": ("access", "flow", "consent"),
    "phase": ("access", "flow"),
    "scope": ("access", "flow"),
    "declared": ("access", "flow"),
    "sensitive": ("access", "flow"),
    "others": ("access", "flow"),
    "fixed": ("access", "flow"),
    "ordinary": ("access", "flow"),
    "party": ("flow",),
    "recipient_declared": ("flow",),
    "cleartext": ("flow",),
    "confidence": ("flow",),
    "record": ("flow",),
    "rows": ("access", "flow"),
    "abroad": ("flow",),
    "audience": ("access", "flow"),
    "hashed": ("flow",),
    "guessable": ("access", "flow"),
    "with_": ("flow",),
    "sent": ("access",),
    "without": ("access",),
    "often": ("access",),
    "times": ("access", "consent"),
    "signal": ("consent",),
    "status": ("consent",),
    "by": ("consent",),
    "label": ("consent",),
    "ticked": ("consent",),
    "unasked": ("consent",),
    "together": ("consent",),
    "ended_within_s": ("consent",),
    "purpose": ("consent",),
    "answered": ("consent",),
    "earlier_run": ("consent", "access", "flow", "claim"),
    "says": ("claim",),
    "kind": ("claim",),
    "on_wire": ("claim",),
    "never": ("run",),
}
"""What a condition can be asked of."""


_ON_CONSENT = frozenset({"consent", "separate", "never", "purpose", "answered", "unasked"})
"""Conditions that ask what the user was asked or decided."""


def _known(name: str, where: str) -> AfterValidator:
    """Names that another file of the catalog must have; what it has is given as the context of validation."""

    def check(names: Any, info: ValidationInfo) -> Any:
        known = (info.context or {}).get(name)
        given = (names,) if isinstance(names, str) else names or ()
        unknown = sorted(set(given) - set(known)) if known is not None else []
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no such name; {where} has them")
        return names

    return AfterValidator(check)


Kinds = Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Z]\d{2}$")], ...], _known("kinds", "catalog/laws.yml")]
DataTypes = Annotated[tuple[DataType, ...], Field(min_length=1), _known("data", "catalog/data_types.yml")]


class Separate(CatalogEntry):
    """What the user must have decided in a scope of its own."""

    scope: SeparateScope
    consent: tuple[ConsentName, ...] = Field(min_length=1)


class Condition(CatalogEntry):
    """Holds when everything that it names holds; what is not known never holds."""

    # In this order they are asked, so the cheap and telling ones come first.
    consent: tuple[ConsentName, ...] | None = Field(
        default=None, description="the general consent at that moment; of a consent line: its scope's just before"
    )
    data: DataTypes | None = Field(default=None, description="the kind of data is one of these")
    phase: tuple[PhaseName, ...] | None = Field(default=None, min_length=1, description="the app was in one of these")
    scope: Literal["outside", "inside"] | None = Field(
        default=None, description="the kind of data is not (or is) in the necessary scope of the app's type, if known"
    )
    declared: Literal[False] | None = Field(
        default=None, description="the tester's policy.yml says nothing of this kind of data"
    )
    sensitive: Literal[True] | None = Field(default=None, description="sensitive by law whatever its use")
    others: Literal[True] | None = Field(default=None, description="data about other people than the user")
    fixed: Literal[True] | None = Field(default=None, description="an identifier that the user cannot reset")
    ordinary: Literal[True] | None = Field(
        default=None, description="what every app sees of the device and its state; alone it tells of nobody"
    )
    guessable: Literal[True] | None = Field(
        default=None, description="so few possible values that a digest is undone by trying"
    )
    audience: Literal["children"] | None = Field(default=None, description="whom the app is made for, by policy.yml")
    # Of flows.
    party: tuple[Party, ...] | None = Field(default=None, description="the recipient is one of these")
    recipient_declared: Literal[False] | None = Field(
        default=None, description="policy.yml names this kind of data, but not for this recipient"
    )
    cleartext: bool | None = Field(default=None, description="the upload was (not) protected by TLS")
    confidence: float | None = Field(default=None, ge=0, le=1, description="the best match is at least this certain")
    abroad: Literal[True] | None = Field(
        default=None, description="the recipient's country is known and not the territory that the tester named"
    )
    hashed: Literal[True] | None = Field(default=None, description="every match is a digest made without a key")
    record: Literal["refused"] | None = Field(
        default=None,
        description="the app's own record was by then that there is no consent to it; no yes was seen since, and no no",
    )
    with_: DataTypes | None = Field(
        default=None, alias="with", description="the same upload also carries one of these kinds"
    )
    separate: Separate | None = Field(default=None, description="a separate consent at that moment")
    soon_s: float | None = Field(
        default=None, gt=0, description="what the user had decided was decided at most so many seconds before"
    )
    # Of accesses.
    sent: Literal[False] | None = Field(
        default=None,
        description="no upload of the run carries this kind of data, though uploads were captured and nothing that is"
        " known hides one; not of what the app's type, where that is known, needs",
    )
    without: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="no frame of the stack begins with one of these"
    )
    # Of consent lines.
    signal: tuple[Signal, ...] | None = Field(default=None, min_length=1)
    status: tuple[ConsentName, ...] | None = Field(default=None, min_length=1)
    by: tuple[Literal["user", "operator", "app"], ...] | None = Field(default=None, min_length=1)
    label: tuple[LabelKind, ...] | None = Field(
        default=None, min_length=1, description="list of catalog/consent.yml that the label is in, or why a yes is none"
    )
    ticked: bool | None = Field(default=None, description="a box was ticked already")
    unasked: Literal[True] | None = Field(
        default=None, description="a permission has another result than before, and nobody had prompted for it since"
    )
    together: int | None = Field(
        default=None, ge=2, description="prompts for this many groups of permissions within one second"
    )
    ended_within_s: float | None = Field(
        default=None, gt=0, description="the app ended by itself within so many seconds"
    )
    purpose: Literal[False] | None = Field(default=None, description="no dialog or notice had been shown before")
    answered: Literal[False] | None = Field(
        default=None, description="no clear answer to the same question came later in the run"
    )
    earlier_run: Literal[True] | None = Field(
        default=None,
        description="it shows consent of an earlier run, so that this was no clean install; of other things: such"
        " consent is there, and nothing was shown in this run",
    )
    # Of claims.
    says: tuple[Literal["given", "refused", "unknown"], ...] | None = Field(default=None, min_length=1)
    kind: tuple[ClaimKind, ...] | None = Field(default=None, min_length=1)
    on_wire: bool | None = Field(default=None, description="the claim was found in an upload (or in the app)")
    # Of the run.
    never: Literal["dialog"] | None = Field(
        default=None, description="no dialog, notice or answer in the whole run, and something was read"
    )

    @cached_property
    def asked(self) -> list[tuple[str, Any]]:
        """What it names, in order."""
        return [(name, value) for name in Condition.model_fields if (value := getattr(self, name)) is not None]


class When(Condition):
    """What a rule looks for."""

    rows: int | None = Field(
        default=None,
        ge=1,
        description="entries of this many different people were read, or went to one recipient in all its uploads",
    )
    times: int | None = Field(default=None, ge=1, description="a group has at least this many")
    often: Annotated[str, _known("presets", "catalog/frequency.yml")] | None = Field(
        default=None, description="one caller, in one phase of the app, exceeded this preset"
    )


class Raised(CatalogEntry):
    """Another level where a further condition holds."""

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
    references: tuple[str, ...] = Field(default=(), description="what it rests on besides the laws of its kinds")
    when: When
    detail: Words = Field(description="one sentence of facts; it may use {words} of sentences.WORDS")

    def lacks(self, observers: Observers, assumed: bool = False) -> tuple[Need, ...]:
        """Which of the observers that it needs were not there; `assumed`: consent is taken for granted."""
        return tuple(need for need in self.needs if not (getattr(observers, need) or (need == "consent" and assumed)))

    @property
    def shown_by(self) -> frozenset[Need | Literal["values"]]:
        """What a run must have recorded to show it: of what was sent, also values that were looked for."""
        return frozenset({*self.needs, *(("values",) if self.on == "flow" else ())})

    @property
    def needs_whole_run(self) -> bool:
        """Whether it looks for what did not happen, so that only the whole run shows it."""
        when = self.when
        return self.on == "run" or when.never is not None or when.sent is False or when.answered is False

    @property
    def needs_others(self) -> bool:
        """Whether what it says of a sighting depends on what else was sent."""
        return any(when.with_ or when.sent is not None for when in (self.when, *(each.when for each in self.levels)))

    @model_validator(mode="before")
    @classmethod
    def _on_is_a_word(cls, data: Any) -> Any:
        """YAML 1.1 reads a bare `on` as true; nobody who writes a rule should have to know."""
        return {"on" if key is True else key: value for key, value in data.items()} if isinstance(data, dict) else data

    @model_validator(mode="before")
    @classmethod
    def _needs_what_it_asks(cls, data: Any) -> Any:
        """A rule also needs what its conditions rest on, whether or not its file says so."""
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
    """The observers that a rule cannot do without, by what it is about and what it asks for."""
    on, when = rule.get("on", rule.get(True)), rule["when"]
    if on == "access" or "never" in when:
        yield "hooks"
    if on == "flow" or "sent" in when or when.get("on_wire"):
        yield "proxy"
    if not _ON_CONSENT.isdisjoint(when):
        yield "consent"


def _fits(condition: Condition, info: ValidationInfo) -> None:
    on = info.data.get("on")
    if on is None:
        return
    named = [name for name in type(condition).model_fields if getattr(condition, name) is not None]
    wrong = [name for name in named if on not in _FOR[name]]
    if wrong:
        words = ", ".join(name.rstrip("_") for name in wrong)
        fitting = sorted(set.intersection(*(set(_FOR[name]) for name in wrong)))
        raise ValueError(
            f"{words}: a rule on {_PLURALS[on]} cannot ask for this"
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

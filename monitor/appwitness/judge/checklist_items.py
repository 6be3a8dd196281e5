"""The model of a checklist file: its items, what fails each, and what must have been observed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from appwitness.catalog.entries import CatalogEntry, known_names
from appwitness.events import ITEM_ID, LIST_ID
from appwitness.findings import ConsentName, Finding, Need, Party
from appwitness.judge.laws import Laws
from appwitness.judge.rules.conditions import DataTypes
from appwitness.judge.rules.translations import Words

PlayedPlan = Literal["silent", "refuse", "accept", "withdraw"]
Situation = Literal["question", "permission", "refused_permission", "background"]
"""What must have happened in a run: the app asked the user; it requested a permission; the user refused one; the app
was in the background."""
GivenOption = Literal["policy", "app_type", "territory"]
"""What only the tester can supply: --policy, --app-type, --territory."""
ItemId = Annotated[str, Field(pattern=ITEM_ID)]
FEWEST_PLANS = 2
"""A single plan shows too little to conclude that nothing was seen."""


class ListSource(CatalogEntry):
    """Where the items of a checklist come from, and whether they were compared with that source."""

    name: Words
    url: str | None = None
    compared: date | None = Field(default=None, description="when; null: it was not compared")
    note: Words | None = Field(default=None, description="what was compared, what could not be, and what differs")


class SoughtFinding(CatalogEntry):
    """A finding of one of these rules that also meets all the other conditions."""

    rules: Annotated[tuple[str, ...], Field(min_length=1), known_names("rules", "catalog/rules")]
    consent: tuple[ConsentName, ...] | None = Field(default=None, description="the consent at that moment is one")
    data: DataTypes | None = None
    party: tuple[Party, ...] | None = Field(default=None, description="whose the recipient is")
    code: Literal["app", "sdk"] | None = Field(
        default=None, description="sdk: code of a known SDK read or sent it; app: no code of a known SDK did"
    )
    times: int = Field(default=1, ge=1, description="it stands for so many accesses or flows")
    beside: Annotated[str | None, known_names("rules", "catalog/rules")] = Field(
        default=None, description="this rule has found something in the same run, too"
    )
    unless: Annotated[str | None, known_names("rules", "catalog/rules")] = Field(
        default=None, description="this rule has found nothing in the same run"
    )

    def matches(self, finding: Finding, found: frozenset[str]) -> bool:
        """Whether a finding meets all conditions except `code`; `found`: the rules that have found something in the
        same run."""
        return (
            finding.rule in self.rules
            and (self.consent is None or finding.consent in self.consent)
            and (self.data is None or finding.data in self.data)
            and finding.count >= self.times
            and (self.party is None or (finding.recipient is not None and finding.recipient.party in self.party))
            and (self.beside is None or self.beside in found)
            and self.unless not in found
        )

    def of_code(self, finding: Finding) -> bool | None:
        """Whether the code behind the finding is of the kind that `code` requires; None if it is unknown whose code
        it was."""
        if self.code is None:
            return True
        codes = [each for each in (finding.read_by, finding.sent_by) if each]
        by_sdk = any(each.owner for each in codes)
        if self.code == "app":
            return not by_sdk
        return True if by_sdk else False if codes else None


class ChecklistItem(CatalogEntry):
    """One item. If no finding fails it, `by_hand` says what a person still has to check; without `by_hand`,
    recordings alone answer it."""

    item: ItemId = Field(description="number or name, as the source has it")
    says: Words = Field(
        default_factory=dict,
        validate_default=False,
        description="what is wrong where it fails, in our own words; left "
        "out where the list names a law: as catalog/laws.yml has it",
    )
    fails: tuple[SoughtFinding, ...] = Field(default=(), description="any of these fails it; none: it is by hand")
    doubts: tuple[SoughtFinding, ...] = Field(
        default=(), description="any of these may hide what fails it: then nobody can say that nothing was seen"
    )
    plans: tuple[PlayedPlan, ...] = Field(
        default=(), description="plans that must all have been run before nothing counts as seen"
    )
    watched: tuple[Need, ...] = Field(default=(), description="observers that it needs besides those of its rules")
    seen: tuple[Situation, ...] = Field(
        default=(), description="what some run must have come to, with one of the plans"
    )
    given: tuple[GivenOption, ...] = Field(default=(), description="what the tester must have said")
    for_s: float | None = Field(default=None, gt=0, description="seconds of each run; null: those of the list")
    by_hand: Words | None = Field(default=None, description="what a person looks at")

    @property
    def rules(self) -> tuple[str, ...]:
        """Every rule that can fail the item, each once."""
        return tuple(dict.fromkeys(name for each in self.fails for name in each.rules))

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        if not self.fails and self.by_hand is None:
            raise ValueError(f"{self.item}: neither fails nor by_hand, so nobody can answer it")
        if not self.fails and (self.plans or self.watched or self.seen or self.given or self.for_s):
            raise ValueError(f"{self.item}: what must have been watched is of no use without fails")
        if self.fails and len(set(self.plans)) < FEWEST_PLANS:
            raise ValueError(f"{self.item}: expected {FEWEST_PLANS} plans or more, since one alone shows too little")
        return self


class ItemGroup(CatalogEntry):
    """Items under one heading."""

    group: ItemId
    name: Words
    items: tuple[ChecklistItem, ...] = Field(min_length=1)


class Checklist(CatalogEntry):
    """catalog/checklists/<id>.yml, or an organisation's own file."""

    id: str = Field(pattern=LIST_ID, description="name of its file, without .yml")
    title: Words
    source: ListSource
    law: str | None = Field(default=None, description="law of catalog/laws.yml whose articles its items are")
    for_s: float = Field(default=60, gt=0, description="seconds for which the app must have run in each recording")
    groups: tuple[ItemGroup, ...] = Field(min_length=1)

    @property
    def items(self) -> tuple[ChecklistItem, ...]:
        """All items, in order."""
        return tuple(item for group in self.groups for item in group.items)

    @property
    def plans(self) -> tuple[PlayedPlan, ...]:
        """Every plan that some item needs, in the order in which they are run."""
        needed = {plan for item in self.items for plan in item.plans}
        return tuple(plan for plan in get_args(PlayedPlan) if plan in needed)

    def worded(self, laws: Laws) -> Self:
        """A copy in which items without a text of their own have the law's text. Raises ValueError if the law, or an
        item's article, does not exist."""
        law = next((each for each in laws.laws if each.id == self.law), None)
        if self.law and law is None:
            raise ValueError(f"{self.law}: no such law; catalog/laws.yml has them")
        says = {each.article: each.says for each in law.articles} if law else {}
        lost = [item.item for item in self.items if not item.says and item.item not in says]
        if lost:
            raise ValueError(f"item {', '.join(lost)}: expected says, as no article of a law has that number")
        groups = (
            group.model_copy(
                update={
                    "items": tuple(
                        item if item.says else item.model_copy(update={"says": says[item.item]}) for item in group.items
                    )
                }
            )
            for group in self.groups
        )
        return self.model_copy(update={"groups": tuple(groups)})

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [item.item for item in self.items]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"item {', '.join(twice)} is there twice")
        return self

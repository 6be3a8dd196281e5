"""A checklist filled from recordings: the result of each item, with its lines or with what was not observed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from pydantic import Field

from appwitness.events import Record, Ref, Time
from appwitness.findings import Confidence, ConsentName, Level, Need, Seal

ItemState = Literal["fail", "nothing_seen", "not_observed", "by_hand"]
"""fail: lines show it; nothing_seen: everything that the item asks for was watched, and nothing was seen;
not_observed: something was not watched, so nobody knows; by_hand: a person has to look."""
WhyUnfilled = Literal[
    "plan", "answer", "short", "unended", "observer", "hooks_failed", "rule", "situation", "given", "gap", "forgotten",
    "altered", "unfinished", "doubtful",
]  # fmt: skip


class FillingRun(Record):
    """One of the recordings."""

    recording: str
    plan: str
    started: Time
    seconds: float | None = Field(description="for how long the app was observed; null: not known")
    observers: tuple[Need, ...]
    answered: tuple[ConsentName, ...] = Field(description="what the user was seen to answer, in order of time")
    gaps: int
    verified: Seal | None = None


class ItemEvidence(Record):
    """A finding that fails an item."""

    recording: str
    plan: str
    rule: str
    level: Level
    confidence: Confidence
    title: dict[str, str]
    detail: dict[str, str]
    consent: ConsentName | None = None
    evidence: tuple[Ref, ...]


class Unfilled(Record):
    """Why an item was not observed."""

    why: WhyUnfilled = Field(
        description="plan: no recording has it; answer: the user was not seen to answer as the plan has it; short: the "
        "app ran for less than the item asks for; unended: the run goes on, or its end is not recorded; observer: "
        "nobody watched it; hooks_failed: the agent's check of itself missed calls; rule: it did not judge; situation: "
        "the run did not come to it; given: only the tester can say it; gap: a part was not observed; forgotten: lines "
        "were removed on purpose; altered, unfinished: the recording is not what its stamps say, or none vouches for "
        "its end; doubtful: something was found that may be such a case, and is not sure to be one"
    )
    subject: str = Field(description="the plan, observer, rule, situation, option or gap; of short: the seconds asked")
    recording: str | None = None
    ref: Ref | None = Field(default=None, description="line that shows it")


class HandAnswer(Record):
    """What a person answered, by a mark in a recording."""

    answer: Literal["pass", "fail"]
    at: Time = Field(description="when the answer was noted, on the host's clock")
    who: str | None = None
    note: str | None = None
    recording: str
    ref: Ref


class FilledItem(Record):
    """One item and its result."""

    item: str
    group: str
    says: dict[str, str] = Field(description="by language: en, zh")
    state: ItemState
    plans: tuple[str, ...] = Field(default=(), description="plans that it needs")
    seconds: float | None = Field(default=None, description="for how long the app must have run in each; null: by hand")
    watched: tuple[str, ...] = Field(default=(), description="recordings in which all that it asks for was watched")
    needs: tuple[Need, ...] = ()
    failing: tuple[ItemEvidence, ...] = ()
    doubtful: tuple[ItemEvidence, ...] = Field(default=(), description="what may be such a case, but not certainly")
    reasons: tuple[Unfilled, ...] = Field(default=(), description="why it was not observed, or not all of it")
    by_hand: dict[str, str] | None = Field(default=None, description="what a person looks at, by language")
    answers: tuple[HandAnswer, ...] = Field(
        default=(), description="people's answers, the last one first: that one counts"
    )

    @property
    def failed(self) -> bool:
        """Whether lines, or a person's last answer, say that it fails."""
        return self.state == "fail" or (bool(self.answers) and self.answers[0].answer == "fail")

    @property
    def is_open(self) -> bool:
        """Whether nobody knows the result: it was not observed or is by hand, and no person has answered it."""
        return self.state in ("not_observed", "by_hand") and not self.answers


class FilledGroup(Record):
    """The items under one heading."""

    group: str
    name: dict[str, str]
    items: tuple[FilledItem, ...]


class ChecklistOrigin(Record):
    """Where the items come from."""

    name: dict[str, str]
    url: str | None = None
    compared: date | None = Field(default=None, description="when the items were compared with it; null: they were not")
    note: dict[str, str] | None = None


class FilledChecklist(Record):
    """A checklist, filled from recordings of one app."""

    v: Literal[1] = 1
    checklist: str
    title: dict[str, str]
    source: ChecklistOrigin
    package: str
    version: str | None
    apk_sha256: str | None
    made_by: str | None = Field(description="version of appwitness of the last run")
    runs: tuple[FillingRun, ...]
    groups: tuple[FilledGroup, ...]
    masked: bool = True

    @property
    def items(self) -> Iterator[FilledItem]:
        """All items, in order."""
        return (item for group in self.groups for item in group.items)

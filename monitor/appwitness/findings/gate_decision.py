"""The decision of a gate: the behaviours of an app's releases, how each changed, and whether the build fails."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import ConfigDict, Field

from appwitness.events import DataType, Record, Ref
from appwitness.findings import Confidence, ConsentName, Level, People, Seal

Change = Literal["new", "worse", "same", "better", "gone", "not_observable", "new_rule"]
"""How a finding changed since the runs that it is compared with. gone: what it needs was watched, and it was not seen;
not_observable: what it needs was not watched, so nobody knows; new_rule: no rule with that id judged those runs."""
Rose = Literal["level", "confidence", "consent", "plan"]
"""What got worse: the level, the confidence, the answer that was ignored, or a plan that did not show it before."""


class Behaviour(Record):
    """One thing an app does that a rule objects to, as runs of one release show it: one line of a baseline."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^v2:[0-9a-f]{12}$", description="fingerprint; the same in each run that shows it")
    rule: str
    data: DataType | None = None
    recipient: str | None = Field(default=None, description="domain that stands for the recipient, or `ip`")
    actor: str = Field(default="unknown", description="the maker of the code, `app`, or `unknown`")
    plans: tuple[str, ...] = Field(description="plans of the runs that show it, sorted")
    level: Level
    confidence: Confidence
    consent: ConsentName | None = Field(
        default=None, description="the consent that speaks most against it, of all that were seen"
    )
    sources: tuple[str, ...] = Field(default=(), description="APIs that gave the data, sorted; empty: none was seen")
    people: People | None = Field(
        default=None, description="whose data went, of the run with the most; no baseline has it"
    )


class Made(Record):
    """The runs that a set of behaviours comes from."""

    model_config = ConfigDict(extra="forbid")

    release: str | None = Field(default=None, description="version of the app, and its code: `4.1.0 (410)`")
    appwitness: str | None = None
    rules: str | None = Field(default=None, description="digest of the rules that judged")
    rule_ids: tuple[str, ...] = Field(default=(), description="their ids, sorted")
    plans: tuple[str, ...] = Field(default=(), description="sorted")
    at: date | None = Field(default=None, description="day of the last run (UTC)")


class Unobserved(Record):
    """Why nobody can say that a behaviour is gone."""

    why: Literal[
        "plan", "answer", "run", "observer", "source", "process", "recipient",
        "forgotten", "altered", "unfinished",
    ] = Field(
        description="plan: no run had it; answer: the user was not seen to answer so; run: it was too short, or nothing"
        " was seen in it; observer: nobody watched what the rule needs; source: the API was not hooked throughout;"
        " process: one was not watched; recipient: its traffic was not read; forgotten: lines were removed on purpose;"
        " altered, unfinished: the recording is not what its stamps say, or none vouches for its end"
    )  # fmt: skip
    subject: str = Field(
        description="the plan, answer, observer, API, process or host; the recording; the file of lines"
    )
    ref: Ref | None = Field(default=None, description="line of the gap")
    gap: str | None = Field(default=None, description="the gap, as --allow-gap names it: WHERE:WHY:SUBJECT")


class Mute(Record):
    """The waiver that covers a finding."""

    id: str
    owner: str
    reason: str
    expires: date
    ticket: str | None = None
    place: str = Field(description="file and line of the entry")
    state: Literal["active", "expired", "exceeded"] = Field(
        description="exceeded: the finding is of a higher level than the waiver is for"
    )


class Gated(Record):
    """One behaviour and how it changed."""

    now: Behaviour | None = Field(default=None, description="null: not seen in these runs")
    was: Behaviour | None = Field(default=None, description="null: not seen in those they are compared with")
    change: Change
    rose: tuple[Rose, ...] = ()
    fails: bool = Field(default=False, description="it counts against the build")
    waiver: Mute | None = None
    unobserved: tuple[Unobserved, ...] = ()
    recording: str | None = Field(default=None, description="id of the run that shows it worst")
    number: int | None = Field(default=None, description="which finding of that run's report it is, from 0")

    @property
    def behaviour(self) -> Behaviour:
        """The behaviour as it is now, otherwise as it was."""
        behaviour = self.now or self.was
        assert behaviour
        return behaviour

    @property
    def waived(self) -> bool:
        """Whether a waiver mutes it."""
        return self.waiver is not None and self.waiver.state == "active"


class GatedFlow(Record):
    """A flow that the list of flows forbids or does not allow."""

    recording: str
    flow: str = Field(description="its id in the report: f3")
    upload: Ref
    data: DataType
    people: People | None = Field(default=None, description="whose data went")
    recipient: str = Field(description="host")
    consent: ConsentName
    plan: str
    what: Literal["forbidden", "not_allowed"]
    place: str | None = Field(default=None, description="file and line of the entry that forbids it")


class Remark(Record):
    """An additional remark, which counts only if the user asks for it."""

    what: Literal[
        "rules_changed", "tool_changed", "waiver_expires_soon", "waiver_expired", "waiver_unused", "entry_unused"
    ]
    subject: str
    place: str | None = None


class GateReport(Record):
    """What a gate decided about some runs of one app, and why."""

    v: Literal[1] = 1
    package: str
    recordings: tuple[str, ...] = Field(description="ids of the runs")
    verified: dict[str, Seal | None] = Field(
        default_factory=dict, description="id of each run -> what recomputing its stamps came to; null: not done"
    )
    made: Made
    against: Made | None = Field(default=None, description="what they are compared with; null: nothing")
    against_what: str | None = Field(default=None, description="the baseline's file, or the ids of the runs")
    changes: tuple[Gated, ...] = ()
    flows: tuple[GatedFlow, ...] = ()
    remarks: tuple[Remark, ...] = ()
    gaps: int = Field(default=0, description="gaps of these runs that nobody allowed")
    fail_on: Level | Literal["never"]
    min_confidence: Confidence
    outcome: Literal["passed", "failed", "not_observable"]

"""The result types of the MCP server's tools, from which their output schemas are made."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from appwitness.events import ConsentState, Scope
from appwitness.findings import Confidence, ConsentName, Level, Party
from appwitness.findings.filled_checklist import ItemState
from appwitness.findings.gate_decision import Change, Rose
from appwitness.mcp.foreign_text import ForeignText


class Answered(BaseModel):
    """Base of all answers; undescribed fields are not allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# devices and runs


class DeviceCheck(Answered):
    """The result of one check of a device."""

    check: str
    level: Literal["ok", "warning", "fault"] = Field(description="fault: a run would fail")
    code: str | None = Field(description="code of the fault, the same in every version; null when there is none")
    message: ForeignText
    next_step: ForeignText | None = Field(description="what a person does about it")


class DoctorAnswer(Answered):
    """Whether a device can be observed."""

    device: ForeignText | None
    ok: bool = Field(description="a run would work, even with warnings")
    next_step: ForeignText | None = Field(description="what to do about the first fault")
    checks: list[DeviceCheck]


class LiveFinding(Answered):
    """A finding while a run is in progress; the final report may word it differently."""

    id: str
    rule: str
    level: Level
    confidence: Confidence
    title: str
    data: str | None
    recipient: ForeignText | None
    consent: ConsentName | None
    evidence: list[str] = Field(description="lines of the recording, the telling ones first")


class LiveGap(Answered):
    """Something that could not be observed, reported while a run is in progress."""

    line: str
    where: str
    why: str


class RunStarted(Answered):
    """A run that was started."""

    run: str = Field(description="for observe_status, observe_stop and mark")
    recording: str = Field(description="its folder, once the device is open")
    state: str


class RunStatus(Answered):
    """The progress of a run, and what it reported since a cursor."""

    run: str
    recording: str
    state: Literal["waiting", "starting", "recording", "stopping", "ended", "stopped", "failed"]
    over: bool
    phase: ForeignText
    seconds: float
    reads: int
    uploads: int
    consents: int
    gaps: int
    new_findings: list[LiveFinding] = Field(description="since the cursor that was given")
    new_gaps: list[LiveGap]
    left_out: int = Field(description="findings and gaps since the cursor that are too many for this answer")
    cursor: int = Field(description="to pass as `since` the next time")
    problem: ForeignText | None = Field(description="why it failed")


class RunVerdict(Answered):
    """The result of a run."""

    run: str
    recording: str
    state: str
    over: bool = Field(description="false: it is still being ended; ask observe_status")
    exit_code: int | None = Field(description="0 no findings, 1 findings, 3 nothing but gaps, 4 something did not work")
    headline: ForeignText | None = Field(description="what left, to whom and when; null: nothing was found to leave")
    findings: dict[Level, int]
    gaps: int
    problem: ForeignText | None


class MarkedLine(Answered):
    """A mark that was written."""

    line: str = Field(description="its name: consents.jsonl:3")
    by: Literal["assistant"]
    scope: Scope
    decision: ConsentState
    at: str = Field(description="time of the mark, UTC")
    warning: ForeignText | None = Field(description="such as that no key of the operator signs it")


class ImportedRun(Answered):
    """A recording that was made from foreign files."""

    run: str
    uploads: int
    reads: int
    gaps: int
    notes: list[ForeignText]


# recordings


class ToldRecording(Answered):
    """A recording in the index."""

    run: str
    app: ForeignText
    device: ForeignText
    plan: str
    started: str
    ended: str | None
    judged: bool = Field(description="false: it is in progress, or was never read to its end")
    findings: dict[Level, int]
    gaps: int


class RecordingPage(Answered):
    """Recordings, the newest first."""

    recordings: list[ToldRecording]
    total: int
    next_cursor: str | None
    not_in_the_index: list[str] = Field(
        description="recordings of the folder, on the first page: `findings` with such a path reads one in"
    )


class ToldGap(Answered):
    """Something that could not be observed."""

    where: str
    why: str
    subject: ForeignText | None
    line: str | None


class GapList(Answered):
    """What could not be observed: if there are gaps, no findings does not mean clean."""

    total: int
    kinds: dict[str, int] = Field(description="where and why, as `hook hook_lost`: how many")
    first: list[ToldGap] = Field(description="the first of them; the resource report.json has all")


class ToldFinding(Answered):
    """A finding of a report."""

    id: str = Field(description="v2:3f9c01ab52de: the same in every run that shows the same")
    number: int = Field(description="in the order of the report, from 1")
    rule: str
    level: Level
    confidence: Confidence = Field(description="proven: read and upload were both seen, and joined")
    title: str
    detail: ForeignText | None
    data: str | None
    recipient: ForeignText | None
    party: Party | None
    consent: ConsentName | None = Field(description="what the user had decided then")
    count: int
    flows: list[str]
    evidence: list[str] = Field(description="lines of the recording, the telling ones first")


class FindingPage(Answered):
    """Findings and gaps of one recording, always together."""

    run: str
    app: ForeignText
    plan: str
    headline: ForeignText | None
    verified: str | None = Field(description="intact, intact_up_to, altered or never_stamped; null: not checked")
    not_watched: list[str] = Field(description="observers (hooks, proxy, consent) that were missing in this run")
    findings: list[ToldFinding]
    total: int = Field(description="findings that match the filters")
    next_cursor: str | None
    gaps: GapList


class InferenceStep(Answered):
    """A step from the recorded lines to the finding."""

    says: ForeignText
    unless: list[ForeignText] = Field(description="what would refute it")


class ToldMatch(Answered):
    """How a value was found in an upload."""

    data: str
    value: ForeignText = Field(description="masked")
    form: str
    path: ForeignText
    confidence: float
    speaks_for: list[ForeignText]
    speaks_against: list[ForeignText]


class Explanation(Answered):
    """Why something was flagged."""

    run: str
    id: str
    rules: list[str]
    data: str | None
    recipient: ForeignText | None
    lines: list[str]
    chain: list[InferenceStep]
    matches: list[ToldMatch] = Field(description="matches of a flow, or of a finding's first flow")
    flows: list[str] = Field(description="flows of a finding; each can be explained, too")
    others: int = Field(description="further findings of this recording that have the same id")


class EvidenceLine(Answered):
    """A line of a recording, masked."""

    run: str
    line: str
    kind: str
    at: str = Field(description="on the host's clock, UTC")
    excerpt: ForeignText = Field(description="the line as JSON")
    found: list[ForeignText] = Field(description="values in an upload, with the text around them")


class LineProblem(Answered):
    """Something that does not match its stamp."""

    file: str
    line: int | None
    what: ForeignText


class VerifyAnswer(Answered):
    """Whether a recording matches its stamps."""

    run: str
    ok: bool
    outcome: Literal["intact", "intact_up_to", "altered", "never_stamped"]
    stamps: int
    signed: int = Field(description="stamps with a signature that matches; whose key it is was not checked")
    lines: int
    lines_after_the_last_stamp: int
    problems: list[LineProblem] = Field(description="the first of them")
    problems_total: int


# builds


class ToldChange(Answered):
    """How a finding differs from the baseline that it is compared with."""

    id: str
    change: Change
    fails: bool
    rose: list[Rose]
    rule: str
    level: Level
    confidence: Confidence
    data: str | None
    recipient: ForeignText | None
    waived_by: ForeignText | None


class GateAnswer(Answered):
    """Whether a build does anything that nobody accepted."""

    outcome: Literal["passed", "failed", "not_observable"]
    app: ForeignText
    against: ForeignText | None = Field(description="the baseline; null: there is none, so everything is new")
    runs: list[str]
    changes: list[ToldChange] = Field(description="those that fail first")
    changes_total: int
    gaps: int


class ToldComparison(Answered):
    """A row of a comparison: data that is read or sent, and after which answers."""

    what: Literal["read", "sent"]
    data: str
    source: ForeignText | None
    recipient: ForeignText | None
    patterns: list[str] = Field(description="how it relates to the answer: after_refusal, only_after_yes ...")
    runs: list[str] = Field(description="those that showed it")


class ToldRun(Answered):
    """One of the compared runs."""

    run: str
    plan: str
    answer: str
    findings: int
    gaps: int


class ComparisonAnswer(Answered):
    """Runs of one app in which the user answered differently."""

    app: ForeignText
    runs: list[ToldRun]
    rows: list[ToldComparison]
    rows_total: int


class ToldItem(Answered):
    """An item of a checklist."""

    item: str
    says: str = Field(description="what the list says, in our words")
    state: ItemState
    lines: list[str] = Field(description="recording and line of what fails it")
    watched: list[str] = Field(description="runs in which all that it asks for was watched")
    why: list[str] = Field(description="why it was not, or not all, observed: a code, and what it is about")
    look_at: str | None = Field(description="what a person has to look at")
    answered: Literal["pass", "fail"] | None = Field(description="by a person")


class ChecklistAnswer(Answered):
    """A testers' checklist, filled in. `nothing_seen` does not say that the app complies."""

    checklist: str
    title: str
    app: ForeignText
    runs: list[str]
    counts: dict[ItemState, int]
    items: list[ToldItem]

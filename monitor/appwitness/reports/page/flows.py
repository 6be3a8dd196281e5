"""A flow as the page shows it: where it was read and sent, what was found, and the consent at that moment."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from appwitness.events import Access, Connection, Ref, Upload
from appwitness.findings import Flow, Match, Recipient, Report, Why
from appwitness.findings.people import told
from appwitness.findings.surroundings import Context, Stretch
from appwitness.reports.frames import StackLine, frames
from appwitness.reports.page.by_hand import CheckCommand, commands
from appwitness.reports.phrases import all_said, code, data_of, has_forgotten, said, who
from appwitness.reports.time_axis import clock, consent_steps, span, step_for
from appwitness.reports.watched import consent
from appwitness.reports.words import TEXT, Words, capital, cut, plain

MATCHES = 8
FRAMES = 60
PER_ROW = 16
CHANCES = (Why.CHANCE, Why.CHANCE_TINY)
"""Reasons that the card already expresses by its confidence."""


@dataclass(frozen=True)
class FlowEnd:
    """One side of a flow: where a value was read, or where it was sent."""

    ref: Ref
    time: str
    facts: tuple[tuple[str, str], ...]
    own: tuple[StackLine, ...]
    """The frames of the app and of SDKs in it; all frames if the stack has none of these."""
    stack: tuple[StackLine, ...]
    """All frames, innermost first; empty if `own` has all of them."""
    more_frames: int
    thread: str | None
    stack_ref: Ref | None
    """The line that holds the stack, if it is a different one."""
    note: str | None = None
    unrecorded: bool = False
    """Whether the stack had more frames that were not recorded."""


@dataclass(frozen=True)
class Around:
    """The surroundings of a match."""

    stages: tuple[tuple[str, str, str], ...]
    """Name of the step, path if it differs from the step before, size."""
    fields: tuple[tuple[str, str, bool], ...]
    """Path and text, and whether the field holds the value."""
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Offset of the first of 16 stored bytes; then runs of bytes: what they are (found, value, structure), and hex."""
    commands: tuple[CheckCommand, ...]


@dataclass(frozen=True)
class ShownMatch:
    """A match."""

    type: str
    value: str
    form: str
    decoding: tuple[str, ...]
    path: str
    row: int | None
    before: str
    found: str
    after: str
    note: str
    around: Around | None


@dataclass(frozen=True)
class Block:
    """A flow in full."""

    flow: Flow
    data: str
    read: FlowEnd | None
    sent: FlowEnd
    consent: str
    consent_note: str
    elapsed: str | None
    notes: tuple[str, ...]
    no_access: str
    """Why the place where it was read is not known."""
    matches: tuple[ShownMatch, ...]
    more_matches: int


@dataclass(frozen=True)
class FlowTableRow:
    """A flow as one row of a table."""

    id: str
    data: str
    host: str
    party: str
    time: str
    consent: str
    consent_name: str
    form: str
    values: str
    access: Ref | None
    upload: Ref
    has_block: bool


class ShownFlows:
    """Shows the flows of one report."""

    def __init__(self, report: Report, words: Words) -> None:
        self.report = report
        self.words = words
        self.steps = consent_steps(report)

    def who(self, recipient: Recipient) -> str:
        """Name, party, country and the reason, on one line."""
        reason = f"{self.words('colon')}{said(recipient.reason, self.words)}" if recipient.reason else ""
        return who(recipient, self.words) + reason

    def row(self, flow: Flow, has_block: bool = False) -> FlowTableRow:
        """A flow as one row of a table; `has_block`: the page also shows it in full."""
        forms = dict.fromkeys(
            self.words("as_it_was") if match.variant == "plain" else match.variant for match in flow.matches
        )
        return FlowTableRow(
            id=flow.id,
            data=data_of(flow, self.words),
            host=plain(flow.recipient.host),
            party=self.words(f"party_{flow.recipient.party}"),
            time=clock(flow.at),
            consent=consent(flow, self.words),
            consent_name=flow.consent,
            form=", ".join(plain(form) for form in forms),
            values=plain(flow.matches[0].value if flow.matches else "")
            + (f" {self.words('and_more', count=len(flow.matches) - 1)}" if len(flow.matches) > 1 else ""),
            access=flow.access,
            upload=flow.upload,
            has_block=has_block,
        )

    def block(self, flow: Flow) -> Block:
        """A flow in full."""
        words = self.words
        notes = []
        if flow.people is not None:
            notes.append(capital(told(flow.people, words.data(flow.data), words.lang)))
        elif flow.entries is not None and flow.rows_read:
            notes.append(words("rows_found", rows=flow.entries, rows_read=flow.rows_read))
        if flow.earlier:
            notes.append(words.count("earlier", flow.earlier))
        elapsed = None
        if flow.other_app:
            notes.append(words("other_app"))
        if flow.other_readers:
            notes.append(words("other_readers"))
        if flow.untied:
            notes.append(words("untied"))
        if flow.unanswered:
            notes.append(words("unanswered"))
        if flow.simultaneous and flow.uncertainty_ms is None:
            elapsed = words("order_uncompared")
        elif flow.simultaneous:
            elapsed = words("simultaneous", time=span((flow.uncertainty_ms or 0) / 1000))
        elif flow.access_at:
            elapsed = words("elapsed", time=span((flow.at - flow.access_at).total_seconds()))
        return Block(
            flow=flow,
            data=data_of(flow, words),
            read=self.read(flow.access, flow) if flow.access else None,
            sent=self._sent(flow),
            consent=consent(flow, words),
            consent_note=self._consent_note(flow),
            elapsed=elapsed,
            notes=tuple(notes),
            no_access=words(self._no_access()),
            matches=tuple(self._matches(flow)),
            more_matches=max(0, len(flow.matches) - MATCHES),
        )

    def _no_access(self) -> str:
        """Why the place where a value was read is not known, and what is known about the value instead."""
        observers = self.report.observers
        if has_forgotten(self.report, "access"):
            return "no_access_forgotten"
        if observers.persona != "declared":
            return "no_access"
        return "no_access_declared" if observers.hooks else "no_access_unwatched"

    def _consent_note(self, flow: Flow) -> str:
        """Which line caused the state, or how long after the upload the user was first asked."""
        words = self.words
        if not self.report.observers.consent:
            return words("consent_unwatched").rstrip(".。")
        if flow.consent_unordered:
            return words("clocks_uncompared_more").rstrip(".。")
        step = step_for(self.steps, flow.at, flow.consent)
        if step:
            text = f" “{plain(step.event.text)}”" if step.event.text else ""
            return words(
                "consent_since", time=clock(step.at), span=span((flow.at - step.at).total_seconds()), ref=step.ref
            ) + (text)
        later = next((step for step in self.steps if step.at > flow.at), None)
        if later is None:
            return words("consent_never_asked")
        return words("consent_later", span=span((later.at - flow.at).total_seconds()), ref=later.ref)

    def read(self, ref: Ref, flow: Flow | None = None) -> FlowEnd:
        """Where a value was read."""
        event = self.report.evidence.get(ref)
        words = self.words
        if not isinstance(event, Access):
            return FlowEnd(ref, "", (), (), (), 0, None, None)
        facts = [(words("source"), event.source)]
        if event.target:
            facts.append((words("target"), event.target))
        facts.append((words("outcome"), self._outcome(event)))
        if event.count > 1:
            facts.append((words("count"), f"{event.count:,}"))
        at = flow.access_at if flow and flow.access_at else self.report.host_time(event)
        return FlowEnd(
            ref=ref,
            time=clock(at),
            facts=plain_facts(facts),
            **_stack(event.stack, event.owners),
            thread=plain(event.thread) if event.thread else None,
            stack_ref=None,
            unrecorded=event.stack_cut == "long",
        )

    def _outcome(self, event: Access) -> str:
        if event.outcome != "returned":
            return self.words(f"outcome_{event.outcome}")
        rows = {value.row for value in event.values if value.row is not None}
        if len(rows) > 1:
            return self.words.count("outcome_returned_rows", len(event.values), rows=f"{len(rows):,}")
        if len(event.values) == 1:
            value = event.values[0]
            return f"{self.words.count('outcome_returned', 1)}: {value.text}"
        return self.words.count("outcome_returned", len(event.values))

    def _sent(self, flow: Flow) -> FlowEnd:
        words = self.words
        event = self.report.evidence.get(flow.upload)
        connection = self.report.evidence.get(flow.connection) if flow.connection else None
        facts: list[tuple[str, str]] = []
        stack: Sequence[str] = ()
        owners: Sequence[str | None] = ()
        thread = None
        if isinstance(event, Upload):
            facts.append((words("request"), f"{event.method or event.via.upper()} {event.url or event.host or ''}"))
            facts.append((words("recipient"), f"{flow.recipient.host} ({self.who(flow.recipient)})"))
            open_ = words("cleartext") if event.cleartext else words("protection_unknown")
            safe = f"{event.tls.version or 'TLS'}" if event.tls else open_
            if event.via in ("http", "websocket", "tcp", "udp", "dns"):
                facts.append((words("protection"), safe))
            if event.body:
                kind = f", {event.type}" if event.type else ""
                facts.append((words("body"), words("bytes", count=f"{event.size:,}") + kind))
            facts.append((words("status"), str(event.status) if event.status else words("no_response")))
            stack, owners = event.stack, event.owners
        own = bool(stack)  # an upload that the agent saw being written has its own stack
        if isinstance(connection, Connection):
            facts.append(
                (
                    words("socket"),
                    f"{connection.local.ip}:{connection.local.port} > {connection.host or connection.remote.ip}:"
                    f"{connection.remote.port}",
                )
            )
            if not own:
                stack, owners, thread = connection.stack, connection.owners, connection.thread
        if carrier := flow.carrier:
            by = words(f"carried_by_{carrier.by}", confidence=f"{carrier.confidence * 100:.0f}")
            facts.append((words("carried_by"), by))
            if carrier.code:
                facts.append((words("code_sent"), code(carrier.code, words)))
        unseen = "no_connection" if self.report.observers.hooks else "no_connection_unwatched"
        note = None if stack or isinstance(connection, Connection) else words(unseen)
        return FlowEnd(
            ref=flow.upload,
            time=clock(flow.at),
            facts=plain_facts(facts),
            **_stack(stack, owners),
            thread=plain(thread) if thread else None,
            stack_ref=flow.connection if connection and not own else None,
            note=note,
        )

    def _matches(self, flow: Flow) -> Iterator[ShownMatch]:
        """The matches, beginning with those whose surroundings are known."""
        around = {context.match: context for context in self.report.contexts.get(flow.id, ())}
        order = sorted(range(len(flow.matches)), key=lambda number: number not in around)
        for number in order[:MATCHES]:
            match = flow.matches[number]
            yield self._match(match, self._around(flow, match, around[number]) if number in around else None)

    def _around(self, flow: Flow, match: Match, context: Context) -> Around:
        words, before = self.words, ""
        stages = []
        for stage in context.stages:
            name = plain(stage.step) if stage.step else words("as_stored")
            stages.append(
                (name, cut(stage.path) if stage.path != before else "", words("bytes", count=f"{stage.size:,}"))
            )
            before = stage.path
        event = self.report.evidence.get(flow.upload)
        return Around(
            stages=tuple(stages),
            fields=tuple((cut(each.path), cut(each.text) + "…" * each.cut, each.here) for each in context.fields),
            rows=tuple(hex_rows(context.offset, context.stretches)),
            commands=tuple(commands(flow, match, context, event, words)),
        )

    def _match(self, match: Match, around: Around | None) -> ShownMatch:
        form = self.words("as_it_was") if match.variant == "plain" else match.variant
        if match.variant != "plain" and match.of and match.of not in (match.variant, "as_given"):
            form = self.words("of_form", variant=match.variant, of=match.of)
        return ShownMatch(
            type=self.words.data(match.type),
            value=plain(match.value),
            form=plain(form.replace("_", " ")),
            decoding=tuple(plain(step) for step in match.decoding),
            path=plain(match.path),
            row=match.row,
            before=plain(match.before[-TEXT:]),
            found=plain(match.found[:TEXT]) + ("…" if len(match.found) > TEXT else ""),
            after=plain(match.after[:TEXT]),
            note=plain(all_said((each for each in match.reasons if each.code not in CHANCES), self.words)),
            around=around,
        )


def plain_facts(facts: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Names and texts, made harmless and not too long."""
    return tuple((name, cut(text)) for name, text in facts)


def _stack(stack: Sequence[str], owners: Sequence[str | None]) -> dict[str, Any]:
    """Fields of a FlowEnd: the app's own frames, shown first; all frames, shown folded; how many are left out."""
    all_frames = frames(stack, owners)[:FRAMES]
    own = tuple(frame for frame in all_frames if frame.own) or tuple(all_frames)
    return {
        "own": own,
        "stack": () if len(own) == len(all_frames) else tuple(all_frames),
        "more_frames": max(0, len(stack) - FRAMES),
    }


def hex_rows(offset: int, stretches: Iterable[Stretch]) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Stored bytes in rows of sixteen, as in hex dumps; hidden ones as dots."""
    cells = [
        (stretch.what, "··" if stretch.hidden else f"{byte:02x}") for stretch in stretches for byte in stretch.data
    ]
    lead = offset % PER_ROW
    for first in range(-lead, len(cells), PER_ROW):
        row = cells[max(0, first) : first + PER_ROW]
        pad = [("structure", "  ")] * (lead if first < 0 else 0)
        runs = itertools.groupby([*pad, *row], lambda cell: cell[0])
        yield f"{offset + first:06x}", tuple((what, " ".join(text for _, text in run)) for what, run in runs)

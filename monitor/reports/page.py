"""What the page shows, made ready for its template: bounded, and in words of the reader's language."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.events import Access, Connection, Consent, Event, Ref, Upload
from monitor.findings import LEVELS, Finding, Flow, Match, Recipient, Report
from monitor.reports.clock import clock, consent_steps, host_time, span, step_for
from monitor.reports.frames import Frame, frames
from monitor.reports.timeline import Picture, picture
from monitor.reports.verdict import CONFIDENCES, Verdict, verdict, worst_first
from monitor.reports.words import Words, plain

BLOCKS = 3
"""Flows of a finding that are shown in full; the others are one row each."""
ALL_BLOCKS = 120
"""Flows that are shown in full on the whole page."""
ROWS = 200
"""Rows of a table; what is beyond is in the JSON report."""
MATCHES = 8
FRAMES = 24
SUBJECTS = 12
TEXT = 600
"""Characters of a URL or another text of foreign origin."""


@dataclass(frozen=True)
class Place:
    """One side of a flow: where a value was read, or where it was sent."""

    ref: Ref
    time: str
    facts: tuple[tuple[str, str], ...]
    frames: tuple[Frame, ...]
    more_frames: int
    thread: str | None
    stack_ref: Ref | None
    """The line that holds the stack, where it is another line."""
    note: str | None = None


@dataclass(frozen=True)
class Shown:
    """A match as a row."""

    type: str
    value: str
    form: str
    decoding: tuple[str, ...]
    path: str
    position: str
    chance: str
    row: int | None
    before: str
    found: str
    after: str
    note: str | None


@dataclass(frozen=True)
class Block:
    """A flow in full."""

    flow: Flow
    data: str
    read: Place | None
    sent: Place
    consent: str
    consent_note: str
    elapsed: str | None
    notes: tuple[str, ...]
    matches: tuple[Shown, ...]
    more_matches: int


@dataclass(frozen=True)
class Row:
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


@dataclass(frozen=True)
class Card:
    """A finding with its evidence."""

    number: int
    finding: Finding
    title: str
    detail: str
    facts: tuple[tuple[str, str, str], ...]
    """Name, text, and a small note."""
    blocks: tuple[Block, ...]
    reads: tuple[Place, ...]
    elsewhere: tuple[str, ...]
    """Flows that another finding shows in full."""
    rows: tuple[Row, ...]
    more_rows: int


@dataclass(frozen=True)
class Step:
    """A command with which a reader checks a claim without us."""

    about: str
    command: str


class Page:
    """Everything that the template asks for."""

    def __init__(self, report: Report, words: Words, reveal: bool) -> None:
        self.report = report
        self.words = words
        self.reveal = reveal
        self.verdict: Verdict = verdict(report, words)
        self.picture: Picture | None = picture(report, words)
        self._flows = {flow.id: flow for flow in report.flows}
        self._steps = consent_steps(report)
        self._shown: set[str] = set()
        self.cards = [self._card(number, finding) for number, finding in enumerate(worst_first(report), start=1)]
        self.rows = [self._row(flow) for flow in report.flows[:ROWS]]
        self.more_rows = max(0, len(report.flows) - ROWS)

    # The head of the page.

    @property
    def tiles(self) -> list[tuple[str, str, str]]:
        """Numbers to begin with: how many, of what, and in which tone."""
        words, report = self.words, self.report
        levels = Counter(finding.level for finding in report.findings)
        worst = next((level for level in LEVELS if levels[level]), "none")
        recipients = {flow.recipient.host for flow in report.flows}
        return [
            (f"{len(report.findings):,}", words("findings"), worst),
            (f"{len(report.flows):,}", words("flows"), "plain"),
            (f"{len(recipients):,}", words("recipients"), "plain"),
            (f"{len(report.accesses):,}", words("accesses"), "plain"),
            (f"{len(report.uploads):,}", words("uploads"), "plain"),
            (f"{len(report.gaps):,}", words("gaps"), "gaps" if report.gaps else "plain"),
        ]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Which app, which device, which plan, and what the user answered."""
        words, run = self.words, self.report.run
        version = f" {run.app.version}" if run.app.version else ""
        code = f" ({run.app.version_code})" if run.app.version_code else ""
        device = ", ".join(
            part
            for part in (
                run.device.model or run.device.serial,
                words(f"device_{run.device.kind}"),
                f"{words('android')} {run.device.release}" if run.device.release else "",
                f"{words('api_level')} {run.device.api_level}" if run.device.api_level else "",
            )
            if part
        )
        observed = f"{run.started:%Y-%m-%d} {clock(run.started)}"
        if run.ended:
            observed += f" – {clock(run.ended)} UTC ({span((run.ended - run.started).total_seconds())})"
        facts = [
            (words("app"), f"{run.app.package}{version}{code}"),
            (words("device"), device),
            (words("plan"), words(f"plan_{run.plan}")),
            (words("answer"), self._answer()),
            (words("observed"), observed),
        ]
        if run.operator:
            facts.append((words("operator"), run.operator))
        return [(name, plain(text)) for name, text in facts]

    def _answer(self) -> str:
        if not self._steps:
            return self.words("consent_never")
        last = self._steps[-1]
        text = f" “{last.event.text}”" if last.event.text else ""
        comma = self.words("comma")
        by = f"{comma}{self.words(f'by_{last.event.by}')}" if last.state != "requested" else ""
        return f"{self.words(f'consent_{last.state}')}{text}{by}{comma}{clock(last.at)} ({last.ref})"

    # Findings.

    def _card(self, number: int, finding: Finding) -> Card:
        words = self.words
        facts = [(words("rule"), finding.rule, "")]
        if finding.data:
            facts.append((words("data"), words.data(finding.data), ""))
        if finding.recipient:
            facts.append((words("recipient"), finding.recipient.host, self._who(finding.recipient)))
        if finding.consent:
            facts.append((words("consent_then"), words(f"consent_{finding.consent}"), ""))
        facts.append(
            (
                words("confidence"),
                words(f"confidence_{finding.confidence}"),
                words(f"confidence_{finding.confidence}_means"),
            )
        )
        if finding.count > 1:
            facts.append((words("count"), f"{finding.count:,}", ""))
        if finding.references:
            facts.append((words("references"), "; ".join(finding.references), ""))
        of = [self._flows[name] for name in finding.flows if name in self._flows]
        room = min(BLOCKS, max(0, ALL_BLOCKS - len(self._shown)))
        elsewhere = tuple(flow.id for flow in of if flow.id in self._shown)
        fresh = [flow for flow in of if flow.id not in self._shown]
        self._shown |= {flow.id for flow in fresh[:room]}
        rest = fresh[room:]
        reads = [] if of else [ref for ref in finding.evidence if isinstance(self.report.evidence.get(ref), Access)]
        return Card(
            number=number,
            finding=finding,
            title=words.of(finding.title),
            detail=plain(words.of(finding.detail)),
            facts=tuple((name, plain(text), plain(note)) for name, text, note in facts),
            blocks=tuple(self._block(flow) for flow in fresh[:room]),
            reads=tuple(self._read(ref) for ref in reads[:BLOCKS]),
            elsewhere=elsewhere[:ROWS],
            rows=tuple(self._row(flow) for flow in rest[:ROWS]),
            more_rows=max(0, len(rest) - ROWS),
        )

    def _who(self, recipient: Recipient) -> str:
        parts = [recipient.name or "", self.words(f"party_{recipient.party}"), recipient.country or ""]
        return self.words("comma").join(part for part in parts if part) + (
            f"{self.words('colon')}{recipient.reason}" if recipient.reason else ""
        )

    def _row(self, flow: Flow) -> Row:
        forms = Counter(match.variant for match in flow.matches)
        return Row(
            id=flow.id,
            data=self.words.data(flow.data),
            host=plain(flow.recipient.host),
            party=self.words(f"party_{flow.recipient.party}"),
            time=clock(flow.at),
            consent=self.words(f"consent_{flow.consent}"),
            consent_name=flow.consent,
            form=", ".join(plain(form) for form in forms),
            values=plain(flow.matches[0].value if flow.matches else "")
            + (f" {self.words('and_more', count=len(flow.matches) - 1)}" if len(flow.matches) > 1 else ""),
            access=flow.access,
            upload=flow.upload,
            has_block=flow.id in self._shown,
        )

    def _block(self, flow: Flow) -> Block:
        words = self.words
        notes = []
        if flow.rows is not None and flow.rows_read:
            notes.append(words("rows_found", rows=flow.rows, rows_read=flow.rows_read))
        if flow.earlier:
            notes.append(words.count("earlier", flow.earlier))
        elapsed = None
        if flow.access_at:
            elapsed = words("elapsed", time=span((flow.at - flow.access_at).total_seconds()))
        return Block(
            flow=flow,
            data=words.data(flow.data),
            read=self._read(flow.access, flow) if flow.access else None,
            sent=self._sent(flow),
            consent=words(f"consent_{flow.consent}"),
            consent_note=self._consent_note(flow),
            elapsed=elapsed,
            notes=tuple(notes),
            matches=tuple(self._match(match) for match in flow.matches[:MATCHES]),
            more_matches=max(0, len(flow.matches) - MATCHES),
        )

    def _consent_note(self, flow: Flow) -> str:
        """Which line made it so, or how long after the upload the user was first asked."""
        words = self.words
        step = step_for(self._steps, flow.at, flow.consent)
        if step:
            text = f" “{plain(step.event.text)}”" if step.event.text else ""
            return words(
                "consent_since", time=clock(step.at), span=span((flow.at - step.at).total_seconds()), ref=step.ref
            ) + (text)
        later = next((step for step in self._steps if step.at > flow.at), None)
        if later is None:
            return words("consent_never_asked")
        return words("consent_later", span=span((later.at - flow.at).total_seconds()), ref=later.ref)

    def _read(self, ref: Ref, flow: Flow | None = None) -> Place:
        event = self.report.evidence.get(ref)
        words = self.words
        if not isinstance(event, Access):
            return Place(ref, "", (), (), 0, None, None)
        facts = [(words("source"), event.source)]
        if event.target:
            facts.append((words("target"), event.target))
        facts.append((words("outcome"), self._outcome(event)))
        if event.count > 1:
            facts.append((words("count"), f"{event.count:,}"))
        at = flow.access_at if flow and flow.access_at else host_time(event, self.report)
        return Place(
            ref=ref,
            time=clock(at),
            facts=_plain(facts),
            frames=tuple(frames(event.stack)[:FRAMES]),
            more_frames=max(0, len(event.stack) - FRAMES),
            thread=plain(event.thread) if event.thread else None,
            stack_ref=None,
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

    def _sent(self, flow: Flow) -> Place:
        words = self.words
        event = self.report.evidence.get(flow.upload)
        connection = self.report.evidence.get(flow.connection) if flow.connection else None
        facts: list[tuple[str, str]] = []
        stack: Sequence[str] = ()
        thread = None
        if isinstance(event, Upload):
            facts.append((words("request"), f"{event.method or event.via.upper()} {event.url or event.host or ''}"))
            facts.append((words("recipient"), f"{flow.recipient.host} ({self._who(flow.recipient)})"))
            safe = f"{event.tls.version or 'TLS'}" if event.tls else words("cleartext")
            if event.via not in ("sms", "intent"):
                facts.append((words("protection"), safe))
            if event.body:
                kind = f", {event.type}" if event.type else ""
                facts.append((words("body"), words("bytes", count=f"{event.size:,}") + kind))
            facts.append((words("status"), str(event.status) if event.status else words("no_response")))
            stack = event.stack
        if isinstance(connection, Connection):
            facts.append(
                (
                    words("socket"),
                    f"{connection.local.ip}:{connection.local.port} > {connection.host or connection.remote.ip}:"
                    f"{connection.remote.port}",
                )
            )
            stack, thread = connection.stack, connection.thread
        note = None if stack or isinstance(connection, Connection) else words("no_connection")
        return Place(
            ref=flow.upload,
            time=clock(flow.at),
            facts=_plain(facts),
            frames=tuple(frames(stack)[:FRAMES]),
            more_frames=max(0, len(stack) - FRAMES),
            thread=plain(thread) if thread else None,
            stack_ref=flow.connection if connection else None,
            note=note,
        )

    def _match(self, match: Match) -> Shown:
        form = match.variant
        if match.of and match.of not in (match.variant, "as_given"):
            form = self.words("of_form", variant=match.variant, of=match.of)
        return Shown(
            type=self.words.data(match.type),
            value=plain(match.value),
            form=plain(form.replace("_", " ")),
            decoding=tuple(plain(step) for step in match.decoding),
            path=plain(match.path),
            position=f"{match.start}–{match.end}",
            chance=_chance(match.confidence),
            row=match.row,
            before=plain(match.before[-TEXT:]),
            found=plain(match.found[:TEXT]) + ("…" if len(match.found) > TEXT else ""),
            after=plain(match.after[:TEXT]),
            note=plain(match.note) if match.note else None,
        )

    # Consent, gaps, rules, run.

    @property
    def consents(self) -> list[dict[str, Any]]:
        """What the user was asked and answered, line by line."""
        words = self.words
        return [
            {
                "ref": ref,
                "time": clock(host_time(event, self.report)),
                "signal": words(f"signal_{event.signal}"),
                "status": words(f"consent_{event.status}"),
                "name": event.status,
                "by": words(f"by_{event.by}"),
                "scope": words(f"scope_{event.scope}"),
                "text": _cut(" · ".join(part for part in (event.text, event.note) if part)),
            }
            for ref, event in self.report.consents[:ROWS]
            if isinstance(event, Consent)
        ]

    @property
    def gaps(self) -> list[dict[str, Any]]:
        """What could not be observed, one row a kind of gap."""
        kinds: dict[tuple[str, str], list[tuple[str, str | None, Ref | None]]] = defaultdict(list)
        for gap in self.report.gaps:
            kinds[gap.where, gap.why].append((gap.subject, gap.detail, gap.ref))
        rows = []
        for (where, why), lines in kinds.items():
            subjects: dict[str, list[str]] = defaultdict(list)
            for subject, detail, ref in lines:
                subjects[subject] += [part for part in (detail, ref) if part]
            rows.append(
                {
                    "where": self.words(f"where_{where}"),
                    "why": self.words(f"why_{why}"),
                    "count": len(lines),
                    "subjects": [
                        (_cut(subject), _cut(", ".join(dict.fromkeys(about))))
                        for subject, about in list(subjects.items())[:SUBJECTS]
                    ],
                    "more": max(0, len(subjects) - SUBJECTS),
                }
            )
        return rows

    @property
    def rules(self) -> list[dict[str, Any]]:
        """Every rule and how often it objected."""
        found = Counter(finding.rule for finding in self.report.findings)
        return [
            {
                "id": rule.id,
                "title": self.words.of(rule.title),
                "level": rule.level,
                "count": found[rule.id],
                "references": "; ".join(rule.references),
            }
            for rule in self.report.rules
        ]

    @property
    def coverage(self) -> list[tuple[str, list[str]]]:
        """Counts, whatever they are called."""
        rows = []
        for name, value in sorted(self.report.coverage.items()):
            if isinstance(value, dict):
                items = [f"{_cut(str(key))}: {item}" for key, item in sorted(value.items()) if item not in (0, None)]
                if len(items) > SUBJECTS * 2:
                    items = [*items[: SUBJECTS * 2], self.words("more_subjects", count=len(items) - SUBJECTS * 2)]
            else:
                items = [_cut(str(value))]
            rows.append((plain(name).replace("_", " "), items or [self.words("none")]))
        return rows

    @property
    def run_facts(self) -> list[tuple[str, str]]:
        """Versions, digests and the clock: what a second expert needs to do it again."""
        words, run = self.words, self.report.run
        facts = [
            (words("recording"), self.report.recording),
            (words("serial"), run.device.serial),
            (words("clock_offset"), f"{run.clock_offset_ms:+.1f} ms"),
        ]
        if run.app.apk_sha256:
            facts.append((words("apk"), run.app.apk_sha256))
        if run.app.certificate_sha256:
            facts.append((words("certificate"), run.app.certificate_sha256))
        facts += [(name, version or words("unknown")) for name, version in sorted(run.versions.items())]
        return [(plain(name), plain(text)) for name, text in facts]

    @property
    def persona(self) -> list[tuple[str, list[str]]]:
        """The planted values by kind."""
        kinds: dict[str, list[str]] = defaultdict(list)
        for value in self.report.run.persona:
            kinds[value.type].append(_cut(value.text))
        return [
            (
                self.words.data(kind),
                texts[:ROWS] + ([self.words("more_subjects", count=len(texts) - ROWS)] if len(texts) > ROWS else []),
            )
            for kind, texts in kinds.items()
        ]

    @property
    def meanings(self) -> list[tuple[str, str]]:
        """What each confidence means."""
        return [(self.words(f"confidence_{name}"), self.words(f"confidence_{name}_means")) for name in CONFIDENCES]

    @property
    def by_hand(self) -> list[Step]:
        """How to check the first finding without this program."""
        finding = next(iter(worst_first(self.report)), None)
        flow = next((self._flows[name] for name in (finding.flows if finding else ()) if name in self._flows), None)
        flow = flow or next(iter(self.report.flows), None)
        return list(self._by_hand(finding, flow))

    def _by_hand(self, finding: Finding | None, flow: Flow | None) -> Iterator[Step]:
        words = self.words
        yield Step(words("by_hand_seal"), "appwitness verify .")
        access = (
            flow.access if flow else next((r for r in (finding.evidence if finding else ()) if "access" in r), None)
        )
        if access and (print_it := _line(access)):
            yield Step(words("by_hand_read"), print_it)
        consent = None
        if flow:
            step = step_for(self._steps, flow.at, flow.consent) or next(iter(self._steps), None)
            consent = step.ref if step else None
        if consent and (print_it := _line(consent)):
            yield Step(words("by_hand_consent"), print_it)
        if flow and (print_it := _line(flow.upload)):
            yield Step(words("by_hand_sent"), print_it)
            yield from self._body_by_hand(flow)

    def _body_by_hand(self, flow: Flow) -> Iterator[Step]:
        event: Event | None = self.report.evidence.get(flow.upload)
        match = next(iter(sorted(flow.matches, key=lambda match: match.variant == "plain")), None)
        if match is None:
            return
        in_body = not match.path.startswith(("url.", "headers."))
        if in_body and isinstance(event, Upload) and event.body:
            body = f"bodies/{event.body}"
            yield Step(self.words("by_hand_digest"), f"sha256sum {body}")
            unpack = UNPACK.get(match.decoding[0]) if match.decoding else None
            cut = f"head -c {match.end + 40} {body} | tail -c {match.end + 40 - max(0, match.start - 40)}"
            yield Step(self.words("by_hand_body"), f"{unpack} {body} | head -c 2000" if unpack else cut)
        if match.variant in HASHES:
            yield Step(self.words("by_hand_hash"), f"printf %s 'VALUE' | {HASHES[match.variant]}")


UNPACK = {"gzip": "gzip -dc <", "zlib": "zlib-flate -uncompress <", "deflate": "zlib-flate -uncompress <",
          "br": "brotli -dc <", "brotli": "brotli -dc <", "zstd": "zstd -dc <"}  # fmt: skip
HASHES = {"md5": "md5sum", "sha1": "sha1sum", "sha256": "sha256sum", "sha512": "sha512sum", "base64": "base64",
          "hex": "xxd -p"}  # fmt: skip


def _line(ref: Ref) -> str | None:
    """The command that prints a line; only for a reference that is one: nothing else is ever offered to copy."""
    found = re.fullmatch(r"([a-z]+\.jsonl):(\d+)", ref)
    return f"sed -n {found[2]}p {found[1]}" if found else None


def _plain(facts: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _cut(text)) for name, text in facts)


def _cut(text: str) -> str:
    return plain(text if len(text) <= TEXT else text[:TEXT] + "…")


def _chance(confidence: float) -> str:
    """A share in percent with as many nines as it deserves, never rounded up to certainty."""
    if confidence > 0.9999:
        return "> 99.99 %"
    return f"{int(confidence * 10000) / 100:g} %"

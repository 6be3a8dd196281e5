"""How a reader checks the first finding without this program: commands over the recording's own files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.events import Event, Ref, Upload
from monitor.findings import Finding, Flow, Report
from monitor.reports.time_axis import consent_steps, step_for
from monitor.reports.verdict import worst_first
from monitor.reports.words import Words

UNPACK = {"gzip": "gzip -dc <", "zlib": "zlib-flate -uncompress <", "deflate": "zlib-flate -uncompress <",
          "br": "brotli -dc <", "brotli": "brotli -dc <", "zstd": "zstd -dc <"}  # fmt: skip
HASHES = {"md5": "md5sum", "sha1": "sha1sum", "sha256": "sha256sum", "sha512": "sha512sum", "base64": "base64",
          "hex": "xxd -p"}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """A command with which a reader checks a claim without us."""

    about: str
    command: str


def by_hand(report: Report, words: Words) -> list[Step]:
    """The commands for the worst finding; where there is none, for the first flow."""
    flows = {flow.id: flow for flow in report.flows}
    finding = next(iter(worst_first(report)), None)
    flow = next((flows[name] for name in (finding.flows if finding else ()) if name in flows), None)
    return list(_steps(report, words, finding, flow or next(iter(report.flows), None)))


def _steps(report: Report, words: Words, finding: Finding | None, flow: Flow | None) -> Iterator[Step]:
    steps = consent_steps(report)
    imported = report.run.imported
    yield Step(words("by_hand_seal_imported" if imported else "by_hand_seal"), "appwitness verify .")
    if imported and report.run.source:
        yield Step(words("by_hand_source"), "sha256sum FILE")
    access = flow.access if flow else next((r for r in (finding.evidence if finding else ()) if "access" in r), None)
    if access and (print_it := _line(access)):
        yield Step(words("by_hand_read"), print_it)
    consent = None
    if flow:
        step = step_for(steps, flow.at, flow.consent) or next(iter(steps), None)
        consent = step.ref if step else None
    if consent and (print_it := _line(consent)):
        yield Step(words("by_hand_consent"), print_it)
    if flow and (print_it := _line(flow.upload)):
        yield Step(words("by_hand_sent"), print_it)
        yield from _body(report, words, flow)


def _body(report: Report, words: Words, flow: Flow) -> Iterator[Step]:
    event: Event | None = report.evidence.get(flow.upload)
    match = next(iter(sorted(flow.matches, key=lambda match: match.variant == "plain")), None)
    if match is None:
        return
    in_body = not match.path.startswith(("url.", "headers."))
    if in_body and isinstance(event, Upload) and event.body:
        body = f"bodies/{event.body}"
        yield Step(words("by_hand_digest"), f"sha256sum {body}")
        unpack = UNPACK.get(match.decoding[0]) if match.decoding else None
        cut = f"head -c {match.end + 40} {body} | tail -c {match.end + 40 - max(0, match.start - 40)}"
        yield Step(words("by_hand_body"), f"{unpack} {body} | head -c 2000" if unpack else cut)
    if match.variant in HASHES:
        yield Step(words("by_hand_hash"), f"printf %s 'VALUE' | {HASHES[match.variant]}")


def _line(ref: Ref) -> str | None:
    """The command that prints a line; only for a reference that is one: nothing else is ever offered to copy."""
    found = re.fullmatch(r"([a-z]+\.jsonl):(\d+)", ref)
    return f"sed -n {found[2]}p {found[1]}" if found else None

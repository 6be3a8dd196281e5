"""Shell commands on the recording's own files, with which a reader can check a finding without this program."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from appwitness.events import Event, Ref, Upload
from appwitness.findings import Finding, Flow, Match, Report
from appwitness.findings.surroundings import Context, Stage
from appwitness.reports.time_axis import consent_steps, step_for
from appwitness.reports.verdict import groups
from appwitness.reports.words import Words

PROGRAMS = {"br": "brotli -dc", "brotli": "brotli -dc", "zstd": "zstd -dc"}
"""Decoding steps that Python's standard library lacks; only the first step may be one of them."""
STEPS = {
    "gzip": "gzip.decompress(b(d))",
    "zlib": "zlib.decompress(b(d))",
    "deflate": "zlib.decompress(b(d),-15)",
    "base64": 'base64.b64decode(t(d).replace("-","+").replace("_","/")+"==")',
    "hex": "bytes.fromhex(t(d))",
    "json": "json.loads(d,parse_int=str,parse_float=str)",
    "json string": "json.loads(d)",
    "form": "dict(urllib.parse.parse_qsl(t(d)))",
    "query": "dict(urllib.parse.parse_qsl(t(d)))",
    "percent": "urllib.parse.unquote(t(d))",
}
"""The Python expression for each decoding step."""
HASHES = {"md5": "md5sum", "sha1": "sha1sum", "sha256": "sha256sum", "sha512": "sha512sum", "base64": "base64",
          "hex": "xxd -p"}  # fmt: skip
BEGIN = (
    "import base64,gzip,json,sys,urllib.parse,zlib",
    "t=lambda d:d if isinstance(d,str) else d.decode()",
    "b=lambda d:d.encode() if isinstance(d,str) else d",
    "d=sys.stdin.buffer.read()",
)
END = "print(d if isinstance(d,str) else d.hex())"
MEMBER = re.compile(r'\.([^\W\d][\w$-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')


class CheckCommand(NamedTuple):
    """A command with which a reader checks a claim without us."""

    about: str
    command: str


def by_hand(report: Report, words: Words) -> list[CheckCommand]:
    """The commands for the worst finding; if there is none, for the first flow."""
    group = next(iter(groups(report)), None)
    finding = group.findings[0] if group and group.findings else None
    return list(_steps(report, words, finding, group.flows[0] if group and group.flows else None))


def _steps(report: Report, words: Words, finding: Finding | None, flow: Flow | None) -> Iterator[CheckCommand]:
    steps = consent_steps(report)
    imported = report.run.imported
    yield CheckCommand(words("by_hand_seal_imported" if imported else "by_hand_seal"), "appwitness verify .")
    if imported and report.run.source:
        yield CheckCommand(words("by_hand_source"), "sha256sum FILE")
    access = flow.access if flow else next((r for r in (finding.evidence if finding else ()) if "access" in r), None)
    if access and (print_it := _line(access)):
        yield CheckCommand(words("by_hand_read"), print_it)
    consent = None
    if flow:
        step = step_for(steps, flow.at, flow.consent) or next(iter(steps), None)
        consent = step.ref if step else None
    if consent and (print_it := _line(consent)):
        yield CheckCommand(words("by_hand_consent"), print_it)
    if flow and (print_it := _line(flow.upload)):
        yield CheckCommand(words("by_hand_sent"), print_it)
        event = report.evidence.get(flow.upload)
        if isinstance(event, Upload) and event.body:
            yield CheckCommand(words("by_hand_digest"), f"sha256sum bodies/{event.body}")


def commands(flow: Flow, match: Match, context: Context, event: Event | None, words: Words) -> Iterator[CheckCommand]:
    """The commands that print the field holding a value, and compute the form in which the value appears there."""
    command = decoding(flow, context.stages, event) if isinstance(event, Upload) else None
    if command:
        yield CheckCommand(words("by_hand_field"), command)
    if match.variant in HASHES:
        yield CheckCommand(words("by_hand_hash"), f"printf %s 'VALUE' | {HASHES[match.variant]}")


def decoding(flow: Flow, stages: Sequence[Stage], event: Upload) -> str | None:
    """The command that decodes the stored bytes step by step and prints the field; None if a single command cannot
    do it, or if it would contain something masked."""
    if not stages:
        return None
    program, rest = list(BEGIN), list(stages)
    if rest[0].path == "$" and event.body:
        path, source = rest.pop(0).path, f"< bodies/{event.body}"
        if rest and rest[0].step in PROGRAMS:
            source = f"{PROGRAMS[rest.pop(0).step]} {source} |"
    elif rest[0].path.startswith("url.query.") and (line := _line(flow.upload)):
        path, source = "url.query", f"{line} |"
        program.append('d=urllib.parse.urlsplit(json.loads(d)["url"]).query')
    else:
        return None
    for stage in rest:
        members = _members(stage.path, path)
        if stage.step not in STEPS or members is None:
            return None
        program.append(f"d={STEPS[stage.step]}{members}")
        path = stage.path
    command = shlex.quote(";".join((*program, END)))
    if not rest or not command.isprintable() or "*" in path or "…" in path:
        return None
    return f"{source} python3 -c {command}" if source.endswith("|") else f"python3 -c {command} {source}"


def _members(path: str, parent: str) -> str | None:
    """The steps from one path down to another, as Python subscripts: `["people"][3]`."""
    if not path.startswith(parent):
        return None
    rest, found = path[len(parent) :], ""
    while rest:
        member = MEMBER.match(rest)
        if member is None:
            return None
        name, number, key = member.groups()
        found += f"[{number}]" if number else f'["{name}"]' if name else f"[{key}]"
        rest = rest[member.end() :]
    return found


def _line(ref: Ref) -> str | None:
    """The command that prints a line; None unless the reference has the right form, so that nothing else is ever
    offered for copying."""
    found = re.fullmatch(r"([a-z]+\.jsonl):(\d+)", ref)
    return f"sed -n {found[2]}p {found[1]}" if found else None

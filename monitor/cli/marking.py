"""The verb by which a person notes something in a recording: mark."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from monitor import events
from monitor.cli.base import gathered, main, meant
from monitor.cli.terminal import err, out, plain
from monitor.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from collections.abc import Sequence

    from monitor.labels import Labels
    from monitor.recording import Recording
    from monitor.seen import Seen

CONSENTS = events.FILES["consent"]
ALL = "all"


@main.group()
def mark() -> None:
    """Note in a recording what the user was asked and decided.

    While it is being made, or later. Never blocks the run: each mark is one line appended to the recording; nothing in
    it is changed. A mark that was wrong is corrected by another one, and findings follow at the next report.
    """


def _marked(recording: Path | None) -> Recording:
    from monitor.recording import Recording

    return Recording.open(recording or meant("--recording FOLDER"))


in_option = click.option(
    "--recording",
    type=click.Path(path_type=Path),
    help="The recording. [default: the run in progress in ./recordings, else the newest]",
)
at_option = click.option(
    "--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ"]), help="UTC time. [default: now]"
)


@dataclass(frozen=True)
class Said:
    """What a person says of a question or an answer; what is left out is as in the line that it corrects."""

    scope: events.Scope | None
    data: tuple[str, ...]
    text: str | None
    note: str | None
    at: datetime | None


@mark.command("consent")
@click.argument("status", type=click.Choice(get_args(events.ConsentState)))
@in_option
@click.option(
    "--corrects",
    metavar="LINE",
    help=f"The line of {CONSENTS} that this one replaces, such as {CONSENTS}:3. Time, scope and data are those of that"
    " line where you do not say otherwise.",
)
@gathered(
    "said",
    Said,
    click.option(
        "--scope", type=click.Choice(get_args(events.Scope)), help="What was asked for. [default: general_policy]"
    ),
    click.option("--data", multiple=True, metavar="TYPE", help="Data types it covers, or all. [default: all]"),
    click.option("--text", help="The label touched."),
    click.option("--note", help="Remark to keep with it."),
    at_option,
)
def mark_consent(status: events.ConsentState, recording: Path | None, corrects: str | None, said: Said) -> None:
    """Note what the user was asked or decided.

    A no to all but the basic function is `refused` with the label that says so: --text "Browse only".
    """
    opened = _marked(recording)
    _check(said.data)
    replaced = _line(opened, corrects) if corrects else None
    fields = _as_marked(opened, replaced[1]) if replaced else {}
    if said.at:
        fields["at"] = said.at.replace(tzinfo=UTC)
    if said.scope:
        fields["scope"] = said.scope
    if said.data:
        fields["data"] = None if ALL in said.data else said.data
    line = events.Consent(
        **{"at": datetime.now(UTC), **fields},
        app=opened.run.app.package,
        clock="host",
        signal="operator",
        status=status,
        by="operator",
        text=said.text,
        note=said.note,
        corrects=replaced[0] if replaced else None,
    )
    ref = opened.note(line)
    _say(opened, ref, f"{status}, in place of {_told(*replaced)}" if replaced else status)
    _warn(line)


@mark.command("retract")
@click.argument("line")
@in_option
@click.option("--note", help="Why: a remark to keep with it.")
def mark_retract(line: str, recording: Path | None, note: str | None) -> None:
    """Note that a LINE never was: consents.jsonl:3.

    Neither it nor what it said of other lines counts any more. Retracting the retraction brings it back.
    """
    opened = _marked(recording)
    target, consent = _line(opened, line)
    retraction = events.Consent(
        **_as_marked(opened, consent),
        app=opened.run.app.package,
        clock="host",
        signal="operator",
        status=consent.status,
        by="operator",
        note=note,
        retracts=target,
    )
    _say(opened, opened.note(retraction), f"retracted {_told(target, consent)}")


@mark.command("list")
@in_option
def mark_list(recording: Path | None) -> None:
    """List the consent lines, to see which one is wrong.

    Each with its name, its time on the host's clock, and what it says; what an operator has since replaced or
    retracted says so, and so does a claim of the app, which gives no consent.
    """
    from monitor.judge.consent import Observed, Timeline, scope_of

    opened = _marked(recording)
    lines = _asked(opened)
    timeline = Timeline(lines, opened.run.started, _labels(), observed=Observed(opened.run.app.package))
    readings = {reading.ref: reading for reading in timeline.readings()}
    replaced = timeline.replaced()
    for ref, _, at, line in lines:
        remarks = [scope_of(line), *(line.data or ())]
        if ref in timeline.dangling():
            remarks.append(f"names {timeline.dangling()[ref]}, and there is no such line before it")
        elif line.corrects:
            remarks.append(f"in place of {line.corrects}")
        if line.retracts:
            remarks.append(f"takes back {line.retracts}")
        elif ref in replaced:
            remarks.append(f"does not count any more: {', '.join(replaced[ref])}")
        elif ref in timeline.echoes:
            remarks.append("seen from outside what the hooks told too; counts once")
        elif not timeline.knows(ref):
            remarks.append(f"of another app: {line.app}")
        elif ref not in readings:
            remarks.append("by an act that was seen" if line.status == "gone" else "a claim")
        elif readings[ref].why:
            remarks.append(f"counts as {readings[ref].says}: {readings[ref].why}")
        out.print(plain(f"{events.format_time(at)}  {_told(ref, line)}: {', '.join(remarks)}"))


@mark.command("note")
@click.argument("text")
@in_option
@at_option
def mark_note(text: str, recording: Path | None, at: datetime | None) -> None:
    """Note anything at all on the time line."""
    opened = _marked(recording)
    when = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    ref = opened.note(events.Phase(at=when, app=opened.run.app.package, state="mark", text=text, by="operator"))
    out.print(f"{opened.path}: {ref}")


def _asked(opened: Recording) -> Sequence[Seen[events.Consent]]:
    """What was asked and answered, by consent lines and by what was on the screen."""
    from monitor.judge.consent import consents

    lines: list[Any] = [*opened.seen(events.Consent), *opened.seen(events.Screen)]
    return consents(lines, _labels(), opened.run.app.package)


def _line(opened: Recording, named: str) -> tuple[events.Ref, events.Consent]:
    """The consent line that a person names, as `consents.jsonl:3` or `3`, or what a screen said, `screens.jsonl:7`."""
    if re.fullmatch(rf"{re.escape(events.FILES['screen'])}:[1-9]\d*", named):
        asked = next((each for each in _asked(opened) if each.ref == named), None)
        if asked is not None:
            return named, asked.event
        raise UserError(f"{named} says nothing of consent.", "`appwitness mark list` has the lines that do.")
    found = re.fullmatch(rf"(?:{re.escape(CONSENTS)}:)?([1-9]\d*)", named)
    if not found:
        raise UserError(
            f"{named!r} is not a line of {CONSENTS}.", f"Name one as reports do: {CONSENTS}:3. Only those can be wrong."
        )
    ref = f"{CONSENTS}:{found[1]}"
    lines = {read.ref: read for read in opened.read("consent", finished=True)}
    if ref not in lines:
        last = f"its last line is {CONSENTS}:{len(lines)}" if lines else "it has no lines"
        raise UserError(f"There is no {ref} in {opened.path}: {last}.", "Name a line that there is, as reports do.")
    event = lines[ref].event
    if not isinstance(event, events.Consent):
        raise UserError(f"{ref} cannot be read: {lines[ref].error}.", "It has no effect as it is; leave it.")
    return ref, event


def _as_marked(opened: Recording, consent: events.Consent) -> dict[str, Any]:
    """When, and of what, a line speaks, as an operator writes it: on the host's clock."""
    from monitor.judge.consent import scope_of
    from monitor.seen import host_time

    return {
        "at": host_time(consent, opened.run.clock_offset_ms),
        "scope": scope_of(consent),
        "data": consent.data,
    }


def _check(data: tuple[str, ...]) -> None:
    from monitor import catalog
    from monitor.judge.data_types import DataTypes

    (path,) = catalog.files("data_types.yml")
    unknown = sorted(set(data) - {ALL} - catalog.parse(path, DataTypes).codes)
    if unknown:
        raise UserError(
            f"There is no data type {', '.join(unknown)}.", "catalog/data_types.yml has the codes, such as location."
        )


def _warn(line: events.Consent) -> None:
    """Tell a person who marks an answer that what was touched is another, or none."""
    from monitor.judge.consent import said

    says, why = said(line, _labels())
    if why and says != line.status and line.status in ("given", "refused"):
        clear = "yes" if line.status == "given" else "no"
        err.print(plain(f"{line.text!r} is not a clear {clear}: this counts as {says}."))


def _labels() -> Labels:
    from monitor import catalog
    from monitor.labels import Labels

    (path,) = catalog.files("consent.yml")
    return catalog.parse(path, Labels)


def _told(ref: events.Ref, consent: events.Consent) -> str:
    text = f" {consent.text!r}" if consent.text else ""
    return f"{ref} ({consent.status}, {consent.signal} by {consent.by}{text})"


def _say(opened: Recording, ref: events.Ref, what: str) -> None:
    out.print(plain(f"{opened.path}: {ref}: {what}"))

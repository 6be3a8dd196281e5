"""The verb by which a person notes something in a recording: mark."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from appwitness import events
from appwitness.api.home import signer
from appwitness.api.recording_names import meant
from appwitness.cli.base import gathered, main
from appwitness.cli.terminal import err, out, plain

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.marking import Mark, Said
    from appwitness.catalog.labels import Labels
    from appwitness.judge.data_types import DataTypes
    from appwitness.recording import Recording

CONSENTS = events.FILES["consent"]


@main.group()
def mark() -> None:
    """Note in a recording what the user was asked and decided.

    While it is being made, or later. Never blocks the run: each mark is one line appended to the recording; nothing in
    it is changed. A mark that was wrong is corrected by another one, and findings follow at the next report.
    """


def _marked(recording: Path | None) -> Recording:
    from appwitness.recording import Recording

    return Recording.open(recording or meant("--recording FOLDER"), signer=signer())


in_option = click.option(
    "--recording",
    type=click.Path(path_type=Path),
    help="The recording. [default: the run in progress in ./recordings, else the newest]",
)
at_option = click.option(
    "--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ"]), help="UTC time. [default: now]"
)


def _said(**fields: Any) -> Said:
    from appwitness.api.marking import Said

    return Said(**fields)


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
    _said,
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
    from appwitness.api import marking

    opened = _marked(recording)
    made = marking.consent(opened, status, said, _data_types(), _labels(), corrects or "")
    _say(opened, made, f"{status}, in place of {_told(*made.before)}" if made.before else status)
    _warn(made.line)


@mark.command("retract")
@click.argument("line")
@in_option
@click.option("--note", help="Why: a remark to keep with it.")
def mark_retract(line: str, recording: Path | None, note: str | None) -> None:
    """Note that a LINE never was: consents.jsonl:3.

    Neither it nor what it said of other lines counts any more. Retracting the retraction brings it back.
    """
    from appwitness.api import marking

    opened = _marked(recording)
    made = marking.retract(opened, line, _labels(), note)
    _say(opened, made, f"retracted {_told(*made.before)}" if made.before else "retracted")


@mark.command("list")
@in_option
def mark_list(recording: Path | None) -> None:
    """List the consent lines, to see which one is wrong.

    Each with its name, its time on the host's clock, and what it says; what an operator has since replaced or
    retracted says so, and so does a claim of the app, which gives no consent.
    """
    from appwitness.api.marking import asked
    from appwitness.judge.consent import Observed, Timeline, scope_of

    opened = _marked(recording)
    labels = _labels()
    lines = asked(opened, labels)
    timeline = Timeline(lines, opened.run.started, labels, observed=Observed(opened.run.app.package))
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


def _data_types() -> DataTypes:
    from appwitness.catalog import yaml_files
    from appwitness.judge.data_types import DataTypes

    (path,) = yaml_files.files("data_types.yml")
    return yaml_files.parse(path, DataTypes)


def _warn(line: events.Consent) -> None:
    """Tell a person who marks an answer that what was touched is another, or none."""
    from appwitness.judge.consent import said

    says, why = said(line, _labels())
    if why and says != line.status and line.status in ("given", "refused"):
        clear = "yes" if line.status == "given" else "no"
        err.print(plain(f"{line.text!r} is not a clear {clear}: this counts as {says}."))


def _labels() -> Labels:
    from appwitness.catalog import yaml_files
    from appwitness.catalog.labels import Labels

    (path,) = yaml_files.files("consent.yml")
    return yaml_files.parse(path, Labels)


def _told(ref: events.Ref, consent: events.Consent) -> str:
    text = f" {consent.text!r}" if consent.text else ""
    return f"{ref} ({consent.status}, {consent.signal} by {consent.by}{text})"


def _say(opened: Recording, made: Mark, what: str) -> None:
    out.print(plain(f"{opened.path}: {made.ref}: {what}"))

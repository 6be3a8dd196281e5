"""The verb by which a person notes something in a recording: mark."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from monitor import events
from monitor.cli.base import main, out, recordings
from monitor.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from monitor.recording import Recording


@main.group()
def mark() -> None:
    """Note in a recording what the user was asked and decided.

    While it is being made, or later. Never blocks the run: each mark is one line appended to the recording.
    """


def _marked(recording: Path | None) -> Recording:
    from monitor.recording import Recording

    if recording is None:
        runs = sorted(recordings().glob("*/run.json"), key=lambda path: path.stat().st_mtime)
        if not runs:
            raise UserError(
                f"There is no recording in {recordings()}.", "Name one: --recording FOLDER, or start one: observe."
            )
        recording = runs[-1].parent
    return Recording.open(recording)


in_option = click.option(
    "--recording", type=click.Path(path_type=Path), help="The recording. [default: the newest in ./recordings]"
)
at_option = click.option(
    "--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ"]), help="UTC time, when not now."
)


@mark.command("consent")
@click.argument("status", type=click.Choice(get_args(events.ConsentState)))
@in_option
@click.option(
    "--scope",
    type=click.Choice(get_args(events.Scope)),
    default="general_policy",
    show_default=True,
    help="What was asked for.",
)
@click.option("--data", multiple=True, metavar="TYPE", help="Data types it covers. [default: all]")
@click.option("--text", help="The label touched.")
@click.option("--note", help="Anything worth keeping with it.")
@at_option
def mark_consent(
    status: events.ConsentState,
    recording: Path | None,
    scope: events.Scope,
    data: tuple[str, ...],
    text: str | None,
    note: str | None,
    at: datetime | None,
) -> None:
    """Note that consent was requested, given, refused, withdrawn or dismissed."""
    opened = _marked(recording)
    ref = opened.append(
        events.Consent(
            at=at.replace(tzinfo=UTC) if at else datetime.now(UTC),
            app=opened.run.app.package,
            signal="operator",
            status=status,
            scope=scope,
            data=data or None,
            by="operator",
            text=text,
            note=note,
        )
    )
    out.print(f"{opened.path}: {ref}: {status}")


@mark.command("note")
@click.argument("text")
@in_option
@at_option
def mark_note(text: str, recording: Path | None, at: datetime | None) -> None:
    """Note anything at all on the time line."""
    opened = _marked(recording)
    when = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    ref = opened.append(events.Phase(at=when, app=opened.run.app.package, state="mark", text=text))
    out.print(f"{opened.path}: {ref}")

"""The verb `checklist`: makes the runs that a list needs and fills it, or shows a list of the catalog."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import cloup

from appwitness.api import checklist_runs, checklists
from appwitness.api.home import recordings
from appwitness.cli import completion
from appwitness.cli.read_verbs import checklist_of
from appwitness.cli.terminal import err, plain
from appwitness.cli.verbs import ANY_PATH, FILE, FILE_OR_FOLDER, VerbJudging, gathered, judging_options, main
from appwitness.cli.writing import Output, Paired, output_options
from appwitness.support.errors import UserError


@main.group()
def checklist() -> None:
    """Make the runs that a checklist needs, then fill it; or show a list of the catalog."""


@dataclass(frozen=True)
class AskedRuns:
    """Which app on which device, for how long, and where the recordings go."""

    device: str
    app: Path | str | None
    seconds: float | None
    clear_data: bool
    frida_server: Path | None
    folder: Path | None


def _asked(*, apk: Path | None, package: str | None, **others: Any) -> AskedRuns:
    if apk and package:
        raise UserError("--apk and --app name two apps.", "Name one.")
    return AskedRuns(app=apk or package, **others)


@checklist.command("run", cls=Paired)
@click.argument("name", metavar="NAME|FILE", shell_complete=completion.checklists)
@gathered(
    "asked",
    _asked,
    cloup.option_group(
        "Runs",
        click.option(
            "--device",
            default="lab:circle",
            show_default=True,
            metavar="DEVICE",
            shell_complete=completion.devices,
            help="The device, as `observe` takes it.",
        ),
        click.option(
            "--apk", type=FILE_OR_FOLDER, help="The app to install for each run: an APK, or a folder of splits."
        ),
        click.option("--app", "package", metavar="PACKAGE", help="The app, if it is installed on the device."),
        click.option(
            "--seconds",
            type=click.FloatRange(min=1),
            help="Length of each run. Items that need longer runs are then not observed. [default: what the list "
            "asks for]",
        ),
        click.option(
            "--clear-data",
            is_flag=True,
            help="Clear the data of an app that was installed before, as `observe` does, so that each run is a "
            "first run.",
        ),
        click.option("--frida-server", type=FILE, help="frida-server for the device, as `observe` takes it."),
        click.option("--recordings", "folder", type=ANY_PATH, help="New folder for the recordings."),
    ),
)
@output_options(checklists.FORMATS)
@judging_options
def run_(name: str, asked: AskedRuns, as_: Output, judging: VerbJudging) -> None:
    """Run an app with every plan that the list NAME needs, one after the other, and fill the list.

    appwitness answers the app's dialogs as each plan says. The recordings are kept: `report --checklist` can fill the
    list again from them and others of the same version of the app.
    """
    which = checklists.checklist(name, judging.known)
    into = asked.folder or recordings() / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{which.id}"
    made: list[Path] = []
    plans = iter(which.plans)
    err.print(f"[bold]{plain(which.id)}[/]: {', '.join(which.plans)}")
    of_run = {"clear_data": asked.clear_data, "frida_server": asked.frida_server}
    runs = checklist_runs.recorded(
        which, judging, asked.app, device=asked.device, folder=into, seconds=asked.seconds, **of_run
    )
    for path in runs:
        made.append(path)
        err.print(plain(f"{next(plans)}: {path}"))
    sys.exit(checklist_of(name, made, as_, judging))


@checklist.command()
@click.argument("name", shell_complete=completion.checklists)
def show(name: str) -> None:
    """Print the file of a list of the catalog, as a start for a list of your own."""
    click.echo(checklists.source_of(name), nl=False)

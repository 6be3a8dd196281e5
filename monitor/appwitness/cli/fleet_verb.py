"""The verb fleet: campaigns of many apps on many devices."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from appwitness.api.fleets import Fleet, HostChoices
from appwitness.cli.campaign_verbs import campaign_option, export, letters
from appwitness.cli.observe_verbs import Plan
from appwitness.cli.ranking_verb import ranking
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import JUDGING, db_option, gathered, interrupts, main, size
from appwitness.support import escape
from appwitness.support.errors import SetupError, UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.fleets import Status

WATCH_S = 2.0


@main.group()
def fleet() -> None:
    """Run many apps on many devices, each under several plans, once."""


for each in (ranking, export, letters):
    fleet.add_command(each)


@fleet.command("plan")
@click.argument("apps", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--campaign", required=True, metavar="NAME", help="What this plan is called.")
@click.option(
    "--plans",
    default="accept,refuse",
    show_default=True,
    metavar="PLANS",
    help="How consent is answered, by commas: each app is run under each.",
)
@click.option("--needs", default="", metavar="TERMS", help="What devices have to be: 'api>=33 and rooted'.")
@click.option("--seconds", type=click.FloatRange(1, 3600), help="End each run after so long. [default: with its app]")
@click.option("--files-elsewhere", is_flag=True, help="Take files that the table names from outside its folder, too.")
@db_option
def plan_(apps: Path, campaign: str, plans: str, files_elsewhere: bool, db: str | None, **limits: Any) -> None:
    """Plan runs of the apps in a CSV file: `app`, and where wanted needs, persona, app_type, first_party, seconds.

    An app is an APK (.apks, .apkm, .xapk, folder of splits) beside the file, a package that the devices have, or
    lab:circle. Planning again adds what is new and changes nothing else.
    """
    chosen = [name.strip() for name in plans.split(",")]
    if unknown := sorted(set(chosen) - set(get_args(Plan))):
        raise UserError(f"There is no plan {unknown[0]!r}.", f"There are {', '.join(get_args(Plan))}.")
    with Fleet(db) as runs:
        new = runs.plan(campaign, apps, chosen, elsewhere=files_elsewhere, **limits)
    out.print(f"{campaign}: newly planned runs: {new}.")


@dataclass(frozen=True)
class _Chosen:
    """What a host is, and where its runs are."""

    host: HostChoices
    strict: bool
    db: str | None


_HOST = ("devices", "label", "judges", "name", "recordings", "spool_bytes")


def _chosen(strict: bool, db: str | None, **given: Any) -> _Chosen:
    named = {each: given.pop(each) for each in _HOST}
    keep = given.pop("index")
    judging = {name: value for name, value in given.items() if value}
    return _Chosen(HostChoices(**named, judging=judging, keep=keep), strict, db)


host_options = gathered(
    "chosen",
    _chosen,
    click.option(
        "--devices",
        default="all",
        show_default=True,
        metavar="SERIALS",
        help="Which, by commas; all: those that are ready now; none: only judge; lab, lab2 ...: embedded ones.",
    ),
    click.option(
        "--label",
        multiple=True,
        metavar="[SERIAL/]NAME=VALUE",
        help="What else the devices, or one, are: region=cn. May be repeated.",
    ),
    click.option(
        "--judges",
        type=click.IntRange(0, 256),
        default=min(4, os.cpu_count() or 1),
        show_default="a processor each, up to 4",
        help="Processes that judge recordings.",
    ),
    click.option(
        "--name", default=socket.gethostname(), show_default="that of this machine", help="What the host is called."
    ),
    click.option(
        "--recordings",
        metavar="PLACE",
        help="Folder that every host sees, or s3://bucket/prefix (gs://, az://), for the recordings. "
        "[default: recordings]",
    ),
    click.option(
        "--spool",
        "spool_bytes",
        default="20g",
        show_default=True,
        metavar="SIZE",
        callback=lambda _context, option, text: size(option.opts[0], text),
        help="How much may wait on this machine while they cannot be uploaded; then no run begins.",
    ),
    *JUDGING,
)


@fleet.command("run")
@host_options
@click.option("--local", is_flag=True, hidden=True, help="What every host does.")
@campaign_option
def run_(chosen: _Chosen, campaign: str | None, **_local: bool) -> None:
    """Make and judge what is planned, on the devices of this machine, and end when that is done."""
    with Fleet(chosen.db) as runs:
        _serve(runs, chosen.host, campaign, ends=True)
        told = runs.status(campaign)
    _show(told, as_json=False)
    if told.unmade:
        err.print(
            f"[bold]{told.unmade} runs were not made:[/] no device of this machine can make them; "
            "`appwitness fleet status` says what they need."
        )
    sys.exit(1 if told.findings else 3 if chosen.strict and (told.unobservable or told.unmade) else 0)


@fleet.command("host")
@host_options
@campaign_option
def host_(chosen: _Chosen, campaign: str | None) -> None:
    """Lend the devices of this machine to whatever is planned, and judge, until Ctrl-C."""
    with Fleet(chosen.db) as runs:
        _serve(runs, chosen.host, campaign)


def _serve(runs: Fleet, chosen: HostChoices, campaign: str | None, *, ends: bool = False) -> None:
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    if ends:
        logging.getLogger("appwitness.fleet.progress").setLevel(logging.INFO)
    host = runs.host(chosen, campaign)
    if ends and campaign is not None:
        runs.status(campaign)  # which says that there is none of that name
    err.print(
        plain(
            f"{chosen.name}: {host.devices} devices, {host.judges} judges; Ctrl-C ends the runs that are going "
            "on, which wait again"
        )
    )
    with interrupts() as interrupted:
        host.serve(interrupted, ends=ends)


@fleet.command("status")
@campaign_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--watch", is_flag=True, help="Print again every two seconds until all is done.")
@click.option("--strict", is_flag=True, help="Exit with 3 when runs could not be observed.")
@click.option("--self", "own", is_flag=True, help="Exit with 4 where no device of this machine lent itself lately.")
@db_option
def status_(campaign: str | None, as_json: bool, watch: bool, strict: bool, own: bool, db: str | None) -> None:
    """Say how far it is: runs by state, when they will be done, why some could not be observed, devices at rest."""
    with Fleet(db) as runs:
        if own:
            sys.exit(0 if runs.has_devices_of(socket.gethostname()) else SetupError.exit_code)
        told = runs.status(campaign)
        _show(told, as_json)
        while watch and told.going_on:
            time.sleep(WATCH_S)
            told = runs.status(campaign)
            _show(told, as_json)
    sys.exit(3 if strict and told.unobservable else 0)


def _show(told: Status, as_json: bool) -> None:
    click.echo(
        escape.json(json.dumps(told.as_json(), ensure_ascii=False)) if as_json else escape.terminal(told.words())
    )


@fleet.command("retry")
@click.option("--campaign", required=True, metavar="NAME", help="Of which campaign.")
@click.option(
    "--reason",
    type=click.Choice(["setup", "usage", "fault", "lost", "judging"]),
    help="Only what was unobservable for this reason. [default: any]",
)
@click.option("--judged", is_flag=True, help="What was judged is judged again, as after a change of rules.")
@db_option
def retry(campaign: str, reason: str | None, judged: bool, db: str | None) -> None:
    """Plan again the runs that could not be observed; a recording that could not be judged is judged again."""
    with Fleet(db) as runs:
        runs.status(campaign)
        again = runs.judge_again(campaign) if judged else runs.retry(campaign, reason)
        out.print(f"Runs that wait again: {again}.")


@fleet.command("pause")
@click.argument("serial", nargs=-1, required=True)
@db_option
def pause(serial: tuple[str, ...], db: str | None) -> None:
    """Let a device rest after the run that it makes: SERIAL, or HOST/SERIAL."""
    _rest(serial, db, rest=True)


@fleet.command("resume")
@click.argument("serial", nargs=-1, required=True)
@db_option
def resume(serial: tuple[str, ...], db: str | None) -> None:
    """Let a device that rests make runs again."""
    _rest(serial, db, rest=False)


def _rest(serials: tuple[str, ...], db: str | None, *, rest: bool) -> None:
    with Fleet(db) as runs:
        for serial in serials:
            runs.pause(serial, rest=rest)

"""The verb `fleet`: campaigns of many apps on many devices, and their results."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import click
import cloup

from appwitness.api import fleets
from appwitness.api.fleets import Fleet, HostChoices
from appwitness.cli import completion
from appwitness.cli.as_json import document, json_option
from appwitness.cli.local_words import tr
from appwitness.cli.observe_verbs import Plan
from appwitness.cli.terminal import columns, err, out, plain
from appwitness.cli.verbs import (
    FILE,
    JUDGING,
    NEW_FILE,
    VerbJudging,
    db_option,
    format_option,
    gathered,
    interrupts,
    judging_options,
    lang_option,
    main,
    output_option,
    reveal_option,
    rules_option,
    size,
)
from appwitness.cli.writing import implied, note_reveal, see_that_they_fit
from appwitness.support import escape
from appwitness.support.errors import SetupError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.fleets import By, Ranked, Status, TableName

WATCH_S = 2.0
PLANS = get_args(Plan)
DEFAULT_PLANS = "accept,refuse"
campaign_option = click.option("--campaign", metavar="NAME", help="Only this campaign. [default: all]")


@main.group()
def fleet() -> None:
    """Run many apps on many devices, each once under several plans."""


@fleet.command("plan")
@click.argument("apps", type=FILE)
@click.option("--campaign", required=True, metavar="NAME", help="Name of the campaign.")
@click.option(
    "--plans",
    metavar="PLANS",
    shell_complete=completion.those_of(lambda _, __: [(plan, "") for plan in PLANS]),
    help=f"How consent is answered, separated by commas. Each app runs under each plan. [default: {DEFAULT_PLANS}]",
)
@click.option(
    "--checklist",
    metavar="NAME|FILE",
    shell_complete=completion.checklists,
    help="Plan the runs that a checklist needs: its plans, each run as long as the list asks for.",
)
@click.option("--needs", default="", metavar="TERMS", help="What a device has to be: 'api>=33 and rooted'.")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    help="End each run after this many seconds. [default: when its app ends]",
)
@click.option("--files-elsewhere", is_flag=True, help="Also take files from outside the folder of the table.")
@rules_option
@json_option
@db_option
def plan_(apps: Path, campaign: str, as_json: bool, db: str | None, **how: Any) -> None:
    """Plan runs of the apps in a CSV file.

    The file has a column `app`, and may have needs, persona, app_type, first_party and seconds. An app is an APK
    (.apks, .apkm, .xapk, folder of splits) beside the file, a package that the devices have, or lab:circle. Planning
    again adds what is new and changes nothing else.
    """
    plans, needed = _plans(how["plans"], how["checklist"], how["rules"])
    with Fleet(db) as runs:
        new = runs.plan(
            campaign,
            apps,
            plans,
            needs=how["needs"],
            seconds=how["seconds"] or needed,
            elsewhere=how["files_elsewhere"],
        )
    if as_json:
        document({"campaign": campaign, "planned": new})
    else:
        out.print(tr("{campaign}: newly planned runs: {new}.", campaign=campaign, new=new))


def _plans(plans: str | None, checklist: str | None, rules: Path | None) -> tuple[list[str], float | None]:
    """The plans that were asked for, and how long a run must be if a checklist says so."""
    if checklist is not None:
        if plans is not None:
            raise UserError("--checklist and --plans both say which plans.", "Give one of them.")
        return fleets.needed_by(checklist, rules)
    chosen = [name.strip() for name in (plans or DEFAULT_PLANS).split(",")]
    if unknown := sorted(set(chosen) - set(PLANS)):
        raise UserError(
            Spoken("There is no plan {unknown!r}.", unknown=unknown[0]),
            Spoken("Choose from {plans}.", plans=", ".join(PLANS)),
        )
    return chosen, None


@fleet.command("checklists")
@click.argument("name", metavar="NAME|FILE", shell_complete=completion.checklists)
@cloup.option_group(
    "Options",
    campaign_option,
    click.option("--output", type=NEW_FILE, required=True, help="The new file, X.zip."),
    lang_option,
    reveal_option,
    json_option,
)
@judging_options
def checklists_(name: str, campaign: str | None, output: Path, as_json: bool, judging: VerbJudging, **how: Any) -> None:
    """Write a checklist for each app into a ZIP, as HTML and JSON, filled from its judged runs.

    Each list is what `appwitness report --checklist` writes about these runs, in a folder of its app. Plan the runs
    that a list needs with `fleet plan --checklist`.
    """
    if how["reveal"]:
        note_reveal("fleet checklists", [_all_of(campaign)], [("checklists", output)])
    count = fleets.write_checklists(judging, name, output, campaign, **how)
    if as_json:
        document({"file": output, "checklists": count})
        return
    err.print(plain(tr("written: {output}; checklists: {count:,}", output=output, count=count)))


@dataclass(frozen=True)
class _Chosen:
    """The choices for a host, and the database with its runs."""

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
    cloup.option_group(
        "Host",
        click.option(
            "--devices",
            default="all",
            show_default=True,
            metavar="SERIALS",
            shell_complete=completion.devices,
            help="The devices, separated by commas. all: those that are ready now; none: only judge; lab, lab2 ...: "
            "embedded ones.",
        ),
        click.option(
            "--label",
            multiple=True,
            metavar="[SERIAL/]NAME=VALUE",
            help="A label of all devices or of one, which runs may need: region=cn. Repeatable.",
        ),
        click.option(
            "--judges",
            type=click.IntRange(0, 256),
            default=min(4, os.cpu_count() or 1),
            show_default="one for each processor, up to 4",
            help="Number of processes that judge recordings.",
        ),
        click.option(
            "--name", default=socket.gethostname(), show_default="that of this machine", help="Name of the host."
        ),
        click.option(
            "--recordings",
            metavar="PLACE",
            help="Where recordings go: a folder that every host sees, or s3://bucket/prefix (gs://, az://). "
            "[default: recordings]",
        ),
        click.option(
            "--spool",
            "spool_bytes",
            default="20g",
            show_default=True,
            metavar="SIZE",
            callback=lambda _context, option, text: size(option.opts[0], text),
            help="How much data may wait on this machine while it cannot be uploaded. Beyond that, no run begins.",
        ),
    ),
    *JUDGING,
)


@fleet.command("run")
@cloup.option_group(
    "Options",
    campaign_option,
    click.option("--local", is_flag=True, hidden=True, help="What every host does."),
    json_option,
)
@host_options
def run_(chosen: _Chosen, campaign: str | None, as_json: bool, **_local: bool) -> None:
    """Make the planned runs on the devices of this machine, judge them, and exit."""
    with Fleet(chosen.db) as runs:
        _serve(runs, chosen.host, campaign, ends=True)
        told = runs.status(campaign)
    _show(told, as_json)
    if told.unmade:
        err.print(
            tr(
                "[bold]{unmade} runs were not made:[/] no device of this machine can make them; "
                "`appwitness fleet status` says what they need.",
                unmade=told.unmade,
            )
        )
    sys.exit(1 if told.findings else 3 if chosen.strict and (told.unobservable or told.unmade) else 0)


@fleet.command("host")
@cloup.option_group("Options", campaign_option)
@host_options
def host_(chosen: _Chosen, campaign: str | None) -> None:
    """Make and judge planned runs on the devices of this machine until Ctrl-C."""
    with Fleet(chosen.db) as runs:
        _serve(runs, chosen.host, campaign)


def _serve(runs: Fleet, chosen: HostChoices, campaign: str | None, *, ends: bool = False) -> None:
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    if ends:
        logging.getLogger("appwitness.fleet.progress").setLevel(logging.INFO)
    host = runs.host(chosen, campaign)
    if ends and campaign is not None:
        runs.status(campaign)  # which reports an unknown campaign
    err.print(
        plain(
            tr(
                "{name}: {devices} devices, {judges} judges; Ctrl-C ends the runs in progress and queues them again",
                name=chosen.name,
                devices=host.devices,
                judges=host.judges,
            )
        )
    )
    with interrupts() as interrupted:
        host.serve(interrupted, ends=ends)


@fleet.command("status")
@campaign_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--watch", is_flag=True, help="Print the status every two seconds until all runs are done.")
@click.option("--strict", is_flag=True, help="Exit with 3 if runs could not be observed.")
@click.option(
    "--self", "own", is_flag=True, help="Exit with 4 if no device of this machine was ready for runs recently."
)
@db_option
def status_(campaign: str | None, as_json: bool, watch: bool, strict: bool, own: bool, db: str | None) -> None:
    """Show the progress of the runs.

    You see the runs by state, when they will be done, why some could not be observed, and paused devices.
    """
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
@click.option("--campaign", required=True, metavar="NAME", help="The campaign.")
@click.option(
    "--reason",
    type=click.Choice(["setup", "usage", "fault", "lost", "judging"]),
    help="Only runs that could not be observed for this reason. [default: any]",
)
@click.option("--judged", is_flag=True, help="Judge again what was judged before, for example after rules changed.")
@json_option
@db_option
def retry(campaign: str, reason: str | None, judged: bool, as_json: bool, db: str | None) -> None:
    """Retry the runs that could not be observed. Recordings that could not be judged are judged again."""
    with Fleet(db) as runs:
        runs.status(campaign)
        again = runs.judge_again(campaign) if judged else runs.retry(campaign, reason)
    if as_json:
        document({"campaign": campaign, "waiting_again": again})
    else:
        out.print(tr("Runs queued again: {again}.", again=again))


@fleet.command("pause")
@click.argument("serial", nargs=-1, required=True)
@db_option
def pause(serial: tuple[str, ...], db: str | None) -> None:
    """Pause a device after its current run: SERIAL, or HOST/SERIAL."""
    _rest(serial, db, rest=True)


@fleet.command("resume")
@click.argument("serial", nargs=-1, required=True)
@db_option
def resume(serial: tuple[str, ...], db: str | None) -> None:
    """Let a paused device make runs again."""
    _rest(serial, db, rest=False)


def _rest(serials: tuple[str, ...], db: str | None, *, rest: bool) -> None:
    with Fleet(db) as runs:
        for serial in serials:
            runs.pause(serial, rest=rest)


@fleet.command()
@click.option(
    "--by",
    type=click.Choice(["recipient", "sdk", "data", "rule", "finding", "app"]),
    default="recipient",
    show_default=True,
    help="What a row stands for; finding: the same finding in many apps.",
)
@click.option("--campaign", default="", metavar="NAME", help="Only runs of this campaign.")
@click.option("--recipient", default="", metavar="DOMAIN", help="Only what this recipient received.")
@click.option("--sdk", default="", metavar="NAME", help="Only what this SDK sent.")
@click.option("--data", default="", metavar="CODE", shell_complete=completion.data_types, help="Only this data type.")
@click.option("--rule", default="", metavar="ID", shell_complete=completion.rules, help="Only findings of this rule.")
@click.option(
    "--app", default="", metavar="SHA256", help="Only this app: its APK, or its package if the APK is unknown."
)
@click.option("--top", type=click.IntRange(1, 1_000_000), default=30, show_default=True, help="Number of rows.")
@format_option
@lang_option
@rules_option
@db_option
def ranking(by: str, top: int, format_: str, lang: str, rules: Path | None, db: str | None, **filters: str) -> None:
    """Rank recipients, SDKs, data types, rules or findings by how many apps they concern.

    An app is its APK, and counts once, however many runs it had. The other numbers count apps too, by what the user
    had answered when the data was sent. Runs that could not have shown it are left out, and you are told which.
    """
    from appwitness.reports.ranking_words import basis as in_words
    from appwitness.reports.ranking_words import masked, named
    from appwitness.reports.words import Words

    found, basis, known, moments = fleets.ranking(cast("By", by), filters, top=top, rules=rules, db=db)
    words, titles = Words(lang), {rule.id: dict(rule.title) for rule in known.rules}
    if format_ == "json":
        told = {
            "v": 1, "by": by, "filters": {name: value for name, value in filters.items() if value},
            "basis": {name: value if name == "left" else value._asdict() for name, value in basis._asdict().items()},
            "total": found.total, "rows": [
                {**row._asdict(), "of": {name: masked(name, value) for name, value in row.of.items()},
                 "beside": {name: [masked(name, value) for value in of] for name, of in row.beside.items()}}
                for row in found.rows
            ],
        }  # fmt: skip
        click.echo(escape.json(json.dumps(told, ensure_ascii=False, indent=1)))
        return

    def called(row: Ranked) -> str:
        of = [
            named(words, name, masked(name, value), titles, known.recipients.name_of)
            for name, value in row.of.items()
            if value
        ]
        return escape.field(row.package if by == "app" else ", ".join(of))

    out.print(plain(in_words(words, basis.able, basis.gaps.runs, basis.left)))
    columns(
        ("apps", "of", "runs", *moments, by),
        [
            (*map(str, (row.apps, row.able, row.runs, *(row.when.get(each, "") for each in moments))), called(row))
            for row in found.rows
        ],
    )
    if found.total > len(found.rows):
        out.print(plain(tr("{total} more: --top {total_2}", total=found.total - len(found.rows), total_2=found.total)))


@fleet.command()
@click.argument("table", type=click.Choice(["runs", "findings", "flows", "recipients"]))
@campaign_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "parquet"]),
    help="The format to write. [default: as the name of --output says, else csv]",
)
@output_option
@reveal_option
@db_option
def export(
    table: str, campaign: str | None, format_: str | None, output: Path | None, reveal: bool, db: str | None
) -> None:
    """Write a table for other tools: runs, findings, flows or recipients, as CSV or Parquet.

    The table of runs has the planned runs; the other tables are about judged recordings. No table holds values that
    were read or sent.
    """
    format_ = format_ or implied(output, ("csv", "parquet")) or "csv"
    see_that_they_fit(format_, output)
    if format_ == "parquet" and output is None:
        raise UserError("Parquet can only be written to a file.", "Name it: --output FILE.")
    if reveal:
        note_reveal("fleet export", [_all_of(campaign)], [(f"{table} as {format_}", output)])
    name = cast("TableName", table)
    if output is None:
        fleets.write_csv(name, sys.stdout, campaign, reveal=reveal, db=db)
        return
    write = fleets.write_parquet if format_ == "parquet" else fleets.write_csv
    count = write(name, output, campaign, reveal=reveal, db=db)
    err.print(plain(tr("written: {output}; rows: {count:,}", output=output, count=count)))


@fleet.command()
@cloup.option_group(
    "Options",
    campaign_option,
    click.option("--output", type=NEW_FILE, required=True, help="The new file, X.zip."),
    click.option("--lang", type=click.Choice(["en", "zh"]), help="The language. [default: en; zh under --law cn]"),
    click.option(
        "--template",
        type=FILE,
        help="Your own Jinja2 template in Markdown instead of ours.",
    ),
    reveal_option,
    json_option,
)
@judging_options
def letters(campaign: str | None, output: Path, as_json: bool, judging: VerbJudging, **how: Any) -> None:
    """Write drafts of letters to an authority into a ZIP: one for each recording with findings.

    Each letter is what `appwitness report --format complaint` writes under --law, in a folder of its app.
    """
    if how["reveal"]:
        note_reveal("fleet letters", [_all_of(campaign)], [("letters", output)])
    count = fleets.write_letters(judging, output, campaign, **how)
    if as_json:
        document({"file": output, "letters": count})
        return
    err.print(plain(tr("written: {output}; letters: {count:,}", output=output, count=count)))


def _all_of(campaign: str | None) -> str:
    """The recordings concerned, for the log of reveals."""
    return f"campaign {campaign}" if campaign else "all in the index"

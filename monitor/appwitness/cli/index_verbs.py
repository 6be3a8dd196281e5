"""The verbs `index`, which maintains the index of recordings, and `config`, which shows the options in force."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup
from click.core import ParameterSource

from appwitness.api import judging as judged
from appwitness.cli import settings
from appwitness.cli.as_json import document, json_option
from appwitness.cli.front_page import VERBS, language
from appwitness.cli.local_words import tr
from appwitness.cli.terminal import Teller, columns, err, out, plain, progress
from appwitness.cli.verbs import RecordingPath, VerbJudging, interrupts, judging_options, main
from appwitness.support import escape
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken, listed

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import JudgedRecording

WORSE = (0, 3, 1)
"""Exit codes of judged recordings, the worst last; an error's exit code is worse still."""

jobs_option = click.option(
    "-j", "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Recordings to judge at a time."
)


@main.group()
def index() -> None:
    """Read recordings into the index, or build it anew."""


@index.command()
@click.argument("recording", nargs=-1, required=True, type=RecordingPath())
@cloup.option_group(
    "Options",
    click.option("--follow", "following", is_flag=True, help="Go on reading while the recording is being made."),
    jobs_option,
    json_option,
)
@judging_options
def correlate(recording: tuple[Path, ...], following: bool, jobs: int, as_json: bool, judging: VerbJudging) -> None:
    """Read recordings into the index and judge them.

    It prints the report of one recording, or a line for each of several. A fault in one does not stop the others.

    Reading a recording again changes nothing; you can delete the index and build it anew at any time. Encrypted
    recordings are read into memory only, unless --db names an index: there the values are not encrypted.
    """
    if (len(recording) > 1 or as_json) and not following:
        codes, told = {0}, []
        for one in in_turn(recording, judging.many(recording, jobs)):
            error = str(one.error) if isinstance(one.error, UserError) else one.error and type(one.error).__name__
            told.append({"recording": str(one.path), "findings": one.levels, "gaps": one.gaps, "error": error})
            if isinstance(one.error, UserError):
                codes.add(one.error.exit_code)
            elif one.error is None:
                codes.add(1 if one.levels else 3 if one.gaps and judging.strict else 0)
                if not as_json:
                    out.print(plain(f"{one.path}: {_counted(one)}"), soft_wrap=True)
        if as_json:
            document({"recordings": told})
        sys.exit(max(codes, key=lambda code: WORSE.index(code) if code in WORSE else len(WORSE) + code))
    if as_json:
        raise UserError(
            "--follow reports on a run while it is in progress.", "Leave --json out, or use `observe --json`."
        )
    teller = Teller()
    worst = 0
    for path in recording:
        if following:
            with interrupts() as interrupted:
                judging.follow(path, interrupted, lambda outcome: teller.tell(outcome.findings))
        else:
            with progress() as show:
                judging.correlate(path, show)
        worst = max(worst, judging.summary(path), key=WORSE.index)
    sys.exit(worst)


def in_turn(paths: Sequence[Path | str], judged: Iterator[JudgedRecording]) -> Iterator[JudgedRecording]:
    """The result of judging each of these recordings, in this order. Prints errors; at the end it raises the first
    internal error."""
    left = list(dict.fromkeys(paths))
    done: dict[Path | str, JudgedRecording] = {}
    total, faults = len(left), []
    with progress() as show:
        for each in judged:
            done[each.path] = each
            show("judging recordings", len(done), total)
            while left and left[0] in done:
                one = done[left.pop(0)]
                if isinstance(one.error, UserError):
                    err.alarm(tr("[bold red]error:[/] {path}", path=plain(_of(one.path, tr(one.error.message)))))
                elif one.error:
                    err.alarm(
                        tr("[bold red]internal error:[/] {path}", path=plain(_of(one.path, type(one.error).__name__)))
                    )
                    faults.append(one.error)
                yield one
    if faults:
        raise faults[0]


def _of(path: Path | str, text: str) -> str:
    return text if str(path) in text else f"{path}: {text}"


def _counted(judged: JudgedRecording) -> str:
    from appwitness.findings import LEVELS
    from appwitness.reports.words import Words

    findings = sum(judged.levels.values())
    words = Words(language())
    of = words("comma").join(
        f"{judged.levels[each]} {words(f'level_{each}')}" for each in LEVELS if judged.levels[each]
    )
    one, many = Spoken("1 finding ({of})", of=of), Spoken("{findings} findings ({of})", findings=findings, of=of)
    told = [(one if findings == 1 else many) if findings else Spoken("no findings")]
    if judged.gaps:
        told.append(Spoken("1 gap") if judged.gaps == 1 else Spoken("{gaps} gaps", gaps=judged.gaps))
    return tr(listed(told))


@index.command()
@cloup.option_group("Options", jobs_option, json_option)
@judging_options
def upgrade(jobs: int, as_json: bool, judging: VerbJudging) -> None:
    """Build the index anew if another version of appwitness made it.

    The new index is built beside the old one, from the recordings in their places, judged as the options say. It takes
    the place of the old one when it is complete. An index that another verb has set aside, because another version made
    it, is read in too. Recordings that cannot be read are named, and then the old index is kept. If it is interrupted,
    start it again, and it continues.
    """
    done = judged.upgrade(
        judging, jobs, watch=in_turn, kept=lambda name: err.print(tr("the old index is kept: {name}", name=plain(name)))
    )
    if as_json:
        document({"recordings": done.recordings, "lost": sorted(map(str, done.lost))})
        sys.exit(2 if done.lost else 0)
    out.print(
        tr(
            "the index has {recordings:,} recordings; {lost:,} could not be read",
            recordings=done.recordings,
            lost=len(done.lost),
        )
    )
    sys.exit(2 if done.lost else 0)


@main.command()
@click.argument("verb", nargs=-1)
@json_option
@click.pass_context
def config(ctx: click.Context, verb: tuple[str, ...], as_json: bool) -> None:
    """Show which options are in effect, and where each was set.

    With a VERB, such as `observe` or `baseline write`, you see every option that it has; without one, what the file and
    the environment set. The command line overrides the environment (APPWITNESS_OBSERVE_PLAN), and the environment
    overrides the file: appwitness.toml, or [tool.appwitness] in pyproject.toml, in this folder or above it.
    """
    found = settings.find()
    if found:
        settings.check(found, VERBS)
        for name in VERBS:
            command = main.get_command(ctx, name)
            if command:
                found.defaults(name, command)
    if verb:
        rows = _options(ctx, verb, found)
    else:
        rows = _of_file(found, (), found.tables) if found else []
        rows += [
            (name, _shown(value), "environment")
            for name, value in sorted(os.environ.items())
            if name.startswith("APPWITNESS_")
        ]
    if as_json:
        document(
            {
                "file": found and found.path,
                "options": [dict(zip(("option", "value", "from"), row, strict=True)) for row in rows],
            }
        )
        return
    click.echo(
        tr(
            "file: {path}",
            path=found.path if found else f"none ({settings.NAMES[0]}, or [tool.appwitness] in pyproject.toml)",
        )
    )
    columns(("option", "value", "from"), rows)


def _of_file(found: settings.FileSettings, keys: tuple[str, ...], tables: Any) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for key, value in tables.items():
        if isinstance(value, dict):
            rows += _of_file(found, (*keys, key), value)
        else:
            rows.append((" ".join((*keys, f"--{key}")), _shown(value), found.place(*keys, key)))
    return rows


def _options(ctx: click.Context, verb: tuple[str, ...], found: settings.FileSettings | None) -> list[tuple[str, ...]]:
    of = main.make_context("appwitness", list(verb), resilient_parsing=True)
    command: click.Command = main
    for name in verb:
        inner = command.get_command(of, name) if isinstance(command, click.Group) else None
        if inner is None:
            raise UserError(Spoken("There is no verb {verb}.", verb=" ".join(verb)), "`appwitness --help` lists them.")
        if command is main and found:
            of.default_map = {name: found.defaults(name, inner)}
        command, of = inner, click.Context(inner, info_name=name, parent=of)
    if isinstance(command, click.Group):
        raise UserError(
            Spoken("{verb} has verbs of its own.", verb=" ".join(verb)),
            Spoken("Name one: {commands}.", commands=", ".join(sorted(command.commands))),
        )
    rows: list[tuple[str, ...]] = []
    settings.name_variables(command, of.auto_envvar_prefix)
    for key, option in settings.options(command):
        value, source = option.consume_value(of, {})
        if source is ParameterSource.DEFAULT_MAP and found:
            where = found.place(*verb, key) if key in found.table(*verb) else found.place(key)
        elif source is ParameterSource.ENVIRONMENT:
            where = f"environment {option.envvar}"
        else:
            where = "default"
        rows.append((f"--{key}", _shown(option.get_default(of) if value is None else value), where))
    return rows


def _shown(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return escape.terminal(re.sub(r"//[^/@]*@", "//***@", value))  # a database's password
        case int() | float():
            return str(value)
        case list() | tuple() if value:
            return ", ".join(map(_shown, value))
        case _:
            return "-"

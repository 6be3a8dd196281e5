"""The verbs that care for personal data in recordings: forget removes it, share makes a copy without it."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appwitness.api import erasing, exchanging
from appwitness.api.erasing import Forgetting, Retention
from appwitness.api.home import recordings
from appwitness.cli.settings import AGE, KINDS, age, retention
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import RecordingPath, db_option, gathered, main, recording_argument
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.erasing import ToForget


def _age(_context: click.Context, _option: click.Parameter, text: str | None) -> timedelta | None:
    if text is None:
        return None
    if (found := age(text)) is None:
        raise UserError(f"--older-than {text!r} is no age.", f"Write {AGE}.")
    return found


def _kinds(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in (text or "").split(",")) if text is not None else ()
    for name in names:
        if name not in KINDS:
            raise UserError(f"--only {name!r} is no kind of line.", f"There are {', '.join(KINDS)}.")
    return tuple(KINDS[name] for name in names)


def _forgetting(*, recording: tuple[Path, ...], only: tuple[str, ...], by_retention: bool, **others: Any) -> Forgetting:
    if not by_retention:
        return Forgetting(recording, kinds=only, **others)
    if recording or only or any(others.values()):
        raise UserError("--by-retention says itself what is forgotten.", "Leave the other options out.")
    ages, folder = retention(recordings())
    whole = ages.pop("recordings", timedelta.max)
    return Forgetting(retention=Retention(folder, whole, {KINDS[name]: age for name, age in ages.items()}))


def _values(_context: click.Context, _option: click.Parameter, words: tuple[str, ...]) -> Any:
    given = [line for word in words for line in (sys.stdin.read().splitlines() if word == "-" else [word]) if line]
    return exchanging.values_of(given) if given else ()


@main.command()
@gathered(
    "which",
    _forgetting,
    click.argument("recording", nargs=-1, type=RecordingPath()),
    click.option("--older-than", metavar="AGE", callback=_age, help=f"Only what ended longer ago: {AGE}."),
    click.option(
        "--campaign", metavar="NAME", help="Only recordings of this campaign, and all that the index has of it."
    ),
    click.option(
        "--value",
        "values",
        multiple=True,
        metavar="TYPE=VALUE",
        callback=_values,
        help="Only lines and bodies with this value in any form, as phone_number=+8613800138000; - reads such lines "
        "from standard input. May be repeated.",
    ),
    click.option("--only", metavar="KINDS", callback=_kinds, help=f"Only these lines, by commas: {', '.join(KINDS)}."),
    click.option("--by-retention", is_flag=True, help="What is older than [retention] in appwitness.toml lets it be."),
    click.option(
        "--recordings",
        "place",
        metavar="PLACE",
        help="Folder or bucket (s3://bucket/prefix) of a fleet's recordings, for those that no RECORDING names. "
        "[default: recordings]",
    ),
)
@click.option("--reason", metavar="TEXT", help="Why, for whoever reads the stamps later; no personal data here.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@db_option
def forget(which: Forgetting, reason: str | None, dry_run: bool, yes: bool, db: str | None) -> None:
    """Remove personal data from recordings; their stamps explain the hole.

    Lines become tombstones with a digest and nothing else, bodies are removed, run.json keeps which app and which
    versions, and the index forgets the recording. A stamp of its own, signed with your key, says when and why; so
    `verify` still says whether all else is what it was.

    Without a RECORDING it is about all in ./recordings (or --recordings), packed ones too; an option has to say which.
    An archive is replaced by one without what was forgotten, in a bucket too; a bundle is left alone.
    Reports, bundles and copies that you have made elsewhere are not found. There is no way back.
    """
    if (dry_run or not yes) and not _asked(which, dry_run):
        return
    failed: list[Path] = []

    def stays(path: Path, error: UserError) -> None:
        failed.append(path)
        _stays(path, error)

    lines = which.forget(reason, db=db, begun=_say if yes else lambda _: None, stays=stays)
    out.print(f"forgotten: {lines:,} lines")
    if failed:
        raise UserError(f"{len(failed):,} recordings could not be forgotten.", "See above which, and why.")


def _stays(path: Path, error: UserError) -> None:
    err.print(f"[bold]{plain(str(path))} stays:[/] {plain(error.what)}")


def _asked(which: Forgetting, dry_run: bool) -> bool:
    """Say what would go; whether it is to go."""
    told = 0
    for plan in which.plans(_stays):  # one at a time: an archive is unpacked as long as its plan is there
        _say(plan)
        told += 1
    if not told:
        out.print("nothing is to be forgotten")
    if dry_run or not (told or which.campaign):
        return False
    return click.confirm("Forget that for good?", abort=True, err=True)


def _say(plan: ToForget) -> None:
    from appwitness.events import FILES

    parts = [f"{len(numbers):,} of {FILES[kind]}" for kind, numbers in plan.lines.items()]
    parts += [f"{len(plan.bodies):,} of bodies/"] * bool(plan.bodies) + ["what run.json says of a person"] * bool(
        plan.run
    )
    out.print(plain(f"{plan.given.place}: {', '.join(parts) or 'nothing is to be forgotten'}"))
    if plan.before == "altered" and plan.given.sealed:
        err.print(f"[bold]{plain(plan.given.place)} is not what its stamps say; verify will go on saying so[/]")
    for name in plan.left:
        err.print(f"[bold]run.json: {plain(name)} holds the value, and stays as it is[/]")
    for ref in plan.unsearched[:10]:
        err.print(f"[dim]{plain(ref)} could not be looked through to its end, and stays[/]")
    if len(plan.unsearched) > 10:
        err.print(f"[dim]... and {len(plan.unsearched) - 10:,} more[/]")


@main.command()
@recording_argument
@click.option(
    "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the copy, a new one."
)
def share(recording: Path, output: Path) -> None:
    """Copy a recording with every personal value replaced.

    Each value that was planted or read is replaced by a token of the same shape, the same everywhere: in lines, in
    URLs and headers, and in bodies where that can be done. A body in which our own matcher still finds something is
    left out, and a gap says so. The copy names the last stamp of the original, and has stamps of its own.
    """
    made = erasing.share(recording, output)
    out.print(plain(f"{output}: {made.values:,} values replaced, {len(made.left_out):,} bodies or pictures left out"))
    for ref in made.left_out[:10]:
        err.print(f"[dim]{plain(ref)}: its body is left out[/]")
    if len(made.left_out) > 10:
        err.print("[dim]... and more: the gaps of the copy name all of them[/]")

"""The verbs that care for personal data in recordings: forget removes it, share makes a copy without it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appwitness.api.home import database, recordings, signer
from appwitness.cli.base import RecordingPath, db_option, gathered, main, recording_argument
from appwitness.cli.settings import AGE, KINDS, age, retention
from appwitness.cli.terminal import err, out, plain
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.care import ToForget
    from appwitness.events import Run, Value


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


@dataclass(frozen=True)
class _Which:
    """Which recordings, and what of them."""

    recording: tuple[Path, ...]
    older_than: timedelta | None
    campaign: str | None
    values: tuple[Value, ...]
    only: tuple[str, ...]
    by_retention: bool
    place: str | None
    failed: list[Path] = field(default_factory=list)
    """Those among all recordings that could not be forgotten."""

    def failing(self, path: Path, error: UserError) -> None:
        """Tell why a recording stays, and go on with the others. Raises the error where it was named itself."""
        if self.recording:
            raise error
        self.failed.append(path)
        err.print(f"[bold]{plain(str(path))} stays:[/] {plain(error.what)}")

    def paths(self) -> Iterator[tuple[Path, Collection[str]]]:
        """Where they are, each with the kinds of lines that are to be forgotten; none: all."""
        if self.by_retention:
            if self.recording or self.values or self.older_than or self.only or self.campaign or self.place:
                raise UserError("--by-retention says itself what is forgotten.", "Leave the other options out.")
            return self._by_retention()
        if not (self.recording or self.older_than or self.values or self.campaign):
            raise UserError(
                "Nothing says what is to be forgotten.", "Name a RECORDING, --older-than, --campaign or --value."
            )
        if self.values and self.only:
            raise UserError("A value is looked for in all kinds of lines.", "Leave out --only, or --value.")
        return ((path, self.only) for path, run in self._named() if self._is_meant(run))

    def plans(self) -> Iterator[ToForget]:
        """What is to be forgotten of each; of those that are named, nothing too: the index may still have it."""
        from appwitness.care import to_forget
        from appwitness.recording import Recording

        key = signer()
        self.failed.clear()
        for path, kinds in self.paths():
            try:
                plan = to_forget(Recording.open(path, signer=key), self.values, kinds)
            except UserError as error:
                self.failing(path, error)
                continue
            if plan or self.recording:
                yield plan

    def _named(self) -> Iterator[tuple[Path, Run]]:
        """The recordings that are named, else all in the folder of recordings, or in a bucket: each is here while it is
        looked at."""
        from appwitness.fleet.objects import is_bucket, objects
        from appwitness.recording import Recording

        if self.recording:
            for path in self.recording:
                yield path, Recording.open(path).run
            return
        if self.place and is_bucket(self.place):
            kept = objects(self.place)
            for name in kept.complete_ones():
                with kept.fetched(name) as path:
                    yield path, Recording.open(path).run
            return
        place = Path(self.place) if self.place else recordings()
        for path in sorted(place.iterdir() if place.is_dir() else ()):
            if not path.is_symlink() and ((path / "run.json").exists() or path.suffix == ".zip"):
                try:
                    opened = Recording.open(path)
                except UserError as error:
                    self.failing(path, error)
                    continue
                if not (opened.archive and opened.archive.is_bundle):
                    yield path, opened.run

    def _is_meant(self, run: Run) -> bool:
        return (self.campaign is None or run.campaign == self.campaign) and _is_older(run, self.older_than)

    def _by_retention(self) -> Iterator[tuple[Path, Collection[str]]]:
        ages, folder = retention(recordings())
        whole = ages.pop("recordings", timedelta.max)
        for path, run in self._named():
            if not path.resolve().is_relative_to(folder):
                continue  # a file of settings rules over what is in its folder
            if _is_older(run, whole):
                yield path, ()
            elif kinds := [KINDS[name] for name, each in ages.items() if _is_older(run, each)]:
                yield path, kinds


def _is_older(run: Run, than: timedelta | None) -> bool:
    return than is None or datetime.now(UTC) - (run.ended or run.started) > than


def _values(_context: click.Context, _option: click.Parameter, words: tuple[str, ...]) -> Any:
    from appwitness.exchange import persona

    given = [line for word in words for line in (sys.stdin.read().splitlines() if word == "-" else [word]) if line]
    return persona(given) if given else ()


@main.command()
@gathered(
    "which",
    _Which,
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
def forget(which: _Which, reason: str | None, dry_run: bool, yes: bool, db: str | None) -> None:
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
    ids, lines = set(), 0
    whole = which.campaign if not (which.values or which.only or which.older_than) else None
    try:
        for plan in which.plans():
            if yes:
                _say(plan)
            ids.add(plan.given.run.id)
            if plan:
                plan.forget(reason)
                _put_back(plan)
            lines += plan.count
    finally:
        if ids or whole:
            _forget_in_index(ids, whole, db)
    out.print(f"forgotten: {lines:,} lines")
    if which.failed:
        raise UserError(f"{len(which.failed):,} recordings could not be forgotten.", "See above which, and why.")


def _asked(which: _Which, dry_run: bool) -> bool:
    """Say what would go; whether it is to go."""
    told = 0
    for plan in which.plans():  # one at a time: an archive is unpacked as long as its plan is there
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
    for ref in plan.unsearched[:10]:
        err.print(f"[dim]{plain(ref)} could not be looked through to its end, and stays[/]")
    if len(plan.unsearched) > 10:
        err.print(f"[dim]... and {len(plan.unsearched) - 10:,} more[/]")


def _put_back(plan: ToForget) -> None:
    """Into the bucket that it was fetched from. Raises StoreError when that cannot be reached: nothing is forgotten."""
    from appwitness.fleet.objects import objects
    from appwitness.recording.archive import Fetched

    if plan.given.archive and isinstance(plan.given.archive.file, Fetched):
        place, _, name = plan.given.place.rpartition("/")
        objects(place).put(name, plan.given.archive.file)


def _forget_in_index(ids: Collection[str], campaign: str | None, db: str | None) -> None:
    """The rows of these recordings and of a campaign, where there is an index; it is not made for that."""
    from appwitness.store import Store

    place = database(db)
    if isinstance(place, Path) and not place.is_file():
        return
    with Store(place) as store:
        if campaign and campaign in store.campaigns():
            store.forget_campaign(campaign)
        store.forget(ids)


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
    from appwitness.care import shared

    made = shared(recording, output, signer())
    out.print(plain(f"{output}: {made.values:,} values replaced, {len(made.left_out):,} bodies or pictures left out"))
    for ref in made.left_out[:10]:
        err.print(f"[dim]{plain(ref)}: its body is left out[/]")
    if len(made.left_out) > 10:
        err.print("[dim]... and more: the gaps of the copy name all of them[/]")

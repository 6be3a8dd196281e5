"""The verbs that preserve recordings as evidence, and those that remove data from them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup

from appwitness.api import archiving, erasing, exchanging, verifying
from appwitness.api.erasing import Forgetting, Retention
from appwitness.api.home import key_file, recordings
from appwitness.cli import completion
from appwitness.cli.as_json import document, json_option
from appwitness.cli.local_words import tr
from appwitness.cli.settings import AGE, KINDS, age, retention
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import (
    NEW_FILE,
    RecordingPath,
    Verb,
    VerbJudging,
    checking_options,
    db_option,
    format_option,
    gathered,
    main,
    output_option,
    recording_argument,
    trust_options,
    tsa_option,
)
from appwitness.support import private_files
from appwitness.support.errors import DamagedRecording, UserError
from appwitness.support.spoken import Spoken, listed

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.erasing import ToForget
    from appwitness.api.verifying import Forgotten, Stamp, Token

VERDICTS = {
    "intact": ("bold green", Spoken("intact")),
    "intact_up_to": ("bold yellow", Spoken("intact up to the last stamp")),
    "altered": ("bold red", Spoken("damaged")),
    "never_stamped": ("bold red", Spoken("never stamped")),
}
"""appwitness.recording.Outcome -> how `verify` prints it: style and words."""


@main.command()
@recording_argument
@trust_options
@format_option
def verify(recording: Path, trust: verifying.TrustedSigners, format_: str) -> None:
    """Check the stamps of a recording and name what differs.

    It computes every digest again, and names the first line of each file, and each body, that differs from what was
    stamped. While a run is in progress, it counts the lines that no stamp covers yet. After the end of a run only marks
    may be added; they are counted separately, with the time of their stamps.

    With --key or --trust, one of these keys must have signed every stamp (`appwitness key export` writes the files),
    and one stamp must say that the run had ended. With --tsa-cert, one of these authorities must have dated the first
    stamp and one that ends the run. No network is needed.

    Archives are checked without unpacking them, encrypted ones too. In a bundle, every file has to match its list.
    """
    from appwitness.events import format_time

    trusted = trust.keys or {}
    result = verifying.verified(recording, trust)
    if format_ == "json":
        told = _fields(result, "ok outcome stamps sealed unsealed good signed keys nonce") | {
            "tokens": [_fields(token, "file stamp at by trusted") for token in result.tokens],
            "forgotten": [
                {"stamp": line, "at": stamp.at, **what.model_dump(mode="json")}
                for line, stamp, what in result.forgotten
            ],
            "late": _fields(result.late, "lines first_at last_at"),
            "problems": [_fields(problem, "file line what") for problem in result.problems],
        }
        click.echo(json.dumps(told, indent=1, default=format_time))
        sys.exit(0 if result.ok else DamagedRecording.exit_code)
    for problem in result.problems:
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        out.print(f"[bold red]{plain(place)}[/] {plain(tr(problem.what))}")
    for remark in result.remarks:
        place = f"{remark.file}:{remark.line}" if remark.line else remark.file
        out.print(f"[dim]{plain(place)} {plain(tr(remark.what))}[/]")
    lines = sum(result.sealed.values())
    late = sum(result.unsealed.values())
    style, verdict = VERDICTS[result.outcome]
    not_covered = Spoken("; {late} lines after the last stamp are not covered", late=late) if late else ""
    under = tr("{lines} lines under {stamps} stamps{more}", lines=lines, stamps=result.stamps, more=not_covered)
    out.print(f"[{style}]{tr(verdict)}[/]{tr(': ')}{under}")
    if marks := sum(result.late.lines.values()):
        first, last = (format_time(at) for at in (result.late.first_at, result.late.last_at) if at)
        when = first if first == last else Spoken("{first} to {last}", first=first, last=last)
        out.print(
            tr(
                "{marks} of the lines were added after the run had ended, and stamped then: {when}",
                marks=marks,
                when=when,
            )
        )
    for each in result.forgotten:
        out.print(_forgotten(*each))
    out.print(_signed(result.signed, result.stamps, result.keys, trusted))
    for token in result.tokens:
        out.print(_timed(token))
    if not result.tokens:
        out.print(tr("no time-stamp token: the time rests only on the clock of the machine that made the recording"))
    sys.exit(0 if result.ok else DamagedRecording.exit_code)


def _fields(record: object, names: str) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names.split()}


def _forgotten(line: int, stamp: Stamp, what: Forgotten) -> str:
    from appwitness.events import format_time

    gone = [Spoken("{count:,} of {name}", count=count, name=name) for name, count in what.lines.items() if count]
    gone += [Spoken("{count:,} bodies", count=what.bodies)] * bool(what.bodies)
    gone += [Spoken("parts of run.json")] * bool(stamp.run.next)
    why = Spoken(" ({name})", name=what.reason) if what.reason else ""
    return plain(
        tr(
            "seal.jsonl:{line} forgotten on purpose at {at}: {gone}{why}",
            line=line,
            at=format_time(stamp.at),
            gone=listed(gone),
            why=why,
        )
    )


def _signed(signed: int, stamps: int, keys: Sequence[str], trusted: Mapping[str, str]) -> str:
    if not signed:
        return tr("not signed: anyone who has the folder could have stamped it again")
    named = ", ".join(f"{key} {trusted.get(key, '')}".rstrip() for key in keys)
    known = "" if trusted else Spoken("; give the operator's key with --key to check that the signatures are theirs")
    return plain(
        tr(
            "{signed} of {stamps} stamps are signed, by {named}{known}",
            signed=signed,
            stamps=stamps,
            named=named,
            known=known,
        )
    )


def _timed(token: Token) -> str:
    from appwitness.events import format_time

    at = format_time(token.at) if token.at else ""
    how = (
        ""
        if token.trusted
        else Spoken("; not checked against a trusted authority: give its certificate with --tsa-cert")
    )
    return plain(
        tr(
            "{file}: seal.jsonl:{stamp} existed at {at}, says {by}{how}",
            file=token.file,
            stamp=token.stamp,
            at=at,
            by=token.by,
            how=how,
        )
    )


@main.command()
@recording_argument
@tsa_option(required=True)
@json_option
def timestamp(recording: Path, tsa: tuple[str, ...], as_json: bool) -> None:
    """Have time-stamp authorities date a recording.

    Use it after a run without a network, an import, or marks. Each authority is asked for a token over the first and
    the last stamp, unless it has given one already. The token has the current time, and `verify` says how much later
    than the stamp that is. Nothing but a SHA-256 is sent.
    """
    nothing = tr("nothing to do: the first and the last stamp have tokens")
    names = verifying.timestamp(recording, tsa)
    if as_json:
        document({"written": names})
        return
    for name in names or [nothing]:
        err.print(tr("written: {path}", path=plain(name)))


@main.group()
def key() -> None:
    """Make and show the key that signs your recordings.

    Once you have a key, `observe`, `import` and `mark` sign each stamp with it. Anyone who has its public part can
    verify that nothing was changed since: appwitness verify RECORDING --key FILE.
    """


@key.command()
@click.option("--agent", metavar="NAME", help="Use this Ed25519 key from your ssh agent instead of making one.")
@json_option
def new(agent: str | None, as_json: bool) -> None:
    """Make a key, or use one from your ssh agent. A hardware token's key works too, unless it asks for a touch."""
    fingerprint = verifying.new_key(agent)
    if as_json:
        document({"fingerprint": fingerprint, "file": key_file()})
        return
    err.print(tr("written: {path}", path=plain(str(key_file()))))
    out.print(fingerprint)


@key.command()
@json_option
def show(as_json: bool) -> None:
    """Print the fingerprint of your key, as reports name it, and its file."""
    if as_json:
        document({"fingerprint": verifying.own_fingerprint(), "file": key_file()})
        return
    out.print(f"{verifying.own_fingerprint()}  {plain(str(key_file()))}")


@key.command("export")
@click.option("--name", default="", help="Whose key it is; ends the line.")
@output_option
@json_option
def export_key(name: str, output: Path | None, as_json: bool) -> None:
    """Print the public part of your key, to give to others. It is one line in the format of OpenSSH."""
    row = verifying.public_line(name)
    if output is not None:
        private_files.write(output, f"{row}\n", mode=0o644)
    if as_json:
        document({"public_key": row, "file": output})
    elif output is None:
        click.echo(row)
    else:
        err.print(tr("written: {path}", path=plain(str(output))))


@main.command()
@recording_argument
@cloup.option_group(
    "Options",
    click.option("--output", type=NEW_FILE, required=True, help="The new file, X.zip."),
    click.option(
        "--format",
        "format_",
        type=click.Choice(["plain", "bagit"]),
        default="plain",
        show_default=True,
        help="bagit: a bag (RFC 8493), with a description in CASE/UCO (JSON-LD).",
    ),
    click.option("--reveal", is_flag=True, help="Show personal values in the report and the letters unmasked."),
    json_option,
)
@checking_options
def bundle(recording: Path, output: Path, reveal: bool, judging: VerbJudging, **said: Any) -> None:
    """Pack a recording for a third party, with a program to verify it.

    The ZIP holds the recording, its report as HTML, drafts of letters to authorities, your public key, versions and
    digests of the tools, digests of all files, instructions, and verify.py, which checks everything and needs only
    Python and its package cryptography. Personal values are masked in the report and the letters, unless you give
    --reveal; in the recording they are not.

    With --format bagit, all of that is the payload of a bag that validators of BagIt open, and case.jsonld describes
    files, app, device, tools and operator for tools that read CASE.
    """
    exchanging.bundle(recording, output, judging, reveal=reveal, bag=said["format_"] == "bagit")
    if said["as_json"]:
        document({"file": output, "bytes": output.stat().st_size})
        return
    err.print(tr("written: {output}; it contains personal data", output=plain(str(output))))


def _recipients(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if given:
        archiving.see_that_all_are_recipients(given)
    return given


def encrypt_option(says: str) -> Callable[[Verb], Verb]:
    """The option that says who can decrypt an archive; the verb gets it as `encrypt_to`."""
    return click.option(
        "--encrypt-to",
        multiple=True,
        metavar="RECIPIENT",
        callback=_recipients,
        help=f"{says}. RECIPIENT is age1..., or the line of an SSH public key. Repeatable.",
    )


@main.command()
@recording_argument
@click.option("--output", type=NEW_FILE, help="The new file. [default: RECORDING.zip or .zip.age]")
@encrypt_option("Encrypt the file with age for RECIPIENT")
@click.option("--remove", is_flag=True, help="Remove RECORDING once the file is on disk.")
@json_option
def pack(recording: Path, output: Path | None, encrypt_to: tuple[str, ...], remove: bool, as_json: bool) -> None:
    """Pack a recording into one file, which every verb reads like the folder.

    The file is an uncompressed ZIP, and unpacking it gives the folder again. It is encrypted if you name who may read
    it. Nothing can be added to it. From an encrypted archive, this verb makes a plain one, or one for other readers.
    """
    output = packed(recording, output, encrypt_to, remove=remove)
    if as_json:
        document({"file": output, "bytes": output.stat().st_size})
        return
    out.print(plain(tr("{output}: {st_size:,} bytes", output=output, st_size=output.stat().st_size)))


def encrypted_name(recording: Path) -> Path:
    """The file that a folder is encrypted to."""
    return recording.parent / f"{recording.name}.zip.age"


def packed(recording: Path, output: Path | None, encrypt_to: tuple[str, ...], *, remove: bool) -> Path:
    """Make the file, and report what in the recording could not be removed. Raises UserError if it cannot be made."""
    made = archiving.pack(recording, output, encrypt_to, remove=remove)
    if made.left:
        left = plain(", ".join(made.left))
        err.print(
            tr(
                "[bold]Left in {recording}[/], because it does not belong to the recording: {left}",
                recording=plain(str(recording.resolve())),
                left=left,
            )
        )
    return made.file


def _age(_context: click.Context, _option: click.Parameter, text: str | None) -> timedelta | None:
    if text is None:
        return None
    if (found := age(text)) is None:
        raise UserError(Spoken("--older-than {text!r} is not an age.", text=text), Spoken("Write {age}.", age=AGE))
    return found


def _kinds(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in (text or "").split(",")) if text is not None else ()
    for name in names:
        if name not in KINDS:
            raise UserError(
                Spoken("--only {name!r} is not a kind of line.", name=name),
                Spoken("Choose from {kinds}.", kinds=", ".join(KINDS)),
            )
    return tuple(KINDS[name] for name in names)


def _forgetting(*, recording: tuple[Path, ...], only: tuple[str, ...], by_retention: bool, **others: Any) -> Forgetting:
    if not by_retention:
        return Forgetting(recording, kinds=only, **others)
    if recording or only or any(others.values()):
        raise UserError("--by-retention already says what is forgotten.", "Leave the other options out.")
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
    click.option(
        "--older-than", metavar="AGE", callback=_age, help=f"Only recordings that ended longer ago than this: {AGE}."
    ),
    click.option(
        "--campaign",
        metavar="NAME",
        help="Only recordings of this campaign, and everything that the index has about it.",
    ),
    click.option(
        "--value",
        "values",
        multiple=True,
        metavar="TYPE=VALUE",
        callback=_values,
        shell_complete=completion.typed_values,
        help="Only lines and bodies that hold this value in any form: phone_number=+8613800138000. - reads such lines "
        "from standard input. Repeatable.",
    ),
    click.option(
        "--only",
        metavar="KINDS",
        callback=_kinds,
        help=f"Only these kinds of lines, separated by commas: {', '.join(KINDS)}.",
    ),
    click.option(
        "--by-retention", is_flag=True, help="Forget what is older than [retention] in appwitness.toml allows."
    ),
    click.option(
        "--recordings",
        "place",
        metavar="PLACE",
        help="Folder or bucket (s3://bucket/prefix) with the recordings, when no RECORDING is named. "
        "[default: recordings]",
    ),
)
@click.option("--reason", metavar="TEXT", help="Why, for whoever reads the stamps later. Put no personal data here.")
@click.option("--dry-run", is_flag=True, help="Say what would be forgotten, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@db_option
def forget(which: Forgetting, reason: str | None, dry_run: bool, yes: bool, as_json: bool, db: str | None) -> None:
    """Remove personal data from recordings, which still verify.

    Each line becomes a tombstone that holds only a digest, bodies are removed, run.json keeps only the app and the
    versions, and the index forgets the recording. A new stamp, signed with your key, says when and why, so that
    `verify` can still check everything else.

    Without a RECORDING, it looks at all recordings in ./recordings (or --recordings), packed ones too, and an option
    has to say which of them to forget. An archive is replaced by one that lacks what was forgotten, in a bucket too.
    Bundles are left alone, and so are reports and copies that you have put elsewhere. This cannot be undone.
    """
    if as_json:
        _forgotten_as_json(which, reason, dry_run, yes, db)
        return
    if (dry_run or not yes) and not _asked(which, dry_run):
        return
    failed: list[Path] = []

    def stays(path: Path, error: UserError) -> None:
        failed.append(path)
        _stays(path, error)

    lines = which.forget(reason, db=db, begun=_say if yes else lambda _: None, stays=stays)
    out.print(tr("forgotten: {lines:,} lines", lines=lines))
    if failed:
        raise UserError(
            Spoken("{failed:,} recordings could not be forgotten.", failed=len(failed)), "See above which, and why."
        )


def _forgotten_as_json(which: Forgetting, reason: str | None, dry_run: bool, yes: bool, db: str | None) -> None:
    """The same for a program, which cannot be asked. Raises UserError if some recordings stay as they are."""
    if not (dry_run or yes):
        raise UserError(
            "--json does not ask for confirmation.",
            "Give --dry-run to see what would be forgotten, or --yes to forget it.",
        )
    plans: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []

    def tell(plan: ToForget) -> None:
        from appwitness.events import FILES

        plans.append(
            {
                "recording": plan.given.place,
                "lines": {FILES[kind]: len(numbers) for kind, numbers in plan.lines.items()},
                "bodies": len(plan.bodies),
                "run": bool(plan.run),
                "left_in_run": plan.left,
                "not_searched": plan.unsearched,
                "differs_from_its_stamps": plan.before == "altered" and plan.given.sealed,
            }
        )

    def stays(path: Path, error: UserError) -> None:
        failed.append({"recording": path, "what": error.what, "next_step": error.next_step})

    if dry_run:
        for plan in which.plans(stays):
            tell(plan)
    lines = 0 if dry_run else which.forget(reason, db=db, begun=tell, stays=stays)
    document({"dry_run": dry_run, "forgotten_lines": lines, "recordings": plans, "failed": failed})
    if failed and not dry_run:
        raise UserError(
            Spoken("{failed:,} recordings could not be forgotten.", failed=len(failed)), "`failed` says which, and why."
        )


def _stays(path: Path, error: UserError) -> None:
    err.print(tr("[bold]{path} is left as it is:[/] {what}", path=plain(str(path)), what=plain(tr(error.what))))


def _asked(which: Forgetting, dry_run: bool) -> bool:
    """Print what would be forgotten; returns whether to go ahead."""
    told = 0
    for plan in which.plans(_stays):  # one at a time: an archive stays unpacked as long as its plan exists
        _say(plan)
        told += 1
    if not told:
        out.print(tr("nothing to forget"))
    if dry_run or not (told or which.campaign):
        return False
    return click.confirm(tr("Forget that for good?"), abort=True, err=True)


def _say(plan: ToForget) -> None:
    from appwitness.events import FILES

    parts = [
        Spoken("{count:,} of {name}", count=len(numbers), name=FILES[kind]) for kind, numbers in plan.lines.items()
    ]
    parts += [Spoken("{count:,} of bodies/", count=len(plan.bodies))] * bool(plan.bodies)
    parts += [Spoken("what run.json says about a person")] * bool(plan.run)
    out.print(plain(f"{plan.given.place}{tr(': ')}{tr(listed(parts) or 'nothing is to be forgotten')}"))
    if plan.before == "altered" and plan.given.sealed:
        err.print(
            tr(
                "[bold]{place} does not match its stamps; verify will keep saying so[/]",
                place=plain(plan.given.place),
            )
        )
    for name in plan.left:
        err.print(tr("[bold]run.json: {name} holds the value, and stays as it is[/]", name=plain(name)))
    for ref in plan.unsearched[:10]:
        err.print(tr("[dim]{ref} could not be searched to its end, and stays[/]", ref=plain(ref)))
    if len(plan.unsearched) > 10:
        err.print(tr("[dim]... and {unsearched:,} more[/]", unsearched=len(plan.unsearched) - 10))


@main.command()
@recording_argument
@click.option(
    "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="New folder for the copy."
)
@json_option
def share(recording: Path, output: Path, as_json: bool) -> None:
    """Copy a recording and replace every personal value.

    A token of the same shape replaces each value that was planted or read, the same token everywhere: in lines, URLs
    and headers, and in bodies where that is possible. If our own matcher still finds a value in a body, the body is
    left out, and a gap says so. The copy names the last stamp of the original, and has stamps of its own.
    """
    made = erasing.share(recording, output)
    if as_json:
        document({"recording": output, "values": made.values, "left_out": made.left_out})
        return
    out.print(
        plain(
            tr(
                "{output}: {values:,} values replaced, {left_out:,} bodies or pictures left out",
                output=output,
                values=made.values,
                left_out=len(made.left_out),
            )
        )
    )
    for ref in made.left_out[:10]:
        err.print(tr("[dim]{ref}: its body is left out[/]", ref=plain(ref)))
    if len(made.left_out) > 10:
        err.print(tr("[dim]... and more: the gaps of the copy name all of them[/]"))

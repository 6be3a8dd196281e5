"""The verb `mark`, with which an operator records what the user was asked and decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from appwitness import events
from appwitness.api.recording_names import meant
from appwitness.cli import completion
from appwitness.cli.as_json import document, json_option
from appwitness.cli.local_words import tr
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import ANY_PATH, gathered, main
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.marking import ConsentLine, Mark, MarkDetails

CONSENTS = events.FILES["consent"]


@main.group()
def mark() -> None:
    """Note in a recording what the user was asked and decided.

    You can do so while the recording is being made, or later. A mark never blocks the run: it appends one line to the
    recording and changes nothing in it. Another mark corrects one that was wrong, and the next report follows it.
    """


def _meant(recording: Path | None) -> Path:
    return recording or meant("--recording FOLDER")


in_option = click.option(
    "--recording",
    type=ANY_PATH,
    help="The recording. [default: the run in progress in ./recordings, else the newest one]",
)


class _Moment(click.ParamType[datetime]):
    """A time as a person writes it."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        from appwitness.api.marking import moment
        from appwitness.support.errors import UserError

        try:
            return value if isinstance(value, datetime) else moment(value)
        except UserError as error:
            self.fail(tr(error.message), param, ctx)


at_option = click.option(
    "--at",
    type=_Moment(),
    help="When it was: 2026-03-14T09:00:07Z, 2026-03-14T10:00:07+01:00, or without a zone in local time. "
    "[default: now]",
)


def _said(**fields: Any) -> MarkDetails:
    from appwitness.api.marking import MarkDetails

    return MarkDetails(**fields)


@mark.command("consent")
@click.argument("status", type=click.Choice(get_args(events.ConsentState)))
@in_option
@click.option(
    "--corrects",
    metavar="LINE",
    help=f"The line of {CONSENTS} that this one replaces, such as {CONSENTS}:3. Time, scope and data stay as in that "
    "line, unless you give others.",
)
@gathered(
    "said",
    _said,
    click.option(
        "--scope", type=click.Choice(get_args(events.Scope)), help="What was asked for. [default: general_policy]"
    ),
    click.option(
        "--data",
        multiple=True,
        metavar="TYPE",
        shell_complete=completion.data_types,
        help="Data type that it covers, or all. Repeatable. [default: all]",
    ),
    click.option("--text", help="The label that the user touched."),
    click.option("--note", help="Remark to keep with it."),
    at_option,
)
@json_option
def mark_consent(
    status: events.ConsentState, recording: Path | None, corrects: str | None, as_json: bool, said: MarkDetails
) -> None:
    """Note what the user was asked or decided.

    If the user refused everything but the basic function, note `refused` with the label that says so: --text "Browse
    only".
    """
    from appwitness.api import marking

    path = _meant(recording)
    made = marking.mark_answer(path, status, said, corrects or "")
    if as_json:
        _document(path, made)
        return
    _say(
        path,
        made,
        Spoken("{status}, in place of {before}", status=status, before=_before(made)) if made.before else status,
    )
    if why := marking.outside_of(path, made.line.at):
        err.print(
            plain(tr("{why} Was it another time? Correct it: --corrects {ref} --at TIME.", why=why, ref=made.ref))
        )
    if made.counts_as:
        clear = Spoken("yes") if status == "given" else Spoken("no")
        err.print(
            plain(
                tr(
                    "{text!r} is not a clear {clear}: this counts as {counts_as}.",
                    text=said.text,
                    clear=clear,
                    counts_as=made.counts_as,
                )
            )
        )


@mark.command("retract")
@click.argument("line")
@in_option
@click.option("--note", help="Why: a remark to keep with it.")
@json_option
def mark_retract(line: str, recording: Path | None, note: str | None, as_json: bool) -> None:
    """Retract a LINE that is wrong, such as consents.jsonl:3.

    Neither the line nor what it said about other lines counts any more. Retract the retraction, and it counts again.
    """
    from appwitness.api import marking

    path = _meant(recording)
    made = marking.mark_retracted(path, line, note)
    if as_json:
        _document(path, made)
        return
    _say(path, made, Spoken("retracted {before}", before=_before(made)) if made.before else Spoken("retracted"))


@mark.command("list")
@in_option
@json_option
def mark_list(recording: Path | None, as_json: bool) -> None:
    """List the consent lines, to see which one is wrong.

    For each line you see its name, its time on the host's clock, and what it says; also whether an operator has since
    replaced or retracted it, and whether it is a claim of the app, which gives no consent.
    """
    from appwitness.api.marking import consent_lines

    lines = consent_lines(_meant(recording), masked=True)
    if as_json:
        document({"consents": [_row(each) for each in lines]})
        return
    for each in lines:
        out.print(
            plain(f"{events.format_time(each.at)}  {_told(each.ref, each.line)}: {', '.join(map(tr, _remarks(each)))}")
        )


def _remarks(each: ConsentLine) -> Iterator[str]:
    yield each.scope
    yield from each.line.data or ()
    if each.missing:
        yield Spoken("refers to {missing}, but no such line precedes it", missing=each.missing)
    elif each.line.corrects:
        yield Spoken("in place of {line}", line=each.line.corrects)
    if each.line.retracts:
        yield Spoken("retracts {line}", line=each.line.retracts)
    elif each.replaced_by:
        yield Spoken("no longer counts: {lines}", lines=", ".join(each.replaced_by))
    elif each.is_echo:
        yield Spoken("seen from outside, and reported by the hooks too; counts once")
    elif each.is_foreign:
        yield Spoken("of another app: {app}", app=each.line.app)
    elif not each.counts:
        yield Spoken("by an act that was seen") if each.line.status == "gone" else Spoken("a claim")
    elif each.why:
        yield Spoken("counts as {says}: {why}", says=each.says, why=each.why)


@mark.command("note")
@click.argument("text")
@in_option
@at_option
@json_option
def mark_note(text: str, recording: Path | None, at: datetime | None, as_json: bool) -> None:
    """Add a remark of any kind to the timeline."""
    from appwitness.api.marking import mark_note as noted

    path = _meant(recording)
    line = noted(path, text, at)
    if as_json:
        document({"recording": path, "line": line})
    else:
        out.print(f"{path}: {line}")
    _warn(path)


def _document(path: Path, made: Mark) -> None:
    """A mark as JSON; warnings go to stderr, as they do without --json."""
    from appwitness.api.marking import outside_of

    document(
        {
            "recording": path,
            "line": made.ref,
            "status": made.line.status,
            "scope": made.line.scope,
            "by": made.line.by,
            "at": made.line.at,
            "instead_of": made.before[0] if made.before else None,
            "counts_as": made.counts_as or made.line.status,
            "outside_of_the_run": outside_of(path, made.line.at),
        }
    )
    _warn(path)


def _row(each: ConsentLine) -> dict[str, Any]:
    line = each.line
    return {
        "line": each.ref, "at": each.at, "signal": line.signal, "status": line.status, "by": line.by,
        "scope": each.scope, "data": line.data, "text": line.text, "counts": each.counts, "counts_as": each.says,
        "replaced_by": each.replaced_by, "remarks": list(_remarks(each)),
    }  # fmt: skip


@mark.command("check")
@click.argument("item", metavar="[LIST:]ITEM")
@click.argument("answer", type=click.Choice(["pass", "fail"]))
@in_option
@click.option("--note", help="What you saw.")
@click.option("--by", "who", metavar="NAME", help="Who looked at it. [default: login name]")
@at_option
@json_option
def mark_check(item: str, answer: str, recording: Path | None, as_json: bool, **said: Any) -> None:
    """Answer an item of a checklist by hand, such as cn-164:1.4.3; or 1.4.3, where only one of our lists has it.

    `appwitness report --checklist` shows the answer, who gave it and when. Another answer to the same item replaces it;
    the list shows both.
    """
    from appwitness.api.marking import mark_item

    path = _meant(recording)
    line = mark_item(path, item, answer, **said)
    if as_json:
        document({"recording": path, "line": line, "item": item, "answer": answer})
    else:
        out.print(plain(f"{path}: {line}: {item} {answer}"))
    _warn(path)


def _before(made: Mark) -> str:
    from appwitness.findings.mask import Mask

    assert made.before
    ref, line = made.before
    return _told(ref, Mask(()).event(line))


def _told(ref: events.Ref, consent: events.Consent) -> str:
    text = f" {consent.text!r}" if consent.text else ""
    return f"{ref} ({consent.status}, {consent.signal} by {consent.by}{text})"


def _say(path: Path, made: Mark, what: str) -> None:
    out.print(plain(f"{path}: {made.ref}: {tr(what)}"))
    _warn(path)


def _warn(path: Path) -> None:
    from appwitness.api.marking import unsigned

    if why := unsigned(path):
        err.alarm(tr("[bold]Warning:[/] {why}", why=plain(why)))

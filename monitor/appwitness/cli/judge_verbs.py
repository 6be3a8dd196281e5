"""The verbs that judge a recording and show what came out: correlate, report, verify, web."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appwitness.api import verifying
from appwitness.api.home import home, setting, signer
from appwitness.api.recording_names import meant
from appwitness.cli.terminal import Teller, err, out, plain, progress, write
from appwitness.cli.verbs import (
    RecordingPath,
    VerbJudging,
    checking_options,
    interrupts,
    judging_options,
    listen,
    main,
    recording_argument,
    threshold_options,
    trust_options,
    tsa_option,
)
from appwitness.cli.writing import Output, Paired, note_reveal, output_options
from appwitness.support.errors import DamagedRecording, UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import JudgedRecording
    from appwitness.api.verifying import Forgotten, Stamp, Token
    from appwitness.findings import Threshold

FORMATS = ("text", "json", "html", "sarif", "junit", "complaint", "complaint-html")
"""As in appwitness.reports, which is imported late; a test compares the two."""

WORSE = (0, 3, 1)
"""Exit codes of recordings that were judged, the worst last; that of an error is worse."""

VERDICTS = {
    "intact": "[bold green]intact",
    "intact_up_to": "[bold yellow]intact up to the last stamp",
    "altered": "[bold red]damaged",
    "never_stamped": "[bold red]never sealed",
}
"""appwitness.recording.Outcome as `verify` says it."""


jobs_option = click.option(
    "-j", "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Recordings to judge at once."
)


@main.command("correlate")
@click.argument("recording", nargs=-1, required=True, type=RecordingPath())
@click.option("--follow", "following", is_flag=True, help="Keep correlating while the recording is being made.")
@jobs_option
@judging_options
def correlate_(recording: tuple[Path, ...], following: bool, jobs: int, judging: VerbJudging) -> None:
    """Read recordings into the index and judge them.

    Prints the report of a recording; of several, a line for each. What goes wrong with one stops no other.

    Asking again changes nothing; the index can be deleted and rebuilt at any time. What is encrypted is read into
    memory alone, unless --db names an index: there its values are in plain.
    """
    if len(recording) > 1 and not following:
        codes = {0}
        for one in in_turn(recording, judging.many(recording, jobs)):
            if isinstance(one.error, UserError):
                codes.add(one.error.exit_code)
            elif one.error is None:
                codes.add(1 if one.levels else 3 if one.gaps and judging.strict else 0)
                out.print(plain(f"{one.path}: {_counted(one)}"), soft_wrap=True)
        sys.exit(max(codes, key=lambda code: WORSE.index(code) if code in WORSE else len(WORSE) + code))
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
    """What came of judging each of these recordings, in this order. Prints errors; at the end it raises a fault of
    ours."""
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
                    err.alarm(f"[bold red]error:[/] {plain(_of(one.path, str(one.error)))}")
                elif one.error:
                    err.alarm(f"[bold red]internal error:[/] {plain(_of(one.path, type(one.error).__name__))}")
                    faults.append(one.error)
                yield one
    if faults:
        raise faults[0]


def _of(path: Path | str, text: str) -> str:
    return text if str(path) in text else f"{path}: {text}"


def _counted(judged: JudgedRecording) -> str:
    from appwitness.findings import LEVELS

    findings = sum(judged.levels.values())
    of = ", ".join(f"{judged.levels[level]} {level}" for level in LEVELS if judged.levels[level])
    what = f"{findings} finding{'s' * (findings != 1)} ({of})" if findings else "no findings"
    return what + (f", {judged.gaps} gap{'s' * (judged.gaps != 1)}" if judged.gaps else "")


@main.command("report", cls=Paired)
@click.argument("recording", required=False, type=RecordingPath())
@output_options(
    FORMATS,
    click.option(
        "--template",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="For a complaint: your own Jinja2 template in Markdown, instead of ours.",
    ),
    click.option("-v", "--verbose", is_flag=True, help="As text: each finding, gap and declaration in full."),
    lang="en; of a complaint under --law cn: zh",
)
@threshold_options
@checking_options
def report_(recording: Path | None, as_: Output, threshold: Threshold, judging: VerbJudging) -> None:
    """Say what was found in a recording, in any of seven formats.

    For a terminal (text), a program (json), a court (html), a code host (sarif), a build server (junit), or an
    authority: a letter with the facts, their evidence and blanks for the complainant, as Markdown (complaint) or as
    a page to print (complaint-html), under the law of China (--law cn) or of the European Union (--law eu).

    Correlates the recording first when the index is not up to date with it. Without a RECORDING it is that of the run
    that is going on, else the newest in ./recordings.
    """
    from appwitness.reports import LETTERS, render

    report = judging.report(recording or meant("appwitness report RECORDING"))
    if as_.reveal:
        note_reveal("report", [report.recording], as_.outputs)
    letters = [name for name, _ in as_.outputs if name in LETTERS]
    for name, file in as_.outputs:
        lang = as_.lang or (judging.letters_lang if name in letters else "en")
        template = as_.template if name in letters or not letters else None
        write(render(report, name, reveal=as_.reveal, lang=lang, template=template, verbose=as_.verbose), file)
    sys.exit(judging.exit_code(report, threshold=threshold))


@main.command()
@recording_argument
@trust_options
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to write."
)
def verify(recording: Path, trust: verifying.TrustedSigners, format_: str) -> None:
    """Check the stamps of a recording and name what differs.

    Recomputes every digest; names the first line of each file, and each body, that is not what was stamped. Lines that
    no stamp covers yet are counted while a run goes on; once it has ended, only marks may come, and they are counted
    apart, with the time of their stamps.

    With --key or --trust, as `appwitness key export` writes them, every stamp has to be signed by such a key, and one
    of them has to say that the run had ended. With --tsa-cert, an authority outside has to have signed its time over
    the first stamp and over one that ends the run; no network is needed.

    Archives are checked as they are, encrypted ones too. Of a bundle, each of its files has to be what it lists.
    """
    from appwitness.events import format_time

    trusted = trust.keys or {}
    result = verifying.verified(recording, trust)
    if format_ == "json":
        click.echo(
            json.dumps(
                {
                    "ok": result.ok,
                    "outcome": result.outcome,
                    "stamps": result.stamps,
                    "sealed": result.sealed,
                    "unsealed": result.unsealed,
                    "good": result.good,
                    "signed": result.signed,
                    "keys": result.keys,
                    "nonce": result.nonce,
                    "tokens": [
                        {
                            "file": token.file,
                            "stamp": token.stamp,
                            "at": format_time(token.at) if token.at else None,
                            "by": token.by,
                            "trusted": token.trusted,
                        }
                        for token in result.tokens
                    ],
                    "forgotten": [
                        {"stamp": line, "at": format_time(stamp.at), **what.model_dump(mode="json")}
                        for line, stamp, what in result.forgotten
                    ],
                    "late": {
                        "lines": result.late.lines,
                        "first_at": format_time(result.late.first_at) if result.late.first_at else None,
                        "last_at": format_time(result.late.last_at) if result.late.last_at else None,
                    },
                    "problems": [
                        {"file": problem.file, "line": problem.line, "what": problem.what}
                        for problem in result.problems
                    ],
                },
                indent=1,
            )
        )
        sys.exit(0 if result.ok else DamagedRecording.exit_code)
    for problem in result.problems:
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        out.print(f"[bold red]{plain(place)}[/] {plain(problem.what)}")
    for remark in result.remarks:
        place = f"{remark.file}:{remark.line}" if remark.line else remark.file
        out.print(f"[dim]{plain(place)} {plain(remark.what)}[/]")
    lines = sum(result.sealed.values())
    late = sum(result.unsealed.values())
    out.print(
        f"{VERDICTS[result.outcome]}[/]: {lines} lines under {result.stamps} stamps"
        + (f"; {late} lines after the last stamp are not covered" if late else "")
    )
    if marks := sum(result.late.lines.values()):
        first, last = (format_time(at) for at in (result.late.first_at, result.late.last_at) if at)
        when = first if first == last else f"{first} to {last}"
        out.print(f"{marks} of the lines were added after the run had ended, and stamped then: {when}")
    for each in result.forgotten:
        out.print(_forgotten(*each))
    out.print(_signed(result.signed, result.stamps, result.keys, trusted))
    for token in result.tokens:
        out.print(_timed(token))
    if not result.tokens:
        out.print("no time-stamp token: only the clock of whoever made it says when")
    sys.exit(0 if result.ok else DamagedRecording.exit_code)


def _forgotten(line: int, stamp: Stamp, what: Forgotten) -> str:
    from appwitness.events import format_time

    gone = [f"{count:,} of {name}" for name, count in what.lines.items() if count]
    gone += [f"{what.bodies:,} bodies"] * bool(what.bodies) + ["parts of run.json"] * bool(stamp.run.next)
    why = f" ({what.reason})" if what.reason else ""
    return plain(f"seal.jsonl:{line} forgotten on purpose at {format_time(stamp.at)}: {', '.join(gone)}{why}")


def _signed(signed: int, stamps: int, keys: Sequence[str], trusted: Mapping[str, str]) -> str:
    if not signed:
        return "not signed: whoever has the folder could have stamped it again"
    named = ", ".join(f"{key} {trusted.get(key, '')}".rstrip() for key in keys)
    known = "" if trusted else "; give the operator's key with --key to see that it is theirs"
    return plain(f"{signed} of {stamps} stamps are signed, by {named}{known}")


def _timed(token: Token) -> str:
    from appwitness.events import format_time

    at = format_time(token.at) if token.at else ""
    how = "" if token.trusted else "; not checked against a trusted authority: give its certificate with --tsa-cert"
    return plain(f"{token.file}: seal.jsonl:{token.stamp} existed at {at}, says {token.by}{how}")


@main.command()
@recording_argument
@tsa_option(required=True)
def timestamp(recording: Path, tsa: tuple[str, ...]) -> None:
    """Ask time-stamp authorities for their time over a recording.

    For a token over its first stamp, and over its last one, where there is none of that authority yet: after a run
    without network, after an import, after marks. The token has the time of now, and `verify` says how much later than
    its stamp that is. Nothing but a SHA-256 is sent.
    """
    nothing = "nothing: there are tokens of the first and the last stamp"
    for name in verifying.timestamp(recording, tsa) or [nothing]:
        err.print(f"written: {plain(name)}")


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    if names:
        from appwitness.web.auth import host_name

        for name in names:
            if not host_name(name):
                raise UserError(f"--allow-host {name!r} is not a name.", "Write it as pages.example or localhost:8080.")
    return names


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8117,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME[:PORT]",
    callback=lambda _context, _option, names: _names(names),
    help="Name under which browsers ask for the pages, beside the address; the first is the one that is printed.",
)
@click.option(
    "--reveal", is_flag=True, help="Let pages show personal values as they are, with ?reveal=1; else they never do."
)
@judging_options
def web(host: str, port: int, names: tuple[str, ...], reveal: bool, judging: VerbJudging) -> None:
    """Show recordings in a browser, also while they are being made.

    Each down to the bytes of an upload, with filters; marks of consent can be made and corrected there. Only whoever
    has the address that is printed gets in: it carries a token. Unless --host says otherwise, on this machine only.
    """
    from appwitness.api.browsing import Browsing
    from appwitness.web.auth import is_loopback
    from appwitness.web.query import Site
    from appwitness.web.server import server

    listening = listen(host, port)
    token = secrets.token_urlsafe(32)
    if not is_loopback(host):
        err.print("[bold]Warning:[/] whoever can watch the network sees the token and the pages: they go unencrypted.")
    here = f"[{host}]" if ":" in host else host
    there = [*names, f"{here}:{listening.getsockname()[1]}"][0]
    out.print(
        plain(f"http://{there}/?token={token}  (Ctrl-C ends it)"),
        soft_wrap=True,
        markup=False,
    )
    with listening, suppress(KeyboardInterrupt):
        revealed = home() if reveal else None
        index = Browsing(judging.store, judging.known, revealed, signer())
        site = Site(index, token, setting("METRICS_TOKEN"))
        server(site, host, names).run(sockets=[listening])

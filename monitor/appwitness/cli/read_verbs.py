"""The verbs that read recordings and show what they hold: report, explain, compare, web, import, export."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup

from appwitness.api import exchanging
from appwitness.api import judging as judged
from appwitness.api.accepting import in_baseline, in_recordings
from appwitness.api.home import home, setting, signer
from appwitness.api.recording_names import meant, opened
from appwitness.cli import completion
from appwitness.cli.as_json import document, json_option
from appwitness.cli.front_page import language
from appwitness.cli.local_words import tr
from appwitness.cli.terminal import err, out, plain, write
from appwitness.cli.verbs import (
    ANY_PATH,
    FILE,
    RecordingPath,
    VerbJudging,
    alias_option,
    case_options,
    checking_options,
    gathered,
    judging_options,
    judging_words,
    lang_option,
    listen,
    main,
    of_case,
    output_option,
    recording_argument,
    reveal_option,
    threshold_options,
)
from appwitness.cli.writing import Output, Paired, note_reveal, output_options, write_as
from appwitness.support import escape
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken, heard, listed

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.exchanging import Origin
    from appwitness.findings import Threshold

FORMATS = ("text", "json", "html", "sarif", "junit", "complaint", "complaint-html")
"""The same as in appwitness.reports, which is imported late; a test compares the two."""
COMPARISON_FORMATS = ("text", "json", "html")
"""The same as in appwitness.reports.comparison, which is imported late; a test compares the two."""


@main.command("report", cls=Paired)
@click.argument("recordings", metavar="[RECORDING]...", nargs=-1, type=RecordingPath())
@click.option(
    "--checklist",
    metavar="NAME|FILE",
    shell_complete=completion.checklists,
    help="Fill a list that testers work through, from several recordings of one app: cn-164, cn-191, eu-audit, "
    "masvs-privacy, or a file of your own.",
)
@output_options(
    FORMATS,
    click.option(
        "--template",
        type=FILE,
        help="For a complaint: your own Jinja2 template in Markdown instead of ours.",
    ),
    click.option("-v", "--verbose", is_flag=True, help="For text: write each finding, gap and declaration in full."),
    lang="that of the locale; of a complaint, zh under --law cn",
)
@threshold_options
@checking_options
def report_(
    recordings: tuple[Path, ...], checklist: str | None, as_: Output, threshold: Threshold, judging: VerbJudging
) -> None:
    """Report what was found in a recording.

    The format suits the reader: a terminal (text), a program (json), a court (html), a code host (sarif), a build
    server (junit), or an authority. Authorities get a letter with the facts, the evidence and blanks for the
    complainant, as Markdown (complaint) or as a page to print (complaint-html), under the law of China (--law cn) or of
    the European Union (--law eu).

    With --checklist, each item of the list is answered by lines of the recordings, or by what was watched and for how
    long; or the list says what was not observed, or what a person has to look at (`appwitness mark check` notes the
    answer). Formats: text, json, html.

    If the index is not up to date, the recording is read into it first. Without a RECORDING, the report is about the
    run in progress, or else about the newest recording in ./recordings.
    """
    from appwitness.reports import LETTERS, render

    paths = recordings or (meant("appwitness report RECORDING"),)
    if checklist is not None:
        sys.exit(checklist_of(checklist, paths, as_, judging))
    if len(paths) > 1:
        raise UserError("A report is about one recording.", "Name one, or a --checklist that several recordings fill.")
    report = judging.report(paths[0])
    if as_.reveal:
        note_reveal("report", [report.recording], as_.outputs)
    letters = [name for name, _ in as_.outputs if name in LETTERS]
    for name, file in as_.outputs:
        lang = as_.lang or (judging.letters_lang if name in letters else language())
        template = as_.template if name in letters or not letters else None
        text = render(report, name, reveal=as_.reveal, lang=lang, template=template, verbose=as_.verbose)
        write_as(name, text, file)
    sys.exit(judging.exit_code(report, threshold=threshold))


def checklist_of(name: str, paths: Sequence[Path], as_: Output, judging: VerbJudging) -> int:
    """Write a checklist, filled from recordings; returns the exit code for it."""
    from appwitness.api import checklists

    which = checklists.checklist(name, judging.known)
    if other := [format_ for format_, _ in as_.outputs if format_ not in checklists.FORMATS]:
        raise UserError(
            Spoken("There is no checklist format {other!r}.", other=other[0]),
            Spoken("Choose {formats}.", formats=", ".join(checklists.FORMATS)),
        )
    filled = checklists.filled(which, paths, judging, reveal=as_.reveal)
    if as_.reveal:
        note_reveal("report", [run.recording for run in filled.runs], as_.outputs)
    for format_, file in as_.outputs:
        write(checklists.render(filled, format_, as_.lang or language()), file)
    if any(item.failed for item in filled.items):
        return 1
    return 3 if judging.strict and any(item.is_open for item in filled.items) else 0


@main.command()
@click.argument("recording", nargs=-1, type=RecordingPath())
@click.argument("which", metavar="FLOW|FINGERPRINT")
@cloup.option_group(
    "Options",
    click.option(
        "--baseline", type=FILE, help="Baseline to look a fingerprint up in. [default: appwitness-baseline.yml]"
    ),
    alias_option,
    click.option("--json", "as_json", is_flag=True, help="Write JSON."),
    lang_option,
    reveal_option,
)
@judging_options
def explain(recording: tuple[Path, ...], which: str, judging: VerbJudging, **options: Any) -> None:
    """Explain why a FLOW of a recording was flagged, or what a FINGERPRINT stands for.

    Reports name flows f1, f2 ... For a flow you see which access returned the value, and why that access among several;
    the form in which the value was found, and where; what speaks for the match and what against it, and how sure it is.
    Without a RECORDING, the flow is looked up in the run in progress, or else in the newest recording in ./recordings.

    For a fingerprint (v2:...) you see the rule, app, data type, recipient and code, and which findings of the
    recordings, or which line of the baseline, have it.
    """
    from appwitness.findings.identity import VERSION
    from appwitness.reports.explain import explain as explained
    from appwitness.reports.explain import told

    aliases, baseline = options.pop("aliases"), options.pop("baseline")
    if which.startswith(f"{VERSION}:"):
        known = list(in_recordings(which, recording, judging, aliases))
        if baseline or not recording:
            known += in_baseline(which, baseline)
        click.echo(told(which, known, lang=options["lang"], as_json=options["as_json"]), nl=False)
        return
    if len(recording) > 1:
        raise UserError("A flow belongs to one recording.", "Name one recording.")
    path = recording[0] if recording else meant("appwitness explain RECORDING FLOW")
    report = judging.report(path)
    if options["reveal"]:
        note_reveal("explain", [report.recording], [(which, None)])
    click.echo(explained(report, which, **options), nl=False)


@main.command(cls=Paired)
@click.argument("recording", nargs=-1, required=True, type=RecordingPath())
@output_options(COMPARISON_FORMATS)
@judging_options
def compare(recording: tuple[Path, ...], as_: Output, judging: VerbJudging) -> None:
    """Compare runs of one app in which the user answered differently.

    For each value you see whether the app reads and sends it whatever the answer, before any answer, even after a no,
    even after withdrawal, or only after a yes. Runs with different planted values also show which fields of requests
    change along with the values, although no value was found in them; a third run, with the values of one of the two,
    makes that certain.

    Exits with 1 if one of the runs has findings.
    """
    from appwitness.reports.comparison import render

    comparison, reports = judged.compare(recording, judging)
    if as_.reveal:
        note_reveal("compare", [report.recording for report in reports], as_.outputs)
    for name, file in as_.outputs:
        write(render(comparison, name, of=reports, reveal=as_.reveal, lang=as_.lang or language()), file)
    sys.exit(judging.exit_code(*reports))


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    if names:
        from appwitness.web.auth import host_name

        for name in names:
            if not host_name(name):
                raise UserError(
                    Spoken("--allow-host {name!r} is not a host name.", name=name),
                    "Write it as pages.example or localhost:8080.",
                )
    return names


@dataclass(frozen=True)
class PageRights:
    """What pages may do."""

    reveal: bool
    read_only: bool
    allow_actions: bool

    def __post_init__(self) -> None:
        if self.read_only and self.allow_actions:
            raise UserError("--read-only and --allow-actions exclude each other.", "Leave one of them out.")


@main.command()
@cloup.option_group(
    "Options",
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8117,
        show_default=True,
        help="Port to listen on; 0 takes a free one.",
    ),
    click.option(
        "--allow-host",
        "names",
        multiple=True,
        metavar="NAME[:PORT]",
        callback=lambda _context, _option, names: _names(names),
        help="Host name under which browsers may request the pages, besides the address. The first is printed. "
        "Repeatable.",
    ),
)
@gathered(
    "rights",
    PageRights,
    cloup.option_group(
        "What pages may do",
        click.option(
            "--reveal", is_flag=True, help="Let pages show personal values, with ?reveal=1; otherwise they never do."
        ),
        click.option("--read-only", is_flag=True, help="Let pages only show recordings, not start or mark anything."),
        click.option(
            "--allow-actions",
            is_flag=True,
            help="Let pages start runs, take files in and remove recordings even when --host is not this machine.",
        ),
    ),
)
@judging_options
def web(host: str, port: int, names: tuple[str, ...], rights: PageRights, judging: VerbJudging) -> None:
    """Show recordings in a browser, observe apps there, and take in files.

    The pages show each recording down to the bytes of an upload, even while it is being made. You can start and stop
    runs there, open captures of other tools, and mark consent. What was started there ends with the server. The address
    that is printed carries a token, and only someone who has it gets in. Unless --host says otherwise, the pages are
    served to this machine only.
    """
    from appwitness.api.browsing import Browsing
    from appwitness.api.inbox import Inbox
    from appwitness.api.live_runs import LiveRuns
    from appwitness.web.auth import is_loopback
    from appwitness.web.query import Site, Work
    from appwitness.web.server import server

    acts = not rights.read_only and (is_loopback(host) or rights.allow_actions)
    listening = listen(host, port)
    token = secrets.token_urlsafe(32)
    if not is_loopback(host):
        err.print(
            tr(
                "[bold]Warning:[/] whoever can watch the network sees the token and the pages: they are sent "
                "unencrypted."
            )
        )
    here = f"[{host}]" if ":" in host else host
    there = [*names, f"{here}:{listening.getsockname()[1]}"][0]
    out.print(
        plain(tr("http://{there}/?token={token}  (Ctrl-C ends it)", there=there, token=token)),
        soft_wrap=True,
        markup=False,
    )
    runs = LiveRuns(judging_words())
    with listening, suppress(KeyboardInterrupt):
        revealed = home() if rights.reveal else None
        index = Browsing(judging.store, judging.known, revealed, signer())
        site = Site(index, token, setting("METRICS_TOKEN"), Work(runs, Inbox()) if acts else None, not rights.read_only)
        try:
            server(site, host, names).run(sockets=[listening])
        finally:
            index.badges.close()
    if going_on := [run for run in runs.list() if not run.over]:
        err.print(tr("Stopping {going_on} runs; Ctrl-C exits without waiting for them.", going_on=len(going_on)))
        for run in runs.close():
            where = plain(str(run.recording))
            err.print(
                tr(
                    "[bold]Warning:[/] the run on {device} is still ending: {where}.",
                    device=plain(run.request.device),
                    where=where,
                )
            )


def _named(_context: click.Context, _option: click.Parameter, app: str | None) -> str:
    if not app:
        raise UserError(
            "A file does not say which app it comes from.",
            "Name it: appwitness import capture.har --app com.example.shop.",
        )
    return app


@main.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE)
@gathered(
    "origin",
    lambda **given: exchanging.origin(**of_case(given)),
    cloup.option_group(
        "Where the files come from",
        click.option("--app", metavar="PACKAGE", callback=_named, help="The app. [required]"),
        click.option(
            "--value",
            "values",
            multiple=True,
            metavar="TYPE=VALUE",
            shell_complete=completion.typed_values,
            help="A value to look for that was on the device: phone_number=+8613800138000. Repeatable.",
        ),
        click.option(
            "--mapping",
            type=FILE,
            help="How to read another tool's hook log (docs/hook-logs.md). [default: frooky's]",
        ),
        click.option("--keys", type=FILE, help="Key log (SSLKEYLOGFILE) that decrypts the TLS of a packet capture."),
        click.option(
            "--device",
            "kind",
            type=click.Choice(["phone", "emulator", "lab", "unknown"]),
            default="unknown",
            show_default=True,
            help="Kind of device, if you know it.",
        ),
    ),
    cloup.option_group("Recording", *case_options),
)
@cloup.option_group(
    "Files",
    click.option(
        "--format",
        "format_",
        type=click.Choice(["har", "flows", "hooks", "pcap"]),
        help="Format of the files. [default: detected from their content]",
    ),
    click.option("--output", type=ANY_PATH, help="Folder of the new recording."),
    json_option,
)
def import_(files: tuple[Path, ...], origin: Origin, format_: str | None, output: Path | None, as_json: bool) -> None:
    """Turn captures of other tools into a recording, to judge what you already have.

    It reads HAR 1.2 of browsers and proxies, flow files of mitmproxy, packet captures (PCAP, PCAPNG; needs tshark), and
    hook logs in JSON (frooky's; others with --mapping), compressed with gzip or not. Give all files of a run in one
    call: the traffic, and what was read.
    """
    into, counts = exchanging.import_(files, origin, output=output, format=format_)
    if as_json:
        looked_for = bool(counts["access"] or origin.persona)
        document({"recording": into, **counts, "looked_for_values": looked_for, "notes": opened(into).run.notes})
        return
    names = {
        "upload": (Spoken("upload"), Spoken("uploads")),
        "access": (Spoken("read"), Spoken("reads")),
        "gap": (Spoken("gap"), Spoken("gaps")),
    }
    lines = (Spoken("{count:,} {what}", count=n, what=names[kind][n != 1]) for kind, n in counts.items())
    out.print(f"{into}{tr(': ')}{tr(listed(lines))}")
    for note in opened(into).run.notes:
        out.print(plain(heard(note, language())))
    if not counts["access"] and not origin.persona:
        out.print(
            tr("There is nothing to look for: name what was on the device, as in --value phone_number=+8613800138000.")
        )
    out.print(tr("To see what was found:        appwitness report {into}", into=into))
    out.print(tr("If you know what was agreed:  appwitness mark consent given --at TIME --recording {into}", into=into))


@main.command("export")
@recording_argument
@click.option(
    "--format", "format_", type=click.Choice(["har"]), default="har", show_default=True, help="The format to write."
)
@output_option
@click.option("--reveal", is_flag=True, help="Write personal values as they were sent, instead of tokens.")
def export(recording: Path, format_: str, output: Path | None, reveal: bool) -> None:
    """Write the uploads of a recording for other tools, as HAR 1.2 with WebSocket messages.

    A token of the same shape replaces each personal value that was planted or read, as in `share`; a body in which that
    is impossible is left out. With --reveal, URLs, headers and bodies are as they were sent.
    """
    given = opened(recording)
    if reveal:
        note_reveal("export", [given.run.id], [(format_, output)])
    har = exchanging.har(given, reveal=reveal)
    write(escape.json(har.text), output)
    if har.left_out:
        err.print(
            tr(
                "[dim]{left_out:,} bodies are left out because values in them could not be replaced[/]",
                left_out=har.left_out,
            )
        )

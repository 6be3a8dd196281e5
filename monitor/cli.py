"""The command line: one thin function a verb."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal, get_args

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from monitor import events
from monitor.errors import DamagedRecording, UserError
from monitor.findings import Finding, Report

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from monitor.correlate import Knowledge
    from monitor.observe.device import Device
    from monitor.observe.run import Order
    from monitor.recording import Recording

EXIT_CODES = {
    0: "done; no findings",
    1: "done; there are findings",
    2: "wrong usage, or a file or database that cannot be used as it is",
    3: "no findings, but something could not be observed (only with --strict)",
    4: "the device, the proxy or the agent did not come up, or went down during the run",
    5: "verify: the recording is not what its stamps say",
    130: "interrupted before there was a result",
}
"""What the exit code of every verb means; README shows this table and a test compares the two."""

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

Plan = Literal["accept", "refuse", "silent"]
FORMATS = ("text", "json", "html", "sarif", "junit")


def home() -> Path:
    """Where appwitness keeps what outlives a run: the index and the proxy's certificate authority."""
    return Path(os.environ.get("APPWITNESS_HOME") or "~/.appwitness").expanduser()


def recordings() -> Path:
    """Where new recordings go unless --output says otherwise."""
    return Path(os.environ.get("APPWITNESS_RECORDINGS") or "recordings")


class _Group(click.Group):
    """Turns a UserError into two lines and its exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except UserError as error:
            err.print(f"[bold red]error:[/] {_plain(error.what)}\n{_plain(error.next_step)}")
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            err.print("interrupted")
            sys.exit(130)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="appwitness")
def main() -> None:
    """Prove whether an Android app sent personal data without consent.

    Hooks log what personal data an app reads, a proxy records what it uploads, and the correlator finds the very
    value an API returned in an upload, held against the consent at that moment.

    \b
    Try it:      appwitness demo
    By hand:     appwitness observe --device lab:circle --plan refuse
                 appwitness report recordings/<run> --format html > report.html
    Later:       appwitness verify recordings/<run>
    """


db_option = click.option(
    "--db",
    metavar="URL",
    help="SQLite file or SQLAlchemy URL of the index. [default: appwitness.sqlite in ~/.appwitness]",
)
rules_option = click.option(
    "--rules",
    "rules_folder",
    type=click.Path(path_type=Path, exists=True),
    help="Folder of an organisation's own rules, besides ours.",
)
first_party_option = click.option(
    "--first-party",
    multiple=True,
    metavar="DOMAIN",
    help="A domain that belongs to the app's maker (may be given several times).",
)
strict_option = click.option("--strict", is_flag=True, help="Exit with 3 when there are gaps and no findings.")
recording_argument = click.argument("recording", type=click.Path(path_type=Path))


@main.command()
@click.option("--output", type=click.Path(path_type=Path), help="Folder for the recordings. [default: recordings]")
@click.option("--app", "only", multiple=True, help="Only this sample app (may be given several times).")
@db_option
def demo(output: Path | None, only: tuple[str, ...], db: str | None) -> None:
    """Run the four sample apps on the lab device: hooked, captured, judged.

    Real Frida, real mitmproxy, real SQLite; only the phone is played, by a JVM. Ends with 0 when each app gave the
    findings it is made to give.
    """
    from monitor.correlate import knowledge
    from monitor.lab.apps import APPS
    from monitor.lab.demo import DEMO
    from monitor.observe.run import Order
    from monitor.reports import render

    known = knowledge()
    folder = output or recordings()
    table = Table(title="What the sample apps did", title_justify="left", expand=False)
    for column in ("app", "the user's answer", "findings", "as expected"):
        table.add_column(column, no_wrap=True)
    wrong = []
    pages = []
    for name, plan, expected in DEMO:
        if only and name not in only:
            continue
        path = folder / f"demo-{datetime.now(UTC):%Y%m%dT%H%M%S}-{name}"
        err.print(f"[bold]{APPS[name].title}[/] ({name}, the user: {plan})")
        _told.clear()
        _observe(f"lab:{name}", Order(plan=plan), path, db, known)
        report = _report(path, db, known)
        page = path.with_suffix(".html")
        page.write_text(render(report, "html"), "utf-8")
        found = sorted({finding.rule for finding in report.findings})
        as_expected = found == sorted(expected)
        if not as_expected:
            wrong.append(name)
        pages.append(page)
        table.add_row(name, plan, "\n".join(found) or "none", "yes" if as_expected else "[red]no[/]")
    out.print(table)
    out.print("Reports, to open in a browser (the recordings are beside them):")
    for page in pages:
        out.print(f"  {page}")
    out.print(f"Then try: {sys.argv[0]} report {pages[0].with_suffix('')}" if pages else "No such sample app.")
    if wrong:
        raise UserError(
            f"Not as expected: {', '.join(wrong)}.",
            "Run `appwitness report` on the recordings named above; if nothing explains it, please file an issue.",
        )


@main.command()
@click.option(
    "--device",
    "device_name",
    default="lab:circle",
    show_default=True,
    metavar="KIND:NAME",
    help="What to observe: lab:circle, lab:skies, lab:corner or lab:pages (the embedded default device).",
)
@click.option(
    "--plan",
    type=click.Choice(get_args(Plan)),
    default="silent",
    show_default=True,
    help="How the consent dialog is answered; silent leaves it open.",
)
@click.option("--output", type=click.Path(path_type=Path), help="Folder of the new recording.")
@click.option("--seconds", type=float, help="End after this many seconds even if the app still runs.")
@click.option("--operator", help="Who is responsible for the run. [default: login name]")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address the proxy listens on.")
@click.option("--port", default=0, show_default="a free one", help="Port the proxy listens on.")
@click.option(
    "--sources",
    "extra_sources",
    type=click.Path(path_type=Path, exists=True),
    help="YAML file or folder with further APIs to hook.",
)
@db_option
@rules_option
@first_party_option
@strict_option
def observe(
    device_name: str,
    plan: Plan,
    output: Path | None,
    seconds: float | None,
    operator: str | None,
    listen: str,
    port: int,
    extra_sources: Path | None,
    db: str | None,
    rules_folder: Path | None,
    first_party: tuple[str, ...],
    strict: bool,
) -> None:
    """Record one run of an app, and judge it while it runs.

    Ends when the app ends, after --seconds, or at Ctrl-C (once: all goes down in good order). While it runs,
    `appwitness mark` in another terminal notes what the user was asked and decided.
    """
    from monitor.correlate import knowledge
    from monitor.observe.run import Order

    known = knowledge(rules_folder, first_party)
    path = output or _new_folder(device_name, plan)
    order = Order(plan=plan, listen=listen, port=port, seconds=seconds, operator=operator)
    _observe(device_name, order, path, db, known, extra_sources)
    sys.exit(_summary(path, db, known, strict))


def _new_folder(device_name: str, plan: str) -> Path:
    name = device_name.split(":", 1)[-1]
    return recordings() / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{name}-{plan}"


def _observe(
    device_name: str, order: Order, path: Path, db: str | None, known: Knowledge, extra_sources: Path | None = None
) -> None:
    """Record a run and correlate it at the same time; findings are told on stderr as they come."""
    from monitor.correlate import follow
    from monitor.observe.run import observe as record
    from monitor.observe.sources import load
    from monitor.recording import Recording
    from monitor.store import Store

    order = replace(order, rules_digest=known.digest, confdir=home() / "proxy")
    store = Store(_db(db))
    sources = load(extra_sources)
    done = threading.Event()
    failure: list[BaseException] = []

    def correlate_live() -> None:
        while not (path / "run.json").exists():
            if done.wait(0.05):
                return
        try:
            follow(Recording.open(path), store, known, done.is_set, lambda outcome: _tell(outcome.findings))
        except Exception as error:
            failure.append(error)

    live = threading.Thread(target=correlate_live, name="correlate")
    with _device(device_name, order.plan) as device, _interrupts() as interrupted:
        live.start()
        try:
            with err.status("starting") as status:
                record(
                    device,
                    path,
                    sources,
                    order,
                    stop=interrupted,
                    say=lambda what: status.update(f"{device_name} ({order.plan}): {what}"),
                )
        finally:
            done.set()
            live.join()
    if failure:
        raise failure[0]


_told: set[tuple[str, str | None, str | None]] = set()


def _tell(findings: Sequence[Finding]) -> None:
    """One line on stderr for each new finding while a run goes on."""
    for finding in findings:
        key = (finding.rule, finding.data, finding.recipient.host if finding.recipient else None)
        if key not in _told:
            _told.add(key)
            to = f" > {finding.recipient.host}" if finding.recipient else ""
            err.print(f"  [bold]{finding.level}[/] {_plain(finding.title['en'] + to)} ({finding.evidence[0]})")


@contextmanager
def _device(name: str, plan: str) -> Iterator[Device]:
    kind, _, rest = name.partition(":")
    if kind != "lab":
        raise UserError(f"There is no device {name!r}.", "Name one of the lab device's apps: --device lab:circle.")
    from monitor.lab.device import APPS, LabDevice

    if rest not in APPS:
        raise UserError(f"The lab device has no app {rest!r}.", f"It has {', '.join(sorted(APPS))}.")
    with LabDevice(rest, plan, home() / "lab/work", cache=home() / "lab") as device:
        yield device


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C ends the run in good order, a second one at once."""
    seen = threading.Event()

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        if seen.is_set():
            raise KeyboardInterrupt
        seen.set()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield seen.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _db(db: str | None) -> str | Path:
    if db is None:
        return home() / "appwitness.sqlite"
    return db if "://" in db else Path(db)


@main.command("correlate")
@click.argument("recording", nargs=-1, required=True, type=click.Path(path_type=Path))
@db_option
@rules_option
@first_party_option
@click.option("--follow", "following", is_flag=True, help="Keep correlating while the recording is being made.")
@strict_option
def correlate_(
    recording: tuple[Path, ...],
    db: str | None,
    rules_folder: Path | None,
    first_party: tuple[str, ...],
    following: bool,
    strict: bool,
) -> None:
    """Read recordings into the index and judge them.

    Asking again changes nothing; the index can be deleted and rebuilt at any time.
    """
    from monitor.correlate import correlate, follow, knowledge
    from monitor.recording import Recording
    from monitor.store import Store

    known = knowledge(rules_folder, first_party)
    store = Store(_db(db))
    worst = 0
    for path in recording:
        opened = Recording.open(path)
        if following:
            with _interrupts() as interrupted:
                follow(
                    opened,
                    store,
                    known,
                    lambda opened=opened: interrupted() or opened.run.ended is not None,  # type: ignore[misc]
                    lambda outcome: _tell(outcome.findings),
                )
        else:
            with _progress() as progress:
                correlate(opened, store, known, progress)
        worst = max(worst, _summary(path, db, known, strict), key=(0, 3, 1).index)
    sys.exit(worst)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    with Progress(console=err, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield show


def _summary(path: Path, db: str | None, known: Knowledge, strict: bool) -> int:
    """Print the text report of a recording; the exit code for it."""
    report = _report(path, db, known)
    from monitor.reports import render

    click.echo(render(report, "text"))
    return _code(report, strict)


def _code(report: Report, strict: bool) -> int:
    if report.findings:
        return 1
    return 3 if strict and report.gaps else 0


def _report(path: Path, db: str | None, known: Knowledge) -> Report:
    """The report of a recording, correlated anew only when the index is behind it or the rules have changed."""
    from monitor.correlate import correlate, is_current, report
    from monitor.recording import Recording
    from monitor.store import Store

    recording = Recording.open(path)
    store = Store(_db(db))
    if not is_current(recording, store, known):
        with _progress() as progress:
            correlate(recording, store, known, progress)
    return report(store, recording.run.id, known)


@main.command("report")
@recording_argument
@db_option
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write."
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write. [default: stdout]")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language.")
@click.option("--reveal", is_flag=True, help="Show personal values as they are; they are masked otherwise.")
@rules_option
@first_party_option
@strict_option
def report_(
    recording: Path,
    db: str | None,
    format_: str,
    output: Path | None,
    lang: str,
    reveal: bool,
    rules_folder: Path | None,
    first_party: tuple[str, ...],
    strict: bool,
) -> None:
    """Say what was found in a recording: for a terminal, a court, a code host or a build server.

    Correlates the recording first when the index is not up to date with it.
    """
    from monitor.correlate import knowledge
    from monitor.reports import render

    report = _report(recording, db, knowledge(rules_folder, first_party))
    text = render(report, format_, reveal=reveal, lang=lang)
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        output.write_text(text, "utf-8")
        err.print(f"written: {output}")
    sys.exit(_code(report, strict))


@main.command()
@recording_argument
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to write."
)
def verify(recording: Path, format_: str) -> None:
    """Recompute the stamps of a recording and name the first line or body that differs."""
    from monitor.recording import verify as check

    result = check(recording)
    if format_ == "json":
        click.echo(
            json.dumps(
                {
                    "ok": result.ok,
                    "stamps": result.stamps,
                    "sealed": result.sealed,
                    "unsealed": result.unsealed,
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
        out.print(f"[bold red]{_plain(place)}[/] {_plain(problem.what)}")
    for remark in result.remarks:
        place = f"{remark.file}:{remark.line}" if remark.line else remark.file
        out.print(f"[dim]{_plain(place)} {_plain(remark.what)}[/]")
    lines = sum(result.sealed.values())
    late = sum(result.unsealed.values())
    out.print(
        f"{'[bold green]intact' if result.ok else '[bold red]damaged'}[/]: {lines} lines under {result.stamps} stamps"
        + (f"; {late} lines after the last stamp are not covered" if late else "")
    )
    sys.exit(0 if result.ok else DamagedRecording.exit_code)


@main.group()
def mark() -> None:
    """Note in a recording what the user was asked and decided, while it is being made or later.

    Never blocks the run: each mark is one line appended to the recording.
    """


def _marked(recording: Path | None) -> Recording:
    from monitor.recording import Recording

    if recording is None:
        runs = sorted(recordings().glob("*/run.json"), key=lambda path: path.stat().st_mtime)
        if not runs:
            raise UserError(
                f"There is no recording in {recordings()}.", "Name one: --recording FOLDER, or start one: observe."
            )
        recording = runs[-1].parent
    return Recording.open(recording)


in_option = click.option(
    "--recording", type=click.Path(path_type=Path), help="The recording. [default: the newest in ./recordings]"
)
at_option = click.option(
    "--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ"]), help="UTC time, when not now."
)


@mark.command("consent")
@click.argument("status", type=click.Choice(get_args(events.ConsentState)))
@in_option
@click.option(
    "--scope",
    type=click.Choice(get_args(events.Consent.model_fields["scope"].annotation)),
    default="general_policy",
    show_default=True,
    help="What was asked for.",
)
@click.option("--data", multiple=True, metavar="TYPE", help="Data types it covers. [default: all]")
@click.option("--text", help="The label touched.")
@click.option("--note", help="Anything worth keeping with it.")
@at_option
def mark_consent(
    status: events.ConsentState,
    recording: Path | None,
    scope: Any,
    data: tuple[str, ...],
    text: str | None,
    note: str | None,
    at: datetime | None,
) -> None:
    """Note that consent was requested, given, refused, withdrawn or dismissed."""
    opened = _marked(recording)
    ref = opened.append(
        events.Consent(
            at=at.replace(tzinfo=UTC) if at else datetime.now(UTC),
            app=opened.run.app.package,
            signal="operator",
            status=status,
            scope=scope,
            data=data or None,
            by="operator",
            text=text,
            note=note,
        )
    )
    out.print(f"{opened.path}: {ref}: {status}")


@mark.command("note")
@click.argument("text")
@in_option
@at_option
def mark_note(text: str, recording: Path | None, at: datetime | None) -> None:
    """Note anything at all on the time line."""
    opened = _marked(recording)
    when = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    ref = opened.append(events.Phase(at=when, app=opened.run.app.package, state="mark", text=text))
    out.print(f"{opened.path}: {ref}")


@main.command()
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to write."
)
@click.option("--sources", "extra", type=click.Path(path_type=Path, exists=True), help="Further YAML file or folder.")
def sources(format_: str, extra: Path | None) -> None:
    """List the APIs that are hooked."""
    from monitor.observe.sources import load

    loaded = load(extra)
    if format_ == "json":
        click.echo(json.dumps([source.model_dump(mode="json") for source in loaded], indent=1, ensure_ascii=False))
        return
    _columns(("data", "source", "permission"), [(each.data, each.name, each.permission or "") for each in loaded])


def _columns(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Plain columns that a pipe can cut; nothing is folded or shortened."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@main.command()
@click.argument("rule", required=False)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to write."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language.")
@rules_option
def rules(rule: str | None, format_: str, lang: str, rules_folder: Path | None) -> None:
    """List the rules, or show the page of one RULE."""
    from monitor.correlate import knowledge

    known = knowledge(rules_folder).rules
    if rule is not None:
        known = tuple(each for each in known if each.id == rule)
        if not known:
            raise UserError(f"There is no rule {rule!r}.", "`appwitness rules` lists them.")
    if format_ == "json":
        click.echo(json.dumps([each.model_dump(mode="json") for each in known], indent=1, ensure_ascii=False))
    elif rule is not None:
        shown = known[0]
        out.print(f"[bold]{shown.id}[/] ({shown.level}): {_plain(shown.title[lang])}\n")
        out.print(f"{_plain(shown.why[lang])}\n")
        out.print(f"Remedy: {_plain(shown.remedy[lang])}\n")
        for reference in shown.references:
            out.print(f"  {_plain(reference)}")
    else:
        _columns(("level", "rule", "title"), [(each.level, each.id, each.title[lang]) for each in known])


@main.command()
@db_option
@click.option("--port", default=8117, show_default=True, help="Port to listen on, on this machine only.")
@click.option("--reveal", is_flag=True, help="Show personal values as they are; they are masked otherwise.")
def web(db: str | None, port: int, reveal: bool) -> None:
    """Show the recordings in the index in a browser, read-only, on this machine only."""
    import uvicorn

    from monitor.store import Store
    from monitor.web import app

    out.print(f"http://127.0.0.1:{port}/  (Ctrl-C ends it)")
    uvicorn.run(app(Store(_db(db)), reveal=reveal), host="127.0.0.1", port=port, log_level="warning")


@main.command()
@click.option(
    "--of", type=click.Choice(["lines", "report"]), default="lines", show_default=True, help="What to describe."
)
def schema(of: str) -> None:
    """Print the JSON Schema of a recording's lines, or of the JSON report."""
    if of == "lines":
        described = events.schema()
    else:
        from monitor.findings import report_schema

        described = report_schema()
    click.echo(json.dumps(described, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()

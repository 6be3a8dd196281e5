"""The verbs that make a recording: demo and observe."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click
import cloup

from appwitness.api.devices import NamedDevice, Wanted, name_of, opened
from appwitness.api.home import recordings
from appwitness.cli import completion
from appwitness.cli.as_json import document, json_option
from appwitness.cli.evidence_verbs import encrypt_option, encrypted_name, packed
from appwitness.cli.front_page import language
from appwitness.cli.local_words import tr
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import (
    ANY_PATH,
    FILE,
    FILE_OR_FOLDER,
    VerbJudging,
    case_options,
    db_option,
    gathered,
    interrupts,
    judging_options,
    main,
    of_case,
    size,
    threshold_options,
    tsa_option,
)
from appwitness.cli.verbs import listen as listen_on
from appwitness.support import escape, private_files
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from rich.console import RenderableType

    from appwitness.api.devices import Question
    from appwitness.api.observing import Order
    from appwitness.cli.live_view import PlainLines
    from appwitness.findings import Threshold

_CONNECT_TO = re.compile(r"(?P<host>[^:\s]+):(?P<address>\[[0-9a-fA-F:]+\]|[^:\s]+):(?P<port>\d{1,5})")
Plan = Literal["accept", "refuse", "silent", "withdraw"]
TO_DO = {
    "accept": Spoken("agree to what the app asks, and use it as you like."),
    "refuse": Spoken("refuse what the app asks, each time it does."),
    "silent": Spoken("leave the first question open, and touch nothing."),
    "withdraw": Spoken(
        "agree, use the app for a while, then withdraw consent in its privacy settings, and go on using it."
    ),
    "free": Spoken("use the app as you like."),
}
"""What an operator does under a plan; on the lab device a simulated user does it."""


@main.command()
@click.option("--output", type=ANY_PATH, help="Folder for the recordings. [default: recordings]")
@click.option(
    "--app",
    "only",
    multiple=True,
    metavar="NAME",
    shell_complete=completion.sample_apps,
    help="Run only this sample app. Repeatable.",
)
@click.option("--all", "everything", is_flag=True, help="Run every sample app with every answer (takes a few minutes).")
@json_option
@db_option
def demo(output: Path | None, only: tuple[str, ...], everything: bool, as_json: bool, db: str | None) -> None:
    """Run the sample apps on the lab device and judge them.

    Frida, mitmproxy and SQLite are real; a JVM stands in for the phone. Exits with 0 if each app gave the findings it
    is designed to give (monitor/appwitness/devices/lab/expected.yml).
    """
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from appwitness.api.demo import demo_runs
    from appwitness.api.expected import shown
    from appwitness.api.judging import judging as made
    from appwitness.api.observing import Order
    from appwitness.findings.mask import masked
    from appwitness.reports import render
    from appwitness.reports.verdict import facts
    from appwitness.reports.words import Words

    runs = demo_runs(only, everything=everything)
    judging, words = VerbJudging(made(db=db).known, db), Words(language())
    folder = output or recordings()
    wrong: list[str] = []
    told: list[RenderableType] = []
    rows: list[dict[str, Any]] = []
    for run in runs:
        path = folder / f"demo-{datetime.now(UTC):%Y%m%dT%H%M%S}-{run.app}-{run.plan}"
        wanted, order = Wanted(run.device), Order(plan=run.plan)
        if _observe(wanted, order, path, judging, _live(path, wanted, order)):
            raise click.Abort
        report = judging.report(path)
        page = path.with_suffix(".html")
        private_files.write(page, render(report, "html", lang=language()))
        found = shown(report.findings)
        as_expected = run.is_as_expected(found)
        if not as_expected:
            wrong.append(f"{run.app} ({run.plan})")
        title = Text.assemble((run.title, "bold"), f"{words('colon')}{words(f'plan_{run.plan}')}")
        title.append("" if as_expected else tr(" (NOT AS EXPECTED)"), "bold red")
        what = Text(facts(masked(report), words) or words("no_flows"))
        named = list(dict.fromkeys(finding.rule for finding in found))
        rows.append(
            {
                "app": run.app, "plan": run.plan, "recording": path, "report": page, "as_expected": as_expected,
                "rules": named, "facts": str(what),
            }
        )  # fmt: skip
        rules = Text("  ".join(named) or tr("no finding"), "cyan")
        told.append(
            Group(
                title, Padding(Group(what, rules, Text(escape.terminal(str(page)), "dim")), (0, 0, 1, 2), expand=False)
            )
        )
    if as_json:
        document({"runs": rows})
    else:
        _tell_demo(told)
    if wrong:
        raise UserError(
            Spoken("Not as expected: {wrong}.", wrong=", ".join(wrong)),
            "Run `appwitness report` on the recordings named above; if nothing explains it, please file an issue.",
        )


def _tell_demo(told: Sequence[RenderableType]) -> None:
    out.print(*told, tr("The pages are for a browser; the recordings are beside them."), soft_wrap=False)
    out.print(tr("Then try: {argv} report", argv=sys.argv[0]))


@dataclass(frozen=True)
class Chosen:
    """What `observe` was asked to do."""

    wanted: Wanted
    """Which device, which app, and what may be done there."""
    order: Order
    """How it is observed."""
    output: Path | None
    as_json: bool
    extra_sources: Path | None
    control: bool
    repeat: int
    encrypt_to: tuple[str, ...]


def _chosen(*, control: bool, **given: Any) -> Chosen:
    from appwitness.api.observing import Order

    given = of_case(given, ask=not given["as_json"])
    wanted, order = (
        {field.name: given.pop(field.name) for field in fields(kind) if field.name in given} for kind in (Wanted, Order)
    )
    return Chosen(_checked(Wanted(**wanted)), Order(**order), control=control, **given)


observe_options = (
    cloup.option_group(
        "Options that most runs need",
        click.option(
            "--device",
            default="lab:circle",
            show_default=True,
            metavar="DEVICE",
            shell_complete=completion.devices,
            help="The device: a serial that adb lists (emulator-5554, 192.168.1.20:5555), `usb` or `emulator` if "
            "there is only one, or lab:circle, lab:skies ... (a sample app on the embedded lab device).",
        ),
        click.option(
            "--app",
            "package",
            metavar="PACKAGE",
            shell_complete=completion.packages,
            help="The app, if it is installed on the device.",
        ),
        click.option(
            "--apk",
            "apks",
            multiple=True,
            type=FILE_OR_FOLDER,
            help="The app to install: an APK, .apks, .apkm, .xapk or a folder of splits. Repeatable, for splits. It is "
            "removed after the run.",
        ),
        click.option(
            "--plan",
            type=click.Choice(get_args(Plan)),
            default="silent",
            show_default=True,
            help="How the consent dialog is answered. silent leaves it open; withdraw agrees, and withdraws consent "
            "later.",
        ),
        click.option(
            "--seconds",
            type=float,
            callback=lambda _context, _option, seconds: _seconds(seconds),
            help="End the run after this many seconds, even if the app still runs.",
        ),
        click.option(
            "--by-hand",
            is_flag=True,
            help="You carry out the plan on the device yourself, and mark the questions and answers.",
        ),
        click.option(
            "--clear-data",
            is_flag=True,
            help="Clear the data of an app that was installed before, so that each start is a first start. The data "
            "is restored afterwards if the device has root. An app that --apk installs starts without data "
            "anyway.",
        ),
        click.option(
            "--explore",
            type=click.IntRange(0, 100_000),
            default=0,
            metavar="TOUCHES",
            help="After the dialogs, touch this many elements of the app without leaving it.",
        ),
        click.option("--output", type=ANY_PATH, help="Folder of the new recording."),
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            help="Write what happens as JSON lines, the verdict last (`appwitness list schema --of observe`).",
        ),
    ),
    cloup.option_group(
        "App",
        click.option("--activity", help="The activity to start. [default: the app's launcher activity]"),
        click.option(
            "--user", type=click.IntRange(0, 999), help="Android user or work profile. [default: the current one]"
        ),
        click.option(
            "--attach",
            is_flag=True,
            help="Observe the app that is already running on the device. What it did before is not seen.",
        ),
        click.option(
            "--grant",
            multiple=True,
            metavar="PERMISSION",
            callback=lambda _context, _option, each: tuple(map(_permission, each)),
            help="Grant the app a permission such as READ_CONTACTS before each start, so that it need not ask. "
            "Revoked after the run. Repeatable.",
        ),
        click.option(
            "--revoke",
            multiple=True,
            metavar="PERMISSION",
            callback=lambda _context, _option, each: tuple(map(_permission, each)),
            help="Revoke a permission before each start. Granted again after the run. Repeatable.",
        ),
        click.option(
            "--persona",
            type=FILE,
            help="YAML file of the contacts, messages, place ... to plant for the run. [default: made up for each run]",
        ),
        click.option("--no-persona", is_flag=True, help="Plant nothing on the device."),
    ),
    cloup.option_group(
        "Device and screen",
        click.option("--ask", is_flag=True, help="Ask you what to tap in a dialog that is not understood."),
        click.option(
            "--seed", type=int, default=1, show_default=True, help="Chooses which elements --explore touches."
        ),
        click.option("--video", is_flag=True, help="Keep a video of the screen around each finding."),
        click.option("--adb-root", is_flag=True, help="Let `adb root` restart adb on the device as root, if it can."),
        click.option(
            "--allow",
            multiple=True,
            metavar="NAME",
            help="Allow a change that frida-server needs, such as selinux-permissive. It is undone after the run. "
            "Repeatable.",
        ),
        click.option(
            "--frida-server",
            type=FILE,
            help="frida-server for the device, plain or .xz. [default: fetched once, if the catalog has its digest]",
        ),
        click.option(
            "--frida-gadget",
            type=FILE,
            help="Frida's gadget, plain or .xz, for a debuggable app on a device without root. [default: fetched once, "
            "if the catalog has its digest]",
        ),
    ),
    cloup.option_group(
        "Hooks and runs",
        click.option(
            "--hooks/--no-hooks",
            default=None,
            help="Hook the app, and end with exit code 4 if that fails; or record only its traffic and what the "
            "device itself counts. [default: hook it if possible; else record its traffic, and say so]",
        ),
        click.option(
            "--sources",
            "extra_sources",
            type=FILE_OR_FOLDER,
            help="YAML file or folder with further APIs to hook.",
        ),
        click.option(
            "--isolate-crash",
            is_flag=True,
            help="If a hook crashes the app, find out which one: start the app again, up to 11 times, each time as "
            "a first run.",
        ),
        click.option(
            "--control",
            is_flag=True,
            help="First run the app without hooks, and compare: does it behave the same while it is watched?",
        ),
        click.option(
            "--repeat",
            type=click.IntRange(1, 100),
            default=1,
            show_default=True,
            help="Make this many runs, since apps differ from run to run. Their folders end in -1, -2 ...",
        ),
    ),
    cloup.option_group(
        "Traffic",
        click.option(
            "--mode",
            default="auto",
            show_default=True,
            help="How traffic reaches the proxy: regular, redirect, wireguard, transparent, local or reverse:URL.",
        ),
        click.option(
            "--listen",
            default="127.0.0.1",
            show_default=True,
            metavar="ADDRESS",
            help="Address that the proxy listens on.",
        ),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=0,
            show_default="a free one",
            help="Port that the proxy listens on.",
        ),
        click.option(
            "--device-address",
            help="Address of the device, needed when --listen is not loopback; the proxy accepts no other address.",
        ),
        click.option(
            "--unpin",
            is_flag=True,
            help="Make the app accept the proxy's certificate where it pins one. This changes the app; run.json "
            "says so.",
        ),
        click.option(
            "--pass-refused/--block-refused",
            default=True,
            show_default="pass",
            help="What to do with connections on which the app refuses the proxy's certificate: pass them through "
            "undecrypted, from the next one on, and read their content at the TLS library; or block them all.",
        ),
        click.option(
            "--connect-to",
            "hosts",
            multiple=True,
            metavar="HOST:ADDRESS:PORT",
            callback=lambda _context, _option, each: _connect_to(each),
            help="Have the proxy reach HOST at this address and port: a test server of your own. Repeatable.",
        ),
        click.option(
            "--upstream-ca",
            type=FILE,
            help="Certificate authority (PEM) of such servers, which the proxy trusts in addition to the usual ones.",
        ),
    ),
    cloup.option_group(
        "Recording",
        *case_options,
        click.option(
            "--campaign", metavar="NAME", help="The campaign that the run belongs to; the index groups runs by it."
        ),
        click.option(
            "--max-size",
            "max_bytes",
            default="4g",
            show_default=True,
            metavar="SIZE",
            callback=lambda _context, option, text: size(option.opts[0], text),
            help="Size limit of the recording, such as 500m. Beyond it no more bodies are stored, and gaps say so.",
        ),
        tsa_option(),
        encrypt_option("After the run, encrypt the recording with age to FOLDER.zip.age, and remove the folder"),
    ),
)


@main.command()
@gathered("chosen", _chosen, *observe_options)
@threshold_options
@judging_options
def observe(chosen: Chosen, threshold: Threshold, judging: VerbJudging) -> None:
    """Record one run of an app and judge it while it runs.

    The run ends when the app ends, after --seconds, or at Ctrl-C (press it once: everything is shut down cleanly).
    Meanwhile `appwitness mark` in another terminal notes what the user was asked and decided.

    With --encrypt-to, nothing of the run goes into an index, unless --db names one.
    """
    with ExitStack() as afterwards:
        sys.exit(_runs(chosen, threshold, judging, afterwards))


def _runs(chosen: Chosen, threshold: Threshold, judging: VerbJudging, afterwards: ExitStack) -> int:
    """Record the runs that were asked for; returns the exit code."""
    wanted, order, as_json, extra = chosen.wanted, chosen.order, chosen.as_json, chosen.extra_sources
    listen_on(order.listen, order.port).close()
    path = chosen.output or _new_folder(wanted, order.plan)
    if judging.known.app_type is not None:
        order = replace(order, app_type=judging.known.app_type.number)
    encrypt_to = chosen.encrypt_to
    if encrypt_to and judging.db is None:
        judging = replace(judging, db="sqlite://")
    if chosen.control:
        alone = path.with_name(f"{path.name}-control")
        _encrypted(alone, encrypt_to, afterwards)
        err.print(tr("[bold]First without hooks[/], to see whether the app behaves the same when it is watched."))
        bare = replace(order, hooks=False)
        _observe(wanted, bare, alone, judging, _live(alone, wanted, bare, as_json), extra)
        order = replace(order, control=alone)
    paths = [path]
    if chosen.repeat > 1:
        paths = [path.with_name(f"{path.name}-{number}") for number in range(1, chosen.repeat + 1)]
    codes = {0}
    for each in paths:
        _encrypted(each, encrypt_to, afterwards)
        live = _live(each, wanted, order, as_json)
        interrupted = _observe(wanted, order, each, judging, live, extra)
        report = judging.report(each)
        code = judging.exit_code(report, threshold=threshold)
        if encrypt_to:
            report = report.model_copy(update={"path": str(encrypted_name(each))})
        live.verdict(report, code)
        codes.add(code)
        if interrupted:
            break
    return max(codes, key=(0, 3, 1).index)


def _encrypted(folder: Path, encrypt_to: tuple[str, ...], afterwards: ExitStack) -> None:
    """Encrypt a new recording after all runs, however they end."""
    if not encrypt_to or (folder / "run.json").exists():
        return
    from appwitness.api.observing import check_archive

    output = encrypted_name(folder)
    check_archive(output)
    err.print(
        tr(
            "[bold]Not encrypted until the run is over:[/] {folder}. If this program is killed, it stays "
            "unencrypted: then run appwitness pack with --encrypt-to and --remove.",
            folder=plain(str(folder)),
        )
    )

    @afterwards.callback
    def encrypt() -> None:
        if (folder / "run.json").exists():
            err.print(tr("written: {path}", path=plain(str(packed(folder, output, encrypt_to, remove=True)))))


def _seconds(seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds < math.inf:
        raise UserError(
            Spoken("--seconds {seconds} is not a length of time.", seconds=seconds), "Write it as 30 or 2.5."
        )
    return seconds


def _new_folder(wanted: Wanted, plan: str) -> Path:
    return recordings() / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{name_of(wanted)}-{plan}"


def _live(path: Path, wanted: Wanted, order: Order, as_json: bool = False) -> PlainLines:
    from appwitness.cli.live_view import Board, Json, PlainLines

    if as_json:
        return Json(path, wanted.device, order.plan)
    return Board(f"{wanted.device} ({order.plan})") if err.console.is_terminal and not err.quiet else PlainLines()


def _observe(
    wanted: Wanted, order: Order, path: Path, judging: VerbJudging, live: PlainLines, extra_sources: Path | None = None
) -> bool:
    """Record a run, correlate it at the same time, and show what is seen; returns whether it was interrupted."""
    from appwitness.api.observing import LiveJudge, RunCaller, record, sources_of, traffic_mode

    sources = sources_of(extra_sources)
    judge = LiveJudge(judging.known, judging.store, live.findings, live.lines)
    meant = NamedDevice(wanted.device)
    with meant.alone_now(), opened(wanted, order.plan, Asking(live)) as device, interrupts() as interrupted:
        if not meant.embedded:
            if wanted.by_hand:
                err.print(tr("[bold]For you to do:[/] {to_do}", to_do=TO_DO[order.plan]))
            way = traffic_mode(device, order)
            err.print(
                tr(
                    "[bold]Proxy mode {spec}:[/] {why}. It sees: {sees} {todo}",
                    spec=way.spec,
                    why=way.why,
                    sees=way.sees,
                    todo=way.todo,
                )
            )
        with live:
            caller = RunCaller(stop=lambda: interrupted() or live.closed, say=live.say, warn=live.warn)
            record(device, path, sources, order, caller, judge)
    if live.closed:
        raise BrokenPipeError
    return interrupted()


@dataclass(frozen=True)
class Asking:
    """Asks the user questions at the terminal."""

    live: PlainLines
    """What is shown meanwhile; it makes room for questions."""

    def may(self, what: str) -> bool:
        """Whether the user allows it; without a terminal, nothing is allowed."""
        return sys.stdin.isatty() and bool(self._quietly(lambda: click.confirm(what, err=True)))

    def answer(self, question: Question) -> str | None:
        """The label to touch in an unknown dialog; None: dismiss it."""
        if not sys.stdin.isatty():
            return None
        labels = dict(enumerate(question.labels, 1))

        def ask() -> int:
            err.print(
                tr(
                    "[bold]The app asks:[/] {title}\n{texts}",
                    title=plain(question.title),
                    texts=plain(chr(10).join(question.texts)),
                )
            )
            for number, label in labels.items():
                err.print(f"  {number}  {plain(label)}")
            choice: int = click.prompt(tr("Touch which? 0 dismisses it"), type=click.IntRange(0, len(labels)), err=True)
            return choice

        return labels.get(self._quietly(ask))

    def _quietly[T](self, ask: Callable[[], T]) -> T:
        self.live.stop()
        try:
            return ask()
        finally:
            self.live.start()


def _checked(wanted: Wanted) -> Wanted:
    """Raises UserError for options that contradict each other."""
    if wanted.persona is not None and wanted.no_persona:
        raise UserError("--persona and --no-persona exclude each other.", "Leave one of them out.")
    if NamedDevice(wanted.device).embedded:
        theirs = {
            "--apk": wanted.apks,
            "--app": wanted.package,
            "--persona": wanted.persona,
            "--frida-server": wanted.frida_server,
            "--frida-gadget": wanted.frida_gadget,
            "--grant": wanted.grant,
            "--revoke": wanted.revoke,
            "--attach": wanted.attach,
            "--allow": wanted.allow,
            "--adb-root": wanted.adb_root,
            "--video": wanted.video,
            "--explore": wanted.explore,
            "--by-hand": wanted.by_hand,
            "--connect-to": wanted.hosts,
            "--upstream-ca": wanted.upstream_ca,
        }
        given = [option for option, value in theirs.items() if value]
        if given:
            raise UserError(
                Spoken("The lab device does not take {given}: its apps and data are built in.", given=", ".join(given)),
                "Leave that out, or name a phone or an emulator with --device.",
            )
    elif not wanted.apks and not wanted.package:
        raise UserError(
            Spoken("Which app should be observed on {device}?", device=wanted.device),
            "Name an APK to install, --apk app.apk, or an app that is installed, --app com.example.app.",
        )
    elif wanted.attach and (wanted.grant or wanted.revoke):
        raise UserError(
            "--grant and --revoke change what an app may do before it starts; with --attach it is already running.",
            "Leave --attach out, or grant it on the device.",
        )
    return wanted


def _permission(text: str) -> str:
    """The permission's full name. Raises UserError for anything else."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", text):
        raise UserError(
            Spoken("{text!r} is not a permission.", text=text),
            "Write it as READ_CONTACTS or android.permission.READ_CONTACTS.",
        )
    return text if "." in text else f"android.permission.{text}"


def _connect_to(each: tuple[str, ...]) -> dict[str, tuple[str, int]]:
    hosts = {}
    for text in each:
        found = _CONNECT_TO.fullmatch(text)
        if found is None or not 0 < int(found["port"]) < 65536:
            raise UserError(
                Spoken("--connect-to {text!r} is not HOST:ADDRESS:PORT.", text=text),
                "Write it as --connect-to api.example.com:127.0.0.1:8443.",
            )
        hosts[found["host"].lower()] = (found["address"].strip("[]"), int(found["port"]))
    return hosts

"""The verbs that make a recording: demo and observe."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from appwitness.api.devices import NamedDevice, Wanted, name_of, opened
from appwitness.api.home import recordings
from appwitness.cli.device_options import Asking, device_options
from appwitness.cli.pack_verb import encrypt_option, encrypted_name, packed
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import (
    VerbJudging,
    case_options,
    db_option,
    gathered,
    interrupts,
    judging_options,
    main,
    size,
    threshold_options,
    tsa_option,
)
from appwitness.cli.verbs import listen as listen_on
from appwitness.support import escape, private_files
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from rich.console import RenderableType

    from appwitness.api.observing import Order
    from appwitness.cli.live_view import PlainLines
    from appwitness.findings import Threshold

Plan = Literal["accept", "refuse", "silent", "withdraw"]
TO_DO = {
    "accept": "agree to what the app asks, and use it as you like.",
    "refuse": "refuse what the app asks, each time it does.",
    "silent": "leave the first question open, and touch nothing.",
    "withdraw": "agree, use the app for a while, then take consent back in its privacy settings, and go on using it.",
    "free": "use the app as you like.",
}
"""What an operator does under a plan; on the lab device a simulated user does it."""


@main.command()
@click.option("--output", type=click.Path(path_type=Path), help="Folder for the recordings. [default: recordings]")
@click.option("--app", "only", multiple=True, help="Only this sample app (may be given several times).")
@click.option("--all", "everything", is_flag=True, help="Every sample app with every answer (some minutes).")
@db_option
def demo(output: Path | None, only: tuple[str, ...], everything: bool, db: str | None) -> None:
    """Run sample apps on the lab device and judge them.

    Real Frida, real mitmproxy, real SQLite; only the phone is played, by a JVM. Ends with 0 when each app gave the
    findings it is made to give (monitor/appwitness/devices/lab/expected.yml).
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
    judging, words = VerbJudging(made(db=db).known, db), Words("en")
    folder = output or recordings()
    wrong: list[str] = []
    told: list[RenderableType] = []
    for run in runs:
        path = folder / f"demo-{datetime.now(UTC):%Y%m%dT%H%M%S}-{run.app}-{run.plan}"
        wanted, order = Wanted(run.device), Order(plan=run.plan)
        if _observe(wanted, order, path, judging, _live(path, wanted, order)):
            raise click.Abort
        report = judging.report(path)
        page = path.with_suffix(".html")
        private_files.write(page, render(report, "html"))
        found = shown(report.findings)
        as_expected = run.is_as_expected(found)
        if not as_expected:
            wrong.append(f"{run.app} ({run.plan})")
        title = Text.assemble((run.title, "bold"), f": {words(f'plan_{run.plan}')}")
        title.append("" if as_expected else " (NOT AS EXPECTED)", "bold red")
        what = Text(facts(masked(report), words) or words("no_flows"))
        rules = Text("  ".join(dict.fromkeys(finding.rule for finding in found)) or "no finding", "cyan")
        told.append(
            Group(
                title, Padding(Group(what, rules, Text(escape.terminal(str(page)), "dim")), (0, 0, 1, 2), expand=False)
            )
        )
    out.print(*told, "The pages are for a browser; the recordings are beside them.", soft_wrap=False)
    out.print(f"Then try: {sys.argv[0]} report")
    if wrong:
        raise UserError(
            f"Not as expected: {', '.join(wrong)}.",
            "Run `appwitness report` on the recordings named above; if nothing explains it, please file an issue.",
        )


def _order(**options: Any) -> Order:
    from appwitness.api.observing import Order

    return Order(**options)


order_options = gathered(
    "order",
    _order,
    click.option(
        "--plan",
        type=click.Choice(get_args(Plan)),
        default="silent",
        show_default=True,
        help="How the consent dialog is answered; silent leaves it open, withdraw agrees and takes it back later.",
    ),
    click.option(
        "--hooks/--no-hooks",
        default=None,
        help="Hook the app, and end with exit code 4 where that cannot be done; or record only its traffic and what "
        "the device itself counts. [default: hook it where that can be done, else record its traffic, and say so]",
    ),
    click.option(
        "--isolate-crash",
        is_flag=True,
        help="If a hook makes the app crash, start it again, up to 11 times as a first run, to find out which hook.",
    ),
    click.option(
        "--seconds",
        type=float,
        callback=lambda _context, _option, seconds: _seconds(seconds),
        help="End after this many seconds even if the app still runs.",
    ),
    click.option(
        "--max-size",
        "max_bytes",
        default="4g",
        show_default=True,
        metavar="SIZE",
        callback=lambda _context, option, text: size(option.opts[0], text),
        help="Size limit of the recording, such as 500m or 4g. Beyond it bodies are no longer stored, and gaps say so.",
    ),
    *case_options,
    click.option("--campaign", metavar="NAME", help="Campaign that the run is made for; the index knows it by that."),
    tsa_option(),
    click.option("--listen", default="127.0.0.1", show_default=True, help="Address the proxy listens on."),
    click.option(
        "--mode",
        default="auto",
        show_default=True,
        help="How traffic reaches the proxy: regular, redirect, wireguard, transparent, local or reverse:URL.",
    ),
    click.option(
        "--device-address",
        help="Address of the device, needed when --listen is not loopback: only this address is let in.",
    ),
    click.option(
        "--port", type=click.IntRange(0, 65535), default=0, show_default="a free one", help="Port the proxy listens on."
    ),
    click.option(
        "--unpin",
        is_flag=True,
        help="Make the app accept the proxy's certificate where it pins one. It changes the app; run.json says so.",
    ),
    click.option(
        "--pass-refused/--block-refused",
        default=True,
        show_default="pass",
        help="Where the app refuses the proxy's certificate: let it through undecrypted the next time, and read what "
        "it sends at the TLS library; or refuse it each time.",
    ),
)
"""What to observe and how; the verb gets it as `order`."""


@main.command()
@device_options
@order_options
@click.option(
    "--control",
    is_flag=True,
    help="First run the app without hooks, and compare: does it behave the same when it is watched?",
)
@click.option(
    "--repeat",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="So many runs, since apps differ from run to run; their folders end in -1, -2 ...",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Write what happens as JSON lines, the verdict last (`appwitness schema --of observe` describes them).",
)
@click.option("--output", type=click.Path(path_type=Path), help="Folder of the new recording.")
@encrypt_option("Encrypt the recording by age when the run is over, to FOLDER.zip.age, and remove the folder")
@click.option(
    "--sources",
    "extra_sources",
    type=click.Path(path_type=Path, exists=True),
    help="YAML file or folder with further APIs to hook.",
)
@threshold_options
@judging_options
def observe(wanted: Wanted, order: Order, threshold: Threshold, judging: VerbJudging, **chosen: Any) -> None:
    """Record one run of an app, and judge it while it runs.

    Ends when the app ends, after --seconds, or at Ctrl-C (once: everything is shut down cleanly). While it runs,
    `appwitness mark` in another terminal notes what the user was asked and decided.

    With --encrypt-to nothing of it comes into the index, unless --db names one.
    """
    with ExitStack() as afterwards:
        sys.exit(_runs(wanted, order, threshold, judging, chosen, afterwards))


def _runs(
    wanted: Wanted,
    order: Order,
    threshold: Threshold,
    judging: VerbJudging,
    chosen: Mapping[str, Any],
    afterwards: ExitStack,
) -> int:
    """Record the runs that were asked for; the exit code."""
    listen_on(order.listen, order.port).close()
    path: Path = chosen["output"] or _new_folder(wanted, order.plan)
    if judging.known.app_type is not None:
        order = replace(order, app_type=judging.known.app_type.number)
    encrypt_to: tuple[str, ...] = chosen["encrypt_to"]
    if encrypt_to and judging.db is None:
        judging = replace(judging, db="sqlite://")
    if chosen["control"]:
        alone = path.with_name(f"{path.name}-control")
        _encrypted(alone, encrypt_to, afterwards)
        err.print("[bold]First without hooks[/], to see whether the app behaves the same when it is watched.")
        bare = replace(order, hooks=False)
        _observe(wanted, bare, alone, judging, _live(alone, wanted, bare, chosen["as_json"]), chosen["extra_sources"])
        order = replace(order, control=alone)
    repeat: int = chosen["repeat"]
    paths = [path] if repeat == 1 else [path.with_name(f"{path.name}-{number}") for number in range(1, repeat + 1)]
    codes = {0}
    for each in paths:
        _encrypted(each, encrypt_to, afterwards)
        live = _live(each, wanted, order, chosen["as_json"])
        interrupted = _observe(wanted, order, each, judging, live, chosen["extra_sources"])
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
    """Have a new recording encrypted once all is over, however the runs end."""
    if not encrypt_to or (folder / "run.json").exists():
        return
    from appwitness.api.observing import check_archive

    output = encrypted_name(folder)
    check_archive(output)
    err.print(
        f"[bold]Not encrypted until the run is over:[/] {plain(str(folder))}. Should this program be killed, it stays "
        "so: appwitness pack, with --encrypt-to and --remove, makes up for it."
    )

    @afterwards.callback
    def encrypt() -> None:
        if (folder / "run.json").exists():
            err.print(f"written: {plain(str(packed(folder, output, encrypt_to, remove=True)))}")


def _seconds(seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds < math.inf:
        raise UserError(f"--seconds {seconds} is not a length of time.", "Write it as 30 or 2.5.")
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
    """Record a run and correlate it at the same time, and show what is seen; whether it was interrupted."""
    from appwitness.api.observing import LiveJudge, RunCaller, record, sources_of, traffic_mode

    sources = sources_of(extra_sources)
    judge = LiveJudge(judging.known, judging.store, live.findings, live.lines)
    meant = NamedDevice(wanted.device)
    with meant.alone_now(), opened(wanted, order.plan, Asking(live)) as device, interrupts() as interrupted:
        if not meant.embedded:
            if wanted.by_hand:
                err.print(f"[bold]For you to do:[/] {TO_DO[order.plan]}")
            way = traffic_mode(device, order)
            err.print(f"[bold]Proxy mode {way.spec}:[/] {way.why}. It sees: {way.sees} {way.todo}")
        with live:
            caller = RunCaller(stop=lambda: interrupted() or live.closed, say=live.say, warn=live.warn)
            record(device, path, sources, order, caller, judge)
    if live.closed:
        raise BrokenPipeError
    return interrupted()

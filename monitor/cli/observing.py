"""The verbs that make a recording: demo and observe."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from monitor import private
from monitor.api.devices import is_lab, name_of, opened
from monitor.api.home import recordings
from monitor.cli.base import (
    Judging,
    db_option,
    gathered,
    interrupts,
    judging_options,
    main,
    threshold_options,
)
from monitor.cli.base import listen as listen_on
from monitor.cli.device_options import Asking, device_options
from monitor.cli.terminal import Teller, err, out
from monitor.errors import UserError
from monitor.observe.android.wanted import Wanted

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from monitor.findings import Threshold
    from monitor.observe.order import Order

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
    findings it is made to give (monitor/lab/expected.yml).
    """
    from rich.table import Table

    from monitor.knowledge import knowledge
    from monitor.lab.apps import APPS
    from monitor.lab.demo import DEMO, EVERYTHING
    from monitor.lab.expected import load, shown
    from monitor.observe.order import Order
    from monitor.reports import render

    if unknown := sorted(set(only) - set(APPS)):
        raise UserError(f"There is no sample app {', '.join(unknown)}.", f"There are {', '.join(sorted(APPS))}.")
    judging = Judging(knowledge(), db)
    folder = output or recordings()
    table = Table(title="What the sample apps did", title_justify="left", expand=False)
    for column in ("app", "the user's answer", "findings", "as expected"):
        table.add_column(column, no_wrap=True)
    wrong = []
    pages = []
    for name, plan in EVERYTHING if everything or set(only) - {app for app, _ in DEMO} else DEMO:
        if only and name not in only:
            continue
        path = folder / f"demo-{datetime.now(UTC):%Y%m%dT%H%M%S}-{name}-{plan}"
        err.print(f"[bold]{APPS[name].title}[/] ({name}, the user: {plan})")
        _observe(Wanted(f"lab:{name}"), Order(plan=plan, hooks=True), path, judging)
        report = judging.report(path)
        page = path.with_suffix(".html")
        private.write(page, render(report, "html"))
        found = shown(report.findings)
        as_expected = found == load()[name][plan]
        if not as_expected:
            wrong.append(f"{name} ({plan})")
        pages.append(page)
        rules = dict.fromkeys(finding.rule for finding in found)
        table.add_row(name, plan, "\n".join(rules) or "none", "yes" if as_expected else "[red]no[/]")
    out.print(table)
    out.print("Reports, to open in a browser (the recordings are beside them):")
    for page in pages:
        out.print(f"  {page}")
    out.print(f"Then try: {sys.argv[0]} report {pages[0].with_suffix('')}")
    if wrong:
        raise UserError(
            f"Not as expected: {', '.join(wrong)}.",
            "Run `appwitness report` on the recordings named above; if nothing explains it, please file an issue.",
        )


def _order(**options: Any) -> Order:
    from monitor.observe.order import Order

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
        callback=lambda _context, _option, text: _size(text),
        help="Size limit of the recording, such as 500m or 4g. Beyond it bodies are no longer stored, and gaps say so.",
    ),
    click.option("--operator", help="Who is responsible for the run. [default: login name]"),
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
@click.option("--output", type=click.Path(path_type=Path), help="Folder of the new recording.")
@click.option(
    "--sources",
    "extra_sources",
    type=click.Path(path_type=Path, exists=True),
    help="YAML file or folder with further APIs to hook.",
)
@threshold_options
@judging_options
def observe(wanted: Wanted, order: Order, threshold: Threshold, judging: Judging, **chosen: Any) -> None:
    """Record one run of an app, and judge it while it runs.

    Ends when the app ends, after --seconds, or at Ctrl-C (once: everything is shut down cleanly). While it runs,
    `appwitness mark` in another terminal notes what the user was asked and decided.
    """
    listen_on(order.listen, order.port).close()
    path: Path = chosen["output"] or _new_folder(wanted, order.plan)
    if judging.known.app_type is not None:
        order = replace(order, app_type=judging.known.app_type.number)
    if chosen["control"]:
        alone = path.with_name(f"{path.name}-control")
        err.print("[bold]First without hooks[/], to see whether the app behaves the same when it is watched.")
        _observe(wanted, replace(order, hooks=False), alone, judging, chosen["extra_sources"])
        order = replace(order, control=alone)
    repeat: int = chosen["repeat"]
    paths = [path] if repeat == 1 else [path.with_name(f"{path.name}-{number}") for number in range(1, repeat + 1)]
    made = []
    for each in paths:
        made.append(each)
        if _observe(wanted, order, each, judging, chosen["extra_sources"]):
            break
    sys.exit(max((judging.summary(each, threshold) for each in made), key=(0, 3, 1).index))


def _seconds(seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds < math.inf:
        raise UserError(f"--seconds {seconds} is not a length of time.", "Write it as 30 or 2.5.")
    return seconds


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d{1,12})([kmgt]?)", text.strip().lower())
    if found is None:
        raise UserError(f"--max-size {text!r} is not a size.", "Write it as 500m or 4g.")
    return int(found[1]) << 10 * " kmgt".index(found[2] or " ")


def _new_folder(wanted: Wanted, plan: str) -> Path:
    return recordings() / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{name_of(wanted)}-{plan}"


def _observe(wanted: Wanted, order: Order, path: Path, judging: Judging, extra_sources: Path | None = None) -> bool:
    """Record a run and correlate it at the same time; findings are told on stderr as they come.

    Whether it was interrupted.
    """
    from monitor.api.observing import Judge, record
    from monitor.observe.modes import choose
    from monitor.observe.order import Caller
    from monitor.observe.sources import load

    sources = load(extra_sources)
    judge = Judge(judging.known, judging.store, Teller().tell)
    status = err.status("starting")
    with opened(wanted, order.plan, Asking(status)) as device, interrupts() as interrupted:
        if not is_lab(wanted):
            if wanted.by_hand:
                err.print(f"[bold]For you to do:[/] {TO_DO[order.plan]}")
            way = choose(order.mode, device.modes(order.listen), hooks=order.hooks is not False)
            err.print(f"[bold]Proxy mode {way.spec}:[/] {way.why}. It sees: {way.sees} {way.todo}")
        with status:
            caller = Caller(
                stop=interrupted,
                say=lambda what: status.update(f"{wanted.device} ({order.plan}): {what}"),
                warn=lambda what: err.print(f"[bold]Warning:[/] {what}."),
            )
            record(device, path, sources, order, caller, judge)
    return interrupted()

"""The verbs about devices: devices, doctor, undo, pair."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appwitness.cli import completion
from appwitness.cli.as_json import document, json_option
from appwitness.cli.front_page import language
from appwitness.cli.local_words import tr, width
from appwitness.cli.terminal import columns, err, out, plain
from appwitness.cli.verbs import FILE, NEW_FILE, main
from appwitness.support import escape, site
from appwitness.support.errors import SetupError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.diagnosing import Diagnosis
    from appwitness.api.undoing import OpenChange, TakenBack, UnreachableDevice

FAULT = SetupError.exit_code
LEVELS = {"ok": "green", "warning": "yellow", "fault": "bold red"}
"""Level of a result -> its colour."""

device_option = click.option(
    "--device",
    "name",
    metavar="DEVICE",
    shell_complete=completion.devices,
    help="The device: a serial that `appwitness devices` shows, HOST:PORT, usb or emulator. "
    "[default: the only connected one]",
)


@main.command()
@device_option
@click.option(
    "--wait",
    "wait_s",
    type=click.IntRange(0, 3600),  # nan would be waited for forever
    default=0,
    metavar="SECONDS",
    help="Wait up to this long for the device to start, such as an emulator in a container.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON (`appwitness list schema --of doctor` describes it).")
@click.option(
    "--export",
    "archive",
    type=NEW_FILE,
    metavar="FILE.zip",
    help="Also write an archive to send to us. It shows the format of what the device prints, and holds none of "
    "your data.",
)
@click.option(
    "--hooks",
    "hooked",
    is_flag=False,
    flag_value="com.android.settings",
    metavar="PACKAGE",
    help="Also start an app (Settings unless you name one) with the agent in it, check that hooks work, and stop it.",
)
@click.option(
    "--frida-server",
    type=FILE,
    metavar="FILE",
    help="For --hooks: the frida-server to use instead of the released one.",
)
def doctor(
    name: str | None, wait_s: float, as_json: bool, archive: Path | None, hooked: str | None, frida_server: Path | None
) -> None:
    """Check whether a device can be observed, and name what to fix if it cannot.

    It changes nothing on the device, except while --hooks runs. Exits with 0 if a run would work, even with warnings,
    and with 4 if it would not.
    """
    from appwitness.api import diagnosing

    diagnosis = diagnosing.diagnose(name, wait_s)
    if hooked is not None and diagnosis.worst != "fault":
        diagnosis = diagnosing.with_hooks(diagnosis, hooked, frida_server)
    if archive is not None:
        names = diagnosing.export(diagnosis, archive)
        err.print(
            plain(
                tr(
                    "written: {archive}, {names} files; look into it before you send it",
                    archive=archive,
                    names=len(names),
                )
            )
        )
    if as_json:
        click.echo(escape.json(json.dumps(diagnosis.model_dump(mode="json"), indent=1, ensure_ascii=False)))
    else:
        _show(diagnosis)
    sys.exit(FAULT if diagnosis.worst == "fault" else 0)


@main.command()
@json_option
def devices(as_json: bool) -> None:
    """List the connected devices and what each can do.

    It does not request root on any device, because someone would have to confirm that on the device; `appwitness
    doctor` does.
    """
    from appwitness.api.devices import listed

    there = listed()
    if all(each.state == "embedded" for each in there):
        err.print(tr("No Android device or emulator is there; `appwitness doctor` says what to do."))
    if as_json:
        document({"devices": there})
        return
    rows = [astuple(each) for each in there]
    columns(("device", "state", "model", "hooks", "trust", "traffic", "screens"), rows)


@main.command()
@click.argument("address", metavar="HOST:PORT", required=False)
@click.argument("code", required=False)
@json_option
def pair(address: str | None, code: str | None, as_json: bool) -> None:
    """Pair with a phone over Wi-Fi.

    On the phone, open Settings, Developer options, Wireless debugging, Pair device with pairing code. The phone shows
    HOST:PORT and a CODE. You are asked for what you leave out here, and the code is stored nowhere. Once paired, the
    phone is connected.
    """
    from appwitness.api import devices

    if address is None:
        waiting = devices.waiting()
        address = click.prompt(
            tr("HOST:PORT on the phone's page"), default=waiting[0] if len(waiting) == 1 else None, err=True
        )
    devices.check_address(address)
    if code is None:
        code = click.prompt("Code", hide_input=True, err=True)
    devices.pair(address, code)
    if not as_json:
        out.print(tr("paired with {address}", address=plain(address)))
    connected = devices.connect(address)
    if as_json:
        document({"paired": address, "connected": connected})
    elif connected is None:
        out.print(
            tr("Now connect: appwitness doctor --device HOST:PORT, with the port on the page Wireless debugging.")
        )
    else:
        out.print(tr("connected; try: appwitness doctor --device {connected}", connected=plain(connected)))


@main.command()
@device_option
@click.option("--all", "everything", is_flag=True, help="Undo the changes on every connected device.")
@json_option
def undo(name: str | None, everything: bool, as_json: bool) -> None:
    """Undo what a run left changed on a device, after a crash or an unplugged cable.

    What cannot be undone now stays on record, and the verb exits with 4.
    """
    from appwitness.api.undoing import left_by_runs

    left = left_by_runs(name, everything=everything)
    done = [(device.serial, device.take_back()) for device in left.reachable]
    if as_json:
        document(_undone(done, left.unreachable))
    else:
        for serial, result in done:
            _tell_taken_back(serial, result)
        for device in left.unreachable:
            _tell_open(device)
    if left.fault is not None:
        raise left.fault
    if not as_json and not left.reachable and not left.unreachable:
        out.print(tr("Nothing is left from earlier runs, and no device is connected."))
    sys.exit(FAULT if left.unreachable or not all(result.complete for _, result in done) else 0)


def _undone(done: Sequence[tuple[str, TakenBack]], open_: Sequence[UnreachableDevice]) -> dict[str, Any]:
    def told(change: OpenChange) -> dict[str, Any]:
        return {"what": change.what, "before": change.before, "at": str(change.at)}

    return {
        "devices": [
            {
                "device": serial,
                "complete": result.complete,
                "changes": [{"how": how, **told(change)} for change, how in result.changes],
                "failures": [{"what": each.what, "next_step": each.next_step} for each in result.failures],
            }
            for serial, result in done
        ],
        "unreachable": [
            {"device": each.name, "journal": each.journal, "changes": list(map(told, each.changes))} for each in open_
        ],
    }


def _tell_taken_back(serial: str, result: TakenBack) -> None:
    """Print what was taken back on a device."""
    if not result.changes:
        out.print(plain(tr("{serial}: nothing to undo", serial=serial)))
    for change, how in result.changes:
        out.print(plain(f"{serial}: {how}: {_told(change)}"))
    for failure in result.failures:
        err.alarm(
            tr(
                "[bold red]error:[/] {what}\n{next_step}",
                what=plain(tr(failure.what)),
                next_step=plain(tr(failure.next_step)),
            )
        )


def _tell_open(device: UnreachableDevice) -> None:
    for change in device.changes:
        out.print(plain(tr("{name}: open: {change}", name=device.name, change=_told(change))))
    out.print(
        plain(
            tr(
                "{name}: cannot be reached now; connect it and run undo again. Kept in {journal}",
                name=device.name,
                journal=device.journal,
            )
        )
    )


def _told(change: OpenChange) -> str:
    was = Spoken(" (it was {before!r})", before=change.before) if change.before is not None else ""
    return Spoken("{what}{was}, at {at}", what=change.what, was=was, at=change.at)


def _show(diagnosis: Diagnosis) -> None:
    out.print(plain(diagnosis.device or tr("no device")))
    for result in diagnosis.results:
        code = f" [dim]({plain(result.code)})[/]" if result.code else ""
        level = tr(result.level)
        room = " " * (8 - width(level))
        out.print(f"[{LEVELS[result.level]}]{level}[/]{room}{plain(result.check):13}{plain(tr(result.message))}{code}")
        if result.remedy:
            out.print(f"{'':21}{plain(tr(result.remedy))}")
        if page := site.fault_page(result.code, language()):
            out.print(f"{'':21}{plain(page)}")

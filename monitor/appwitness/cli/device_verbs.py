"""The verbs about devices: doctor, devices, pair, undo."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appwitness.api.home import home
from appwitness.cli.base import main
from appwitness.cli.terminal import columns, err, out, plain
from appwitness.support.errors import SetupError, UserError, not_installed

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.devices.android.control import Control
    from appwitness.devices.android.doctor import Diagnosis
    from appwitness.devices.android.journal import Entry, Journal

FAULT = SetupError.exit_code
NO_PROXY = 9
"""A port at which no proxy listens: what an app sends while its hooks are tried goes nowhere."""
PTRACE_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")
LEVELS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "fault": "[bold red]fault[/]  "}

device_option = click.option(
    "--device",
    "name",
    metavar="DEVICE",
    help="Serial as `appwitness devices` shows it, HOST:PORT, usb or emulator. [default: the only one that is there]",
)


def journals() -> Path:
    """Where it is written down what was changed on devices."""
    return home() / "devices"


@main.command()
@device_option
@click.option(
    "--wait",
    "wait_s",
    type=click.IntRange(0, 3600),  # nan would be waited for without an end
    default=0,
    metavar="SECONDS",
    help="Wait up to this long for it to start, such as an emulator in a container.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON (`appwitness schema --of doctor` describes it).")
@click.option(
    "--export",
    "archive",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.zip",
    help="Also write what the device says of itself to an archive that you can send us; personal data is removed.",
)
@click.option(
    "--hooks",
    "hooked",
    is_flag=False,
    flag_value="com.android.settings",
    metavar="PACKAGE",
    help="Also start an app (Settings if none is named) with the agent in it, check that hooks work, and end it.",
)
@click.option(
    "--frida-server",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="For --hooks: the frida-server to take, instead of the release's.",
)
def doctor(
    name: str | None, wait_s: float, as_json: bool, archive: Path | None, hooked: str | None, frida_server: Path | None
) -> None:
    """Check whether a device can be observed, and say what to do where it cannot.

    Changes nothing on the device, but for as long as --hooks takes. Ends with 0 when a run would work, warnings or
    not, and with 4 when it would not.
    """
    diagnosis = _lab(name) if name is not None and name.startswith("lab:") else _diagnose(name, wait_s)
    if hooked is not None and diagnosis.worst != "fault":
        diagnosis = _with_hooks(diagnosis, hooked, frida_server)
    if archive is not None:
        _export(diagnosis, archive)
    if as_json:
        click.echo(json.dumps(diagnosis.model_dump(mode="json"), indent=1, ensure_ascii=False))
    else:
        _show(diagnosis)
    sys.exit(FAULT if diagnosis.worst == "fault" else 0)


@main.command()
def devices() -> None:
    """List the devices that are there, and what each can do.

    Asks no device for root, which a person would have to allow; `appwitness doctor` does.
    """
    from appwitness.devices.android.discovery import listed
    from appwitness.devices.lab.apps import APPS

    there = listed()
    if not there:
        err.print("No Android device or emulator is there; `appwitness doctor` says what to do.")
    lab = [
        (f"lab:{name}", "embedded", app.title, "its app", "its app", "regular", "played") for name, app in APPS.items()
    ]
    head = ("device", "state", "model", "hooks", "trust", "traffic", "screens")
    columns(head, [*((each.serial, each.state, each.model, *each.can) for each in there), *lab])


@main.command()
@click.argument("address", metavar="HOST:PORT", required=False)
@click.argument("code", required=False)
def pair(address: str | None, code: str | None) -> None:
    """Pair with a phone over Wi-Fi.

    On the phone: Settings, Developer options, Wireless debugging, Pair device with pairing code. It shows HOST:PORT and
    a CODE; both are asked for when not given, and the code is written nowhere. Then the phone is connected to.
    """
    from appwitness.devices.android import adb
    from appwitness.devices.android.discovery import after_pairing

    if address is None:
        waiting = [each.address for each in adb.announced() if each.kind == adb.TLS_PAIRING]
        address = click.prompt("HOST:PORT on the phone's page", default=waiting[0] if len(waiting) == 1 else None)
    if not adb.ADDRESS.fullmatch(address):
        raise UserError(f"{address!r} is not an address.", "Write it as the phone shows it: 192.168.1.20:37123.")
    if code is None:
        code = click.prompt("Code", hide_input=True)
    code = code.replace(" ", "")
    if not (code.isascii() and code.isdigit()):
        raise UserError("The code must consist of digits.", "Type the six digits that the phone shows.")
    adb.pair(address, code)
    out.print(f"paired with {plain(address)}")
    connected = after_pairing(address)
    if connected is None:
        out.print("Now connect: appwitness doctor --device HOST:PORT, with the port on the page Wireless debugging.")
    else:
        out.print(f"connected; try: appwitness doctor --device {plain(connected)}")


@main.command()
@device_option
@click.option("--all", "everything", is_flag=True, help="Every device that was changed and is there.")
def undo(name: str | None, everything: bool) -> None:
    """Take back what runs have changed on a device and left so, after a crash or an unplugged cable.

    What cannot be taken back now stays written down, and the verb ends with 4.
    """
    from appwitness.devices.android import discovery
    from appwitness.devices.android.journal import journals as written

    left = {journal.path.stem: journal for journal in written(journals()) if journal.open}
    controls = discovery.controls(journals()) if everything else _meant(name, left)
    stays = [_undo(control) for control in controls]
    for control in controls:
        left.pop(control.journal.path.stem, None)
    if everything:
        for journal in left.values():
            _tell_open(journal)
    if everything and not controls and not left:
        out.print("Nothing is left of former runs, and no device is there.")
    sys.exit(FAULT if any(stays) or (everything and left) else 0)


def _meant(name: str | None, left: Mapping[str, Journal]) -> list[Control]:
    """The device of that name, or whose journal has it. When it is gone, tells what is open and raises DeviceFault."""
    from appwitness.devices.android import adb, discovery
    from appwitness.devices.android.faults import DeviceFault

    try:
        return [discovery.control(discovery.choose(name), journals())]
    except DeviceFault as error:
        if name is not None and not adb.ADDRESS.fullmatch(name):
            found = [control for control in discovery.controls(journals()) if control.journal.path.stem == name]
            if len(found) == 1:
                return found
        if error.code == "no-device" and not left:
            out.print("Nothing is left of former runs, and no device is there.")
            return []
        for journal in left.values():
            if name is None or name == journal.path.stem or name in journal.names:
                _tell_open(journal)
        raise


def _undo(control: Control) -> bool:
    """Whether something stays open."""
    from appwitness.devices.android.discovery import take_back

    serial = control.shell.serial
    entries = control.journal.open
    if not entries:
        out.print(plain(f"{serial}: nothing to take back"))
        return False
    with control.journal.held():
        entries = control.journal.open
        before = {entry.number: control.journal.gone_by_reboot(entry) for entry in entries}
        failures = take_back(control)
    still = {entry.number for entry in control.journal.open}
    for entry in reversed(entries):
        how = "stays" if entry.number in still else "gone with the restart" if before[entry.number] else "taken back"
        out.print(plain(f"{serial}: {how}: {_told(entry)}"))
    for failure in failures:
        err.alarm(f"[bold red]error:[/] {plain(failure.what)}\n{plain(failure.next_step)}")
    return bool(still)


def _tell_open(journal: Journal) -> None:
    for entry in journal.open:
        out.print(plain(f"{journal.path.stem}: open: {_told(entry)}"))
    out.print(
        plain(f"{journal.path.stem}: cannot be reached now; connect it and run undo again. Kept in {journal.path}")
    )


def _told(entry: Entry) -> str:
    was = f" (it was {entry.before!r})" if entry.before is not None else ""
    return f"{entry.what}{was}, of {entry.at}"


def _diagnose(name: str | None, wait_s: float) -> Diagnosis:
    from appwitness.devices.android.doctor import diagnose

    return diagnose(name, journals(), wait_s)


def _with_hooks(diagnosis: Diagnosis, package: str, frida_server: Path | None) -> Diagnosis:
    """With whether hooks work in an app there; on the lab device in its own."""
    from appwitness.devices.android import discovery
    from appwitness.observe.hooks_check import checked, hooks_work

    name = str(diagnosis.device)
    if diagnosis.kind == "lab":
        from tempfile import TemporaryDirectory

        from appwitness.devices.lab.lab_device import LabDevice

        with TemporaryDirectory() as folder, LabDevice(name.partition(":")[2], "silent", Path(folder)) as device:
            device.prepare("127.0.0.1", NO_PROXY, device.upstream_ca)
            result = checked(device.launch(), device.app.package, name, api_level=device.identity.api_level)
    else:
        control = discovery.control(discovery.choose(name), journals())
        result = hooks_work(control, package, frida_server, cache=home() / "frida")
    return diagnosis.model_copy(update={"results": (*diagnosis.results, result)})


def _export(diagnosis: Diagnosis, archive: Path) -> None:
    from appwitness.devices.android import adb
    from appwitness.devices.android.doctor import export
    from appwitness.devices.android.shell import Shell

    if diagnosis.device is None or diagnosis.kind == "lab":
        raise UserError("There is no Android device to export from.", "Name one: --device (`appwitness devices`).")
    said = {"doctor.json": json.dumps(diagnosis.model_dump(mode="json"), indent=1, ensure_ascii=False)}
    names = export.write(Shell(adb.connect(diagnosis.device)), archive, said)
    err.print(plain(f"written: {archive}, {len(names)} files; look into it before you send it"))


def _show(diagnosis: Diagnosis) -> None:
    out.print(plain(diagnosis.device or "no device"))
    for result in diagnosis.results:
        code = f" [dim]({plain(result.code)})[/]" if result.code else ""
        out.print(f"{LEVELS[result.level]} {plain(result.check):13}{plain(result.message)}{code}")
        if result.remedy:
            out.print(f"{'':21}{plain(result.remedy)}")


def _lab(name: str) -> Diagnosis:
    """The same for the lab device: its app, Java, the classes, and Frida."""
    from appwitness.devices.android.doctor import Diagnosis, Result
    from appwitness.devices.lab.apps import APPS
    from appwitness.devices.lab.runtime import jar, java_home

    app = APPS.get(name.partition(":")[2])
    if app is None:
        raise UserError(f"The lab device has no app {name[4:]!r}.", f"It has {', '.join(sorted(APPS))}.")
    results = [Result(check="reached", level="ok", code=None, message=f"the lab device, with {app.title}", remedy=None)]
    for check, ask in (("java", java_home), ("classes", jar), ("frida", _frida), ("ptrace", _ptrace)):
        try:
            result = Result(check=check, level="ok", code=None, message=str(ask()), remedy=None)
        except SetupError as error:
            result = Result(check=check, level="fault", code=f"lab-{check}", message=error.what, remedy=error.next_step)
        results.append(result)
    return Diagnosis(device=name, model="Lab device", release="14", api=34, kind="lab", results=tuple(results))


def _frida() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"Frida {version('frida')}"
    except PackageNotFoundError:
        raise not_installed("Frida", "observe") from None


def _ptrace() -> str:
    """Whether Frida may attach to what it starts: a kernel can forbid it to all (3), or to all but root (2)."""
    scope = PTRACE_SCOPE.read_text().strip() if PTRACE_SCOPE.exists() else "0"
    if scope == "3" or (scope == "2" and os.geteuid() != 0):
        raise SetupError(
            f"The kernel lets Frida attach to no process (ptrace_scope {scope}).",
            "Allow it, in a container on the host: `sysctl kernel.yama.ptrace_scope=1`; from 3 it takes a restart.",
        )
    return f"Frida may attach to what it starts (ptrace_scope {scope})"

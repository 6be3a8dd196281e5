"""Which device a run is on, and what is to be done with it: the options of `observe`, and its questions to the user."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appwitness.api.devices import NamedDevice, Wanted
from appwitness.cli.terminal import err, plain
from appwitness.cli.verbs import gathered
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.devices import Question
    from appwitness.cli.live_view import PlainLines

_CONNECT_TO = re.compile(r"(?P<host>[^:\s]+):(?P<address>\[[0-9a-fA-F:]+\]|[^:\s]+):(?P<port>\d{1,5})")


_OPTIONS = (
    click.option(
        "--device",
        default="lab:circle",
        show_default=True,
        metavar="DEVICE",
        help="What to observe: a serial that adb lists (emulator-5554, 192.168.1.20:5555), `usb` or `emulator` if "
        "there is only one; or lab:circle, lab:skies ... (a sample app of the embedded lab device).",
    ),
    click.option(
        "--apk",
        "apks",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        help="The app to install: an APK, .apks, .apkm, .xapk or a folder of splits; several times for splits. It is "
        "removed again afterwards.",
    ),
    click.option("--app", "package", metavar="PACKAGE", help="The app, if it is on the device already."),
    click.option("--activity", help="The activity to start. [default: the app's launcher activity]"),
    click.option(
        "--user", type=click.IntRange(0, 999), help="Android user or work profile. [default: the current one]"
    ),
    click.option(
        "--clear-data",
        is_flag=True,
        help="Clear the data of an app that was there before, so that each start is its first run; it is put back "
        "where the device gives root. Always so for one that --apk newly puts there.",
    ),
    click.option(
        "--persona",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="YAML file of the contacts, messages, place ... to plant for the run. [default: made up for each run]",
    ),
    click.option("--no-persona", is_flag=True, help="Plant nothing on the device."),
    click.option(
        "--frida-server",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="frida-server for the device, plain or .xz. [default: fetched once, kept in ~/.appwitness/frida]",
    ),
    click.option(
        "--frida-gadget",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Without root: Frida's gadget for an app that can be debugged, plain or .xz. [default: fetched once]",
    ),
    click.option(
        "--grant",
        multiple=True,
        metavar="PERMISSION",
        callback=lambda _context, _option, each: tuple(map(_permission, each)),
        help="Grant the app a permission before each start, as READ_CONTACTS: no user is asked for it. Taken back "
        "afterwards.",
    ),
    click.option(
        "--revoke",
        multiple=True,
        metavar="PERMISSION",
        callback=lambda _context, _option, each: tuple(map(_permission, each)),
        help="Revoke one that the app has, before each start. Granted again afterwards.",
    ),
    click.option(
        "--attach",
        is_flag=True,
        help="Observe the app as it runs on the device; what it did before is not seen.",
    ),
    click.option(
        "--allow",
        multiple=True,
        metavar="NAME",
        help="Allow a change that frida-server needs, such as selinux-permissive; it is undone afterwards.",
    ),
    click.option("--adb-root", is_flag=True, help="Let `adb root` restart the device's adb as root, where it can."),
    click.option("--ask", is_flag=True, help="Ask here what to tap where a dialog of the app is not understood."),
    click.option("--video", is_flag=True, help="Keep a video of the screen around each finding."),
    click.option(
        "--explore",
        type=click.IntRange(0, 100_000),
        default=0,
        metavar="TOUCHES",
        help="After the dialogs, touch this many elements of the app without leaving it.",
    ),
    click.option("--seed", type=int, default=1, show_default=True, help="Which elements --explore touches."),
    click.option(
        "--by-hand", is_flag=True, help="Leave the screen alone: you do on the device what the plan says, and mark it."
    ),
    click.option(
        "--connect-to",
        "hosts",
        multiple=True,
        metavar="HOST:ADDRESS:PORT",
        callback=lambda _context, _option, each: _connect_to(each),
        help="Have the proxy find HOST at this address and port: a server of your own that the app is tested against.",
    ),
    click.option(
        "--upstream-ca",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Certificate authority (PEM) of such servers; the proxy trusts it in addition to the usual ones.",
    ),
)


def _wanted(**options: Any) -> Wanted:
    return _checked(Wanted(**options))


device_options = gathered("wanted", _wanted, *_OPTIONS)
"""Which device, which app, and what may be done there; the verb gets it as `wanted`."""


@dataclass(frozen=True)
class Asking:
    """Questions to the user at the terminal."""

    live: PlainLines
    """What is shown meanwhile; it makes room."""

    def may(self, what: str) -> bool:
        """Whether the user allows it; without a terminal, nothing is allowed."""
        return sys.stdin.isatty() and bool(self._quietly(lambda: click.confirm(what, err=True)))

    def answer(self, question: Question) -> str | None:
        """The label to touch of a dialog that nothing is known of; None: dismiss it."""
        if not sys.stdin.isatty():
            return None
        labels = dict(enumerate(question.labels, 1))

        def ask() -> int:
            err.print(f"[bold]The app asks:[/] {plain(question.title)}\n{plain(chr(10).join(question.texts))}")
            for number, label in labels.items():
                err.print(f"  {number}  {plain(label)}")
            choice: int = click.prompt("Touch which? 0 dismisses it", type=click.IntRange(0, len(labels)), err=True)
            return choice

        return labels.get(self._quietly(ask))

    def _quietly[T](self, ask: Callable[[], T]) -> T:
        self.live.stop()
        try:
            return ask()
        finally:
            self.live.start()


def _checked(wanted: Wanted) -> Wanted:
    """Raises UserError for what does not go together."""
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
                f"The lab device takes no {', '.join(given)}: its apps and data are built in.",
                "Leave that out, or name a phone or an emulator with --device.",
            )
    elif not wanted.apks and not wanted.package:
        raise UserError(
            f"Which app should be observed on {wanted.device}?",
            "Name an APK to install, --apk app.apk, or an app that is installed, --app com.example.app.",
        )
    elif wanted.attach and (wanted.grant or wanted.revoke):
        raise UserError(
            "--grant and --revoke change what an app may before it starts; with --attach it runs already.",
            "Leave --attach out, or grant it on the device.",
        )
    return wanted


def _permission(text: str) -> str:
    """Its full name. Raises UserError for what is not a permission."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", text):
        raise UserError(
            f"{text!r} is not a permission.", "Write it as READ_CONTACTS or android.permission.READ_CONTACTS."
        )
    return text if "." in text else f"android.permission.{text}"


def _connect_to(each: tuple[str, ...]) -> dict[str, tuple[str, int]]:
    hosts = {}
    for text in each:
        found = _CONNECT_TO.fullmatch(text)
        if found is None or not 0 < int(found["port"]) < 65536:
            raise UserError(
                f"--connect-to {text!r} is not HOST:ADDRESS:PORT.",
                "Write it as --connect-to api.example.com:127.0.0.1:8443.",
            )
        hosts[found["host"].lower()] = (found["address"].strip("[]"), int(found["port"]))
    return hosts

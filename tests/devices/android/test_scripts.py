"""Scripts for a device, run by a real `sh`: a name that an app or a device gives is one word, whatever is in it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appwitness.devices.android.adb import CommandOutput
from appwitness.devices.android.app import package
from appwitness.devices.android.app.package_undo import Aside, Data, Expansions
from appwitness.devices.android.control import Control
from appwitness.devices.android.device_facts import DeviceFacts
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.frida import gadget, quirks
from appwitness.devices.android.journal import Journal, Undo
from appwitness.devices.android.persona.content import Content
from appwitness.devices.android.persona.place import location_commands
from appwitness.devices.android.processes import start_app
from appwitness.devices.android.screen import uiautomator
from appwitness.devices.android.shell import Root, Shell
from appwitness.devices.android.traffic import delete_setting, gateway

APP = "com.example.circle"
COMMANDS = (
    *("pm", "am", "cmd", "getprop", "setprop", "settings", "dumpsys", "content", "monkey", "run-as", "ip", "input"),
    *("pidof", "uiautomator", "screencap", "bmgr", "wm", "sleep"),
)
"""What a device has, and this machine has not, or not so."""
STAND_IN = """#!/bin/sh
printf '%s\\0' "${0##*/}" "$@" >>"$CALLS"
echo >>"$CALLS"
[ ! -e "$PHONE/says/${0##*/}" ] || cat "$PHONE/says/${0##*/}"
"""
ATTACKS = (
    ";touch p;",
    "$(touch p)",
    "`touch p`",
    "\ntouch p\n",
    "'touch p'",
    '"touch p"',
    "|touch p",
    "&touch p&",
    ">p",
)
PIECES = st.text("abc.$;|&<>*?[]{}()!#~'\"\\ \t%=-", max_size=8)
NAMES = st.builds(
    "".join, st.tuples(st.sampled_from(("", "-", "--", "com.a.", "$")), PIECES, st.sampled_from(ATTACKS), PIECES)
)
"""Names with what a shell acts on, some with a leading dash, some with line ends."""
LINES = NAMES.map(lambda name: " ".join(name.split())).filter(bool)
"""The same as a device prints them, on one line."""


class Phone(Shell):
    """Runs each script, of root or not, by `sh` among stand-ins for the device's commands."""

    serial = "phone"

    def __init__(self, place: Path) -> None:
        self.place, self.here, self._calls = place, place / "here", place / "calls"
        for folder in (self.here, place / "bin", place / "says"):
            folder.mkdir()
        for name in COMMANDS:
            program = place / "bin" / name
            program.write_text(STAND_IN)
            program.chmod(0o755)

    def says(self, command: str, text: str) -> None:
        """Have a command print this."""
        (self.place / "says" / command).write_text(text)

    def user(self, script: str, *, timeout_s: float = 10) -> CommandOutput:
        self._calls.write_text("")
        for top in ("/data/", "/storage/", "/sdcard/"):
            script = script.replace(top, f"{self.place}{top}")
        places = {
            "PATH": f"{self.place}/bin:{os.environ['PATH']}", "PHONE": str(self.place), "CALLS": str(self._calls),
        }  # fmt: skip
        done = subprocess.run(["sh", "-c", script], cwd=self.here, env=places, capture_output=True, check=False)
        assert list(self.here.iterdir()) == [], script
        out, err = (said.decode(errors="replace") for said in (done.stdout, done.stderr))
        return CommandOutput(done.returncode, out.removesuffix("\n"), err)

    root = user

    def rooted(self) -> Root:
        return Root("sh {file}")

    @property
    def calls(self) -> list[list[str]]:
        """The words of each call of the last script."""
        return [call.split("\0") for call in self._calls.read_text().split("\0\n") if call]


def control(place: Path) -> Control:
    facts = DeviceFacts({"ro.build.version.sdk": "34"}, "boot", None, None, None, ())
    return Control(Phone(place), facts, Journal(place / "journals", "phone", "boot"), "0123abcd")


def undone(of: Control) -> list[list[str]]:
    """Take all back by scripts that are read from the disk; the words of all calls."""
    calls: list[list[str]] = []

    def do(undo: Undo) -> None:
        of.shell.user(undo.script)
        calls.extend(of.shell.calls)  # type: ignore[attr-defined]

    Journal(of.journal.path.parent, of.journal.path.stem, "boot").undo_all(do)
    return calls


def grant(of: Control, name: str) -> list[list[str]]:
    dump = f"  Package [{APP}] (1):\n    requested permissions:\n      {name}\n    User 0: x\n"
    of.shell.says("dumpsys", dump)  # type: ignore[attr-defined]
    with suppress(DeviceFault):
        package.grant(of, APP, name)
    of.shell.says("dumpsys", f"{dump}      {name}: granted=true\n")  # type: ignore[attr-defined]
    return undone(of)


def start(of: Control, name: str) -> list[list[str]]:
    of.shell.says("am", "Error: no")  # type: ignore[attr-defined]
    with suppress(DeviceFault):
        start_app(of.shell, APP, 0, name)
    return [[word.removeprefix(f"{APP}/") for word in call] for call in of.shell.calls]  # type: ignore[attr-defined]


def cure(of: Control, name: str) -> list[list[str]]:
    of.shell.says("getprop", f"{name}\n")  # type: ignore[attr-defined]
    quirk = quirks.quirks()[0].model_copy(update={"set": {"a.b": name}, "do": None})
    quirks.apply(of, quirk)
    return undone(of)


def put(of: Control, name: str) -> list[list[str]]:
    of.shell.says("settings", f"{name}\n")  # type: ignore[attr-defined]
    of.put("global", "http_proxy", name)
    delete_setting(of, "http_proxy")
    return undone(of)


def debug(of: Control, name: str) -> list[list[str]]:
    of.shell.says("settings", f"{name}\n")  # type: ignore[attr-defined]
    gadget.note_debug_app(of, name)
    gadget.note_files(of, name)
    return undone(of)


def screen(of: Control, name: str) -> list[list[str]]:
    seen = uiautomator.ShellHands(of, "/data/local/tmp/.x")
    seen.permissions(name)
    calls = list(of.shell.calls)  # type: ignore[attr-defined]
    seen.bring_back(name)
    return [*calls, *of.shell.calls]  # type: ignore[attr-defined]


def provider(of: Control, name: str) -> list[list[str]]:
    content = Content(of, 0)
    lines = [
        content.insert("content://a", {"display_name": name}),
        content.ids("content://a", name),
        content.delete("content://a", name),
    ]
    of.shell.user("\n".join(lines))
    return [[word.removeprefix("display_name:s:") for word in call] for call in of.shell.calls]  # type: ignore[attr-defined]


def place(of: Control, name: str) -> list[list[str]]:
    class Odd:
        text = name

    of.shell.user("\n".join(location_commands(Odd())))  # type: ignore[arg-type]
    return of.shell.calls  # type: ignore[attr-defined, no-any-return]


def route(of: Control, name: str) -> list[list[str]]:
    gateway.lead(of, gateway.Link("192.0.2.1", name, "192.0.2.2"), 10123)
    return of.shell.calls  # type: ignore[attr-defined, no-any-return]


def kept(of: Control, name: str) -> list[list[str]]:
    of.shell.user(Data(APP, 0, (name,), ((name, name),)).permit)
    calls = list(of.shell.calls)  # type: ignore[attr-defined]
    folder = of.shell.place / f"data/local/tmp/.appwitness-{name.replace('/', '_')}-0"  # type: ignore[attr-defined]
    aside = Aside(name.replace("/", "_"), 0, name)
    folder.mkdir(parents=True)
    for file in ("uninstalled", "base.apk"):
        (folder / file).touch()
    of.shell.says("pm", "Success: created install session [7]")  # type: ignore[attr-defined]
    of.shell.user(aside.put_back)
    calls += of.shell.calls  # type: ignore[attr-defined]
    expansions = Expansions(name.replace("/", "_"), 0)
    for script in (expansions.there, expansions.keep, expansions.make, expansions.drop, expansions.put_back):
        of.shell.user(script)
    return calls


BUILDERS: tuple[Callable[[Control, str], list[list[str]]], ...] = (
    *(grant, start, cure, put, debug, screen, provider, place, route, kept),
)


@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
@settings(max_examples=6, deadline=None)
@given(name=LINES)
def test_a_name_is_one_word(build: Callable[[Control, str], list[list[str]]], name: str) -> None:
    with TemporaryDirectory() as folder:
        calls = build(control(Path(folder)), name)
    assert any(name in call or any(word.startswith(name) for word in call) for call in calls), calls


@settings(max_examples=10, deadline=None)
@given(name=NAMES)
def test_a_persona_s_text_may_have_lines(name: str) -> None:
    with TemporaryDirectory() as folder:
        assert any(name in call for call in provider(control(Path(folder)), name))


@settings(max_examples=10, deadline=None)
@given(name=LINES)
def test_what_an_earlier_version_pasted_into_its_journal_is_one_word(name: str) -> None:
    with TemporaryDirectory() as folder:
        of = control(Path(folder))
        script = "\n".join(
            (
                f"pm grant --user 0 {APP} {name} >/dev/null 2>&1",
                f"setprop debug.x '{name}'",
                f"pm grant --user 0 {APP} android.permission.CAMERA >/dev/null 2>&1",
                "true",
            )
        )
        line = {"change": {**ENTRY, "undo": {"by": "root", "script": script}}, "connected": None}
        of.journal.path.write_text(f"{json.dumps(line)}\n")
        calls = undone(of)
    granted = ["pm", "grant", "--user", "0", APP]
    assert calls == [[*granted, name], ["setprop", "debug.x", name], [*granted, "android.permission.CAMERA"]]


ENTRY: dict[str, Any] = {
    "number": 1,
    "at": "2026-01-01T00:00:00.000000Z",
    "boot": "boot",
    "run": None,
    "what": "data",
    "before": None,
}

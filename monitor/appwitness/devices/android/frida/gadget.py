"""Frida's gadget, for devices without frida-server: already in the app's package, or injected into a debuggable app.

Frida itself injects it, as a debugger (injector.vala): `am set-debug-app -w --persistent`, `am start -D`, and when the
first activity is created it makes the app copy the gadget to its own folder and load it. Not tried on Android: the rig
plays the gadget and the app's side of the debugger's protocol (tests/adb/rig/gadget.py, jdwp.py).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appwitness.agent.target import Gadget
from appwitness.devices.android.app.app_files import App
from appwitness.devices.android.app.gadget_config import GadgetConfig
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.devices.android.frida import frida_release
from appwitness.devices.android.frida.frida_release import Build
from appwitness.devices.android.journal import Undo
from appwitness.devices.android.shell import TMP
from appwitness.support import private_files

FROM_PACKAGE = "Frida's gadget is in the app's package: what the app did before it loaded that library is not seen"
BY_DEBUGGER = (
    "Frida's gadget came into the app as its first activity was created: what its Application and its content "
    "providers did before is not seen"
)
_PUSHED = f"{TMP}/frida-gadget-"
_COPIED = ("gadget.so", "gadget.config")
"""Files that Frida leaves in the app's own folder."""


@dataclass(frozen=True)
class GadgetWay:
    """The gadget through which an app can be entered: the one in its package, or one that Frida injects."""

    config: GadgetConfig | None = None
    build: Build | None = None


@dataclass(frozen=True)
class ReadyGadget:
    """A gadget with which the app can be started."""

    gadget: Gadget
    remote: tuple[str, str | None] | None
    """Its address on this machine, and its token; None: Frida finds it through adb."""
    described: dict[str, str]
    """Facts for run.json."""


def way(
    control: Control, app: App, given: Path | None, cache: Path, *, by_debugger: str | None = None
) -> GadgetWay | str:
    """The gadget through which the app can be entered, or why there is none. `given`: the file of one; else it is
    taken from `cache`, or downloaded. `by_debugger`: why Frida cannot inject one in this run, if that is known
    already. Raises DeviceFault for an unsuitable given file."""
    own = next((each.gadget for each in app.apks if each.gadget is not None), None)
    if own is not None and own.problem is None:
        return GadgetWay(config=own)
    if by_debugger is None and not app.base.debuggable:
        by_debugger = "the app cannot be debugged"
    if by_debugger is not None:
        return by_debugger if own is None else f"{by_debugger}; {own.problem}"
    try:
        build = frida_release.find(frida_release.asset(control.facts, control.shell.serial, app.abis), given, cache)
    except DeviceFault as error:
        if given is not None:
            raise
        return error.what.rstrip(".")
    control.requests += build.requests
    return GadgetWay(build=build)


def ready(
    control: Control, by: GadgetWay, package: str, cache: Path, start: Callable[[], object], end: Callable[[], object]
) -> ReadyGadget:
    """Prepare a gadget for the app's starts; the changes that Frida will make are journalled. `start` and `end` start
    and end the app.

    Raises DeviceFault `app-not-debuggable`.
    """
    if by.config is not None:
        address = control.forward(by.config.endpoint)
        told = {"gadget": "in the app's package", "gadget_at": by.config.endpoint}
        gadget = Gadget(FROM_PACKAGE, end, start=start, waits=by.config.waits)
        return ReadyGadget(gadget, (address, by.config.token), told)
    assert by.build is not None
    if not control.shell.user(f"run-as {shlex.quote(package)} id").ok:
        raise fault("app-not-debuggable", serial=control.shell.serial, package=package)
    file = cache.expanduser() / by.build.name
    private_files.folder(file.parent)
    private_files.write(file, by.build.data)
    note_debug_app(control, package)
    note_files(control, package)
    told = {"gadget": by.build.name, "sha256": by.build.sha256, "origin": by.build.origin}
    return ReadyGadget(Gadget(BY_DEBUGGER, end, file=str(file)), None, told)


def note_debug_app(control: Control, package: str) -> None:
    """Journal the two settings that say which app waits for a debugger."""
    was, waits = (
        control.shell.check(f"settings get global {name}").strip() for name in ("debug_app", "wait_for_debugger")
    )
    undo = "am clear-debug-app"
    if waits == "null":
        undo += "\nsettings delete global wait_for_debugger >/dev/null"
    if was not in ("null", ""):
        undo = f"am set-debug-app {'-w ' if waits == '1' else ''}--persistent {shlex.quote(was)}"
    what = f"{package} waits for a debugger when it is started"
    control.journal.before(what, Undo("user", undo), was if was != "null" else None)


def note_files(control: Control, package: str) -> None:
    """Journal the files that Frida puts on the device; undo keeps files that were there before."""
    there = set(control.shell.user(f"ls {_PUSHED}* 2>/dev/null; run-as {shlex.quote(package)} ls").out.split())
    kept = "|".join(shlex.quote(name) for name in sorted(there) if name.startswith(_PUSHED))
    remove = f'case $file in {kept}) ;; *) rm -f "$file" ;; esac' if kept else 'rm -f "$file"'
    copied = " ".join(name for name in _COPIED if name not in there)
    run_as = f"run-as {shlex.quote(package)}"
    undo = f"""for file in {_PUSHED}*; do {remove}; done
{run_as} true 2>/dev/null || exit 0
{run_as} rm -f {copied}"""
    control.journal.before(f"Frida's gadget in {package}", Undo("user", undo))

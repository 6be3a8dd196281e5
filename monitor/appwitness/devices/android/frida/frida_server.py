"""frida-server on a device: installed under a random name, started as root, checked, and removed after the run.

Not tried on Android: the rig has a stand-in for the server (tests/adb/rig/frida_server.py). Sources: frida-core's
server.vala, httptoolkit-server, AndroidFridaManager.
"""

from __future__ import annotations

import functools
import secrets
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appwitness.agent.frida_device import VERSION, FridaFault, answers
from appwitness.devices.android.app.gadget_config import USUAL_PORT
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.devices.android.frida.frida_release import CACHE, DOWNLOADS, Build, asset, below_floor, find
from appwitness.devices.android.frida.quirks import Quirk, apply, cure, wanted
from appwitness.devices.android.shell import TMP
from appwitness.support.spoken import Spoken

READY_S = 15.0
PORTS = range(20_000, 60_000)
PORT_TRIES = 4
_LISTEN = f":{USUAL_PORT:04X} [0-9A-F]*:0000 0A"
_OTHERS = f"""grep -l '{_LISTEN}' /proc/net/tcp /proc/net/tcp6 2>/dev/null
grep -lE 'frida-server|re[.]frida' /proc/[0-9]*/cmdline 2>/dev/null
true"""
_END = """for signal in TERM KILL; do
  for step in 1 2 3 4 5 6 7 8 9 10 11 12; do
    there=$(grep -l '{pattern}' /proc/[0-9]*/cmdline 2>/dev/null)
    [ -z "$there" ] && break 2
    if [ "$step" = 1 ]; then
      for file in $there; do pid=${{file#/proc/}}; kill -$signal "${{pid%/cmdline}}" 2>/dev/null; done
    fi
    sleep 0.25
  done
done
rm -rf '{folder}'
[ ! -e '{folder}' ]"""
"""Ends everything started from the folder, found by its unique name, and removes the folder. Asked to end,
frida-server reverts its changes to zygote; it gets three seconds for that."""
_START = """cd '{folder}' || exit 1
{environment}
setsid '{folder}/{name}' -l 127.0.0.1:{port} --token {token} </dev/null >output 2>&1 &
echo $!"""
_ENVIRONMENT = """zygote=$(pidof zygote64 || pidof zygote)
zygote=${zygote%% *}
if [ -n "$zygote" ]; then
  tr '\\000' '\\n' <"/proc/$zygote/environ" >environment
  while IFS= read -r line; do
    case $line in ANDROID_SOCKET_*) ;; [A-Za-z_]*=*) export "$line" ;; esac
  done <environment
  rm -f environment
fi"""


@dataclass(frozen=True)
class Running:
    """A running frida-server."""

    remote: tuple[str, str]
    """Address on this machine, and token."""
    folder: str
    """Its folder on the device; the command lines of its processes contain it."""
    port: int
    """Its port on the device's loopback."""
    build: Build
    system: Mapping[str, Any]
    """What it reports about the device, such as `access` and `arch`."""
    quirks: tuple[str, ...]
    """The quirks that were applied."""

    @property
    def described(self) -> dict[str, str]:
        """Facts for run.json."""
        told = {"server": self.build.name, "sha256": self.build.sha256, "origin": self.build.origin}
        return {**told, "quirks": " ".join(self.quirks)} if self.quirks else told


def start(
    control: Control,
    given: Path | None = None,
    *,
    cache: Path = CACHE,
    downloads: str = DOWNLOADS,
    allowed: Sequence[str] = (),
    ready_s: float = READY_S,
) -> Running:
    """Install frida-server on the device and start it as root; returns when it answers.

    `given`: the file to use; `allowed`: quirks that the user permitted. Changes are journalled; if the start fails,
    they are undone at once. Raises DeviceFault, including `no-root`, and FridaFault.
    """
    facts, serial = control.facts, control.shell.serial
    if control.shell.rooted() is None:
        raise fault("no-root", serial=serial)
    if (old := below_floor()) is not None:
        control.notes.append(old)
    name = asset(facts, serial)
    build = find(name, given, cache, downloads)
    control.requests += build.requests
    since = control.journal.last
    try:
        _note_others(control)
        applied = wanted(facts, allowed)
        for quirk in applied:
            apply(control, quirk)
        folder, program = _put(control, build)
        try:
            return _run(control, build, folder, program, applied, ready_s)
        except DeviceFault as error:
            found = cure(str(error), facts)
            if found is None or (found.asks and found.name not in allowed):
                raise
            apply(control, found)
            return _run(control, build, folder, program, [*applied, found], ready_s)
    except BaseException:
        control.journal.undo_all(control.take_back, since=since)
        raise


def _note_others(control: Control) -> None:
    """Note another running server without touching it: two servers change the same zygote."""
    there = control.shell.root(_OTHERS).out.split()
    if there:
        port = any(file.startswith("/proc/net") for file in there)
        pids = [file.split("/")[2] for file in there if not file.startswith("/proc/net")]
        named = [*([f"port {USUAL_PORT}"] if port else ()), *(f"process {pid}" for pid in pids)]
        control.notes.append(
            Spoken(
                "another Frida is on the device ({found}) and was left alone; it can disturb how apps start",
                found=", ".join(named),
            )
        )


def _put(control: Control, build: Build) -> tuple[str, str]:
    """Copy the program to the device; returns its folder and name. Raises DeviceFault unless its version is the one
    used here."""
    folder, program = f"{TMP}/.{secrets.token_hex(4)}", secrets.token_hex(4)
    end = _END.format(folder=folder, pattern=folder.replace(".", "[.]") + "/")
    made = f"mkdir -m 0700 {folder} && chown 2000:2000 {folder}"  # adb's user pushes it there
    control.change(f"frida-server in {folder}", made, end, root=True)
    control.shell.adb.push(build.data, f"{folder}/{program}", 0o700)
    owned = f"chown -R 0:0 {folder} && chmod 0700 {folder} {folder}/{program}"
    done = control.shell.root(f"{owned} && {folder}/{program} --version")
    told = {"file": build.file, "name": f"{build.name}.xz"}
    if not done.ok:
        said = (done.err or done.out or f"exit status {done.code}").strip()[-300:]
        raise fault("frida-server-not-run", serial=control.shell.serial, said=said, **told)
    if (have := done.out.strip()) != VERSION:
        raise fault("frida-server-version", have=have, want=VERSION, **told)
    return folder, program


def _run(
    control: Control,
    build: Build,
    folder: str,
    program: str,
    applied: Sequence[Quirk],
    ready_s: float,
) -> Running:
    """Start the server on a free port and wait until it answers; if it does not, the error contains its output."""
    token = secrets.token_hex(16)
    environment = _ENVIRONMENT if any(quirk.environment for quirk in applied) else ""
    for tries in range(1, PORT_TRIES + 1):
        port = PORTS.start + secrets.randbelow(len(PORTS))
        script = _START.format(folder=folder, name=program, port=port, token=token, environment=environment)
        pid = control.shell.check(script, root=True).strip()
        address = control.forward(f"tcp:{port}")
        alive = functools.partial(_check_alive, control, folder, pid)
        try:
            system = answers(address, token, ready_s, check=alive)
        except DeviceFault as error:
            if "in use" not in str(error) or tries == PORT_TRIES:
                raise
            continue
        except FridaFault as error:
            if error.code == "frida-silent":
                said = _printed(control, folder)
                told = {"seconds": f"{ready_s:.0f}", "said": said}
                raise fault("frida-server-silent", serial=control.shell.serial, **told) from error
            if error.code == "frida-jailed":
                raise fault("frida-server-no-rights", serial=control.shell.serial) from error
            raise
        names = tuple(quirk.name for quirk in applied)
        return Running((address, token), folder, port, build, system, names)
    raise AssertionError


def _check_alive(control: Control, folder: str, pid: str) -> None:
    if control.shell.root(f"kill -0 {shlex.quote(pid)}").ok:
        return
    said = _printed(control, folder)
    hint = cure(said, control.facts)
    advice = (
        ""
        if hint is None
        else Spoken("With `--allow {name}`, appwitness does `{what}` for this run only.", name=hint.name, what=hint.do)
    )
    raise fault("frida-server-died", serial=control.shell.serial, said=said, advice=advice)


def _printed(control: Control, folder: str) -> str:
    """What the server wrote to its standard streams."""
    with suppress(DeviceFault):
        return control.shell.root(f"tail -c 400 {folder}/output").out.strip().rstrip(".") or "nothing"
    return "nothing that could be read"

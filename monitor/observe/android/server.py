"""frida-server on a device: the right build, put there under a random name, started as root, and gone after the run.

What was not tried on Android itself: quirks (catalog/devices/quirks.yml), the gadget without root; the rig has a stand-in
for the server. Sources: frida-core's server.vala, httptoolkit-server, AndroidFridaManager.
"""

from __future__ import annotations

import functools
import hashlib
import json
import lzma
import os
import re
import secrets
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from monitor import catalog, private
from monitor.observe.android.control import Control
from monitor.observe.android.facts import Facts
from monitor.observe.android.faults import DeviceFault, fault
from monitor.observe.android.shell import TMP
from monitor.observe.frida_device import VERSION, FridaFault, answers

BUILDS = {"arm64-v8a": "arm64", "armeabi-v7a": "arm", "armeabi": "arm", "x86_64": "x86_64", "x86": "x86"}
"""Android's names of architectures, and Frida's."""
FLOOR = (17, 15, 5)
"""Older ones disturb zygote, or miss what Android 10 and the USAP pool need."""
CACHE = Path("~/.appwitness/frida")
READY_S = 15.0
PUSH_S = 120.0
PORTS = range(20_000, 60_000)
PORT_TRIES = 4
XZ = b"\xfd7zXZ\x00"
MOST_BYTES = 1 << 28
USUAL_PORT = 27042
_LISTEN = f":{USUAL_PORT:04X} [0-9A-F]*:0000 0A"
_OTHERS = f"""grep -l '{_LISTEN}' /proc/net/tcp /proc/net/tcp6 2>/dev/null
grep -l 'frida-server\\|re[.]frida' /proc/[0-9]*/cmdline 2>/dev/null
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
"""Ends what was started from the folder, by the folder's unique name, and removes it. frida-server gives zygote back
what it changed there when it is asked to end: three seconds for that."""
_START = """cd '{folder}' || exit 1
{environment}
setsid './{name}' -l 127.0.0.1:{port} --token {token} </dev/null >output 2>&1 &
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
class Releases:
    """Where Frida's releases are."""

    downloads: str = "https://github.com/frida/frida/releases/download"
    digests: str = "https://api.github.com/repos/frida/frida/releases/tags"


@dataclass(frozen=True)
class Build:
    """A frida-server on this machine."""

    name: str
    """As in the release: frida-server-17.26.2-android-arm64."""
    data: bytes = field(repr=False)
    """Unpacked."""
    origin: str
    """`given`, `cache` or `download`."""
    file: str
    """Path or address."""

    @property
    def sha256(self) -> str:
        """Of the unpacked program."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Running:
    """A frida-server that answers."""

    remote: tuple[str, str]
    """Address on this machine, and token."""
    folder: str
    """Where it lies on the device; its processes have this name in their command line."""
    port: int
    """On the device's loopback."""
    build: Build
    system: Mapping[str, Any]
    """What it says of the device, such as `access` and `arch`."""
    changes: tuple[str, ...]
    """Entries of the journal that are its own, in order of time."""
    quirks: tuple[str, ...]
    """Those that were applied."""

    @property
    def described(self) -> dict[str, str]:
        """For run.json."""
        told = {"server": self.build.name, "sha256": self.build.sha256, "origin": self.build.origin}
        return {**told, "quirks": " ".join(self.quirks)} if self.quirks else told


class Quirk(BaseModel):
    """Something of a version or a ROM that frida-server needs changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    why: str
    api: tuple[int | None, int | None]
    properties: dict[str, str] = {}
    """Property -> regular expression; all have to fit."""
    says: str | None = None
    """What the server printed before it failed; None: applied before its first start."""
    asks: bool = False
    set: dict[str, str] = {}
    do: str | None = None
    undo: str | None = None
    verify: str | None = None
    environment: bool = False
    """Give the server zygote's environment."""

    def fits(self, facts: Facts) -> bool:
        """Whether a device is one of those."""
        low, high = self.api
        if (low and facts.api < low) or (high and facts.api > high):
            return False
        return all(re.search(want, facts.properties.get(name, "")) for name, want in self.properties.items())


class _Quirks(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    quirks: tuple[Quirk, ...]


@functools.cache
def quirks() -> tuple[Quirk, ...]:
    """All that are known. Raises FileError with file and line."""
    (path,) = catalog.files("devices/quirks.yml")
    return catalog.parse(path, _Quirks).quirks


def asset(facts: Facts, serial: str) -> str:
    """The name of the build for a device, of exactly our Frida's version. Raises DeviceFault `frida-server-no-build`.

    A 64-bit server also enters 32-bit apps; where foreign code is translated it is the build of the machine itself.
    """
    said = facts.properties.get("ro.product.cpu.abi", "")
    for abi in (said, *facts.abis):
        if abi in BUILDS:
            return f"frida-server-{VERSION}-android-{BUILDS[abi]}"
    raise fault("frida-server-no-build", serial=serial, abis=", ".join(facts.abis) or said or "unknown")


def below_floor() -> str | None:
    """What to say of a Frida on this machine that is too old for devices; None: it is not."""
    have = tuple(int(part) for part in re.findall(r"\d+", VERSION)[:3])
    floor = ".".join(map(str, FLOOR))
    return None if have >= FLOOR else f"Frida {VERSION} is older than {floor}: starting apps may crash zygote"


def find(name: str, given: Path | None, cache: Path = CACHE, releases: Releases = Releases()) -> Build:
    """The build of that name: the file that was given, else from the cache, else downloaded into it.

    Raises DeviceFault: `frida-server-unreadable`, `frida-server-missing`, `frida-server-digest`.
    """
    if given is not None:
        return Build(name, _unpacked(_read(given, name), given, name), "given", str(given))
    cache = cache.expanduser()
    for file in (cache / f"{name}.xz", cache / name):
        if file.is_file():
            return Build(name, _unpacked(_read(file, name), file, name), "cache", str(file))
    url = f"{releases.downloads}/{VERSION}/{name}.xz"
    place = cache / f"{name}.xz"
    try:
        data = _fetch(url)
        want = _digest(releases, f"{name}.xz")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise fault("frida-server-missing", name=f"{name}.xz", url=url, said=reason, place=place) from None
    have = hashlib.sha256(data).hexdigest()
    if want is not None and have != want:
        raise fault("frida-server-digest", url=url, have=have, want=want)
    unpacked = _unpacked(data, url, name)
    private.folder(cache)
    fd, made = tempfile.mkstemp(dir=cache)
    with os.fdopen(fd, "wb") as file_:
        file_.write(data)
    Path(made).replace(place)
    return Build(name, unpacked, "download", url)


def _read(file: Path, name: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        said = error.strerror or str(error)
        raise fault("frida-server-unreadable", file=file, said=said, name=f"{name}.xz") from None


def _unpacked(data: bytes, file: object, name: str) -> bytes:
    if data.startswith(XZ):
        try:
            data = lzma.LZMADecompressor(memlimit=1 << 28).decompress(data, MOST_BYTES)
        except lzma.LZMAError as error:
            raise fault("frida-server-unreadable", file=file, said=error, name=f"{name}.xz") from None
    if not data.startswith((b"\x7fELF", b"#!")):
        raise fault("frida-server-unreadable", file=file, said="it is no program", name=f"{name}.xz")
    return data


def _fetch(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "appwitness"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 Releases says which
        data: bytes = answer.read(MOST_BYTES)
    return data


def _digest(releases: Releases, name: str) -> str | None:
    """sha256 of a file of the release, as the release says; None: it has none. Raises OSError, ValueError."""
    told = json.loads(_fetch(f"{releases.digests}/{VERSION}"))
    for one in told.get("assets", ()):
        if one.get("name") == name:
            kind, _, value = str(one.get("digest") or "").partition(":")
            return value.lower() if kind == "sha256" else None
    raise ValueError(f"the release names no {name}")


def start(
    control: Control,
    given: Path | None = None,
    *,
    cache: Path = CACHE,
    releases: Releases = Releases(),
    allowed: Sequence[str] = (),
    ready_s: float = READY_S,
) -> Running:
    """Put frida-server on the device and start it as root; returns when it answers.

    `given`: the file to take; `allowed`: quirks that the user gave leave for. What is changed is in the journal; where
    the start fails, it is taken back at once. Raises DeviceFault, `no-root` among them, and FridaFault.
    """
    facts, serial = control.facts, control.shell.serial
    if control.shell.rooted() is None:
        raise fault("no-root", serial=serial)
    if (old := below_floor()) is not None:
        control.notes.append(old)
    name = asset(facts, serial)
    build = find(name, given, cache, releases)
    since = control.journal.last
    try:
        _note_others(control)
        applied = [quirk for quirk in quirks() if quirk.fits(facts) and quirk.says is None and _may(quirk, allowed)]
        for quirk in applied:
            _apply(control, quirk)
        folder, program = _put(control, build)
        try:
            return _run(control, build, folder, program, applied, since, ready_s)
        except DeviceFault as error:
            cure = _cure(str(error), facts, allowed)
            if cure is None:
                raise
            _apply(control, cure)
            return _run(control, build, folder, program, [*applied, cure], since, ready_s)
    except BaseException:
        control.journal.undo_all(control.take_back, since=since)
        raise


def stop(control: Control, running: Running) -> None:
    """End the server and take back what was changed for it. Raises DeviceFault; what failed stays in the journal."""
    for entry in reversed(control.journal.open):
        if entry.what in running.changes:
            control.take_back(entry.undo)
            control.journal.undone(entry)


def _may(quirk: Quirk, allowed: Sequence[str]) -> bool:
    return not quirk.asks or quirk.name in allowed


def _cure(said: str, facts: Facts, allowed: Sequence[str]) -> Quirk | None:
    """The quirk that answers to what a server printed, where the user gave leave for it."""
    for quirk in quirks():
        if quirk.says and re.search(quirk.says, said, re.IGNORECASE) and quirk.fits(facts) and _may(quirk, allowed):
            return quirk
    return None


def _apply(control: Control, quirk: Quirk) -> None:
    """Change what it names; a device that does not take it goes on without, and the notes say so."""
    for key, value in quirk.set.items():
        was = control.shell.check(f"getprop {key}").strip()
        undo = f"setprop {key} '{was}'"
        control.change(f"set property {key} ({quirk.name})", f"setprop {key} '{value}'", undo, root=True, was=was)
        if control.shell.check(f"getprop {key}").strip() != value:
            control.notes.append(f"{quirk.name}: the device did not take {key} = {value}")
            return
    if quirk.do is not None:
        control.change(quirk.name, quirk.do, quirk.undo or "true", root=True, lost_by_reboot=True)
        if quirk.verify is not None and not control.shell.root(quirk.verify).ok:
            control.notes.append(f"{quirk.name}: the device did not take it")
            return
    control.notes.append(f"{quirk.name}: {quirk.why}; changed for the run")


def _note_others(control: Control) -> None:
    """Another server is left alone, and said: two of them change one zygote."""
    there = control.shell.root(_OTHERS).out.split()
    if there:
        port = any(file.startswith("/proc/net") for file in there)
        pids = [file.split("/")[2] for file in there if not file.startswith("/proc/net")]
        named = [*([f"port {USUAL_PORT}"] if port else ()), *(f"process {pid}" for pid in pids)]
        said = f"another Frida is on the device ({', '.join(named)}) and was left alone; it can disturb how apps start"
        control.notes.append(said)


def _put(control: Control, build: Build) -> tuple[str, str]:
    """Bring the program there; gives its folder and name. Its version has to be ours."""
    folder, program = f"{TMP}/.{secrets.token_hex(4)}", secrets.token_hex(4)
    end = _END.format(folder=folder, pattern=folder.replace(".", "[.]") + "/")
    made = f"mkdir -m 0700 {folder} && chown 2000:2000 {folder}"  # adb's user brings it there
    control.change(f"frida-server in {folder}", made, end, root=True)
    control.shell.adb.push(build.data, f"{folder}/{program}", 0o700)
    control.shell.check(f"chown -R 0:0 {folder} && chmod 0700 {folder} {folder}/{program}", root=True)
    done = control.shell.root(f"cd {folder} && ./{program} --version")
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
    since: int,
    ready_s: float,
) -> Running:
    """Start it on a free port and wait until it answers; what it printed is in the error where it does not."""
    token = secrets.token_hex(16)
    environment = _ENVIRONMENT if any(quirk.environment for quirk in applied) else ""
    for tries in range(1, PORT_TRIES + 1):
        port = PORTS.start + secrets.randbelow(len(PORTS))
        script = _START.format(folder=folder, name=program, port=port, token=token, environment=environment)
        pid = control.shell.check(script, root=True).strip()
        local = control.forward(f"tcp:{port}")
        alive = functools.partial(_check_alive, control, folder, pid)
        try:
            system = answers(f"127.0.0.1:{local}", token, ready_s, check=alive)
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
        changes = tuple(entry.what for entry in control.journal.open if entry.number > since)
        names = tuple(quirk.name for quirk in applied)
        return Running((f"127.0.0.1:{local}", token), folder, port, build, system, changes, names)
    raise AssertionError


def _check_alive(control: Control, folder: str, pid: str) -> None:
    if control.shell.root(f"kill -0 {pid}").ok:
        return
    said = _printed(control, folder)
    hint = next((quirk for quirk in quirks() if quirk.says and re.search(quirk.says, said, re.IGNORECASE)), None)
    advice = f"With `--allow {hint.name}` appwitness runs `{hint.do}` for the run." if hint is not None else ""
    raise fault("frida-server-died", serial=control.shell.serial, said=said, advice=advice)


def _printed(control: Control, folder: str) -> str:
    """What the server wrote to its standard streams."""
    with suppress(DeviceFault):
        return control.shell.root(f"tail -c 400 {folder}/output").out.strip().rstrip(".") or "nothing"
    return "nothing that could be read"


def gadget(control: Control, package: str, file: Path | None = None) -> str:
    """For a device without root: the file of Frida's gadget, which Frida itself brings into an app that can be debugged.

    To be given as `Target.gadget`, with the device's serial as `frida_device`. None as `file`: where Frida keeps it,
    for arm64. Raises DeviceFault `app-not-debuggable`, `frida-server-missing`. Not tried on Android.
    """
    name = f"frida-gadget-{VERSION}-android-arm64.so"
    place = file or Path("~/.cache/frida/gadget-android-arm64.so").expanduser()
    if not control.shell.user(f"run-as {package} id").ok:
        raise fault("app-not-debuggable", serial=control.shell.serial, package=package)
    if not place.is_file():
        url = f"{Releases().downloads}/{VERSION}/{name}.xz"
        raise fault("frida-server-missing", name=name, url=url, said="it is not downloaded by itself", place=place)
    control.change(f"{package} waits for a debugger", "true", "am clear-debug-app")
    return str(place)

"""Puts a sample app of the lab device onto a stand-in device: started by its `am`, run by a real JVM."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appwitness.devices.lab.apps import APPS
from appwitness.devices.lab.lab_device import LabApp, LabDevice
from appwitness.devices.lab.runtime import jar
from tests import java
from tests.adb.rig import make_apk
from tests.adb.rig.phone import Phone

HERE = Path(__file__).parent
UID = 10123
RUN = ("/usr/bin/env", f"PYTHONPATH={HERE.parents[2]}", sys.executable, "-m")
"""Runs a module of the rig on the device."""


@dataclass(frozen=True)
class Installed:
    """A sample app on a stand-in device, and the servers that it talks to."""

    app: LabApp
    uid: int
    apk: Path
    """A package of it, on this machine."""
    folder: Path
    """Where it is played, as this machine sees it."""
    hosts: Mapping[str, tuple[str, int]]
    """Where its hosts really are, for the proxy."""
    upstream_ca: Path
    """The authority of those hosts, for the proxy."""

    @property
    def log(self) -> str:
        """What it logged so far."""
        path = self.folder / "log.txt"
        return path.read_text("utf-8", "replace") if path.exists() else ""


def display(folder: Path) -> Path:
    """A folder with the display that others see and touch, for the class path of an app."""
    shutil.copytree(java.compiled([*(HERE / "java").rglob("*.java")], [jar()]), folder)
    folder.chmod(0o755)  # whatever user the package gets
    services = folder / "META-INF/services"
    services.mkdir(parents=True)
    (services / "com.android.lab.Display").write_text("com.android.lab.SharedDisplay\n")
    return folder


@contextlib.contextmanager
def furnish(
    phone: Phone,
    name: str,
    plan: str,
    *,
    uid: int = UID,
    installed: bool = True,
    screen: bool = False,
    quiet_ms: int = 300,
    abis: Sequence[str] = (),
    debuggable: bool = False,
    gadget: Mapping[str, Any] | None = None,
) -> Iterator[Installed]:
    """Bring `name` (circle, pages ...), whose user answers by `plan`; its servers answer while the context lasts.

    The stand-in has the program of its package from then on; `installed`: and the package too. `screen`: it shows
    itself on the device's display and takes touches from there. `quiet_ms`: the user does the next thing, and in the
    end closes the app, when it was idle for so long. `abis`: what its package has native libraries for. `debuggable`:
    it may be debugged. `gadget`: its package has Frida's gadget with this configuration.
    """
    app = APPS[name]
    apk = make_apk.apk(
        phone.folder / f"{name}.apk",
        package=app.package,
        version=app.version_code,
        activity=app.activity,
        permissions=app.requested,
        signer=name,
        code=(app.package,),
        abis=abis,
        application={"debuggable": "true"} if debuggable else None,
        files={}
        if gadget is None
        else {"lib/x86_64/libhelper.so": b"\x7fELF", "lib/x86_64/libhelper.config.so": json.dumps(gadget).encode()},
    )
    home = phone.root / f"data/rig/programs/{app.package}"
    home.mkdir(parents=True)
    shutil.copyfile(jar(), home / "lab.jar")
    hold = home / "hold.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(hold), str(HERE / "hold.c")], check=True)
    held = phone.root / "data/rig/held"
    held.mkdir(exist_ok=True)
    held.chmod(0o777)
    shutil.copyfile(HERE / "trust_store.py", phone.root / "data/rig/trust_store.py")
    device = _Device(name, plan, home / "played", cache=home)

    def inside(text: str | Path) -> str:
        return str(text).replace(str(phone.root), "")

    with device:
        argv = device.played(inside)
        classes = [home / "lab.jar", *([display(home / "display")] if screen else [])]
        argv[argv.index("-cp") + 1] = ":".join(map(inside, classes))
        argv.insert(1, f"-Dlab.quiet_ms={quiet_ms}")
        if screen:
            argv[1:1] = ["-Dlab.screen=/data/rig/screen", "-Dlab.patience=20000"]  # whoever answers takes his time
            touches = phone.root / "data/rig/screen/touches"
            touches.mkdir(parents=True, exist_ok=True)
            for each in (touches.parent, touches):
                each.chmod(0o777)
        for folder, _, files in os.walk(device.workdir):  # whatever user the package gets
            Path(folder).chmod(0o777)
            for file in files:
                (Path(folder) / file).chmod(0o666)
        stores = ["/system/etc/security/cacerts"]
        state = phone.read()
        if state["api"] >= 34:
            stores.insert(0, "/apex/com.android.conscrypt/cacerts")
        state.setdefault("programs", {})[app.package] = {
            "argv": argv,
            "env": {"LD_PRELOAD": inside(hold), "ANDROID_DATA": "/data", "PATH": "/system/bin"},
            "cwd": inside(device.workdir),
            "up": f"{inside(device.workdir)}/app.pid",
            "log": f"/data/rig/{app.package}.log",
            "prepare": [sys.executable, "/data/rig/trust_store.py", *stores],
        }
        if gadget is not None:
            state["programs"][app.package]["beside"] = [*RUN, "tests.adb.rig.gadget", json.dumps(gadget)]
        state["debugger"] = [*RUN, "tests.adb.rig.jdwp"]
        if installed:
            place = phone.root / f"data/app/~~lab==/{app.package}-1=="
            place.mkdir(parents=True)
            shutil.copyfile(apk, place / "base.apk")
            for data in ("user", "user_de"):
                own = phone.root / f"data/{data}/0/{app.package}"
                own.mkdir(parents=True, mode=0o700)
                os.chown(own, uid, uid)
                if debuggable:
                    own.chmod(0o777)  # for run-as
            state["packages"][app.package] = {
                "uid": uid,
                "path": inside(place),
                "files": ["base.apk"],
                "launchers": [app.activity],
                "version_code": app.version_code,
                "requested": list(app.requested),
                "debuggable": debuggable,
                "users": {"0": {"stopped": True, "not_launched": True, "granted": []}},
            }
        phone.write(packages=state["packages"], programs=state["programs"], debugger=state["debugger"])
        yield Installed(app, uid, apk, device.workdir, device.hosts, device.upstream_ca)


class _Device(LabDevice):
    """The lab device's own way to play an app, as far as the process goes."""

    def played(self, inside: Callable[[str], str]) -> list[str]:
        """Its command line on the device; what only the device knows when the app starts stands in braces."""
        self._proxy = ("{proxy_host}", "{proxy_port}", Path("{trust}"))  # type: ignore[assignment]
        argv = self.launch().argv
        assert argv is not None
        names = f"-Djdk.net.hosts.file={self._names()}"  # for whoever does not leave them to a proxy
        argv = (argv[0], names, *argv[1:])
        self._facts_file.write_text(inside(self._facts_file.read_text("utf-8")), "utf-8")
        return [inside(word) for word in argv]

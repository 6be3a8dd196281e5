"""The lab device with its app in ART: what a phone has of a runtime, and nothing else of a phone."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from appwitness.agent import agent, sources
from appwitness.agent.frida_device import FridaDevice, StartedProcess
from appwitness.agent.sources import Source
from appwitness.agent.target import Target
from appwitness.devices.lab import lab_device as lab
from appwitness.devices.lab.lab_device import LabDevice
from appwitness.devices.lab.runtime import PASSWORD
from appwitness.events import DeviceIdentity
from appwitness.observe.order import Order
from appwitness.observe.run import observe
from appwitness.recording import Recording
from tests.art.rig.packages import ROOT
from tests.art.rig.tools import API
from tests.art.rig.vm import PRELOADED, SLOWNESS, Held, Runtime, class_files, jars_digest

JAVA = ROOT / "monitor/appwitness/devices/lab/java"
OURS = Path(__file__).parent / "java/lab"
LIFE_MS = int(120_000 * SLOWNESS)
"""How long an app may be busy: here TLS is computed by an interpreter."""
QUIET_MS = int(300 * SLOWNESS)
"""For how long no thread of an app may do anything before its run is over."""
FRAMEWORK = ("android/", "com/android/internal/")
REPLACED = ("org/json/", "android/os/Process.java")
"""What ART's own library has, and what it needs otherwise."""


def lab_jar(runtime: Runtime) -> Path:
    """The lab device's classes as dex; made once for each state of their sources."""
    files = sorted(JAVA.rglob("*.java"))
    chosen = [path for path in files if not path.relative_to(JAVA).as_posix().startswith(REPLACED)]
    chosen += sorted(OURS.rglob("*.java"))
    out = runtime.dexes / f"lab-{jars_digest(chosen)}.jar"
    if not out.exists():
        runtime.dexes.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=runtime.dexes) as folder:
            json = _part(runtime.tools.core, "org/json/", Path(folder) / "json.jar")
            made = runtime.dex(chosen, Path(folder) / "lab.jar", [json])
            shutil.copy(class_files(made), class_files(out))
            made.rename(out)
    return out


def truststore(ca_pem: Path, cache: Path) -> Path:
    """A store that trusts the authority of `ca_pem` and no other."""
    store = cache / "trust.p12"
    cache.mkdir(parents=True, exist_ok=True)
    trusted = pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(ca_pem.read_bytes()), b"proxy")
    key = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1).build(PASSWORD.encode())
    store.write_bytes(pkcs12.serialize_java_truststore([trusted], key))
    return store


def _part(jar: Path, prefix: str, out: Path) -> Path:
    """The classes of a jar below a package."""
    with zipfile.ZipFile(jar) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name.startswith(prefix):
                new.writestr(name, old.read(name))
    return out


class ArtDevice(LabDevice):
    """One app under one plan, in ART."""

    held: Held | None = None
    more: Sequence[Path] = ()
    """Jars with classes of the app that the lab does not have."""

    def __init__(
        self, runtime: Runtime, app: str, plan: str, workdir: Path, *, cache: Path, preload: bool = True
    ) -> None:
        """`preload`: the framework's classes, and those that sources name, are initialised before the hooks come."""
        super().__init__(app, plan, workdir, cache=cache)
        self._runtime = runtime
        self._preload = preload

    @property
    def identity(self) -> DeviceIdentity:
        """It is of another release than the lab device."""
        return DeviceIdentity(serial="art", model="Lab device, ART", release="10", api_level=API, kind="lab")

    def prepare(
        self, proxy_host: str, proxy_port: int, ca_pem: Path, *, mode: str = "regular", wireguard: str = ""
    ) -> None:
        """As for any app of the lab, without the JDK's keytool."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lab, "truststore", truststore)
            super().prepare(proxy_host, proxy_port, ca_pem, mode=mode, wireguard=wireguard)

    def launch(self) -> Target:
        """Start the app, held at the gate."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lab, "launcher", lambda package, _: Path(package))  # of a JVM, which there need not be
            target = super().launch()
        assert target.argv is not None
        jar = lab_jar(self._runtime)
        with zipfile.ZipFile(class_files(jar)) as classes:
            names = [name[:-6].replace("/", ".") for name in classes.namelist() if name.startswith(FRAMEWORK)]
        preload = {*names, *PRELOADED, *(source.cls for source in sources.load())} if self._preload else ()
        self.held = Held(
            self._runtime,
            jar,
            target.argv[-1],
            self.workdir / "vm",
            options=[
                *(each for each in target.argv if each.startswith("-D")),
                f"-Dlab.life_ms={LIFE_MS}",
                f"-Dlab.quiet_ms={QUIET_MS}",
            ],
            preload=sorted(preload),
            boot=[jar, *self.more],
            cwd=self.workdir,
        )
        self.held.start()
        return Target(pid=self.held.pid)

    def stop(self) -> None:
        """End the app."""
        if self.held is not None:
            self.held.end()
        super().stop()

    def record(self, path: Path, order: Order, chosen: Sequence[Source] | None = None, **options: Any) -> Recording:
        """One run, as `observe` makes it, and the app is held as by a phone's zygote."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(agent, "FridaDevice", zygote(lambda: self.held))
            try:
                return observe(self, path, sources.load() if chosen is None else chosen, order, **options)
            except Exception as error:
                if self.held is not None:
                    error.add_note(self.held.told())
                raise


def zygote(held: Callable[[], Held | None]) -> type[FridaDevice]:
    """The door to Frida, but for how an app is started and let run: it waits at the gate, in a runtime that is up and
    has initialised its classes, as a process that Android's zygote has just made."""

    class Zygote(FridaDevice):
        def start(self, target: Target) -> StartedProcess:
            assert target.pid is not None
            return StartedProcess(target.pid, ours=True, held=True)

        def resume(self, pid: int) -> None:
            waiting = held()
            assert waiting is not None
            assert waiting.pid == pid
            waiting.release()

    return Zygote

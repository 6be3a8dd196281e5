"""The lab device: an app process on a JVM, prepared for the proxy and started like any app.

What the first four apps do before and after the answer to the dialog, in chronological order (`>` is an upload):

| app    | always, before the answer        | accept                              | refuse              | silent  |
|--------|----------------------------------|-------------------------------------|---------------------|---------|
| circle | SDK reads all numbers,           | > api.circle.test/feed (nothing     | > api.circle.test,  | nothing |
|        | > sync.friendgraph.test          | personal)                           | the same once more  | more    |
|        | (numbers); app reads all data    |                                     |                     |         |
|        | rows, > api.circle.test (gzip:   |                                     |                     |         |
|        | names, sha256 of numbers)        |                                     |                     |         |
| skies  | SDK reads last known location,   | reads location (fused),             | > api.skies.test    | nothing |
|        | > http://ads.adnet.test (query,  | > api.skies.test (query);           | (a city, nothing    | more    |
|        | 3 decimals, cleartext)           | SDK takes an update (gps),          | personal)           |         |
|        |                                  | > https://ads.adnet.test (JSON)     |                     |         |
| corner | > api.corner.test/catalog        | asks READ_PHONE_NUMBERS, allowed;   | > api.corner.test/  | nothing |
|        | (nothing personal)               | reads number, > /order (form)       | catalog?guest=1     | more    |
| pages  | nothing                          | reads number, > log.pages.test      | the same as on      | nothing |
|        |                                  | (base64 in JSON)                    | accept              |         |

expected.yml says what the other apps do, and which findings each app must have.

The user answers only when the app has nothing left to do, so two runs of one plan yield the same accesses, signals and
uploads in the same order. The process ends by itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from appwitness.agent.target import Target
from appwitness.devices import Device
from appwitness.devices.lab.apps import (
    ADVERTISING_ID,
    ANDROID_ID,
    APPS,
    CLIPBOARD,
    CONTACTS,
    INSTALLED,
    LINE1,
    LOCATION,
    LabApp,
    persona,
)
from appwitness.devices.lab.runtime import PASSWORD, jar, launcher, truststore
from appwitness.devices.lab.servers import LabServers
from appwitness.events import AppIdentity, DeviceIdentity, Value
from appwitness.support.errors import SetupError
from appwitness.support.spoken import Spoken

__all__ = ["APPS", "CACHE", "PLANS", "LabApp", "LabDevice"]

PLANS = ("accept", "refuse", "silent", "withdraw", "free")
"""How the user answers: `withdraw` agrees and then withdraws where the app allows it; with `free` nobody is at the
device, as with `silent`."""
CACHE = Path("~/.appwitness/lab")
"""Folder for launchers and truststores between runs."""
STOP_S = 5.0


class LabDevice(Device):
    """One app of APPS under one plan of PLANS. Its servers listen while the context lasts.

    Its apps are always installed. They get the proxy setting whether or not they are hooked. Only hooks observe them,
    as the device has no screen. They act as their own user, and exit when they are done, whatever the answer was.

    `workdir` holds the files of one run, such as `log.txt`; `cache` holds files that can be reused.
    """

    def __init__(self, app: str, plan: str, workdir: Path, *, cache: Path = CACHE) -> None:
        if app not in APPS:
            raise SetupError(
                Spoken("The lab device has no app {app!r}.", app=app), Spoken("It has {apps}.", apps=", ".join(APPS))
            )
        if plan not in PLANS:
            raise SetupError(
                Spoken("The lab device cannot play the plan {plan!r}.", plan=plan),
                Spoken("It plays {plans}.", plans=", ".join(PLANS)),
            )
        self.lab_app = APPS[app]
        self.plan = plan
        self.workdir = workdir.absolute()
        self.workdir.mkdir(parents=True, exist_ok=True)
        self._cache = cache.expanduser().absolute()
        self._servers = LabServers(self.lab_app.hosts, self.workdir / "upstream-ca.pem")
        self._proxy: tuple[str, int, Path] | None = None
        self._redirects = False
        self._unhooked: subprocess.Popen[bytes] | None = None

    @property
    def identity(self) -> DeviceIdentity:
        """The device as described in run.json."""
        return DeviceIdentity(serial="lab", model="Lab device", release="14", api_level=34, kind="lab")

    @property
    def app(self) -> AppIdentity:
        """The app as described in run.json."""
        app = self.lab_app
        return AppIdentity(package=app.package, version=app.version, version_code=app.version_code)

    @property
    def app_type(self) -> int:
        """The app's type in the necessary-scope table."""
        return self.lab_app.app_type

    @property
    def persona(self) -> tuple[Value, ...]:
        """The values planted on the device."""
        return persona()

    @property
    def persona_is(self) -> Literal["planted"]:
        """Always planted."""
        return "planted"

    @property
    def hosts(self) -> Mapping[str, tuple[str, int]]:
        """The real addresses of the app's hosts, for the proxy, by host name and by the app's address for it; empty
        outside the context."""
        named = self._servers.hosts
        return {**named, **{address: named[host] for host, address in self._addresses.items()}}

    @property
    def upstream_ca(self) -> Path:
        """The certificate authority of the app's hosts (PEM), for the proxy."""
        return self._servers.ca_pem

    @property
    def answered(self) -> int:
        """Number of requests that the servers answered."""
        return self._servers.count

    @property
    def log(self) -> Path:
        """The file with the log of the app and the device."""
        return self.workdir / "log.txt"

    def __enter__(self) -> Self:
        self._servers.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._servers.__exit__(kind, error, trace)

    def modes(self, listen: str) -> Mapping[str, tuple[str, ...]]:
        """The modes that work for apps that are processes of this machine and get a proxy setting."""
        asked = (Spoken("you chose it"),)
        can = {"regular": (Spoken("the lab device honours the proxy setting"),), "reverse": asked}
        return {**can, "redirect": asked} if sys.platform == "linux" else can

    @property
    def partial(self) -> bool:
        """True: it has only the classes that the sources name."""
        return True

    @property
    def starts_freely(self) -> bool:
        """True: nothing is lost by a restart."""
        return True

    def running(self) -> bool:
        """Whether the app's process runs."""
        started = self._unhooked
        return (started is not None and started.poll() is None) or self._running() is not None

    def prepare(
        self, proxy_host: str, proxy_port: int, ca_pem: Path, *, mode: str = "regular", wireguard: str = ""
    ) -> None:
        """Send the app's traffic through this proxy and trust its CA, from the next start on."""
        self._proxy = (proxy_host, proxy_port, truststore(ca_pem, self._cache))
        self._redirects = mode == "redirect"

    def undo(self) -> None:
        """Stop using the proxy."""
        self._proxy = None

    def launch(self) -> Target:
        """The process to start: it runs the app, which ends by itself. Raises SetupError before `prepare`."""
        if self._proxy is None:
            raise SetupError("The lab device was not prepared for a proxy.", "Call prepare before launch.")
        host, port, trusted = self._proxy
        self._pid_file.unlink(missing_ok=True)
        self._write_facts()
        if self.lab_app.pins:
            files = self.workdir / "data" / "files"
            files.mkdir(parents=True, exist_ok=True)
            (files / self.lab_app.pins).write_bytes(self.upstream_ca.read_bytes())
        settings = {
            "file.encoding": "UTF-8",
            "user.language": "en",
            "user.country": "US",
            **({"jdk.net.hosts.file": self._names()} if self._redirects else _told(host, port)),
            "javax.net.ssl.trustStore": trusted,
            "javax.net.ssl.trustStoreType": "PKCS12",
            "javax.net.ssl.trustStorePassword": PASSWORD,
            "lab.package": self.lab_app.package,
            "lab.plan": self.plan,
            "lab.device": self._facts_file,
            "lab.log": self.log,
        }
        argv = (
            str(launcher(self.lab_app.package, self._cache)),
            "-Xshare:off",  # otherwise some hooks in boot classes have no effect
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # in a run of seconds, the second compiler never pays off
            "-XX:-UsePerfData",
            *(f"-D{name}={value}" for name, value in settings.items()),
            "-cp",
            str(jar()),
            "android.app.ActivityThread",
        )
        cwd = str(self.workdir)

        def start() -> int:
            with self.log.open("ab") as log:
                self._unhooked = subprocess.Popen(argv, cwd=cwd, stdout=log, stderr=log, start_new_session=True)
            return self._unhooked.pid

        return Target(argv=argv, cwd=cwd, otherwise=start, redirect=(host, port) if self._redirects else None)

    def attach(self) -> Target:
        """The running process. Raises SetupError if there is none."""
        pid = self._running()
        if pid is None:
            raise SetupError(
                Spoken("{package} does not run on the lab device.", package=self.lab_app.package), "Launch it first."
            )
        return Target(pid=pid)

    def stop(self) -> None:
        """End the app's process, if it runs."""
        pid = self._running()
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        end = time.monotonic() + STOP_S
        while self._running() is not None and time.monotonic() < end:
            time.sleep(0.02)

    @property
    def _pid_file(self) -> Path:
        return self.workdir / "app.pid"

    @property
    def _facts_file(self) -> Path:
        return self.workdir / "device.properties"

    def _running(self) -> int | None:
        """The process that wrote the pid file, unless its pid has been reused since."""
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if str(self._facts_file) in _command(pid) else None

    @property
    def _addresses(self) -> dict[str, str]:
        """One address for each host, from the range reserved for benchmarks (RFC 2544)."""
        return {host: f"198.18.0.{number}" for number, host in enumerate(sorted(self._servers.hosts), 1)}

    def _names(self) -> Path:
        """Write the app's hosts file, for runs in which it resolves names itself instead of leaving them to the
        proxy."""
        path = self.workdir / "hosts"
        known = {"localhost": "127.0.0.1", **self._addresses}
        path.write_text("".join(f"{address} {host}\n" for host, address in known.items()), encoding="utf-8")
        return path

    def _write_facts(self) -> None:
        app = self.lab_app
        facts = {
            "label": app.title,
            "version.name": app.version,
            "version.code": str(app.version_code),
            "application": app.application,
            "activity": app.activity,
            "providers": ",".join(app.providers),
            "permissions.requested": ",".join(app.requested),
            "permissions.granted": ",".join(app.granted),
            "boot": app.boot,
            "then": ",".join(app.then),
            "android.id": ANDROID_ID,
            "advertising.id": ADVERTISING_ID,
            "clipboard": CLIPBOARD,
            "installed": ",".join(INSTALLED),
            "line1": LINE1,
            "location": LOCATION,
            "data": str(self.workdir / "data"),
            "pid": str(self._pid_file),
        }
        facts |= {f"preferences.{key}": value for key, value in app.preferences}
        for at, contact in enumerate(CONTACTS):
            facts[f"contact.{at}.name"] = contact.name
            facts[f"contact.{at}.numbers"] = ",".join(contact.numbers)
            facts[f"contact.{at}.mails"] = ",".join(contact.mails)
        text = "".join(f"{key}={value.replace(chr(92), chr(92) * 2)}\n" for key, value in facts.items())
        self._facts_file.write_text(text, encoding="utf-8")


def _told(host: str, port: int) -> dict[str, object]:
    """The system's proxy setting."""
    return {
        f"{scheme}.proxy{what}": value
        for scheme in ("http", "https")
        for what, value in (("Host", host), ("Port", port))
    }


def _command(pid: int) -> str:
    """The command line of a process; empty if there is no such process."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            return ""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout

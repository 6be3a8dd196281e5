"""Diagnoses the lab device: its app, Java, its classes, Frida, and whether the kernel allows Frida."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from appwitness.devices.diagnosis import Diagnosis, Result
from appwitness.devices.lab.apps import named
from appwitness.devices.lab.runtime import jar, java_home
from appwitness.support.errors import SetupError, not_installed
from appwitness.support.spoken import Spoken

PTRACE_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")


def diagnose_lab(device: str, app_name: str) -> Diagnosis:
    """Run every check. `device` is the lab device's name with the app. Raises UserError for an app that it does not
    have."""
    app = named(app_name)
    results = [
        Result(
            check="reached",
            level="ok",
            code=None,
            message=Spoken("the lab device, with {app}", app=app.title),
            remedy=None,
        )
    ]
    for check, ask in (("java", _java), ("classes", _classes), ("frida", _frida), ("ptrace", _ptrace)):
        try:
            result = Result(check=check, level="ok", code=None, message=ask(), remedy=None)
        except SetupError as error:
            result = Result(check=check, level="fault", code=f"lab-{check}", message=error.what, remedy=error.next_step)
        results.append(result)
    return Diagnosis(device=device, model="Lab device", release="14", api=34, kind="lab", results=tuple(results))


def _java() -> str:
    return str(java_home())


def _classes() -> str:
    return str(jar())


def _frida() -> str:
    try:
        return f"Frida {version('frida')}"
    except PackageNotFoundError:
        raise not_installed("Frida", "observe") from None


def _ptrace() -> str:
    """A sentence saying that Frida may attach to the processes it starts. Raises SetupError if the kernel forbids it
    to everybody (3) or to all but root (2)."""
    scope = PTRACE_SCOPE.read_text().strip() if PTRACE_SCOPE.exists() else "0"
    if scope == "3" or (scope == "2" and os.geteuid() != 0):
        raise SetupError(
            Spoken("The kernel lets Frida attach to no process (ptrace_scope {scope}).", scope=scope),
            "Allow it, in a container on the host: `sysctl kernel.yama.ptrace_scope=1`; if it is 3, that takes a "
            "restart.",
        )
    return Spoken("Frida may attach to what it starts (ptrace_scope {scope})", scope=scope)

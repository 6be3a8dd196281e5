"""appwitness: proves whether personal data left an Android device without consent.

What programs call, and docs/python.md shows:

    with appwitness.observe("app.apk", device="emulator-5554", plan="refuse") as run:   a run that the block drives
        ...
    run.check()                             raises Failed for what is new since the baseline and not waived

    appwitness.report("recordings/refuse")     what was found in a recording
    appwitness.render(report, "html")          the report for a person, a code host or a build server
    appwitness.gate(["recordings/refuse"])     what became of each finding since the baseline
    appwitness.diff("recordings/4.1", "recordings/4.2")
    appwitness.correlate("recordings/refuse")  its flows and findings, into the index

Each name is imported when it is first used.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from appwitness.api.gating import diff as diff
    from appwitness.api.gating import gate as gate
    from appwitness.api.judging import correlate as correlate
    from appwitness.api.judging import report as report
    from appwitness.api.running import Failed as Failed
    from appwitness.api.running import Judged as Judged
    from appwitness.api.running import Run as Run
    from appwitness.api.running import observe as observe
    from appwitness.errors import SetupError as SetupError
    from appwitness.errors import UserError as UserError
    from appwitness.events import Gap as Gap
    from appwitness.findings import Finding as Finding
    from appwitness.findings import Flow as Flow
    from appwitness.findings import Report as Report
    from appwitness.findings.gate import GateReport as GateReport
    from appwitness.recording import Recording as Recording
    from appwitness.reports import render as render

_FROM = {
    "api.gating": ("diff", "gate"),
    "api.judging": ("correlate", "report"),
    "api.running": ("Failed", "Judged", "Run", "observe"),
    "errors": ("SetupError", "UserError"),
    "events": ("Gap",),
    "findings": ("Finding", "Flow", "Report"),
    "findings.gate": ("GateReport",),
    "recording": ("Recording",),
    "reports": ("render",),
}
_PLACE = {name: f"appwitness.{module}" for module, names in _FROM.items() for name in names}
__all__ = sorted(_PLACE)  # noqa: PLE0605 a list of texts


_ROOMS = ("correlate", "gate", "observe")
"""Verbs that have the name of a room: importing any module of the room puts the room there."""


def __getattr__(name: str) -> Any:
    if name not in _PLACE:
        raise AttributeError(f"module 'appwitness' has no attribute {name!r}")
    return import_module(f"appwitness.{name}") if name in _ROOMS else getattr(import_module(_PLACE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Room(ModuleType):
    """A room that is called as the verb of its name."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        name = self.__name__.rpartition(".")[2]
        return getattr(import_module(_PLACE[name]), name)(*args, **named)


class _Package(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        if name in _ROOMS and isinstance(value, ModuleType):
            value.__class__ = _Room
        super().__setattr__(name, value)


if not TYPE_CHECKING:
    sys.modules[__name__].__class__ = _Package

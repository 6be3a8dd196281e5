"""The names that `import appwitness` offers, each loaded on first use."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

TYPE_CHECKING = False  # as in appwitness/__init__.py
if TYPE_CHECKING:
    from typing import Any

_FROM = {
    "api.fleets": ("Fleet",),
    "api.gating": ("diff", "gate"),
    "api.judging": ("correlate", "report"),
    "api.programs": (
        *("Explained", "baseline", "baseline_update", "compare", "explain", "forget", "import_captures", "mark"),
        *("share", "verify"),
    ),
    "api.running": ("DrivenRun", "Failed", "Judged", "observe"),
    "events": (
        *("Access", "Connection", "Consent", "Gap", "Phase", "Run", "Screen", "Transform", "Upload", "Value"),
        "Witness",
    ),
    "findings": ("Finding", "Flow", "Report"),
    "findings.gate_decision": ("GateReport",),
    "recording": ("Recording",),
    "reports": ("render",),
    "support.errors": ("SetupError", "UserError"),
}
PLACE = {name: f"appwitness.{module}" for module, names in _FROM.items() for name in names}
"""Name -> the module that defines it."""
__all__ = sorted(PLACE)  # noqa: PLE0605 a list of texts


_ROOMS = ("correlate", "gate", "observe")
"""Functions that share their name with a room (subpackage): importing any module of the room binds the name to the room
instead."""


def __getattr__(name: str) -> Any:
    if name not in PLACE:
        raise AttributeError(f"module 'appwitness' has no attribute {name!r}")
    return import_module(f"appwitness.{name}") if name in _ROOMS else getattr(import_module(PLACE[name]), name)


def __dir__() -> list[str]:
    return sorted({*vars(_PACKAGE), *__all__})


class _Room(ModuleType):
    """A room (subpackage) that can be called like the function of the same name."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        name = self.__name__.rpartition(".")[2]
        return getattr(import_module(PLACE[name]), name)(*args, **named)


class _Package(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        if name in _ROOMS and isinstance(value, ModuleType):
            value.__class__ = _Room
        super().__setattr__(name, value)


_PACKAGE = sys.modules["appwitness"]
_PACKAGE.__class__ = _Package

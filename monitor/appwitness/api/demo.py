"""Runs `appwitness demo`: the sample apps and their users' actions, compared with expected.yml."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from appwitness.devices.embedded import device_name
from appwitness.devices.lab.apps import APPS
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that `import appwitness` answers at once
    from appwitness.api.expected import Expected

Plan = Literal["accept", "refuse", "silent", "withdraw"]
PLANS: tuple[Plan, ...] = ("accept", "refuse", "silent", "withdraw")

DEMO: tuple[tuple[str, Plan], ...] = (
    ("circle", "refuse"),
    ("skies", "accept"),
    ("corner", "accept"),
    ("pages", "refuse"),
    ("coupon", "withdraw"),
)
"""The apps and plans of the short demo: one of each kind, in half a minute."""

EVERYTHING: tuple[tuple[str, Plan], ...] = tuple((app, plan) for app in APPS for plan in PLANS)
"""Every app under each plan."""


@dataclass(frozen=True)
class DemoRun:
    """A run of a sample app."""

    app: str
    plan: Plan

    @property
    def device(self) -> str:
        """The device that has the app: `lab:circle`."""
        return device_name(self.app)

    @property
    def title(self) -> str:
        """Name and kind of the app: `Circle (social network)`."""
        return APPS[self.app].title

    def is_as_expected(self, found: Sequence[Expected]) -> bool:
        """Whether these findings, as `expected.shown` returns them, are exactly the expected ones."""
        from appwitness.api.expected import load

        return tuple(found) == load()[self.app][self.plan]


def demo_runs(only: Collection[str] = (), *, everything: bool = False) -> tuple[DemoRun, ...]:
    """The runs of a demo: of some apps, or one of each kind; `everything`: under each plan.

    Raises UserError for an app that does not exist.
    """
    if unknown := sorted(set(only) - set(APPS)):
        raise UserError(
            Spoken("There is no sample app {unknown}.", unknown=", ".join(unknown)),
            Spoken("Choose from {apps}.", apps=", ".join(sorted(APPS))),
        )
    table = EVERYTHING if everything or set(only) - {app for app, _ in DEMO} else DEMO
    return tuple(DemoRun(app, plan) for app, plan in table if not only or app in only)

"""Temporarily allows an app operation to adb's user: reads its mode first, and restores it afterwards."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from appwitness.devices.android.control import Control
from appwitness.devices.android.persona.content import ProviderRefused

SHELL, ROOT = "com.android.shell", "root"
"""Android's package names for adb's user and for root."""


def as_shell(control: Control) -> Callable[[str], str]:
    """Returns a function that makes a script run as the shell user even if adb is root: some services refuse root.

    Raises ProviderRefused if there is no way back to that user.
    """
    if control.shell.user("id -u").out.strip() != "0":
        return lambda script: script
    for words in ("su 2000 sh -c", "su 2000 -c"):
        if control.shell.user(f"{words} 'id -u'").out.strip() == "2000":
            return lambda script: f"{words} {shlex.quote(script)}"
    raise ProviderRefused("adb is root there, and no su leads back to the shell's user, whom alone the service takes")


@dataclass(frozen=True)
class Operation:
    """One app operation (WRITE_SMS, android:mock_location) of adb's user."""

    name: str
    package: str
    user: int
    was: str
    """Mode before: allow, ignore, deny, foreground; `default` if none was set."""

    @classmethod
    def ask(cls, control: Control, name: str, user: int = 0, package: str = "") -> Self:
        """Query the operation's current mode for `package` or, without it, for adb's user. Raises DeviceFault."""
        package = package or (ROOT if control.shell.check("id -u").strip() == "0" else SHELL)
        said = control.shell.check(f"cmd appops get --user {user} {package} {name}")
        short = re.escape(name.removeprefix("android:").upper())
        found = re.search(rf"^(?!Uid mode)\s*{short}: (\w+)", said, re.MULTILINE)
        return cls(name, package, user, found[1] if found else "default")

    @property
    def allow(self) -> str:
        """The command that allows it."""
        return f"cmd appops set --user {self.user} {self.package} {self.name} allow"

    @property
    def restore(self) -> str:
        """The command that restores its mode."""
        return f"cmd appops set --user {self.user} {self.package} {self.name} {self.was}"

    def around(self, script: str) -> str:
        """Wrap a script that needs the operation: it is allowed meanwhile, and the wrapped script's status is kept."""
        return f"{self.allow}\n(\n{script}\n)\nstatus=$?\n{self.restore}\n[ $status = 0 ]"

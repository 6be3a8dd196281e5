"""Finds the processes of an app by its user ID, whatever their names; starts an app without Frida.

Only processes forked by zygote, or by the app's own zygote, count: a program that the app runs (`sh`, `app_process64`)
has another parent and none of the app's code. Not tried on Android: isolated processes and the SDK sandbox.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from appwitness.devices.android.faults import fault
from appwitness.devices.android.shell import Shell

PER_USER = 100_000
"""A user ID is user * 100000 + the app's ID."""
SANDBOX = 10_000
"""How much higher the SDK sandbox's user ID is than its app's (Android 13 and later)."""
ISOLATED = range(90_000, 100_000)
"""User IDs of isolated processes, including those of app zygotes; each belongs to the app that requested it."""
ZYGOTE = re.compile(r"(^|.*_)zygote(32|64)?$|^usap(32|64)$")
START_S = 20.0
"""Longest wait for a started app's process."""
COMMANDS_S = 40.0
"""Longest wait for the commands around it on a busy device."""
_PS = "ps -A -o PID,UID,PPID,NAME"
_PROC = """for folder in /proc/[0-9]*; do
  uid= ppid=
  while read -r key value rest; do
    case $key in PPid:) ppid=$value ;; Uid:) uid=$value; break ;; esac
  done 2>/dev/null <"$folder/status"
  if [ -n "$uid" ] && { [ "$uid" -ge 10000 ] || [ "$ppid" = 1 ]; }; then
    echo "${folder#/proc/} $uid $ppid $(tr '\\000' '\\n' 2>/dev/null <"$folder/cmdline" | head -n 1)"
  fi
done"""
"""For devices whose `ps` takes no columns (Android 7)."""
_LINE = re.compile(r"^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S.*?)\s*$")
_RECORD = re.compile(r"\b(\d+):[^\s/]+/u(\d+)a(\d+)i-?\d+\b")
"""An isolated process in `dumpsys activity processes`, as ProcessRecord.toShortString prints it:
4711:com.app:box/u0a123i5."""
_START = """am force-stop --user {user} {package}
said=$(am start --user {user} {what} 2>&1) || {{ echo "$said"; exit 1; }}
case $said in *Error:*|*"Error type"*) echo "$said"; exit 1 ;; esac
for step in {steps}; do
  for pid in $(pidof {package}); do
    while read -r key value rest; do
      if [ "$key" = Uid: ] && [ "$(( value / 100000 ))" = {user} ]; then echo "pid=$pid"; exit 0; fi
    done <"/proc/$pid/status"
  done
  sleep 0.1
done 2>/dev/null
echo "it did not come up"
exit 1"""


@dataclass(frozen=True)
class DeviceProcess:
    """One process of a device."""

    pid: int
    uid: int
    parent: int
    name: str


def listed(shell: Shell) -> list[DeviceProcess]:
    """All processes that may belong to apps. Raises DeviceFault."""
    found = _parsed(shell.user(_PS).out)
    return found or _parsed(shell.check(_PROC))


def _parsed(text: str) -> list[DeviceProcess]:
    lines = (_LINE.match(line) for line in text.splitlines())
    return [
        DeviceProcess(int(line[1]), int(line[2]), int(line[3]), line[4].rsplit("/", 1)[-1]) for line in lines if line
    ]


class Processes:
    """The processes of one app; calling the object returns the pid and name of each that exists."""

    def __init__(self, shell: Shell, package: str, uid: int) -> None:
        """`uid`: the app's user ID, for the Android user that it runs for."""
        self._shell = shell
        self._package = package
        self._uid = uid
        self._isolated: dict[int, bool] = {}
        """Isolated processes that were looked up, and whether they are the app's."""

    @classmethod
    def of(cls, shell: Shell, package: str, app_id: int, user: int = 0) -> Self:
        """`app_id`: the app's ID without the user, such as 10123."""
        return cls(shell, package, user * PER_USER + app_id % PER_USER)

    def __call__(self) -> dict[int, str]:
        """Pid -> name. Raises DeviceFault."""
        return {one.pid: one.name for one in self.now()}

    def now(self) -> list[DeviceProcess]:
        """The existing processes. Raises DeviceFault."""
        there = listed(self._shell)
        zygotes = {one.pid for one in there if ZYGOTE.match(one.name)}
        forked = [one for one in there if one.parent in zygotes]
        user = self._uid // PER_USER
        isolated = [one.pid for one in forked if one.uid // PER_USER == user and one.uid % PER_USER in ISOLATED]
        self._ask(isolated)
        return [one for one in forked if one.uid in (self._uid, self._uid + SANDBOX) or self._isolated.get(one.pid)]

    def main(self) -> int | None:
        """Pid of the process with the app's name; None if there is none."""
        return next((one.pid for one in self.now() if one.name == self._package), None)

    def _ask(self, isolated: Iterable[int]) -> None:
        """Look up which app new isolated processes belong to: only the activity manager knows."""
        there = set(isolated)
        self._isolated = {pid: ours for pid, ours in self._isolated.items() if pid in there}
        if new := there - self._isolated.keys():
            said = self._shell.user("dumpsys activity processes").out
            ours = {int(record[1]) for record in _RECORD.finditer(said) if self._is_ours(record)}
            self._isolated |= {pid: pid in ours for pid in new}

    def _is_ours(self, record: re.Match[str]) -> bool:
        return int(record[2]) * PER_USER + 10_000 + int(record[3]) == self._uid


def start_app(shell: Shell, package: str, user: int = 0, activity: str | None = None) -> int:
    """Start an app anew without Frida; returns the PID of its main process as soon as that exists.

    `activity`: class of the activity to start; None: the launcher icon's. Raises DeviceFault `app-not-started`.
    """
    what = shlex.join([package] if activity is None else ["-n", f"{package}/{activity}"])
    steps = " ".join(map(str, range(int(START_S * 10))))
    done = shell.user(
        _START.format(user=user, package=shlex.quote(package), what=what, steps=steps), timeout_s=START_S + COMMANDS_S
    )
    found = re.search(r"^pid=(\d+)$", done.out, re.MULTILINE)
    if found is None:
        lines = (done.out or done.err or "nothing").strip().splitlines()
        said = next((line for line in lines if line.startswith("Error:")), lines[-1]).rstrip(".")
        raise fault("app-not-started", package=package, serial=shell.serial, said=said)
    return int(found[1])

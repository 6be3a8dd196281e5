"""Commands on one device, as adb's user or as root; root is found by trying, in the global mount namespace."""

from __future__ import annotations

import secrets
import shlex
from dataclasses import dataclass

from appwitness.devices.android.adb import SHELL_S, Adb, CommandOutput
from appwitness.devices.android.faults import DeviceFault, fault

TMP = "/data/local/tmp"
SCRIPT = f"{TMP}/.appwitness-"
"""How the files of scripts for root begin: each removes itself when it is run."""
SWEEP = """for step in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for file in $(grep -l '{script}' /proc/[0-9]*/cmdline 2>/dev/null); do
    pid=${{file#/proc/}}; pid=${{pid%/cmdline}}
    case " $$ $PPID " in *" $pid "*) continue ;; esac
    tr '\\000' ' ' <"$file" 2>/dev/null | grep -q "$0" && continue
    left="$left $pid"
  done
  [ -n "$left" ] || break
  kill -9 $left 2>/dev/null
  sleep 0.1
done
rm -f {files}*
true"""
"""Spares the processes of this very script, whose command lines name the same file."""
SU_S = 30.0
"""The first `su` of a device asks on its screen; how long somebody may take to answer."""
WAYS = (
    "sh {file}",
    "su -c 'sh {file}'",
    "su -c sh {file}",
    "su root sh {file}",
    "su root 'sh {file}'",
    "su 0 sh {file}",
)
"""How root is asked for, in this order: adb's user is root already; Magisk, KernelSU, APatch and SuperSU; those that
take words; AOSP's own `su`. {file} is a script that was pushed: flavours of `su` differ in quoting."""
MASTER = (
    "su -mm -c 'sh {file}'",
    "su --mount-master -c 'sh {file}'",
    "nsenter -t 1 -m -- sh {file}",
)
"""How the global mount namespace is entered where `su` gives one of its own; the last by root."""
_WHO = "id; readlink /proc/self/ns/mnt; readlink /proc/1/ns/mnt"


@dataclass(frozen=True)
class Root:
    """How a device gives root."""

    way: str
    """One of WAYS or MASTER."""
    flavour: str | None = None
    """What `su -v` says: 27.0:MAGISKSU."""
    global_mounts: bool = True
    """Whether its scripts run in the mount namespace of the device's first process."""


class Shell:
    """The shell of one device. Scripts may have several lines; each gives its output and exit status."""

    def __init__(self, adb: Adb) -> None:
        self.adb = adb
        self._root: Root | None = None
        self._looked = False

    @property
    def serial(self) -> str:
        """The device's."""
        return self.adb.serial

    def user(self, script: str, *, timeout_s: float = SHELL_S) -> CommandOutput:
        """Run a script as the user that adb has there."""
        return self.adb.shell(script, timeout_s=timeout_s)

    def root(self, script: str, *, timeout_s: float = SHELL_S) -> CommandOutput:
        """Run a script as root. Raises DeviceFault `no-root` where the device gives none."""
        found = self.rooted()
        if found is None:
            raise fault("no-root", serial=self.serial)
        return self._by(found.way, script, timeout_s)

    def check(self, script: str, *, root: bool = False, timeout_s: float = SHELL_S) -> str:
        """Run a script that has to work; gives what it printed. Raises DeviceFault `command-failed`."""
        done = self.root(script, timeout_s=timeout_s) if root else self.user(script, timeout_s=timeout_s)
        if not done.ok:
            said = (done.err or done.out or "nothing").strip()[-300:]
            raise fault("command-failed", serial=self.serial, command=script.strip()[:120], status=done.code, said=said)
        return done.out

    def rooted(self) -> Root | None:
        """How root is had here, found once by trying; None: not at all."""
        if not self._looked:
            self._root = self._find()
            self._looked = True
        return self._root

    def sweep(self) -> None:
        """End root scripts that outlived the process that started them, and remove those that never ran."""
        script = SWEEP.format(script=SCRIPT.replace(".", "[.]"), files=SCRIPT)
        if self.rooted() is None:
            self.user(script)
        else:
            self.root(script)

    def forget_root(self) -> None:
        """Look for root again the next time: adbd was restarted."""
        self._looked = False

    def _find(self) -> Root | None:
        for way in WAYS:
            try:
                done = self._by(way, _WHO, SU_S)
            except DeviceFault as error:
                if error.code == "adb-timeout" and way.startswith("su"):
                    raise fault("root-unanswered", serial=self.serial, seconds=f"{SU_S:.0f}") from None
                raise
            if "uid=0(" not in done.out:
                continue
            flavour = self.user("su -v").out.strip().splitlines()[:1] if way.startswith("su") else []
            named = flavour[0] if flavour and ":" in flavour[0] else None
            if _is_global(done.out):
                return Root(way, named)
            for master in MASTER:
                entered = master if master.startswith("su") else way.replace("sh {file}", master)
                done = self._by(entered, _WHO, SU_S)
                if "uid=0(" in done.out and _is_global(done.out):
                    return Root(entered, named)
            return Root(way, named, global_mounts=False)
        return None

    def _by(self, way: str, script: str, timeout_s: float) -> CommandOutput:
        file = f"{SCRIPT}{secrets.token_hex(6)}"
        self.adb.push(f'rm -f "$0"\n{script}\n'.encode(), file, 0o400)
        done = self.adb.shell(way.format(file=shlex.quote(file)), timeout_s=timeout_s)
        if done.code in (1, 2, 13, 126, 127):  # it may never have been read, and then lies there still
            self.adb.shell(f"rm -f {file}")
        return done


def _is_global(said: str) -> bool:
    """Whether the two mount namespaces that _WHO names are one; where they cannot be read, one is assumed."""
    named = [line for line in said.splitlines() if line.startswith("mnt:")]
    return len(named) < 2 or named[-1] == named[-2]

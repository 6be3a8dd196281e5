"""Runs commands on one device as adb's user or as root, in the global mount namespace; finds root by trying."""

from __future__ import annotations

import secrets
import shlex
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from appwitness.devices.android.adb import SHELL_S, Adb, CommandOutput, ShellConversation
from appwitness.devices.android.faults import DeviceFault, fault

TMP = "/data/local/tmp"
SCRIPT = f"{TMP}/.appwitness-"
"""Prefix of the script files for root; each script removes itself when it runs."""
SWEEP = """for step in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for file in $(grep -l '{script}' /proc/[0-9]*/cmdline 2>/dev/null); do
    pid=${{file#/proc/}}; pid=${{pid%/cmdline}}
    case " $$ $PPID " in *" $pid "*) continue ;; esac
    tr '\\000' ' ' <"$file" 2>/dev/null | grep -q -e "$0" -e "${{APPWITNESS_SERVES:-$0}}" && continue
    left="$left $pid"
  done
  [ -n "$left" ] || break
  kill -9 $left 2>/dev/null
  sleep 0.1
done
rm -f {files}*
true"""
"""Kills root scripts that still run and removes their files; spares this script's own processes, whose command lines
name the same prefix."""
SU_S = 30.0
"""Time limit for somebody to answer the question that a device's first `su` shows on the screen."""
AT_ONCE_S = 2.5
"""A refusal that took longer comes from a question on the screen that nobody answered: Magisk refuses after ten
seconds."""
MOST_GREETINGS = 10
"""Maximum number of lines that a `su` may print before the output of what it runs."""
END_S = 3.0
"""Time limit for the root process to end."""
WAYS = (
    "sh {file}",
    "su -c 'sh {file}'",
    "su -c sh {file}",
    "su root sh {file}",
    "su root 'sh {file}'",
    "su 0 sh {file}",
)
"""How to request root, in the order tried: adb's user is root already; Magisk, KernelSU, APatch and SuperSU;
variants that take words; AOSP's own `su`. {file} is a pushed script, as variants of `su` differ in quoting."""
MASTER = (
    "su -mm -c 'sh {file}'",
    "su --mount-master -c 'sh {file}'",
    "nsenter -t 1 -m -- sh {file}",
)
"""How to enter the global mount namespace if `su` uses a separate one; the last way needs root."""
_SERVE = """APPWITNESS_SERVES=$0; export APPWITNESS_SERVES
read -r greeting && echo ready
while read -r file; do
  [ "$file" != end ] || exit 0
  ( umask 077; : >"$file.out"; : >"$file.err" )
  exec 3>"$file.out" 4>"$file.err" 5<"$file.out" 6<"$file.err"
  rm -f "$file.out" "$file.err"
  sh "$file" </dev/null >&3 2>&4 3>&- 4>&- 5<&- 6<&-
  status=$?
  echo "$status" $(wc -c </proc/$$/fd/5) $(wc -c </proc/$$/fd/6)
  cat <&5
  cat <&6
  exec 3>&- 4>&- 5<&- 6<&-
  rm -f "$file"
done"""
"""Script of the process that runs as root during a run and executes one script after another. Without it, Magisk would
start a virtual machine for each `su`, and announce it on the screen, where it would appear in pictures."""
_WHO = "id; readlink /proc/self/ns/mnt; readlink /proc/1/ns/mnt"


@dataclass(frozen=True)
class Root:
    """How root is obtained on a device."""

    way: str
    """One of WAYS or MASTER."""
    flavour: str | None = None
    """What `su -v` prints: 27.0:MAGISKSU."""
    global_mounts: bool = True
    """Whether its scripts run in the first process's mount namespace."""


class Shell:
    """The shell of one device. A script may have several lines; it returns its output and exit status."""

    def __init__(self, adb: Adb) -> None:
        self.adb = adb
        self._root: Root | None = None
        self._looked = False
        self._serving: ShellConversation | None = None
        self._silent = False
        self._one_at_a_time = threading.RLock()

    @property
    def serial(self) -> str:
        """The device's adb serial."""
        return self.adb.serial

    def user(self, script: str, *, timeout_s: float = SHELL_S) -> CommandOutput:
        """Run a script as adb's user on the device."""
        return self.adb.shell(script, timeout_s=timeout_s)

    def root(self, script: str, *, timeout_s: float = SHELL_S) -> CommandOutput:
        """Run a script as root. Raises DeviceFault `no-root` if the device grants no root."""
        found = self.rooted()
        if found is None:
            raise fault("no-root", serial=self.serial)
        with self._one_at_a_time:
            if "su" in found.way.split() and self._serves(found.way):
                return self._served(script, timeout_s)
        return self._by(found.way, script, timeout_s)

    def check(self, script: str, *, root: bool = False, timeout_s: float = SHELL_S) -> str:
        """Run a script that must succeed; returns its output. Raises DeviceFault `command-failed`."""
        done = self.root(script, timeout_s=timeout_s) if root else self.user(script, timeout_s=timeout_s)
        if not done.ok:
            said = (done.err or done.out or "nothing").strip()[-300:]
            raise fault("command-failed", serial=self.serial, command=script.strip()[:120], status=done.code, said=said)
        return done.out

    def rooted(self) -> Root | None:
        """How root is obtained on this device, found once by trying; None: not at all."""
        if not self._looked:
            self._root = self._find()
            self._looked = True
        return self._root

    def sweep(self) -> None:
        """End root scripts that outlived the process that started them, and remove scripts that never ran."""
        script = SWEEP.format(script=SCRIPT.replace(".", "[.]"), files=SCRIPT)
        if self.rooted() is None:
            self.user(script)
        else:
            self.root(script)

    def forget_root(self) -> None:
        """Look for root again at the next use, because adbd was restarted."""
        self.close()
        self._looked = False

    def close(self) -> None:
        """End the root process; the next script requests root again."""
        with self._one_at_a_time:
            serving, self._serving = self._serving, None
            if serving is not None:
                with suppress(DeviceFault):
                    serving.say("end", END_S)
                serving.close(END_S)

    def _serves(self, way: str) -> bool:
        """Start the root process, if needed. False: this `su` does not pass on its input, so each script has to
        request root."""
        if self._serving is None and not self._silent:
            serving = self.adb.open(way.format(file=shlex.quote(self._pushed(_SERVE))))
            try:
                serving.say("are you there?", SU_S)
                said = [serving.line()]
                while said[-1] != "ready" and len(said) < MOST_GREETINGS:
                    said.append(serving.line())
                self._serving = serving
            except DeviceFault:
                serving.close()
                if not self.adb.there():
                    raise
                self._silent = True
        return self._serving is not None

    def _served(self, script: str, timeout_s: float) -> CommandOutput:
        assert self._serving is not None
        file = self._pushed(script)
        try:
            self._serving.say(file, timeout_s)
            code, size, of_errors = map(int, self._serving.line().split())
            out, err = self._serving.read(size), self._serving.read(of_errors)
        except (DeviceFault, ValueError) as error:
            self._serving.close()
            self._serving = None
            if isinstance(error, DeviceFault) and error.code != "device-lost":
                raise
            raise fault("root-ended" if self.adb.there() else "device-lost", serial=self.serial) from None
        text = (data.decode(errors="replace").replace("\r\n", "\n").rstrip("\n") for data in (out, err))
        return CommandOutput(code, *text)

    def _find(self) -> Root | None:
        for way in WAYS:
            begun = time.monotonic()
            try:
                done = self._by(way, _WHO, SU_S)
            except DeviceFault as error:
                if error.code == "adb-timeout" and way.startswith("su"):
                    raise fault("root-unanswered", serial=self.serial, seconds=f"{SU_S:.0f}") from None
                raise
            if "uid=0(" not in done.out:
                if way.startswith("su") and _is_refused(done):  # another spelling would ask on the screen again
                    waited = time.monotonic() - begun
                    if waited >= AT_ONCE_S and done.code not in (126, 127):
                        raise fault("root-unanswered", serial=self.serial, seconds=f"{waited:.0f}")
                    return None
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
        file = self._pushed(script)
        done = self.adb.shell(way.format(file=shlex.quote(file)), timeout_s=timeout_s)
        if done.code in (1, 2, 13, 126, 127):  # it may never have been read, and then still exists
            self.adb.shell(f"rm -f {file}")
        return done

    def _pushed(self, script: str) -> str:
        file = f"{SCRIPT}{secrets.token_hex(6)}"
        self.adb.push(f'rm -f "$0"\n{script}\n'.encode(), file, 0o400)
        return file


def _is_refused(done: CommandOutput) -> bool:
    """Whether `su` is missing, or somebody has refused, now or earlier; if not, it did not understand its arguments."""
    said = done.out + done.err
    return done.code in (13, 126, 127) or "Permission denied" in said or "not found" in said


def _is_global(said: str) -> bool:
    """Whether the two mount namespaces that _WHO prints are the same; if unreadable, they count as the same."""
    named = [line for line in said.splitlines() if line.startswith("mnt:")]
    return len(named) < 2 or named[-1] == named[-2]

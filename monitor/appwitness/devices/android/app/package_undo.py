"""Shell scripts that back up an app and its data before a run and restore them afterwards.

Another process may run them days later. So each script is self-contained, does nothing if there is nothing to do, and
may run twice. A backup is complete only if its marker exists.

They run as root, and contain names that an app chooses, such as those of its permissions: every name is quoted.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

MODES = re.compile(r"^([A-Z][A-Z0-9_]+|MIUIOP\(\d+\)): (allow|ignore|deny|foreground|ask)\b", re.MULTILINE)
STORE = "/data/local/.appwitness"
"""Folder for the kept data of apps, accessible to root only."""


def modes(said: str) -> tuple[tuple[str, str], ...]:
    """Operation and mode of each line of `appops get` that is the package's own, including Xiaomi's operations,
    which can be set only by number, and its mode `ask`."""
    return tuple((op.removeprefix("MIUIOP(").rstrip(")"), mode) for op, mode in MODES.findall(said))


@dataclass(frozen=True)
class Aside:
    """The APKs of an app that another build replaces during the run, kept where the installer can read them."""

    package: str
    user: int
    installer: str | None = None

    @property
    def folder(self) -> str:
        """Where they are kept; it exists only until they are put back."""
        return f"/data/local/tmp/.appwitness-{self.package}-{self.user}"

    @property
    def keep(self) -> str:
        """Script: make the copy."""
        return f"""{self._names}
[ -f "$f/complete" ] && exit 0
rm -rf "$f"; mkdir -p "$f" || exit 1
pm path --user {self.user} "$a" | sed 's/^package://' | while IFS= read -r p; do
  cp "$p" "$f/" || exit 1
done || exit 1
ls "$f"/*.apk >/dev/null && touch "$f/complete\""""

    @property
    def drop(self) -> str:
        """Script: delete the copy, unless it is still needed."""
        return f"""{self._names}
if [ -f "$f/uninstalled" ]; then echo "the former $a is not put back yet" >&2; exit 1; fi
rm -rf "$f\""""

    @property
    def uninstall(self) -> str:
        """Script: uninstall the app."""
        return f"""{self._names}
touch "$f/uninstalled" && pm uninstall --user {self.user} "$a\""""

    @property
    def put_back(self) -> str:
        """Script: reinstall the copy, unless that is what is installed."""
        by = f" -i {shlex.quote(self.installer)}" if self.installer else ""
        return f"""{self._names}
[ -f "$f/uninstalled" ] || exit 0
set -f; IFS='
'
set -- $(pm path --user {self.user} "$a" 2>/dev/null | sed 's/^package://')
set +f; unset IFS
same=yes
[ $# -eq $(ls "$f"/*.apk | wc -l) ] || same=
for p; do cmp -s "$p" "$f/${{p##*/}}" || same=; done
if [ -z "$same" ]; then
  if [ $# -gt 0 ]; then pm uninstall --user {self.user} "$a" || exit 1; fi
  low=
  [ "$(getprop ro.build.version.sdk)" -ge 34 ] && low=--bypass-low-target-sdk-block
  s=$(pm install-create -r -t $low{by} --user {self.user} | sed -n 's/.*\\[\\([0-9][0-9]*\\)\\].*/\\1/p')
  [ -n "$s" ] || exit 1
  for p in "$f"/*.apk; do
    pm install-write -S $(stat -c %s "$p") $s "${{p##*/}}" "$p" || {{ pm install-abandon $s; exit 1; }}
  done
  pm install-commit $s || exit 1
fi
rm -rf "$f\""""

    @property
    def _names(self) -> str:
        return f"f={shlex.quote(self.folder)}; a={shlex.quote(self.package)}"


@dataclass(frozen=True)
class Expansions:
    """The expansion files of an app in Android/obb, which uninstalling deletes; moved instead of copied, as they are
    large."""

    package: str
    user: int

    @property
    def folder(self) -> str:
        """Where the app looks for them."""
        return f"/storage/emulated/{self.user}/Android/obb/{self.package}"

    @property
    def there(self) -> str:
        """Script: succeed if there are some that are not this run's."""
        return f'{self._names}; [ -d "$f" ] && [ ! -e "$f/.appwitness" ]'

    @property
    def keep(self) -> str:
        """Script: move existing ones aside."""
        return f'{self._names}; [ -e "$k" ] || mv "$f" "$k"'

    @property
    def put_back(self) -> str:
        """Script: move them back."""
        return f'{self._names}; if [ -e "$k" ]; then rm -rf "$f"; mv "$k" "$f"; fi'

    @property
    def make(self) -> str:
        """Script: make a folder for a run's files, with a file that marks it as the run's."""
        return f'{self._names}; mkdir -p "$f" && touch "$f/.appwitness"'

    @property
    def drop(self) -> str:
        """Script: remove them."""
        return f'{self._names}; if [ -e "$f/.appwitness" ]; then rm -rf "$f"; fi'

    @property
    def _names(self) -> str:
        aside = f"/storage/emulated/{self.user}/Android/obb/.appwitness-{self.package}"
        return f"f={shlex.quote(self.folder)}; k={shlex.quote(aside)}"


@dataclass(frozen=True)
class Data:
    """The data of an app and its permissions; restored under the user ID that the app then has."""

    package: str
    user: int
    granted: tuple[str, ...]
    """Granted runtime permissions."""
    modes: tuple[tuple[str, str], ...]
    """App-ops: operation and mode."""

    @property
    def folder(self) -> str:
        """Where the data is kept."""
        return f"{STORE}/{self.package}-{self.user}"

    @property
    def _areas(self) -> str:
        outside = (f"media/{self.user}/Android/{kind}" for kind in ("data", "media"))
        kinds = (f"user/{self.user}", f"user_de/{self.user}", *outside)
        return " ".join(kinds)

    @property
    def keep(self) -> str:
        """Script for root: copy the data with owners and modes; Android 7 has no tar."""
        return f"""{self._names}
[ -f "$d/complete" ] && exit 0
umask 077
rm -rf "$d"; mkdir -p "$d" && chmod 700 {STORE} || exit 1
am force-stop --user {self.user} "$a"
n=0
for k in {self._areas}; do
  n=$((n + 1))
  [ -d "/data/$k/$a" ] || continue
  if command -v tar >/dev/null; then
    tar -cf "$d/$n.tar" -C "/data/$k" "$a" || exit 1
  else
    cp -pPR "/data/$k/$a" "$d/$n" || exit 1
  fi
done
stat -c %u "/data/user/{self.user}/$a" > "$d/uid" || exit 1
touch "$d/complete\""""

    @property
    def put_back(self) -> str:
        """Script for root: restore files, owners, the SELinux labels that the system gave the folder, and
        permissions."""
        return f"""{self._names}
if [ ! -f "$d/complete" ]; then rm -rf "$d"; rmdir {STORE} 2>/dev/null; exit 0; fi
if ! pm path --user {self.user} "$a" >/dev/null 2>&1; then
  if [ -e {shlex.quote(Aside(self.package, self.user).folder)} ]; then echo "$a is not put back yet" >&2; exit 1; fi
  rm -rf "$d"; rmdir {STORE} 2>/dev/null; exit 0
fi
am force-stop --user {self.user} "$a"
old=$(cat "$d/uid"); new=$(stat -c %u "/data/user/{self.user}/$a") || exit 1
oldcache=$((old % 100000 + 10000)); newcache=$((new % 100000 + 10000))
n=0
for k in {self._areas}; do
  n=$((n + 1)); b=/data/$k/$a
  [ -e "$d/$n.tar" ] || [ -e "$d/$n" ] || continue
  label=$(ls -Zd "$b" 2>/dev/null | cut -d' ' -f1)
  mkdir -p "$b" && rm -rf "$b"/* "$b"/.[!.]* "$b"/..?*
  if [ -e "$d/$n" ]; then cp -pPR "$d/$n/." "$b/"; else tar -xpf "$d/$n.tar" -C "/data/$k"; fi || exit 1
  case "$label" in *:*) chcon -R "$label" "$b";; esac
  if [ "$old" != "$new" ]; then
    find "$b" -user "$old" -exec chown -h "$new" {{}} +
    find "$b" -group "$old" -exec chgrp -h "$new" {{}} +
    find "$b" -group "$oldcache" -exec chgrp -h "$newcache" {{}} +
  fi
done
{self.permit}
rm -rf "$d"; rmdir {STORE} 2>/dev/null
true"""

    @property
    def permit(self) -> str:
        """Script: restore permissions and app-ops; the app may be gone, or no longer request one."""
        words = f"--user {self.user} {shlex.quote(self.package)}"
        lines = [f"pm grant {words} {shlex.quote(name)} >/dev/null 2>&1" for name in self.granted]
        lines += [
            f"cmd appops set {words} {shlex.quote(name)} {shlex.quote(mode)} >/dev/null 2>&1"
            for name, mode in self.modes
        ]
        return "\n".join([*lines, "true"])

    @property
    def _names(self) -> str:
        return f"d={shlex.quote(self.folder)}; a={shlex.quote(self.package)}"

"""Android's `content` command: queries and changes rows of content providers, and reports their refusals."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appwitness.devices.android.adb import CommandOutput
from appwitness.devices.android.control import Control
from appwitness.devices.android.journal import Undo
from appwitness.devices.android.shell import TMP

NULL_SINCE = 29
"""The first API level whose `content` certainly accepts a null binding (`name:n:`)."""
AT_ONCE = 4
"""Number of commands of a script that run at the same time."""
_FAILED = re.compile(r"^(?:Error while accessing provider:.*\n|\[ERROR\] )(.*)", re.MULTILINE)

Cell = str | int | None


class ProviderRefused(Exception):
    """A provider is missing or denies access; the message is the provider's own."""


def quote_sql(text: str) -> str:
    """Quote a text for a WHERE clause."""
    return "'" + text.replace("'", "''") + "'"


def said(output: CommandOutput) -> str | None:
    """The error message of a provider that refused; None if it did not. `content` exits with 0 either way."""
    printed = "" if output.out.startswith("Row: ") else output.out
    found = _FAILED.search(f"{output.err}\n{printed}")
    if found:
        return found[1].strip()[:200]
    return None if output.ok else (output.err or output.out or f"status {output.code}").strip()[-200:]


def rows(text: str, columns: Sequence[str], firsts: Sequence[str]) -> list[dict[str, str]]:
    """Parse the rows that `content query` printed. Only the last of `columns` may hold text with commas or line breaks.

    `firsts` are the values of the first column, row by row, so that text that looks like the start of a row is not
    taken for one.
    """
    fields = ", ".join(f"{name}=(?P<{name}>.*?)" for name in columns[:-1])
    pattern = re.compile(f"{fields}{', ' if fields else ''}{columns[-1]}=(?P<{columns[-1]}>.*)", re.DOTALL)
    there = []
    starts: list[int] = []
    at = 0
    for number, first in enumerate(firsts):
        opening = f"Row: {number} {columns[0]}={first}{', ' if len(columns) > 1 else ''}"
        at = text.find(f"\n{opening}" if starts else opening, at)
        if at < 0:
            break
        starts.append(at + bool(starts))
        at += 1
    for start, end in itertools.pairwise([*starts, len(text) + 1]):
        if found := pattern.match(text, text.index(" ", start + 5) + 1, end - 1):
            there.append(found.groupdict())
    return there


@dataclass(frozen=True)
class Content:
    """The content providers of one user of a device, queried as adb's user or as root."""

    control: Control
    user: int = 0
    root: bool = False

    def words(self, verb: str, uri: str, **options: str) -> str:
        """One shell command. Options: `where`, `projection`, `sort`."""
        words = ["content", verb, "--uri", uri, "--user", str(self.user)]
        for name, value in options.items():
            words += [f"--{name}", value]
        return shlex.join(words)

    def insert(self, uri: str, values: Mapping[str, Cell]) -> str:
        """The command that inserts a row. A null is left out if this Android's `content` cannot write one."""
        words = ["content", "insert", "--uri", uri, "--user", str(self.user)]
        for name, value in values.items():
            if value is None:
                if self.control.facts.api >= NULL_SINCE:
                    words += ["--bind", f"{name}:n:"]
            else:
                words += ["--bind", f"{name}:{'l' if isinstance(value, int) else 's'}:{value}"]
        return shlex.join(words)

    def known(self, uri: str, where: str) -> list[str]:
        """The `_id` of each row, in ascending order. Raises ProviderRefused, DeviceFault."""
        return re.findall(r"^Row: \d+ _id=(\d+)$", self._query(uri, "_id", where), re.MULTILINE)

    def query(self, uri: str, *columns: str, where: str, known: Sequence[str]) -> list[dict[str, str]]:
        """Rows with the IDs in `known`, each column as `content` prints it: NULL, BLOB. Raises ProviderRefused."""
        return rows(self._query(uri, ":".join(("_id", *columns)), where), ("_id", *columns), known)

    def texts(self, uri: str, *columns: str, where: str) -> dict[str, dict[str, str]]:
        """`_id` -> row, with one query for each column, so that any text comes back whole; nulls are left out."""
        known = self.known(uri, where)
        there: dict[str, dict[str, str]] = {row: {} for row in known}
        for column in columns if known else ():
            for row in self.query(uri, column, where=where, known=known):
                if row[column] != "NULL":
                    there[row["_id"]][column] = row[column]
        return there

    def check(self, uri: str) -> None:
        """Check that the provider answers. Raises ProviderRefused."""
        self._query(uri, "_id", "_id=-1")

    def _query(self, uri: str, projection: str, where: str) -> str:
        done = self._do(self.words("query", uri, projection=projection, where=where, sort="_id"))
        if (why := said(done)) is not None:
            raise ProviderRefused(why)
        return done.out

    def ids(self, uri: str, where: str) -> str:
        """A script line that sets the script's arguments ($1, $2 ...) to the `_id` of each row."""
        query = self.words("query", uri, projection="_id", where=where, sort="_id")
        return f"set -- $({query} | sed -n 's/^Row: [0-9]* _id=//p')"

    def delete(self, uri: str, where: str) -> str:
        """Commands that delete rows and fail unless none is left."""
        return f"{self.words('delete', uri, where=where)} >/dev/null 2>&1\n{self.gone(uri.partition('?')[0], where)}"

    def gone(self, uri: str, where: str) -> str:
        """Commands that fail if a row matches `where`; if the provider is missing, none does."""
        query = self.words("query", uri, projection="_id", where=where)
        return (
            f"left=$({query} 2>&1)\n"
            'case "$left" in *"No result found."*|*"Could not find provider"*) ;; *) echo "$left"; exit 1 ;; esac'
        )

    def script(self, what: str, lines: Sequence[str], undo: str) -> None:
        """Make one change by a pushed script, after recording it in the journal.

        The script goes on when adb's connection is cut: undo makes it end, waits for that, and only then reverts what
        it did. Raises DeviceFault `command-failed`, and ProviderRefused if a provider refused.
        """
        file, mark = (f"{TMP}/.{self.control.run}.{name}" for name in ("sh", "on"))
        text = "\n".join(
            (
                'rm -f "$0"',
                "trap '' HUP PIPE",
                f"echo $$ > {mark}",
                f"on() {{ [ -e {mark} ] || exit 9; }}",
                *lines,
                f"rm -f {mark}",
            )
        )
        wait = (
            f"rm -f {file}; p=$(cat {mark} 2>/dev/null); rm -f {mark}; n=0\n"
            'while [ -n "$p" ] && kill -0 "$p" 2>/dev/null && [ $n -lt 20 ]; do sleep 1; n=$((n+1)); done'
        )
        self.control.journal.before(what, Undo("root" if self.root else "user", f"{wait}\n{undo}"))
        shell = self.control.shell
        shell.adb.push(text.encode(), file, 0o644)
        done = self._do(f"sh {file}", timeout_s=60 + len(lines))
        if (why := said(done)) is not None:
            raise ProviderRefused(why)

    def _do(self, command: str, *, timeout_s: float = 30) -> CommandOutput:
        shell = self.control.shell
        return shell.root(command, timeout_s=timeout_s) if self.root else shell.user(command, timeout_s=timeout_s)


def side_by_side(commands: Sequence[str]) -> list[str]:
    """Script lines that run commands, a few at a time, and stop once undo tells the script to end."""
    lines = []
    for at in range(0, len(commands), AT_ONCE):
        lines += ["on", *(f"{command} &" for command in commands[at : at + AT_ONCE]), "wait"]
    return lines

"""Defaults of options from a file: appwitness.toml, or [tool.appwitness] of pyproject.toml, in this folder or above it.

The file may come from a stranger, with a repository. So it can set only the options listed here: none that shows
values, runs something, opens a port, sends something elsewhere, changes a device or writes a file; and no path may lead
out of its folder.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from appwitness.cli import renamed_verbs
from appwitness.support import escape, given_files
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken, literal

NAMES = ("appwitness.toml", "pyproject.toml")
LARGEST = 100_000
"""Maximum number of bytes of a settings file."""
ENVIRONMENT = "APPWITNESS"
"""APPWITNESS_<VERB>_<OPTION> in the environment overrides the file."""

FOR_ALL = frozenset(
    (
        *("allow-gap", "app-type", "assume-consent", "baseline", "case", "color", "equipment", "fail-on"),
        *("fail-on-new-rules", "fail-on-stale", "fail-on-worse", "first-party", "lang", "law"),
        *("max-waiver-days", "min-confidence", "operator", "package-alias", "place", "policy", "quiet", "rules"),
        *("sarif-anchor", "strict", "territory", "waivers", "with-gone"),
    )
)
"""Options that may be set at the top of the file, for every verb that has them, or in the table of a verb."""
FOR_ONE = frozenset(
    (
        *("app", "by-hand", "control", "device", "explore", "flows"),
        *("hooks", "isolate-crash", "max-size", "pass-refused"),
        *("plan", "seconds", "seed", "sources", "unpin", "verbose", "video"),
    )
)
"""Options that may be set only in the table of a verb."""
KINDS = {
    "accesses": "access",
    "transforms": "transform",
    "connections": "connection",
    "uploads": "upload",
    "consents": "consent",
    "phases": "phase",
    "screens": "screen",
    "witnesses": "witness",
    "gaps": "gap",
}
"""What a user calls the kinds of lines; appwitness.events, imported late, has them too: a test compares the two."""
AGE = "30d, 12h or 2w"
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
RETENTION = "retention"
"""Table of a file that says how long recordings, and single kinds of their lines, are kept."""
_PART = re.compile(r"[\w-]+")


@dataclass(frozen=True)
class FileSettings:
    """What a file sets."""

    path: Path
    tables: Mapping[str, Any]
    """The whole file: options for all verbs, and a table for each verb."""
    text: str

    def place(self, *keys: str) -> str:
        """File and line of a key, as far as the text shows it; the file may write `index correlate` as `correlate`."""
        for named in (keys, keys[1:])[: 1 + (len(keys) > 2)]:
            table: list[str] = []
            for number, line in enumerate(self.text.splitlines(), start=1):
                header, key = re.match(r"\s*\[+([^\]]*)\]", line), re.match(r"\s*([\w.\"' -]+?)\s*=", line)
                table = _PART.findall(header[1]) if header else table
                there = [*table, *(_PART.findall(key[1]) if key else ())]
                if (header or key) and there[-len(named) :] == list(named):
                    return escape.terminal(f"{self.path}:{number}")
        return escape.terminal(str(self.path))

    def wrong(self, what: str, *keys: str, todo: str) -> UserError:
        """An error about a key."""
        return UserError(Spoken("{place}: {what}", place=self.place(*keys), what=literal(what)), todo)

    def defaults(self, verb: str, command: click.Command) -> dict[str, Any]:
        """What it sets for a verb, by the names of click's parameters.

        Raises UserError for options that the verb does not have or that no file may set, and for invalid values.
        """
        everywhere = {key: value for key, value in self.tables.items() if not isinstance(value, Mapping)}
        return self._of(command, everywhere, self.table(verb), (verb,))

    def table(self, *verb: str) -> Mapping[str, Any]:
        """What it sets for one verb alone; some options are named like verbs: rules, policy."""
        table: Any = self.tables
        for name in verb:
            table = table.get(name, {}) if isinstance(table, Mapping) else {}
        return table if isinstance(table, Mapping) else {}

    def _of(
        self, command: click.Command, everywhere: Mapping[str, Any], own: Mapping[str, Any], keys: tuple[str, ...]
    ) -> dict[str, Any]:
        if isinstance(command, click.Group):
            nested = {}
            for name, sub in command.commands.items():
                table = own.get(name, {})
                if not isinstance(table, Mapping):
                    raise self.wrong(
                        Spoken("{verb} is a verb.", verb=" ".join((*keys, name))),
                        *keys,
                        name,
                        todo=Spoken("Write a table for it."),
                    )
                nested[name] = self._of(sub, everywhere, table, (*keys, name))
            if unknown := set(own) - set(command.commands):
                raise self._unknown(sorted(unknown)[0], keys)
            return nested
        there = dict(options(command))
        defaults = {}
        for key in own:
            if key not in there or key not in FOR_ALL | FOR_ONE:
                raise self._unknown(key, keys, there=key in there)
        for key, value in {**everywhere, **own}.items():
            if key in there:
                place = (*keys, key) if key in own else (key,)
                defaults[str(there[key].name)] = self._value(there[key], value, place)
        return defaults

    def _value(self, option: click.Option, value: Any, keys: tuple[str, ...]) -> Any:
        several = Spoken("a list") if option.multiple else Spoken("a string or a number")
        wanted = Spoken("true or false") if option.is_flag else several
        many = value if isinstance(value, list) else [value]
        fits = isinstance(value, bool) if option.is_flag else not isinstance(value, bool)
        if not fits or (isinstance(value, list) and not option.multiple) or not _plain(many):
            raise self.wrong(
                Spoken("{key} has to be {wanted}, not {value!r}.", key=keys[-1], wanted=wanted, value=value),
                *keys,
                todo=Spoken("Correct its type."),
            )
        if isinstance(option.type, click.Path):
            many = [str(self._inside(str(each), keys)) for each in many]
        try:
            for each in many:
                option.type.convert(each, option, None)
        except click.BadParameter as error:
            raise self.wrong(
                f"{keys[-1]}: {error.message}", *keys, todo=Spoken("Correct it, or leave it out.")
            ) from None
        return many if option.multiple else many[0]

    def _inside(self, text: str, keys: tuple[str, ...]) -> Path:
        folder = self.path.parent.resolve()
        path = (folder / text).resolve()
        if not path.is_relative_to(folder):
            raise self.wrong(
                Spoken("{key} points outside the folder of this file.", key=keys[-1]),
                *keys,
                todo=Spoken("Give it by hand: --{key} {text}", key=keys[-1], text=text),
            )
        return path

    def _unknown(self, key: str, keys: tuple[str, ...], *, there: bool = False) -> UserError:
        verb = " ".join(keys)
        if there:
            what = Spoken("--{key} cannot be set in a file, which may be a stranger's.", key=key)
            return self.wrong(what, *keys, key, todo=Spoken("Give it on the command line."))
        return self.wrong(
            Spoken("appwitness {verb} has no option --{key}.", verb=verb, key=key),
            *keys,
            key,
            todo=Spoken("`appwitness {verb} --help` names them.", verb=verb),
        )


def _plain(values: list[Any]) -> bool:
    return all(isinstance(value, str | int | float) for value in values)


def options(command: click.Command) -> Iterator[tuple[str, click.Option]]:
    """The options of a verb by their long names; --hooks/--no-hooks is hooks."""
    for param in command.params:
        if isinstance(param, click.Option):
            for option in param.opts:
                if option.startswith("--"):
                    yield option[2:], param


def name_variables(command: click.Command, prefix: str | None) -> None:
    """Have the environment set each option under its long name: PREFIX_CONNECT_TO for --connect-to. click would use
    the name of the function's parameter."""
    for key, option in options(command):
        option.envvar = prefix and f"{prefix}_{key}".replace("-", "_").upper()
        option.allow_from_autoenv = False


def age(text: object) -> timedelta | None:
    """An age as a person writes it; None for anything else."""
    found = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text) if isinstance(text, str) else None
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def _ages(settings: FileSettings) -> dict[str, timedelta]:
    """How long recordings and kinds of their lines are kept."""
    names = ("recordings", *KINDS)
    ages = {}
    for name, text in settings.table(RETENTION).items():
        if name not in names:
            todo = Spoken("Choose from {names}.", names=", ".join(names))
            raise settings.wrong(
                Spoken("{name} is not something that has a retention time.", name=name), RETENTION, name, todo=todo
            )
        if (found := age(text)) is None:
            raise settings.wrong(
                Spoken("{name}: {text!r} is not an age.", name=name, text=text),
                RETENTION,
                name,
                todo=Spoken("Write an age: {age}.", age=AGE),
            )
        ages[name] = found
    return ages


def retention(recordings: Path) -> tuple[dict[str, timedelta], Path]:
    """How long recordings in a folder are kept, and the folder of the file that says so, which is the one it governs.

    The file is in that folder or above it, not in or above the current folder, so that a stranger's file governs
    recordings in the stranger's folder and no others. Raises UserError if no file says how long.
    """
    found = find(recordings)
    if found is None or not (ages := _ages(found)):
        raise UserError(
            Spoken("Nothing says how long recordings in {recordings} are kept.", recordings=recordings),
            Spoken(
                'Write [{retention}], and below it recordings = "30d", into {names} in that folder or above it.',
                retention=RETENTION,
                names=NAMES[0],
            ),
        )
    return ages, found.path.parent.resolve()


def find(folder: Path | None = None) -> FileSettings | None:
    """The settings that apply in a folder, by default the current one: those of the first file there or above it.

    A file counts only if it belongs to the folder's owner, to us or to root, so that nobody can set anything from /tmp.
    """
    try:
        start = (folder or Path.cwd()).absolute()
        owners = {os.geteuid(), 0, start.stat().st_uid}
    except OSError:  # the current folder no longer exists
        return None
    for place in (start, *start.parents):
        for name in NAMES:
            if _is_trusted(place / name, owners) and (found := _read(place / name)):
                return found
    return None


def _is_trusted(path: Path, owners: Set[int]) -> bool:
    try:
        there = path.stat()
        return stat.S_ISREG(there.st_mode) and {there.st_uid, path.lstat().st_uid} <= owners
    except OSError:
        return False


def _read(path: Path) -> FileSettings | None:
    own = path.name == NAMES[0]
    if path.stat().st_size > LARGEST:
        if own:
            raise UserError(
                Spoken("{path} is larger than {largest:,} bytes.", path=path, largest=LARGEST),
                "Shorten it: settings never need that much.",
            )
        return None
    try:
        data = given_files.read(path, LARGEST)
    except FileError:
        if own:
            raise
        return None
    if not own and b"appwitness" not in data:
        return None
    import tomllib

    try:
        text = data.decode()
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        why = str(error) if isinstance(error, ValueError) else "nested too deeply"
        raise UserError(
            Spoken("{path} is not TOML: {why}.", path=path, why=why),
            "Correct it; https://toml.io says how it is written.",
        ) from None
    if not own:
        tool = tables.get("tool")
        tables = tool.get("appwitness") if isinstance(tool, dict) else None  # type: ignore[assignment]
        if tables is None:
            return None
        if not isinstance(tables, dict):
            raise UserError(Spoken("{path}: tool.appwitness is not a table.", path=path), "Write [tool.appwitness].")
    return FileSettings(path, renamed_verbs.by_new_names(tables), text)


def check(settings: FileSettings, verbs: Mapping[str, object]) -> None:
    """Check that each key is an option that a file may set, or a verb. Raises UserError that names the first other
    key."""
    for key, value in settings.tables.items():
        if key == RETENTION:
            _ages(settings)
            continue
        if key in verbs and isinstance(value, Mapping):
            continue
        if key in FOR_ONE:
            raise settings.wrong(
                Spoken("{key} can only be set for one verb at a time.", key=key),
                key,
                todo=Spoken("Write it below the name of the verb: [observe]."),
            )
        if key not in FOR_ALL:
            known = ", ".join(sorted(FOR_ALL))
            raise settings.wrong(
                Spoken("{key} is neither an option that can be set for all verbs nor a verb.", key=key),
                key,
                todo=Spoken("Choose from {names}.", names=known),
            )

"""What a device says of itself in an archive that its owner can send us, with personal data taken out.

By value: what the device itself names as its serial, its owner's accounts, networks and apps is replaced wherever it
stands. By field: what follows a name such as `ssid=` or `imei:`. By pattern: addresses, numbers, coordinates. Logs and
the clipboard are not asked for. Not tried on Android: dumps of real devices; look into the archive before you send it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.devices.android.shell import Shell
from appwitness.support import private_files

DUMP_S = 20.0
SHORTEST = 4
"""A value of fewer characters is not replaced elsewhere: it would be found in every word."""


class Field(CatalogEntry):
    """A value that is known by its name."""

    names: tuple[str, ...]
    into: str


class Pattern(CatalogEntry):
    """A value that is known by its form."""

    find: str
    into: str


class Dumps(CatalogEntry):
    """catalog/devices/export.yml."""

    dumps: dict[str, str]
    owned: dict[str, str]
    fields: tuple[Field, ...]
    patterns: tuple[Pattern, ...]


def texts() -> Dumps:
    """Raises FileError with file and line."""
    (path,) = yaml_files.files("devices/export.yml")
    return yaml_files.parse(path, Dumps)


def write(shell: Shell, archive: Path, extra: Mapping[str, str]) -> list[str]:
    """Ask the device for all dumps and write them to an archive that its owner alone can read, beside `extra`.

    `extra`: name of a file -> text, cleaned like the dumps. Gives the names of what is in it. Raises DeviceFault, and
    UserError where the archive cannot be written.
    """
    wanted = texts()
    said = {f"{name}.txt": shell.user(commands, timeout_s=DUMP_S).out for name, commands in wanted.dumps.items()}
    clean = cleaner(wanted, owned(wanted, said))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in {**said, **extra}.items():
            out.writestr(name, clean(text))
    private_files.write(archive, packed.getvalue())
    return [*said, *extra]


def owned(wanted: Dumps, said: Mapping[str, str]) -> dict[str, str]:
    """The values that the device itself names as its owner's -> what stands in their place."""
    everything = "\n".join(said.values())
    found = {}
    for find, into in wanted.owned.items():
        for match in re.finditer(find, everything, re.MULTILINE):
            value = match[1].strip().strip("\"'")
            if len(value) >= SHORTEST and value.lower() not in ("null", "none", "unknown", "true", "false"):
                found[value] = into
    return found


def cleaner(wanted: Dumps, values: Mapping[str, str]) -> Callable[[str], str]:
    """What takes personal data out of a text."""
    named = [(_value(value), f"[{into}]") for value, into in sorted(values.items(), key=lambda item: -len(item[0]))]
    fields = [(_field(field.names), rf"\g<name>[{field.into}]") for field in wanted.fields]
    patterns = [(re.compile(pattern.find), f"[{pattern.into}]") for pattern in wanted.patterns]
    steps: Iterable[tuple[re.Pattern[str], str]] = [*named, *fields, *patterns]

    def clean(text: str) -> str:
        for find, into in steps:
            text = find.sub(into, text)
        return text

    return clean


def _value(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", re.IGNORECASE)


def _field(names: Iterable[str]) -> re.Pattern[str]:
    """`name=value`, `name: "value"`, `[name]: [value]`: to the closing quote, else to a comma, bracket, two spaces."""
    either = "|".join(re.escape(name) for name in names)
    value = r"\"[^\"]*\"|'[^']*'|<[^>]*>|[^\s,;}\])][^,;}\])\n]*?(?=  |[,;}\])\n]|$)"
    return re.compile(rf"(?P<name>(?<![A-Za-z])(?:{either})\]?\s*[:=]\s*\[?)(?:{value})", re.IGNORECASE | re.MULTILINE)

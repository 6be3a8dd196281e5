"""Exports the form of a device's dumps to an archive that its owner can send us; only listed text is kept.

In each dump that a run reads, words that Android itself prints are kept (catalog/devices/export.yml); every other word
is replaced by letters `x`, every digit by `1`. Properties are kept if their name is listed, else left out. Logs,
accounts, networks and the clipboard are not queried.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.devices.android.device_facts import api_level, properties
from appwitness.devices.android.doctor import reading
from appwitness.devices.android.shell import Shell
from appwitness.devices.android.witness.counters import app_ops
from appwitness.devices.diagnosis import Diagnosis
from appwitness.support import private_files

DUMP_S = 60.0
MOST_LINES = 600
"""Maximum number of lines of one dump; further lines are kept only if their shape is new."""
MOST_SHAPES = 300
LONGEST_LINE = 400
LONGEST_WORD = 3
"""Maximum number of letters in place of a replaced word: its true length would give some names away."""
_HEADER = re.compile(r"[A-Z_]+(?:\|[A-Z_]+){3,}")
"""A table's header; its column names are the system's."""
_WORD = re.compile(r"[^\W\d_]+(?:_[^\W\d_]+)*|\d+|.", re.DOTALL)
"""A word, including words joined by underscores; a number; or any other single character."""


class ExportLists(CatalogEntry):
    """catalog/devices/export.yml."""

    words: tuple[str, ...]
    properties: tuple[str, ...]


def lists() -> ExportLists:
    """The words and properties that are kept. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "devices/export.yml", ExportLists)


def write(shell: Shell, archive: Path, diagnosis: Diagnosis) -> list[str]:
    """Query all dumps and write their forms to an archive that only its owner can read.

    Returns the names of the files in it. Raises DeviceFault, and UserError if the archive cannot be written.
    """
    wanted = lists()
    files = {"doctor.json": json.dumps(_told(diagnosis), indent=1)}
    level = api_level(properties(shell.user("getprop").out).get("ro.build.version.sdk", ""))  # even if undiagnosed
    for name, command in reading.asked(level or 0).items():
        said = shell.user(f"( {command} ) 2>&1", timeout_s=DUMP_S).out
        files[f"{name}.txt"] = kept_properties(said, wanted) if name == "properties" else form(said, wanted)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in files.items():
            out.writestr(name, text)
    private_files.write(archive, packed.getvalue())
    return list(files)


def kept_properties(said: str, wanted: ExportLists) -> str:
    """The properties on the list, and the number of others."""
    there = properties(said)
    kept = [f"[{name}]: [{there[name]}]" for name in wanted.properties if name in there]
    return "\n".join((*kept, f"[others]: [{len(there) - len(kept)}]"))


def form(said: str, wanted: ExportLists) -> str:
    """The form of a dump: its words that are on the list, and the shape of all others."""
    words = frozenset((*wanted.words, *(each.op for each in app_ops().ops)))
    kept: list[str] = []
    shapes: set[str] = set()
    for line in said.splitlines():
        shape = _shaped(line[:LONGEST_LINE], words)
        if len(kept) < MOST_LINES or (shape not in shapes and len(kept) < MOST_LINES + MOST_SHAPES):
            kept.append(shape)
        shapes.add(shape)
    return "\n".join(kept)


def _shaped(line: str, words: Collection[str]) -> str:
    if _HEADER.fullmatch(line.strip()):
        return line
    quoted = False
    parts = []
    for match in _WORD.finditer(line):
        part = match[0]
        quoted ^= part == '"'
        sign = len(part) == 1 and part.isascii() and not part.isalnum()
        parts.append(part if sign or (part in words and not quoted) else _shape(part))
    return "".join(parts)


def _shape(word: str) -> str:
    """The shape of a word: each digit becomes the digit 1 of its script; each part between underscores becomes up to
    three letters, x or X."""
    if word.isdecimal():
        return "".join(chr(ord(each) - unicodedata.decimal(each) + 1) for each in word)
    parts = word.split("_")
    return "_".join("".join("X" if each.isupper() else "x" for each in part[:LONGEST_WORD]) for part in parts)


def _told(diagnosis: Diagnosis) -> Mapping[str, object]:
    """The doctor's results by their codes only, as their sentences name the device and what is on it."""
    results = [{"check": each.check, "level": each.level, "code": each.code} for each in diagnosis.results]
    return {
        "version": 2,
        "api": diagnosis.api,
        "release": diagnosis.release,
        "kind": diagnosis.kind,
        "results": results,
    }

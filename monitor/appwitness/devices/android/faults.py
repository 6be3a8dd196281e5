"""Faults of a device, each with a code, what happened and what to do next (catalog/devices/faults.yml)."""

from __future__ import annotations

import functools
import re

from pydantic import Field

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.support.errors import SetupError
from appwitness.support.spoken import Spoken

FIELD = re.compile(r"\{(\w+)\}")


class FaultEntry(CatalogEntry):
    """The texts of one code. `{name}` in them stands for a field that the caller of `fault` supplies."""

    what: str = Field(description="what happened, in one sentence")
    next_step: str = Field(alias="do", description="what to do about it")

    @property
    def fields(self) -> frozenset[str]:
        """The names that its texts need."""
        return frozenset(FIELD.findall(self.what + self.next_step))


class _Entries(CatalogEntry):
    faults: dict[str, FaultEntry]


class DeviceFault(SetupError):
    """A fault of the device with its code."""

    def __init__(self, code: str, what: str, next_step: str) -> None:
        super().__init__(what, next_step)
        self.code = code


@functools.cache
def entries() -> dict[str, FaultEntry]:
    """Code -> entry, in the order of the file. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "devices/faults.yml", _Entries).faults


def fault(code: str, **fields: object) -> DeviceFault:
    """The error with that code, to be raised. Raises KeyError if the code does not exist or a field is missing."""
    entry = entries()[code]
    missing = entry.fields - fields.keys()
    if missing:
        raise KeyError(f"{code} needs {', '.join(sorted(missing))}")

    return DeviceFault(code, Spoken(entry.what, **fields), Spoken(entry.next_step, **fields))

"""The processors that ART is built for (processors.yml)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LISTED = Path(__file__).with_name("processors.yml")


@dataclass(frozen=True)
class Processor:
    """One of them; fields as in processors.yml, where the rest is empty for one that is not emulated."""

    name: str
    debian: str
    triple: str
    machine: str
    codegen: str
    abi: str
    emulator: str = ""
    suite: str = ""
    cpus: dict[str, dict[str, Any]] = field(default_factory=dict)
    site: dict[str, Any] = field(default_factory=dict)
    sysroot: tuple[str, ...] = ()
    guest: tuple[str, ...] = ()
    compilers: tuple[str, ...] = ()

    @property
    def emulated(self) -> bool:
        """Whether it is not the one on which ART is built."""
        return bool(self.emulator)


@cache
def processors() -> dict[str, Processor]:
    """Name -> processor."""
    listed = yaml.safe_load(LISTED.read_text("utf-8"))
    return {name: Processor(name=name, **fields) for name, fields in listed.items()}


def native() -> Processor:
    """The one on which ART is built."""
    return next(iter(processors().values()))


def own() -> Processor | None:
    """The one that this runs on; None: ART is built for no such."""
    machine = os.uname().machine
    return next((each for each in processors().values() if each.machine == machine), None)

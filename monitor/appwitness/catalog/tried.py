"""The runtimes, processors and kinds of code with which a test bench has run the agent (devices/tried.yml)."""

from __future__ import annotations

import datetime
import functools
from typing import Literal, get_args

from pydantic import Field

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry

Code = Literal["interpreter", "jit", "aot"]
"""How the methods of an app may be executed; on a phone an app uses all three at once."""


class TriedRuntime(CatalogEntry):
    """One runtime on one processor with one kind of code, and the bench that ran it."""

    art: int = Field(ge=24, description="API level of the runtime")
    abi: Literal["arm64-v8a", "armeabi-v7a", "x86_64", "x86"]
    code: Code
    where: str
    last: datetime.date = Field(description="when the bench last passed")


class _Tried(CatalogEntry):
    runtimes: tuple[TriedRuntime, ...]


@functools.cache
def runtimes() -> tuple[TriedRuntime, ...]:
    """All combinations that were run. Raises FileError with file and line."""
    (path,) = yaml_files.files("devices/tried.yml")
    return yaml_files.parse(path, _Tried).runtimes


def tried(art: int | None, abi: str | None) -> Literal["yes", "no"] | None:
    """Whether a bench has run the agent on this runtime (API level) and processor with all kinds of code that apps
    use; None when one of the two is unknown."""
    if art is None or abi is None:
        return None
    codes = {each.code for each in runtimes() if (each.art, each.abi) == (art, abi)}
    return "yes" if codes.issuperset(get_args(Code)) else "no"


def seen() -> tuple[int, ...]:
    """API levels of the runtimes that a bench has run, with any kind of code and on any processor; the oldest first."""
    return tuple(sorted({each.art for each in runtimes()}))

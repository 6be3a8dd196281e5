"""Data that the user chose in a system picker; this is not a read of the whole collection."""

from __future__ import annotations

import re
from functools import cache

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry, Pattern
from appwitness.events import Access, DataType


class Picker(CatalogEntry):
    """Targets of accesses that return what the user picked, for some data types."""

    data: tuple[DataType, ...]
    targets: tuple[Pattern, ...]


class Pickers(CatalogEntry):
    """The content of catalog/picked.yml."""

    items: tuple[Picker, ...]


def was_picked(access: Access) -> bool:
    """Whether an access read what the user had picked."""
    return access.target is not None and any(target.search(access.target) for target in _targets(access.data))


@cache
def _targets(data: DataType) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(target) for each in _known().items if data in each.data for target in each.targets)


@cache
def _known() -> Pickers:
    (file,) = yaml_files.files("picked.yml")
    return yaml_files.parse(file, Pickers)

"""The data that goes out of date, from the package or from a signed update: which edition is in effect, and where
its files are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.support.errors import FileError
from appwitness.support.own_folder import home

AGES = ("recipients.yml", "laws.yml", "devices/dialogs.yml", "devices/frida_builds.yml")
"""The files that an update may replace: only data, nothing that decides what counts as a finding."""
KEYS = yaml_files.HERE / "update_keys.txt"
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Edition(CatalogEntry):
    """An edition of this data, from `edition.yml` of the package or of an update that was installed."""

    layout: Annotated[int, Field(ge=1)] = Field(description="which programs can read its files")
    edition: Annotated[int, Field(ge=1)] = Field(description="counts up")
    date: date
    source: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="where it comes from, as its maker says; null: the package"
    )
    key: str | None = Field(default=None, description="fingerprint of the key that signed it")
    sha256: Digest | None = Field(default=None, description="of the file that brought it")
    files: Mapping[str, Digest] = Field(default_factory=dict, description="file that it replaces -> its SHA-256")

    def __str__(self) -> str:
        """The edition in the wording of run.json and reports."""
        by = "" if self.key is None else f", signed by {self.key}"
        return f"edition {self.edition} of {self.date}{by}"


def folder() -> Path:
    """The folder of installed updates."""
    return home() / "catalog"


def of_package() -> Edition:
    """The edition in the package."""
    return yaml_files.parse(yaml_files.HERE / "edition.yml", Edition)


def in_effect() -> Edition:
    """The last update installed, or the package's edition if there is no update or the package is at least as new.

    Raises FileError when the installed update is damaged.
    """
    ours, place = of_package(), folder() / "edition.yml"
    if not place.is_file():
        return ours
    taken = yaml_files.parse(place, Edition, hint=_again())
    return taken if taken.layout == ours.layout and taken.edition > ours.edition else ours


def file(name: str, edition: Edition | None = None) -> Path:
    """The path of a file of AGES, in the edition in effect or in the given one.

    Raises FileError when the file is not what the update installed.
    """
    edition = edition or in_effect()
    if name not in edition.files:
        return yaml_files.HERE / name
    place = kept(edition) / name
    if hashlib.sha256(yaml_files.bytes_of(place)).hexdigest() != edition.files[name]:
        raise FileError(place, None, "it is not what the update installed.", _again())
    return place


def kept(edition: Edition) -> Path:
    """The folder of an update's files."""
    return folder() / f"{edition.edition}-{(edition.sha256 or '')[:12]}"


def _again() -> str:
    return f"Remove the folder {folder()}, then take the update again: appwitness catalog update FILE."

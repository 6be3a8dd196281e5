"""Reads Google Play's data safety form from the CSV that the console exports."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from pydantic import Field

from appwitness.catalog.entries import CatalogEntry
from appwitness.events import DataType
from appwitness.judge.data_types import DataTypes
from appwitness.judge.policy import DeclaredData, Policy

TYPES, USAGE, ANY = "PSL_DATA_TYPES_", "PSL_DATA_USAGE_RESPONSES:", "PSL_DATA_COLLECTION_COLLECTS_PERSONAL_DATA"
"""Prefixes of question ids: which types; how one is used; whether any is collected."""
PURPOSES = {"DATA_USAGE_COLLECTION_PURPOSE": "collected", "DATA_USAGE_SHARING_PURPOSE": "shared"}


class WrongForm(ValueError):
    """What is wrong in a form, and on which of its lines."""

    def __init__(self, line: int | None, what: str) -> None:
        super().__init__(what)
        self.line = line


class PlayForm(CatalogEntry):
    """catalog/play_form.yml."""

    types: dict[str, str]
    covers: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="type -> labels of others that are declared with it"
    )
    purposes: dict[str, str]

    def kinds(self, code: str, data_types: DataTypes) -> Iterator[DataType]:
        """The catalog's data types that a type of the form covers."""
        labels = (self.types[code], *self.covers.get(code, ()))
        return (each.code for each in data_types.items if any(label in each.play for label in labels))


def policy_of(text: str, form: PlayForm, data_types: DataTypes) -> Policy:
    """The data types that the form declares, with their purposes. It covers only what leaves the device. Raises
    WrongForm."""
    declared: dict[str, list[str]] = {}
    answers = list(_answers(text))
    if any(question == ANY and value == "FALSE" for _, question, _, value in answers):
        return Policy(only_sent=True)
    for line, question, response, value in answers:
        if value != "TRUE":
            continue
        if question.startswith(TYPES):
            _of(declared, response, form, line)
        elif question.startswith(USAGE):
            _, code, about = [*question.split(":"), "", ""][:3]
            purposes = _of(declared, code, form, line)
            if about in PURPOSES:
                purposes.append(f"{form.purposes.get(response, response)} ({PURPOSES[about]})")
    found: dict[DataType, list[str]] = {}
    for code, purposes in declared.items():
        for kind in form.kinds(code, data_types):
            found.setdefault(kind, []).extend(purposes)
    data = (DeclaredData(type=kind, purposes=tuple(dict.fromkeys(purposes))) for kind, purposes in found.items())
    return Policy(data=tuple(data), only_sent=True)


def _of(declared: dict[str, list[str]], code: str, form: PlayForm, line: int) -> list[str]:
    if code not in form.types:
        raise WrongForm(line, f"{code[:60]!r} is not a known data type of this form")
    return declared.setdefault(code, [])


def _answers(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Line, question id, response id, and the value in capitals."""
    rows = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True))
    known = False
    try:
        for row in rows:
            question, response, value = (each.strip() for each in (*row, "", "", "")[:3])
            if question.startswith("PSL_"):
                known = True
                yield rows.line_num, question, response, value.upper()
    except csv.Error as error:
        raise WrongForm(rows.line_num, f"not CSV: {error}") from None
    if not known:
        raise WrongForm(None, "no question of Google Play's data safety form is in it")

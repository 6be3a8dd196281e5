"""Waivers: findings accepted for a time, each with an owner, a reason and an expiry date."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.events import DataType
from appwitness.findings import LEVELS, Level
from appwitness.findings.gate_decision import Behaviour, Mute, Remark
from appwitness.support import given_files
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

NAME = "appwitness-waivers.yml"
HEAD = "# Findings that somebody has accepted for a time: `appwitness waive` adds one.\n"
HINT = "Fix the line; `appwitness list schema --of waivers` prints the fields of an entry."
MAX_DAYS = 180
SOON_DAYS = 14

Text = Annotated[str, Field(min_length=1)]


_JOKERS = re.compile(r"\[!?\]?[^\]]*\]|[*?]+")
"""Wildcards in a pattern."""
_SAID = re.compile(r"\w{2}")
"""Two adjacent letters or digits: a pattern with wildcards must contain them, or it would match nearly everything."""


class Which(CatalogEntry):
    """Selects findings: every field given must match. `recipient` and `actor` may contain `*`."""

    rule: Text
    data: DataType | None = None
    recipient: Text | None = None
    actor: Text | None = None
    plans: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _narrow(self) -> Which:
        for name, text in (("rule", self.rule), *(("plans", plan) for plan in self.plans)):
            if "*" in text:
                raise ValueError(f"{name} must not contain `*`: write the full name")
        for name, pattern in (("recipient", self.recipient), ("actor", self.actor)):
            if pattern and _JOKERS.search(pattern) and not _SAID.search(_JOKERS.sub("*", pattern)):
                raise ValueError(f"{pattern} would mute every {name}: write more of the name")
        if not (self.data or self.recipient or self.actor or self.plans):
            raise ValueError("a rule alone would mute all that it ever finds: name data, recipient, actor or plans too")
        return self

    def fits(self, behaviour: Behaviour) -> bool:
        """Whether it matches this behaviour under every plan that shows it."""
        return (
            self.rule == behaviour.rule
            and self.data in {None, behaviour.data}
            and (self.recipient is None or fnmatchcase(behaviour.recipient or "", self.recipient))
            and (self.actor is None or fnmatchcase(behaviour.actor, self.actor))
            and (not self.plans or set(behaviour.plans) <= set(self.plans))
        )


class Waiver(CatalogEntry):
    """One entry."""

    id: Text
    match: Which | None = None
    finding: Annotated[str, Field(pattern=r"^v2:[0-9a-f]{12}$")] | None = Field(
        default=None, description="fingerprint of the one finding that it is about, instead of `match`"
    )
    owner: Text
    reason: Annotated[str, Field(min_length=10)]
    expires: date
    ticket: Text | None = None
    up_to: Level = Field(default="high", description="a finding of a higher level is not muted")

    @model_validator(mode="after")
    def _one_of_both(self) -> Waiver:
        if (self.match is None) == (self.finding is None):
            raise ValueError("it needs either `match` or `finding`")
        return self

    @field_validator("expires")
    @classmethod
    def _not_for_ever(cls, expires: date, info: ValidationInfo) -> date:
        if info.context and expires > (last := info.context["today"] + timedelta(days=info.context["max_days"])):
            raise ValueError(f"at most {info.context['max_days']} days ahead, which is {last}")
        return expires

    def fits(self, behaviour: Behaviour) -> bool:
        """Whether it matches this behaviour, expired or not."""
        return self.match.fits(behaviour) if self.match else self.finding == behaviour.id


class WaiverFile(CatalogEntry):
    """appwitness-waivers.yml."""

    version: Literal[1] = 1
    waivers: tuple[Waiver, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> WaiverFile:
        ids = [each.id for each in self.waivers]
        if twice := next((name for name in ids if ids.count(name) > 1), None):
            raise ValueError(f"the id {twice} is used twice")
        return self


@dataclass(frozen=True)
class Waivers:
    """The entries of one file as of one day, each with its file and line."""

    entries: Sequence[tuple[Waiver, str]]
    today: date

    def of(self, behaviour: Behaviour) -> Mute | None:
        """The entry that matches a behaviour, an active one rather than an expired one; None if there is none."""
        fitting = [self._mute(waiver, place, behaviour) for waiver, place in self.entries if waiver.fits(behaviour)]
        return min(fitting, key=lambda mute: mute.state != "active", default=None)

    def remarks(self, behaviours: Iterable[Behaviour]) -> Iterator[Remark]:
        """Remarks on the entries themselves: expired, soon to expire, unused."""
        seen = list(behaviours)
        for waiver, place in self.entries:
            subject = f"{waiver.id}, {waiver.owner}, {waiver.expires}"
            if waiver.expires < self.today:
                yield Remark(what="waiver_expired", subject=subject, place=place)
            elif waiver.expires <= self.today + timedelta(days=SOON_DAYS):
                yield Remark(what="waiver_expires_soon", subject=subject, place=place)
            if not any(waiver.fits(behaviour) for behaviour in seen):
                yield Remark(what="waiver_unused", subject=waiver.id, place=place)

    def _mute(self, waiver: Waiver, place: str, behaviour: Behaviour) -> Mute:
        expired = waiver.expires < self.today  # the expiry date itself still counts
        exceeded = LEVELS.index(behaviour.level) < LEVELS.index(waiver.up_to)
        said = waiver.model_dump(include={"id", "owner", "reason", "expires", "ticket"})
        return Mute(**said, place=place, state="expired" if expired else "exceeded" if exceeded else "active")


def entry(fields: Mapping[str, Any], today: date, max_days: int = MAX_DAYS) -> Waiver:
    """An entry from a person's input. Raises UserError that says what is wrong."""
    try:
        return Waiver.model_validate(fields, context={"today": today, "max_days": max_days})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the entry"
        raise UserError(
            Spoken("{where}: {msg}.", where=where, msg=first["msg"]), "See `appwitness waive --help`."
        ) from None


def read(path: Path, today: date, max_days: int = MAX_DAYS) -> Waivers:
    """The file as it applies on one day. Raises FileError with the line that is wrong."""
    file = yaml_files.parse(path, WaiverFile, {"today": today, "max_days": max_days}, HINT)
    places = [f"{path}:{line}" for line in yaml_files.lines_of(path, "waivers")]
    return Waivers(list(zip(file.waivers, places, strict=True)), today)


def added(path: Path, waiver: Waiver, today: date, max_days: int = MAX_DAYS) -> str:
    """The text of the file with one more entry; what people wrote in it, including comments, stays as it is.

    Raises FileError if the existing file is invalid, and UserError if an entry has this id already or the list is
    written in a form that cannot be appended to.
    """
    before = yaml_files.text_of(path) if given_files.is_there(path) else f"{HEAD}version: 1\nwaivers:\n"
    if given_files.is_there(path):
        known = read(path, today, max_days)
        if any(each.id == waiver.id for each, _ in known.entries):
            raise UserError(
                Spoken("{path} has an entry {id} already.", path=path, id=waiver.id), "Give it another --id."
            )
    fields = waiver.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    entry = "".join(
        f"  {'-' if first else ' '} {name}: {yaml_files.quoted(value)}\n"
        for first, (name, value) in ((not number, pair) for number, pair in enumerate(fields.items()))
    )
    after = before.rstrip("\n") + "\n" + entry
    try:
        yaml_files.parse_text(path, after, WaiverFile, {"today": today, "max_days": max_days}, HINT)
    except FileError as error:
        raise UserError(
            Spoken("The entry cannot be put at the end of {path}: {what}", path=path, what=error.what),
            "Move `waivers:` to the end, as a list of `- id: ...`.",
        ) from None
    return after

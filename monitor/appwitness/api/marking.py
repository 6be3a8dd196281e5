"""An operator's notes in a recording: consent marks, their corrections, and marks made by mistake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from appwitness import events
from appwitness.api.home import signer
from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.events.seen import Seen, host_time
from appwitness.findings.mask import Mask
from appwitness.judge.consent import Observed, Timeline, consents, scope_of
from appwitness.judge.consent import said as said_by
from appwitness.judge.data_types import DataTypes
from appwitness.recording import Recording
from appwitness.support.errors import UserError
from appwitness.support.login import login
from appwitness.support.spoken import Spoken

CONSENTS = events.FILES["consent"]
ALL = "all"
"""Stands for all data types."""


@dataclass(frozen=True)
class MarkDetails:
    """A person's statement on a question or an answer; what is left out is as in the line that it corrects."""

    scope: events.Scope | None = None
    data: tuple[str, ...] = ()
    text: str | None = None
    note: str | None = None
    at: datetime | None = None
    """Its time, in any zone; UTC where it names none."""
    by: Literal["operator", "assistant"] = "operator"
    """The author: a person, or a program that acts for one."""


@dataclass(frozen=True)
class Mark:
    """A line that was appended, and the one that it replaces or takes back."""

    ref: events.Ref
    line: events.Consent
    before: tuple[events.Ref, events.Consent] | None = None
    counts_as: str | None = None
    """What a yes or no counts as whose label does not clearly say that, such as `requested`; None: as it says."""


@dataclass(frozen=True)
class ConsentLine:
    """A line of a recording that says what the user was asked or answered, and whether it counts."""

    ref: events.Ref
    at: datetime
    """Its time in UTC, on the host's clock."""
    line: events.Consent
    scope: str
    missing: events.Ref | None = None
    """The line that it corrects or retracts, where there is no such line before it."""
    replaced_by: tuple[events.Ref, ...] = ()
    """Lines by which an operator has replaced or retracted it since, the last word last: it does not count any more."""
    is_echo: bool = False
    """Whether it repeats from outside what the hooks recorded too."""
    is_foreign: bool = False
    """Whether another app wrote it."""
    counts: bool = False
    """It is an answer; False: a claim of the app, or one of the above."""
    says: str | None = None
    """What it counts as, where that is not its status."""
    why: str | None = None
    """The reason, as a code."""


def mark_answer(path: Path, status: events.ConsentState, said: MarkDetails, corrects: str = "") -> Mark:
    """Note in the recording at `path` what the user was asked or decided, in place of the line `corrects`, if any.

    Raises UserError where there is no recording, for an archive, and for a data type or line that does not exist.
    """
    recording = Recording.open(path, signer=signer())
    labels = _labels()
    made = consent(recording, status, said, _data_types(), labels, corrects)
    says, why = said_by(made.line, labels)
    doubtful = why is not None and status in ("given", "refused") and says != status
    return replace(made, counts_as=says) if doubtful else made


def mark_retracted(path: Path, line: str, note: str | None = None) -> Mark:
    """Note in the recording at `path` that a line never was, such as `consents.jsonl:3`. Raises as `mark_answer`."""
    return retract(Recording.open(path, signer=signer()), line, _labels(), note)


def mark_note(path: Path, text: str, at: datetime | None = None) -> events.Ref:
    """Note any text on the time line of the recording at `path`; its line. `at` is UTC where it names no zone, now
    where it is None.

    Raises UserError where there is no recording, and for an archive.
    """
    recording = Recording.open(path, signer=signer())
    when = _utc(at) if at else datetime.now(UTC)
    return recording.note(events.Phase(at=when, app=recording.run.app.package, state="mark", text=text, by="operator"))


def mark_item(
    path: Path, name: str, answer: str, *, note: str | None = None, who: str | None = None, at: datetime | None = None
) -> events.Ref:
    """Note in the recording at `path` what a person answers to an item of a checklist, `cn-164:1.4.3`; its line.

    The list may be left out where only one of ours has such an item; a list that is not ours is taken as it is named.
    `answer` is pass or fail; `who`: None takes the login name; `at` as in `mark_note`. Raises UserError for an item
    that our list does not have, and as `mark_note`.
    """
    from appwitness.api.checklists import NAMES, items_of

    list_, colon, item = name.rpartition(":")
    if not colon:
        having = [each for each in NAMES if item in items_of(each)]
        if len(having) > 1:
            said = ", ".join(f"{each}:{item}" for each in having)
            raise UserError(
                Spoken("Several checklists have an item {item}.", item=item), Spoken("Say which: {said}.", said=said)
            )
        list_ = having[0] if having else ""
    if not re.match(events.LIST_ID, list_) or not re.match(events.ITEM_ID, item):
        raise UserError(
            Spoken("{name!r} is no item of a checklist.", name=name), "Write LIST:ITEM, such as cn-164:1.4.3."
        )
    if list_ in NAMES and item not in items_of(list_):
        raise UserError(
            Spoken("{list} has no item {item}.", list=list_, item=item),
            Spoken("`appwitness report --checklist {list}` shows its items.", list=list_),
        )
    if answer not in ("pass", "fail"):
        raise UserError(Spoken("{answer!r} is no answer.", answer=answer), "Answer pass or fail.")
    recording = Recording.open(path, signer=signer())
    answered = events.made(
        events.AnsweredItem, {"checklist": list_, "item": item, "answer": answer, "who": who or login(), "note": note}
    )
    line = events.Phase(
        at=_utc(at) if at else datetime.now(UTC),
        app=recording.run.app.package,
        state="mark",
        text=f"{list_}:{item}: {answer}",
        by="operator",
        answered=answered,
    )
    return recording.note(line)


def moment(text: str) -> datetime:
    """The time that a person writes, in UTC: with `Z` or an offset, else by the clock of this machine.

    Raises UserError for what is no time.
    """
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise UserError(
            Spoken("{text!r} is no time.", text=text),
            "Write 2026-03-14T09:00:07Z (UTC), 2026-03-14T10:00:07+01:00, or without a zone the local time of this "
            "machine: 2026-03-14T10:00:07.250.",
        ) from None


def outside_of(path: Path, at: datetime) -> str | None:
    """The same as `outside`, of the recording at `path`."""
    return outside(Recording.open(path).run, at)


def outside(run: events.Run, at: datetime) -> str | None:
    """That a time is not within a run, in words; None: it is, or the run goes on."""
    at = _utc(at)
    if at < run.started:
        return f"{events.format_time(at)} is before the run began ({events.format_time(run.started)})."
    if run.ended is not None and at > run.ended:
        return f"{events.format_time(at)} is after the run ended ({events.format_time(run.ended)})."
    return None


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def unsigned(path: Path) -> str | None:
    """Why marks that are made here now are not signed as the recording at `path` is; None: they are, or it is not
    signed either. Raises UserError where there is no recording."""
    recording = Recording.open(path, signer=signer())
    by, own = recording.begun_by, recording.signs_as
    if by is None or by == own:
        return None
    key = f"your key is {own}" if own else "you have no key here (`appwitness key show`)"
    return (
        f"{recording.place} is signed by {by}, and {key}. The run stays what it was; `verify --key` will say that "
        "nobody vouches for this mark."
    )


def consent_lines(path: Path, *, masked: bool = False) -> list[ConsentLine]:
    """What the user was asked and answered in the recording at `path`, in order; values in it `masked` or as they are.

    Raises UserError where there is no recording.
    """
    recording = Recording.open(path)
    labels = _labels()
    lines = asked(recording, labels)
    timeline = Timeline(lines, recording.run.started, labels, observed=Observed(recording.run.app.package))
    readings = {reading.ref: reading for reading in timeline.readings()}
    dangling, replaced = timeline.dangling(), timeline.replaced()
    found = []
    mask = _mask(recording) if masked else None
    for ref, _, at, line in lines:
        reading = readings.get(ref)
        found.append(
            ConsentLine(
                *(ref, at, mask.event(line) if mask else line, scope_of(line)),
                missing=dangling.get(ref),
                replaced_by=replaced.get(ref, ()),
                is_echo=ref in timeline.echoes,
                is_foreign=not timeline.knows(ref),
                counts=reading is not None,
                says=reading.says if reading and reading.why else None,
                why=reading.why if reading else None,
            )
        )
    return found


def _mask(recording: Recording) -> Mask:
    read = (value for access in recording.events(events.Access) for value in access.values)
    return Mask(chain(recording.run.persona, read))


def consent(
    recording: Recording,
    status: events.ConsentState,
    said: MarkDetails,
    types: DataTypes,
    labels: Labels,
    corrects: str = "",
) -> Mark:
    """Append what the user was asked or decided, in place of the line named by `corrects`, if any.

    Raises UserError for a data type or a line that does not exist.
    """
    if unknown := sorted(set(said.data) - {ALL} - types.codes):
        raise UserError(
            Spoken("There is no data type {unknown}.", unknown=", ".join(unknown)),
            "catalog/data_types.yml has the codes, such as location.",
        )
    before = named(recording, corrects, labels) if corrects else None
    fields = _as_marked(recording, before[1]) if before else {}
    if said.at:
        fields["at"] = _utc(said.at)
    if said.scope:
        fields["scope"] = said.scope
    if said.data:
        fields["data"] = None if ALL in said.data else said.data
    line = events.Consent(
        **{"at": datetime.now(UTC), **fields},
        app=recording.run.app.package,
        clock="host",
        signal="operator",
        status=status,
        by=said.by,
        text=said.text,
        note=said.note,
        corrects=before[0] if before else None,
    )
    return Mark(recording.note(line), line, before)


def retract(recording: Recording, line: str, labels: Labels, note: str | None = None) -> Mark:
    """Append a retraction of a line. Raises UserError for one that does not exist."""
    ref, before = named(recording, line, labels)
    retraction = events.Consent(
        **_as_marked(recording, before),
        app=recording.run.app.package,
        clock="host",
        signal="operator",
        status=before.status,
        by="operator",
        note=note,
        retracts=ref,
    )
    return Mark(recording.note(retraction), retraction, (ref, before))


def asked(recording: Recording, labels: Labels) -> Sequence[Seen[events.Consent]]:
    """What was asked and answered, by consent lines and by what was on the screen."""
    lines: list[Any] = [*recording.seen(events.Consent), *recording.seen(events.Screen)]
    return consents(lines, labels, recording.run.app.package)


def named(recording: Recording, name: str, labels: Labels) -> tuple[events.Ref, events.Consent]:
    """The consent line that a person names, as `consents.jsonl:3` or `3`, or what a screen said, `screens.jsonl:7`.

    Raises UserError when there is none.
    """
    if re.fullmatch(rf"{re.escape(events.FILES['screen'])}:[1-9]\d*", name):
        said = next((each for each in asked(recording, labels) if each.ref == name), None)
        if said is not None:
            return name, said.event
        raise UserError(
            Spoken("{name} says nothing of consent.", name=name), "`appwitness mark list` has the lines that do."
        )
    found = re.fullmatch(rf"(?:{re.escape(CONSENTS)}:)?([1-9]\d*)", name)
    if not found:
        raise UserError(
            Spoken("{name!r} is not a line of {consents}.", name=name, consents=CONSENTS),
            Spoken("Name one as reports do: {consents}:3. Only those can be wrong.", consents=CONSENTS),
        )
    ref = f"{CONSENTS}:{found[1]}"
    lines = {read.ref: read for read in recording.read("consent", finished=True)}
    if ref not in lines:
        last = f"its last line is {CONSENTS}:{len(lines)}" if lines else "it has no lines"
        raise UserError(
            Spoken("There is no {ref} in {place}: {last}.", ref=ref, place=recording.place, last=last),
            "Name a line that there is, as reports do.",
        )
    event = lines[ref].event
    if not isinstance(event, events.Consent):
        raise UserError(
            Spoken("{ref} cannot be read: {error}.", ref=ref, error=lines[ref].error),
            "It has no effect as it is; leave it.",
        )
    return ref, event


def _as_marked(recording: Recording, consent: events.Consent) -> dict[str, Any]:
    """When, and of what, a line speaks, as an operator writes it: on the host's clock."""
    return {
        "at": host_time(consent, recording.run.clock_offset_ms),
        "scope": scope_of(consent),
        "data": consent.data,
    }


def _data_types() -> DataTypes:
    (path,) = yaml_files.files("data_types.yml")
    return yaml_files.parse(path, DataTypes)


def _labels() -> Labels:
    (path,) = yaml_files.files("consent.yml")
    return yaml_files.parse(path, Labels)

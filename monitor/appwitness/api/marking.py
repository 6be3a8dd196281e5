"""An operator's notes in a recording: consent marks, corrections and retractions, free text, answers to checklist
items."""

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
    """What a person states about a question or an answer; fields left out are taken from the line that it corrects."""

    scope: events.Scope | None = None
    data: tuple[str, ...] = ()
    text: str | None = None
    note: str | None = None
    at: datetime | None = None
    """Its time, in any time zone; UTC if it has none."""
    by: Literal["operator", "assistant"] = "operator"
    """The author: a person, or a program that acts for one."""


@dataclass(frozen=True)
class Mark:
    """An appended line, and the line that it replaces or retracts."""

    ref: events.Ref
    line: events.Consent
    before: tuple[events.Ref, events.Consent] | None = None
    counts_as: str | None = None
    """What a yes or no counts as, such as `requested`, where its label does not clearly say yes or no; None: its
    status."""


@dataclass(frozen=True)
class ConsentLine:
    """A line of a recording about what the user was asked or answered, and whether it counts."""

    ref: events.Ref
    at: datetime
    """Its time in UTC, on the host's clock."""
    line: events.Consent
    scope: str
    missing: events.Ref | None = None
    """The line that it claims to correct or retract, if no such line precedes it."""
    replaced_by: tuple[events.Ref, ...] = ()
    """Later lines by which an operator replaced or retracted it, the latest last; it no longer counts then."""
    is_echo: bool = False
    """Whether it repeats, as seen from outside the app, what the hooks also recorded."""
    is_foreign: bool = False
    """Whether another app wrote it."""
    counts: bool = False
    """Whether it is an answer; False: it is a claim of the app, or one of the above applies."""
    says: str | None = None
    """What it counts as, if not its status."""
    why: str | None = None
    """Why it counts as that, as a code."""


def mark_answer(path: Path, status: events.ConsentState, said: MarkDetails, corrects: str = "") -> Mark:
    """Record in the recording at `path` what the user was asked or decided, replacing the line `corrects`, if given.

    Raises UserError if there is no recording, for an archive, and for a data type or line that does not exist.
    """
    recording = Recording.open(path, signer=signer())
    labels = _labels()
    made = consent(recording, status, said, _data_types(), labels, corrects)
    says, why = said_by(made.line, labels)
    doubtful = why is not None and status in ("given", "refused") and says != status
    return replace(made, counts_as=says) if doubtful else made


def mark_retracted(path: Path, line: str, note: str | None = None) -> Mark:
    """Retract a line in the recording at `path`, such as `consents.jsonl:3`: it counts as never written. Raises as
    `mark_answer`."""
    return retract(Recording.open(path, signer=signer()), line, _labels(), note)


def mark_note(path: Path, text: str, at: datetime | None = None) -> events.Ref:
    """Add a note to the timeline of the recording at `path`; returns its line. `at` is in UTC if it has no time zone;
    None: now.

    Raises UserError if there is no recording, and for an archive.
    """
    recording = Recording.open(path, signer=signer())
    when = _utc(at) if at else datetime.now(UTC)
    return recording.note(events.Phase(at=when, app=recording.run.app.package, state="mark", text=text, by="operator"))


def mark_item(
    path: Path, name: str, answer: str, *, note: str | None = None, who: str | None = None, at: datetime | None = None
) -> events.Ref:
    """Record in the recording at `path` a person's answer to a checklist item, such as `cn-164:1.4.3`; returns its
    line.

    The list may be omitted if only one built-in list has such an item; the name of any other list is not checked.
    `answer` is pass or fail; `who`: None takes the login name; `at` as in `mark_note`. Raises UserError for an item
    that a built-in list does not have, and as `mark_note`.
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
            Spoken("{name!r} is not an item of a checklist.", name=name), "Write LIST:ITEM, such as cn-164:1.4.3."
        )
    if list_ in NAMES and item not in items_of(list_):
        raise UserError(
            Spoken("{list} has no item {item}.", list=list_, item=item),
            Spoken("`appwitness report --checklist {list}` shows its items.", list=list_),
        )
    if answer not in ("pass", "fail"):
        raise UserError(Spoken("{answer!r} is not an answer.", answer=answer), "Answer pass or fail.")
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
    """Parse a time that a person wrote, to UTC: with `Z` or an offset, else in this machine's local time.

    Raises UserError if the text is not a time.
    """
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise UserError(
            Spoken("{text!r} is not a time.", text=text),
            "Write 2026-03-14T09:00:07Z (UTC), 2026-03-14T10:00:07+01:00, or without a zone the local time of this "
            "machine: 2026-03-14T10:00:07.250.",
        ) from None


def outside_of(path: Path, at: datetime) -> str | None:
    """The same as `outside`, for the recording at `path`."""
    return outside(Recording.open(path).run, at)


def outside(run: events.Run, at: datetime) -> str | None:
    """A sentence saying that a time is not within a run; None if it is, or the run has not ended."""
    at = _utc(at)
    if at < run.started:
        return f"{events.format_time(at)} is before the run began ({events.format_time(run.started)})."
    if run.ended is not None and at > run.ended:
        return f"{events.format_time(at)} is after the run ended ({events.format_time(run.ended)})."
    return None


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def unsigned(path: Path) -> str | None:
    """Why marks made here now are not signed like the recording at `path`; None: they are, or it is unsigned too.
    Raises UserError if there is no recording."""
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
    """What the user was asked and answered in the recording at `path`, in order; values are `masked` or as they are.

    Raises UserError if there is no recording.
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
    """Append what the user was asked or decided, replacing the line named by `corrects`, if any.

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
    """Append a retraction of a line. Raises UserError if there is no such line."""
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
    """What was asked and answered, from consent lines and from what the screen showed."""
    lines: list[Any] = [*recording.seen(events.Consent), *recording.seen(events.Screen)]
    return consents(lines, labels, recording.run.app.package)


def named(recording: Recording, name: str, labels: Labels) -> tuple[events.Ref, events.Consent]:
    """The consent line that a person names (`consents.jsonl:3` or `3`), or what a screen said (`screens.jsonl:7`).

    Raises UserError if there is none.
    """
    if re.fullmatch(rf"{re.escape(events.FILES['screen'])}:[1-9]\d*", name):
        said = next((each for each in asked(recording, labels) if each.ref == name), None)
        if said is not None:
            return name, said.event
        raise UserError(
            Spoken("{name} says nothing about consent.", name=name), "`appwitness mark list` lists the lines that do."
        )
    found = re.fullmatch(rf"(?:{re.escape(CONSENTS)}:)?([1-9]\d*)", name)
    if not found:
        raise UserError(
            Spoken("{name!r} is not a line of {consents}.", name=name, consents=CONSENTS),
            Spoken(
                "Name one as reports do, {consents}:3, or a line of screens.jsonl that says something about consent.",
                consents=CONSENTS,
            ),
        )
    ref = f"{CONSENTS}:{found[1]}"
    lines = {read.ref: read for read in recording.read("consent", finished=True)}
    if ref not in lines:
        last = f"its last line is {CONSENTS}:{len(lines)}" if lines else "it has no lines"
        raise UserError(
            Spoken("There is no {ref} in {place}: {last}.", ref=ref, place=recording.place, last=last),
            "Name an existing line, as reports do.",
        )
    event = lines[ref].event
    if not isinstance(event, events.Consent):
        raise UserError(
            Spoken("{ref} cannot be read: {error}.", ref=ref, error=lines[ref].error),
            "It has no effect; leave it as it is.",
        )
    return ref, event


def _as_marked(recording: Recording, consent: events.Consent) -> dict[str, Any]:
    """The time (on the host's clock), scope and data of a line, for a mark that refers to it."""
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

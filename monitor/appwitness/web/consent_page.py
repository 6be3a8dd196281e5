"""The consent page of one recording, where an operator marks consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, get_args

from starlette.responses import RedirectResponse, Response

from appwitness.api import marking
from appwitness.events import Consent, ConsentState, Ref, Scope
from appwitness.events.seen import host_time
from appwitness.findings import Report
from appwitness.reports.time_axis import consent_steps
from appwitness.reports.words import Words
from appwitness.support.errors import UserError
from appwitness.web.query import PageRequest, fields_of
from appwitness.web.recording_page import head

OPERATOR_STATES: tuple[ConsentState, ...] = ("requested", "given", "refused", "withdrawn", "dismissed")
"""The states that a person may mark; `gone` is left out, since it means that an answer was not seen."""


SOON = timedelta(milliseconds=1)
OFFERED = 40
"""Maximum number of times after questions, and of times before uploads, that the form offers."""


class Preview(NamedTuple):
    """A mark that a person must still confirm."""

    fields: Mapping[str, str]
    """The fields of its form."""
    at: datetime
    outside: str | None
    """A warning that the time is outside the run."""
    changes: Sequence[tuple[str, int, int]]
    """For each rule, its number of findings now and with the mark."""


def consents(asked: PageRequest, problem: str = "", preview: Preview | None = None) -> Response:
    """What the user was asked and answered, and the form for marking it."""
    report = asked.report
    lines = [_consent(ref, at, event, report.replaced) for ref, _, at, event in report.consents
             if isinstance(event, Consent)]  # fmt: skip
    corrects = asked.text("corrects")
    facts = {
        **head(asked),
        "problem": problem,
        "steps": [{"at": step.at, "state": step.state, "ref": step.ref} for step in consent_steps(report)],
        "consents": list(reversed(lines)),
        "corrects": corrects,
        "_corrected": next((line for line in lines if line["ref"] == corrects), None),
        "_statuses": OPERATOR_STATES,
        "_scopes": get_args(Scope),
        "_moments": _moments(report, asked.words),
        "_preview": preview,
        "_titles": {rule.id: rule.title for rule in report.rules},
        "_may_mark": asked.site.may_mark and asked.site.index.may_be_marked(asked.recording),
    }
    return asked.answer("consents.html", facts, 400 if problem else 200)


def _moments(report: Report, words: Words) -> list[tuple[datetime, str]]:
    """Times that the form offers: before the first line, after questions, before uploads that carry values, and at
    the end."""
    lines = [seen for kind in (report.accesses, report.uploads, report.consents) for seen in kind]
    run = report.run
    first = min((seen.at for seen in lines), default=run.started) - SOON
    last = max((*(seen.at for seen in lines), run.ended or run.started))
    asked_at = {seen.ref: seen.at + SOON for seen in report.consents
                if isinstance(seen.event, Consent) and seen.event.status == "requested"}  # fmt: skip
    sent_at = {flow.upload: flow.at - SOON for flow in report.flows}
    beside = [
        *((at, words("mark_after", ref=ref)) for ref, at in list(asked_at.items())[:OFFERED]),
        *((at, words("mark_before", ref=ref)) for ref, at in list(sent_at.items())[:OFFERED]),
    ]
    return [
        (first if run.imported else max(first, run.started), words("mark_first")),
        *sorted(beside),
        (last + SOON, words("mark_last")),
    ]


def _consent(ref: Ref, at: Any, event: Consent, replaced: dict[Ref, tuple[Ref, ...]]) -> dict[str, Any]:
    said = fields_of(event, "signal status scope by text note data corrects retracts")
    return {"ref": ref, "at": at, **said, "replaced": replaced.get(ref, ())}


def mark(asked: PageRequest, form: Mapping[str, str]) -> Response:
    """Append the operator's mark on consent, as `appwitness mark` does, and judge the recording again if its
    run is over."""
    if not asked.site.may_mark:
        raise UserError(
            "These pages are read-only.", "Start `appwitness web` without --read-only, or use appwitness mark."
        )
    index, words = asked.site.index, {name: text.strip()[:400] for name, text in form.items() if name != "form"}
    try:
        recording = index.to_mark(asked.recording)
        if words.get("retracts"):
            marking.retract(recording, words["retracts"], index.known.labels, words.get("note") or None)
        else:
            (status, said), corrects = _said(words), words.get("corrects", "")
            if said.at is None and not corrects and not recording.going_on:
                raise UserError(
                    "The form does not say when that was: the run is over, and a mark made now would come after it.",
                    "Choose one of the times, or write one.",
                )
            if not words.get("sure") and not recording.going_on:
                at = said.at
                if at is None:  # the time of the line that it corrects
                    line = marking.named(recording, corrects, index.known.labels)[1]
                    at = host_time(line, recording.run.clock_offset_ms)
                changes = index.would_change(recording, status, said, corrects)
                return consents(asked, "", Preview(words, at, marking.outside(recording.run, at), changes))
            index.mark(recording, status, said, corrects)
        index.judge_again(recording)
    except UserError as error:
        return consents(asked, error.message)
    back = form.get("run", "")
    where = asked.link("runs", back) if asked.site.work and back else asked.to_recording("consents")
    return RedirectResponse(where, status_code=303)


def _said(words: Mapping[str, str]) -> tuple[ConsentState, marking.MarkDetails]:
    status = next((each for each in OPERATOR_STATES if each == words.get("status")), None)
    if status is None:
        raise UserError("The form does not say what the user decided.", "Choose one of its answers.")
    return status, marking.MarkDetails(
        scope=next((each for each in get_args(Scope) if each == words.get("scope")), None),
        text=words.get("text") or None,
        note=words.get("note") or None,
        at=marking.moment(time) if (time := words.get("time") or words.get("when")) else None,
    )

"""The page on consent in one recording, and the marks that an operator makes there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from starlette.responses import RedirectResponse, Response

from appwitness.api import marking
from appwitness.events import Consent, ConsentState, Ref, Scope
from appwitness.reports.time_axis import consent_steps
from appwitness.support.errors import UserError
from appwitness.web.auth import is_form_token
from appwitness.web.query import PageRequest
from appwitness.web.recording_page import head

OPERATOR_STATES: tuple[ConsentState, ...] = ("requested", "given", "refused", "withdrawn", "dismissed")
"""What a person may note; `gone` is for what nobody saw."""


def consents(asked: PageRequest, problem: str = "") -> Response:
    """What the user was asked and answered, and the form to mark it."""
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
        "_may_mark": asked.site.index.may_be_marked(asked.recording),
    }
    return asked.answer("consents.html", facts, 400 if problem else 200)


def _consent(ref: Ref, at: Any, event: Consent, replaced: dict[Ref, tuple[Ref, ...]]) -> dict[str, Any]:
    return {
        "ref": ref, "at": at, "signal": event.signal, "status": event.status, "scope": event.scope, "by": event.by,
        "text": event.text, "note": event.note, "data": event.data, "corrects": event.corrects,
        "retracts": event.retracts, "replaced": replaced.get(ref, ()),
    }  # fmt: skip


def mark(asked: PageRequest, form: Mapping[str, str]) -> Response:
    """Append what the operator says of consent, as `appwitness mark` does, and have a run that is over judged anew."""
    if not is_form_token(form.get("form"), asked.site.token):
        return Response("This form is not of these pages.\n", 403, media_type="text/plain")
    index, words = asked.site.index, {name: text.strip()[:400] for name, text in form.items()}
    try:
        recording = index.to_mark(asked.recording)
        if words.get("retracts"):
            marking.retract(recording, words["retracts"], index.known.labels, words.get("note") or None)
        else:
            status, said = _said(words)
            known = index.known
            marking.consent(recording, status, said, known.data_types, known.labels, words.get("corrects", ""))
        index.judge_again(recording)
    except UserError as error:
        return consents(asked, str(error))
    return RedirectResponse(asked.to_recording("consents"), status_code=303)


def _said(words: Mapping[str, str]) -> tuple[ConsentState, marking.MarkDetails]:
    status = next((each for each in OPERATOR_STATES if each == words.get("status")), None)
    if status is None:
        raise UserError("The form does not say what the user decided.", "Choose one of its answers.")
    return status, marking.MarkDetails(
        scope=next((each for each in get_args(Scope) if each == words.get("scope")), None),
        text=words.get("text") or None,
        note=words.get("note") or None,
    )

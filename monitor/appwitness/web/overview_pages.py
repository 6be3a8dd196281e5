"""Pages over all recordings: their list, a recipient, a rule, and runs side by side."""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse, Response

from appwitness.api.browsing import ListedRecording, RuleCount, SentCount, going_on
from appwitness.events import Run
from appwitness.findings.mask import Mask
from appwitness.findings.people import label, picked
from appwitness.reports.comparison import FORMATS, render
from appwitness.reports.phrases import who
from appwitness.reports.verdict import headline
from appwitness.reports.watched import device
from appwitness.support.errors import UserError
from appwitness.web.auth import policy_of
from appwitness.web.query import PageRequest, levels


def recordings(asked: PageRequest) -> Response:
    """The list of recordings."""
    names = ("text", "app", "device", "plan", "level")
    filters = {name: asked.text(name) for name in names}
    sort = asked.text("sort") or "-started"
    lists = asked.site.index.lists
    found = lists.recordings(filters, sort, asked.page)
    facts = {
        "state": state_of_all(asked),
        "filters": filters,
        "sort": sort,
        "recordings": [_entry(asked, entry) for entry in found.rows],
        "page": found.number,
        "pages": found.last,
        "total": found.total,
        "_choices": lists.choices_of_recordings(reveal=asked.reveal),
    }
    return asked.answer("recordings.html", facts)


def state_of_all(asked: PageRequest) -> str:
    """Another text whenever the list may have changed."""
    return format(hash(asked.site.index.lists.states()) & 0xFFFFFFFFFFFF, "x")


def _entry(asked: PageRequest, entry: ListedRecording) -> dict[str, Any]:
    run, words = _shown(asked, entry.run), asked.words
    live = run.ended is None and going_on(entry.path)
    unclean = bool(entry.gaps) or (not entry.levels and entry.judged and asked.site.index.is_unreadable(entry.name))
    line, tone = headline(run, entry.levels, unclean, words, so_far=not entry.judged)
    return {
        "id": entry.name,
        "namesake": entry.name != run.id,
        "app": run.app.package,
        "version": run.app.version,
        "device": device(run, words),
        "plan": None if run.imported else run.plan,
        "started": run.started,
        "ended": run.ended,
        "state": "going_on" if live else "judged" if entry.judged else "unfinished",
        "findings": dict(levels(entry.levels)),
        "gaps": entry.gaps,
        "uploads": entry.lines.get("upload", 0),
        "reads": entry.lines.get("access", 0),
        "verdict": line,
        "tone": tone,
    }


def _shown(asked: PageRequest, run: Run) -> Run:
    """A run in the list: the values that were planted are known there, no others."""
    return run if asked.reveal else Mask(run.persona).run(run)


def masked_host(asked: PageRequest, host: str) -> str:
    """A host without what looks like a value in it: there is no one recording here whose values are known."""
    return host if asked.reveal else Mask(()).host(host)


def recipient(asked: PageRequest) -> Response:
    """Who sent what to one host."""
    host = asked.request.path_params["host"]
    known = asked.site.index.lists.recipient(host)
    if known is None:
        raise UserError(f"No recording has anything sent to {host}.", "The list of recipients has those that have.")
    found = asked.site.index.lists.sent_to(host, asked.page)
    facts = {
        "state": state_of_all(asked),
        "host": masked_host(asked, host),
        "recipient": known if asked.reveal else Mask(()).event(known),
        "who": who(known, asked.words),
        "sent": [_sent(asked, row) for row in found.rows],
        "page": found.number,
        "pages": found.last,
        "total": found.total,
    }
    return asked.answer("recipient.html", facts)


def _sent(asked: PageRequest, row: SentCount) -> dict[str, Any]:
    told = {name: value for name, value in row._asdict().items() if name != "people"}
    return {**told, "about": label(row.people, asked.words.data(row.data), asked.words.lang)}


def rules(asked: PageRequest) -> Response:
    """Every rule, and how often it objected."""
    found = [
        {
            "id": rule.id,
            "level": rule.level,
            "title": dict(rule.title),
            "findings": findings,
            "recordings": recordings,
        }
        for rule, findings, recordings in asked.site.index.rules()
    ]
    return asked.answer("rules.html", {"state": state_of_all(asked), "rules": found})


def rule(asked: PageRequest) -> Response:
    """One rule, and what it found."""
    name = asked.request.path_params["rule"]
    index = asked.site.index
    known = index.rule(name)
    found = index.lists.found_by(name, asked.page)
    facts = {
        "state": state_of_all(asked),
        "rule": {
            "id": known.id, "level": known.level, "title": dict(known.title), "why": dict(known.why),
            "remedy": dict(known.remedy), "kinds": known.kinds,
            "references": index.references(known),
        },
        "found": [{**row._asdict(), "host": row.host and masked_host(asked, row.host), "about": _about(row, asked)}
                  for row in found.rows],
        "page": found.number,
        "pages": found.last,
        "total": found.total,
    }  # fmt: skip
    return asked.answer("rule.html", facts)


def _about(row: RuleCount, asked: PageRequest) -> str:
    """The kind of data that findings are about; of what the user picked, that."""
    if row.data is None:
        return ""
    return picked(row.data, asked.words.lang) if row.picked else asked.words.data(row.data)


def compare(asked: PageRequest) -> Response:
    """Runs of one app side by side, as `appwitness compare` says it: `?run=A&run=B`."""
    comparison, reports = asked.site.index.compared(asked.request.query_params.getlist("run"))
    wanted = asked.request.query_params.get("format", "html")
    made = wanted if wanted in FORMATS else "html"
    text = render(comparison, made, of=reports, reveal=asked.reveal, lang=asked.words.lang)
    if made != "html":
        return Response(text, media_type="application/json" if made == "json" else "text/plain")
    return HTMLResponse(text, headers=policy_of(("frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'")))

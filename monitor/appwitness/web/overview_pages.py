"""Pages across recordings: lists of recordings and apps, a search, recipients, rules, comparisons, and rankings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse, Response

from appwitness.api.app_rankings import FILTERS, GROUPS, UNKNOWN, By, Ranked
from appwitness.api.browsing import AppRuns, ListedRecording, ListPage, RuleCount, SentCount, SentMatch, going_on
from appwitness.events import Run
from appwitness.findings.mask import Mask
from appwitness.findings.people import label, picked
from appwitness.reports.comparison import FORMATS, render
from appwitness.reports.phrases import who
from appwitness.reports.ranking_words import basis as in_words
from appwitness.reports.ranking_words import masked, named
from appwitness.reports.verdict import headline
from appwitness.reports.watched import device
from appwitness.support import site
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken
from appwitness.web.auth import SEALED
from appwitness.web.query import LONGEST, Clear, PageRequest, fields_of, levels, page_of


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
        **page_of("recordings", found, lambda entry: _entry(asked, entry)),
        "_choices": lists.choices_of_recordings(reveal=asked.reveal),
    }
    return asked.answer("recordings.html", facts)


def state_of_all(asked: PageRequest) -> str:
    """A version that changes whenever the list of recordings may have changed."""
    index = asked.site.index
    return format(hash((index.lists.states(), index.badges.changes)) & 0xFFFFFFFFFFFF, "x")


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
        "integrity": None if live else asked.site.index.badge(entry.name),
        "uploads": entry.lines.get("upload", 0),
        "reads": entry.lines.get("access", 0),
        "verdict": line,
        "tone": tone,
    }


PLANS = ("accept", "refuse", "silent", "withdraw", "free")


def apps(asked: PageRequest) -> Response:
    """The apps, each with the result of its newest run under each plan."""
    facts = {
        "state": state_of_all(asked),
        **page_of("apps", asked.site.index.lists.apps(asked.page), lambda row: _app(asked, row)),
        "answers": PLANS,
    }
    return asked.answer("apps.html", facts)


def _app(asked: PageRequest, row: AppRuns) -> dict[str, Any]:
    entries = {plan: _entry(asked, newest) for plan, newest in row.newest.items()}
    return {
        "app": next(iter(entries.values()))["app"],
        "runs": {
            plan: {name: entry[name] for name in ("id", "verdict", "tone", "started", "state")}
            | {"count": row.counts[plan]}
            for plan, entry in entries.items()
        },
    }


def search(asked: PageRequest, form: Mapping[str, str] | None = None) -> Response:
    """What was sent, in all recordings: to a host given in the URL, or with a value given in a form, so that the
    value is in no URL."""
    host, value = asked.text("host"), (form or {}).get("value", "").strip()[:LONGEST]
    lists = asked.site.index.lists
    found = lists.sent_where(host, value, asked.page) if host or value else ListPage((), 1, 0)
    facts = {
        "host": host,
        "by_value": bool(value),
        **page_of("found", found, lambda row: _match(asked, row)),
        "_value": value if asked.reveal else "",
    }
    return asked.answer("search.html", facts)


def _match(asked: PageRequest, row: SentMatch) -> dict[str, Any]:
    mask = Clear() if asked.reveal else asked.site.index.mask(row.recording)
    data = mask.code_of_data(row.data)
    told = {"host": mask.host(row.host), "data": data, "about": asked.words.data(data)}
    return {**row._asdict(), **told, "package": mask.known(row.package, code=True)}


def _shown(asked: PageRequest, run: Run) -> Run:
    """A run of the list, masked; of its values, only the planted ones are known there."""
    return run if asked.reveal else Mask(run.persona).run(run)


def masked_host(asked: PageRequest, host: str) -> str:
    """A host, with a mask for what looks like a value in it: no recording is selected whose values would be known."""
    return host if asked.reveal else Mask(()).host(host)


def recipient(asked: PageRequest) -> Response:
    """What was sent to one host, and by which apps."""
    host = asked.request.path_params["host"]
    known = asked.site.index.lists.recipient(host)
    if known is None:
        raise UserError(
            Spoken("No recording has anything sent to {host}.", host=host),
            "The list of recipients shows who was sent something.",
        )
    found = asked.site.index.lists.sent_to(host, asked.page)
    facts = {
        "state": state_of_all(asked),
        "host": masked_host(asked, host),
        "recipient": known if asked.reveal else Mask(()).event(known),
        "who": who(known, asked.words),
        **page_of("sent", found, lambda row: _sent(asked, row)),
    }
    return asked.answer("recipient.html", facts)


def _sent(asked: PageRequest, row: SentCount) -> dict[str, Any]:
    told = {name: value for name, value in row._asdict().items() if name != "people"}
    return {**told, "about": label(row.people, asked.words.data(row.data), asked.words.lang)}


def rules(asked: PageRequest) -> Response:
    """Every rule with its number of findings."""
    found = [
        {"id": rule.id, "level": rule.level, "title": dict(rule.title), "findings": findings, "recordings": recordings}
        for rule, findings, recordings in asked.site.index.rules()
    ]
    return asked.answer("rules.html", {"state": state_of_all(asked), "rules": found})


def rule(asked: PageRequest) -> Response:
    """One rule and its findings."""
    name = asked.request.path_params["rule"]
    index = asked.site.index
    known = index.rule(name)
    found = index.lists.found_by(name, asked.page)
    facts = {
        "state": state_of_all(asked),
        "rule": {
            **fields_of(known, "id level"),
            **{name: dict(texts) for name, texts in fields_of(known, "title why remedy").items()},
            "kinds": known.kinds,
            "passes": dict(known.passes or {}),
            "references": index.references(known),
            "page": None if name in index.known.own_rules else site.rule_page(name, asked.words.lang),
        },
        **page_of("found", found, lambda row: _found(asked, row)),
    }  # fmt: skip
    return asked.answer("rule.html", facts)


def _found(asked: PageRequest, row: RuleCount) -> dict[str, Any]:
    host = row.host and masked_host(asked, row.host)
    return {**row._asdict(), "host": host, "about": _about(row, asked)}


def _about(row: RuleCount, asked: PageRequest) -> str:
    """The data type that findings are about; data that the user picked is named as such."""
    if row.data is None:
        return ""
    return picked(row.data, asked.words.lang) if row.picked else asked.words.data(row.data)


def compare(asked: PageRequest) -> Response:
    """Runs of one app side by side, as by `appwitness compare`: `?run=A&run=B`."""
    comparison, reports = asked.site.index.compared(asked.request.query_params.getlist("run"))
    wanted = asked.request.query_params.get("format", "html")
    made = wanted if wanted in FORMATS else "html"
    text = render(comparison, made, of=reports, reveal=asked.reveal, lang=asked.words.lang)
    if made != "html":
        return Response(text, media_type="application/json" if made == "json" else "text/plain")
    return HTMLResponse(text, headers=SEALED)


# the ranking page across apps: recipients, data types, SDKs, rules

PAUSE_S = 30
"""Seconds between checks for changes: a filtered ranking may take a second."""


def ranking(asked: PageRequest) -> Response:
    """The rows of one ranking, and how many apps could have appeared in them."""
    index = asked.site.index
    by: By = next((each for each in GROUPS if each == asked.text("by")), "recipient")
    filters = {name: asked.text(name) for name in (*FILTERS, "text")}
    found, basis, moments = index.ranking(by, filters, asked.page)
    titles = {rule.id: dict(rule.title) for rule in index.known.rules}

    def called(column: str, value: str | None) -> str:
        return named(asked.words, column, None if value == UNKNOWN else value, titles, index.known.recipients.name_of)

    facts = {
        "state": state_of_all(asked),
        "by": by,
        "filters": filters,
        "basis": basis,
        "hosts": [masked_host(asked, host) for host in index.hosts_of(filters["recipient"])],
        **page_of("rows", found, lambda row: _ranking_row(asked, row)),
        "_bys": [each for each in GROUPS if each != "app"],
        "_said": in_words(asked.words, basis.able, basis.gaps.runs, basis.left),
        "_when": moments,
        "_events": f"/events?pause={PAUSE_S}",
        "_named": called,
        "_behind": lambda row: _behind(asked, by, filters, row),
    }
    return asked.answer("ranking.html", facts)


def _ranking_row(asked: PageRequest, row: Ranked) -> dict[str, Any]:
    if asked.reveal:
        return row._asdict()
    of = {name: masked(name, value) for name, value in row.of.items()}
    beside = {name: [masked(name, value) for value in values] for name, values in row.beside.items()}
    return {**row._asdict(), "of": of, "beside": beside}


def _behind(asked: PageRequest, by: By, filters: Mapping[str, str], row: Mapping[str, Any]) -> str:
    """The link to the details of a row: its findings, its apps, or a recording."""
    kept = {**filters, "text": "", **{name: value or UNKNOWN for name, value in row["of"].items()}}
    if by != "app":
        return asked.link("ranking", by="finding" if by == "rule" else "app", **kept)
    if kept["rule"]:
        return asked.link("recordings", row["example"], "findings", rule=kept["rule"])
    return asked.link("recordings", row["example"])

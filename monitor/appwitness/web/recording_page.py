"""The pages of one recording: summary, findings, uploads, reads, gaps, and files to download."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from starlette.responses import HTMLResponse, Response

from appwitness.api.browsing import Badge, Carried, Carries, FindingFields, matching
from appwitness.api.recorded_lines import FILTERS
from appwitness.events import FILES, Access, Ref, Upload
from appwitness.events.seen import Seen, holds, number_of
from appwitness.findings import LEVELS, Flow, People
from appwitness.findings.chain import Chains
from appwitness.findings.people import label, picked
from appwitness.reports import render
from appwitness.reports.frames import frames
from appwitness.reports.page import opening
from appwitness.reports.page.sections import gaps as gap_rows
from appwitness.reports.phrases import data_of, read_of, steps
from appwitness.reports.time_axis import consent_steps
from appwitness.reports.timeline import LISTED, Lane, Picture, TimelineMark, picture
from appwitness.reports.verdict import VerdictLine, headline, worst_first
from appwitness.reports.verdict import facts as facts_in_words
from appwitness.reports.watched import consent, device
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken
from appwitness.support.vocabulary import METHODS
from appwitness.web import body_page
from appwitness.web.auth import SEALED
from appwitness.web.query import PageRequest, fields_of, page_of

MOST_WAYS = 200
"""Maximum number of values, and of flows, listed for one read, and of flows explained for one upload."""


NARROWEST_S = 0.02
"""Shortest section of the timeline, in seconds."""
WAIT_S = 0.25
"""How long a page waits for the result of verification; after that it says that verification is running, and updates
later."""


def state_of(asked: PageRequest) -> str:
    """A version that changes whenever the recording, or what is known about it, has changed."""
    return _state(asked, asked.site.index.badge(asked.recording))


def _state(asked: PageRequest, badge: Badge | None) -> str:
    known = hash(asked.site.index.state(asked.recording)) & 0xFFFFFFFFFFFF
    return f"{known:x}-{badge.state if badge else ''}"


def is_live(asked: PageRequest) -> bool:
    """Whether the run is in progress."""
    return asked.site.index.is_live(asked.recording)


def head(asked: PageRequest) -> dict[str, Any]:
    """The facts at the top of every page of a recording."""
    now = asked.state
    counts = dict(now.lines)
    run = asked.run
    badge = asked.site.index.badge(asked.recording, WAIT_S)
    return {
        "state": _state(asked, badge),
        "integrity": badge,
        "recording": asked.recording,
        "app": run.app.package,
        "version": run.app.version,
        "device": device(run, asked.words),
        "plan": None if run.imported else run.plan,
        "started": run.started,
        "ended": run.ended,
        "going_on": is_live(asked),
        "judged": now.judged_by is not None,
        "counts": {
            "findings": len(asked.concluded.findings),
            "uploads": counts.get("upload", 0),
            "reads": counts.get("access", 0),
        },
    }


def summary(asked: PageRequest) -> Response:
    """The summary: verdict, findings by rule, consent, timeline, gaps."""
    report = asked.report
    shown = _made(asked, "opening", lambda: opening(report, asked.words))
    numbers = {each.id: number for number, each in reversed([*enumerate(report.findings, start=1)])}
    found = shown.verdict
    first = head(asked)
    if not first["judged"]:
        levels = Counter(finding.level for finding in report.findings)
        line, tone = headline(report.run, levels, True, asked.words, so_far=True)
        found = VerdictLine(line, asked.words("so_far_more"), tone)
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for finding in worst_first(report):
        group = groups.setdefault(
            (finding.level, finding.rule),
            {"rule": finding.rule, "level": finding.level, "title": dict(finding.title), "findings": 0, "_who": {}},
        )
        group["findings"] += 1
        about = finding.data, data_of(finding, asked.words), finding.recipient.host if finding.recipient else None
        group["_who"][about] = group["_who"].get(about, 0) + 1
    for group in groups.values():
        who = group.pop("_who")
        group["what"] = [
            {"data": data, "about": said, "host": host, "findings": count} for (data, said, host), count in who.items()
        ][:5]
        group["more"] = max(0, len(who) - 5)
    low, high = asked.seconds("from"), asked.seconds("to")
    zoomed = (low, high) if low is not None and high is not None and low < high else None
    drawn = _made(asked, ("timeline", zoomed), lambda: picture(report, asked.words, only=zoomed))
    facts = {
        **first,
        "facts": facts_in_words(report, asked.words),
        "verdict": found.line,
        "more": found.more,
        "tone": found.tone,
        "rules": list(groups.values()),
        "steps": [{"at": step.at, "state": step.state, "ref": step.ref, "text": step.event.text}
                  for step in consent_steps(report)],
        "gaps": len(report.gaps),
        "zoomed": zoomed,
        "_opening": shown._replace(verdict=found),
        "_to_card": lambda card: asked.to_recording("findings", numbers[card.tags[0].id]) if card.tags else None,
        "_may_mark": asked.site.may_mark and asked.site.index.may_be_marked(asked.recording),
        "_stretch": zoomed or (drawn and (math.floor(drawn.low * 10) / 10, math.ceil(drawn.high * 10) / 10)),
        "_picture": drawn,
        "_moves": _moves(asked, zoomed, drawn) if drawn else (),
        "_moments": _moments(drawn) if drawn else (),
    }  # fmt: skip
    return asked.answer("summary.html", facts)


def _made[T](asked: PageRequest, what: object, make: Callable[[], T]) -> T:
    """A part of the page that takes long for a long run; cached."""
    return asked.site.index.made(asked.recording, asked.state, (what, asked.words.lang, asked.reveal), make)


def _moves(asked: PageRequest, zoomed: tuple[float, float] | None, drawn: Picture) -> Iterable[tuple[str, str, str]]:
    """Key, name and URL of each way to move in the timeline."""
    low, high = zoomed or (drawn.low, drawn.high)
    width, middle = max(high - low, NARROWEST_S), (low + high) / 2

    def stretch(first: float, last: float) -> str:
        return asked.here(**{"from": f"{first:.3f}", "to": f"{last:.3f}"})

    yield "ArrowLeft", "zoom_earlier", stretch(low - width / 4, high - width / 4)
    yield "ArrowRight", "zoom_later", stretch(low + width / 4, high + width / 4)
    if width > NARROWEST_S:
        yield "+", "zoom_in", stretch(middle - width / 4, middle + width / 4)
    if zoomed:
        yield "-", "zoom_out", stretch(middle - width, middle + width)
        yield "0", "whole_run", asked.here(**{"from": None, "to": None})


def _moments(drawn: Picture) -> list[tuple[Lane, TimelineMark]]:
    """The marks of the timeline in order of time."""
    marks = ((lane, mark) for lane in drawn.lanes for mark in lane.marks)
    return sorted(marks, key=lambda each: each[1].x)[:LISTED]


def findings(asked: PageRequest) -> Response:
    """The findings, by rule, level and recipient."""
    known = asked.concluded
    uploads = {flow.id: flow.upload for flow in known.flows}
    filters = {name: asked.text(name) for name in ("rule", "level", "host")}
    found = matching(known.findings, filters, asked.page)
    rules = {each.rule: each.title for each in known.findings}
    facts = {
        **head(asked),
        "filters": filters,
        **page_of("findings", found, lambda each: _finding(asked, each.number, each.finding, uploads)),
        "_rules": rules,
    }
    return asked.answer("findings.html", facts)


def _finding(asked: PageRequest, number: int, finding: FindingFields, uploads: dict[str, Ref]) -> dict[str, Any]:
    sent = dict.fromkeys(uploads[name] for name in finding.flows if name in uploads)
    read = islice((ref for ref in finding.all_evidence if ref.startswith("accesses.")), 3)
    data = finding.data and asked.mask.code_of_data(finding.data)
    people = People.model_validate(finding.people) if finding.people else None
    return {
        "number": number,
        **fields_of(finding, "rule level confidence title"),
        "detail": {lang: asked.mask.sentence(text) for lang, text in finding.detail.items()},
        "data": data,
        "about": data and label(people, asked.words.data(data), asked.words.lang),
        "host": finding.recipient and asked.mask.host(finding.recipient.host),
        "consent": finding.consent,
        "evidence": [*read, *islice(sent, 3)],
        "lines": len(finding.all_evidence),
    }


def uploads(asked: PageRequest) -> Response:
    """The list of uploads."""
    return asked.answer("uploads.html", {**head(asked), **_list(asked, "upload", ("method", "status"), _upload)})


def reads(asked: PageRequest) -> Response:
    """The list of reads."""
    return asked.answer("reads.html", {**head(asked), **_list(asked, "access", ("data", "outcome"), _read)})


def _list(
    asked: PageRequest, kind: str, offered: Sequence[str], row: Callable[[PageRequest, Seen[Any]], dict[str, Any]]
) -> dict[str, Any]:
    """The lines of a kind, filtered and sorted as requested; the values of some fields are offered as filters."""
    filters = {name: asked.text(name) for name in FILTERS[kind]}
    only, sort = asked.text("only"), asked.text("sort") or "-line"
    lines = asked.site.index.lines(asked.recording, kind)
    found = lines.page(filters, _only(only, asked.concluded, FILES[kind]), sort, asked.page)
    return {
        "filters": {**filters, "only": only},
        "sort": sort,
        **page_of("uploads" if kind == "upload" else "reads", found, lambda seen: row(asked, seen)),
        "_choices": {
            name: [(value, count) for value, count in lines.choices(name) if _may_show(asked, value)]
            for name in offered
        },
    }


def _may_show(asked: PageRequest, value: object) -> bool:
    """Whether a value may be offered as a filter: only if lists show it unmasked."""
    return not isinstance(value, str) or value in METHODS or asked.mask.excerpt(value) == value


def _only(only: str, known: Carries, file: str) -> Iterable[int] | None:
    """Numbers of the lines of a file that a finding rests on, or that carry a value; None for no restriction."""
    if only == "findings":
        return known.about.numbers(file)
    return (number_of(ref) for ref in known.of if ref.startswith(file)) if only == "values" else None


def _upload(asked: PageRequest, seen: Seen[Upload]) -> dict[str, Any]:
    event = asked.mask.event(seen.event)
    return {
        **_line(asked, seen),
        **fields_of(event, "via method url host status type size"),
        "cleartext": event.cleartext and event.via in ("http", "websocket", "tcp"),
        "truncated": event.truncated,
    }


def _line(asked: PageRequest, seen: Seen[Any]) -> dict[str, Any]:
    """The facts common to all listed lines: name, time, and the conclusions about the line."""
    known = asked.concluded
    numbers = known.about.of(seen.ref)
    worst = min((known.findings[number - 1].level for number in numbers), key=LEVELS.index, default=None)
    flows = known.of.get(seen.ref, ())
    data = dict.fromkeys(asked.mask.code_of_data(flow.data) for flow in flows)
    about = dict.fromkeys(_about_flow(asked, flow) for flow in flows)
    return {"ref": seen.ref, "number": seen.number, "at": seen.at, "findings": len(numbers), "level": worst,
            "data": list(data), "about": list(about)}  # fmt: skip


def _about_flow(asked: PageRequest, flow: Carried) -> str:
    """The data type that a flow carries; data that the user picked is named as such."""
    data = asked.mask.code_of_data(flow.data)
    return picked(data, asked.words.lang) if flow.picked else asked.words.data(data)


def upload(asked: PageRequest) -> Response:
    """One upload: its connection, the values in it, and its decoding steps."""
    seen = _seen(asked, "upload")
    if seen is None or not holds(seen, Upload):
        raise _no_line(asked, "uploads.jsonl")
    flows = asked.site.index.flows(asked.recording, upload=seen.ref)
    event = asked.mask.event(seen.event)
    facts = {
        **head(asked),
        "upload": {**_upload(asked, seen), **fields_of(event, "headers body tls client server")},
        "findings": _about(asked, seen.ref),
        "flows": [_flow(asked, flow) for flow in flows],
        "why": _why(asked, seen.ref) if asked.request.query_params.get("why") else [],
        "decoded": body_page.viewed(asked, seen.event, flows),
        "before": seen.number - 1 or None,
        "after": seen.number + 1 if seen.number < dict(asked.state.lines)["upload"] else None,
    }  # fmt: skip
    return asked.answer("upload.html", facts)


def _flow(asked: PageRequest, flow: Flow) -> dict[str, Any]:
    shown = asked.mask
    return {
        **fields_of(flow, "id access upload connection data consent"),
        "about": data_of(flow, asked.words),
        "consent_said": consent(flow, asked.words),
        **fields_of(flow, "at access_at"),
        "host": shown.host(flow.recipient.host), "party": flow.recipient.party,
        "carrier": flow.carrier and flow.carrier.code and shown.event(flow.carrier.code),
        "matches": [shown.event(match) for match in flow.matches[:20]],
        "more": max(0, len(flow.matches) - 20),
    }  # fmt: skip


def _why(asked: PageRequest, upload: Ref) -> list[dict[str, Any]]:
    """How each flow of an upload was inferred; a separate request, since it needs the whole report."""
    chains = Chains(asked.report)
    flows = [flow for flow in asked.report.flows if flow.upload == upload][:MOST_WAYS]
    return [
        {
            "flow": each.id,
            "data": each.data,
            "about": data_of(each, asked.words),
            "chain": steps(chains.of_flow(each), asked.words),
        }
        for each in flows
    ]


def _about(asked: PageRequest, ref: Ref) -> list[dict[str, Any]]:
    """The findings that rest on a line."""
    known = asked.concluded
    return [
        {"number": number, "rule": each.rule, "level": each.level, "title": each.title, "confidence": each.confidence,
         "detail": {lang: asked.mask.sentence(text) for lang, text in each.detail.items()}}
        for number in known.about.of(ref)[:20]
        for each in [known.findings[number - 1]]
    ]  # fmt: skip


def _read(asked: PageRequest, seen: Seen[Access]) -> dict[str, Any]:
    event = asked.mask.event(seen.event)
    return {
        **_line(asked, seen),
        "type": event.data,
        "about_read": read_of(seen.event, asked.words),
        **fields_of(event, "source target outcome"),
        "values": event.values[:3],
        "more": max(0, len(event.values) - 3),
        "count": event.count,
        "sent": len({flow.upload for flow in asked.concluded.of.get(seen.ref, ())}),
    }


def read(asked: PageRequest) -> Response:
    """One read, and every upload that carries one of its values."""
    seen = _seen(asked, "access")
    if seen is None or not holds(seen, Access):
        raise _no_line(asked, "accesses.jsonl")
    flows = sorted(asked.site.index.flows(asked.recording, access=seen.ref), key=lambda flow: flow.at)
    event = asked.mask.event(seen.event)
    facts = {
        **head(asked),
        "read": {**_read(asked, seen), "values": event.values[:MOST_WAYS],
                 "more": max(0, len(event.values) - MOST_WAYS),
                 "args": event.args, "thread": event.thread, "stack": event.stack},
        "findings": _about(asked, seen.ref),
        "flows": [_flow(asked, flow) for flow in flows[:MOST_WAYS]],
        "more": max(0, len(flows) - MOST_WAYS),
        "_frames": frames(event.stack, event.owners),
    }  # fmt: skip
    return asked.answer("read.html", facts)


def gaps(asked: PageRequest) -> Response:
    """What could not be observed."""
    report = asked.report
    facts = {
        **head(asked),
        "gaps": report.gaps,
        "limits": report.limits,
        "_rows": gap_rows((*report.gaps, *report.limits), asked.words),
    }
    return asked.answer("gaps.html", facts)


def report(asked: PageRequest) -> Response:
    """The report as a page by itself; with `?download`, as a file."""
    made = asked.site.index.checked_report(asked.recording)
    text = render(made, "html", reveal=asked.reveal, lang=asked.words.lang)
    download = as_file(asked.recording, "html") if "download" in asked.request.query_params else {}
    return HTMLResponse(text, headers=SEALED | download)


def sarif(asked: PageRequest) -> Response:
    """The findings as a SARIF file for a code host."""
    made = asked.site.index.checked_report(asked.recording)
    text = render(made, "sarif", reveal=asked.reveal, lang=asked.words.lang)
    return Response(text, media_type="application/sarif+json", headers=as_file(asked.recording, "sarif"))


def har_file(asked: PageRequest) -> Response:
    """The uploads as HAR; its bodies are unmasked, so it is available only where values may be shown."""
    if not asked.reveal:
        raise UserError(
            "A HAR file has the values as they were sent.",
            "Start `appwitness web --reveal`, and add ?reveal=1 to the address.",
        )
    text = asked.site.index.har(asked.recording)
    return Response(text, media_type="application/json", headers=as_file(asked.recording, "har"))


def as_file(name: str, ending: str) -> dict[str, str]:
    """Headers of a file download that is named after a recording."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:100].lstrip(".")
    return {"content-disposition": f'attachment; filename="{safe}.{ending}"'}


def _seen(asked: PageRequest, kind: str) -> Seen[Any] | None:
    return asked.site.index.line(asked.recording, kind, asked.request.path_params["number"])


def _no_line(asked: PageRequest, file: str) -> UserError:
    number = asked.request.path_params["number"]
    return UserError(
        Spoken("{recording} has no {file}:{number}.", recording=asked.recording, file=file, number=number),
        "See the list of lines.",
    )

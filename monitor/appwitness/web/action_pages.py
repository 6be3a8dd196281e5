"""Actions on a recording: verify, compare with a baseline, write a letter, share, forget."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from appwitness.api import accepting, archiving, checklists, erasing, exchanging, gating, marking
from appwitness.reports import render
from appwitness.reports.watched import integrity
from appwitness.support import private_files
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken, say
from appwitness.web import finding_page
from appwitness.web.auth import SEALED
from appwitness.web.query import PageRequest
from appwitness.web.recording_page import as_file, head

LETTERS = {"cn": "zh", "eu": "en"}
"""Law -> language of the letter about it."""


def actions(asked: PageRequest, problem: str = "", preview: Mapping[str, Any] | None = None) -> Response:
    """The result of verifying the recording, and the actions available on it."""
    index = asked.site.index
    try:
        verified = integrity(index.checked_report(asked.recording), asked.words)
    except UserError as error:  # the index's lines are no longer those of the recording
        verified = say(error.message, asked.words.lang)
    known = index.known.jurisdictions
    facts = {
        **head(asked),
        "problem": problem,
        "verified": verified,
        "preview": preview,
        "letters": {law: lang for law, lang in LETTERS.items() if not known or law in known},
        "checklists": checklists.NAMES,
        "_may_mark": asked.site.may_mark,
        "_may_act": asked.site.work is not None,
        "_may_reveal": index.reveals is not None,
    }
    return asked.answer("actions.html", facts, 400 if problem else 200)


def letter(asked: PageRequest) -> Response:
    """A complaint letter to an authority, as a page; with `?download`, as Markdown."""
    law = asked.text("law")
    lang = LETTERS.get(law, asked.words.lang)
    report = asked.site.index.checked_report(asked.recording)
    if "download" in asked.request.query_params:
        text = render(report, "complaint", reveal=asked.reveal, lang=lang)
        return Response(text, media_type="text/markdown", headers=as_file(asked.recording, "md"))
    return HTMLResponse(render(report, "complaint-html", reveal=asked.reveal, lang=lang), headers=SEALED)


def gate(asked: PageRequest) -> Response:
    """The recording compared with the baseline, waivers and allowed flows in the server's folder, as by `appwitness
    gate`."""
    by = gating.made(asked.site.index.judging)
    return _decided(asked, by, [asked.site.index.place(asked.recording)])


def diff(asked: PageRequest) -> Response:
    """One run compared with another of the same app, the older one first: `?run=A&run=B`, as by `appwitness diff`."""
    index = asked.site.index
    names = list(dict.fromkeys(asked.request.query_params.getlist("run")))
    if len(names) != 2:
        raise UserError(Spoken("You named {names} runs.", names=len(names)), "Choose two runs of one app.")
    old, new = sorted(names, key=lambda name: index.run(name).started)
    by = gating.between([index.place(old)], gating.GatedRuns(), index.judging)
    return _decided(asked, by, [index.place(new)])


def _decided(asked: PageRequest, by: gating.Gate, paths: list[Path]) -> Response:
    reports = by.runs.reports(paths, by.judging)
    decided = by.decide(reports)
    how = gating.GateText(asked.words.lang, asked.reveal)
    if asked.request.query_params.get("format") == "json":
        return Response(gating.render(decided, reports, "json", how), media_type="application/json")
    return HTMLResponse(gating.render(decided, reports, "html", how), headers=SEALED)


def checklist(asked: PageRequest) -> Response:
    """A testers' checklist, `?list=cn-164`, filled in from this recording and others of its app (`&run=B&run=C`), as
    by `appwitness report --checklist`."""
    index = asked.site.index
    which = checklists.checklist(_known_list(asked.text("list") or checklists.NAMES[0]), index.known)
    names = dict.fromkeys((asked.recording, *asked.request.query_params.getlist("run")))
    places = [index.place(name) for name in names]
    filled = checklists.filled(which, places, index.judging, reveal=asked.reveal)
    if asked.request.query_params.get("format") == "json":
        return Response(checklists.render(filled, "json", asked.words.lang), media_type="application/json")
    return HTMLResponse(checklists.render(filled, "html", asked.words.lang), headers=SEALED)


def check(asked: PageRequest, form: Mapping[str, str]) -> Response:
    """Record a person's answer to a checklist item, as `appwitness mark check` does."""
    index, said = asked.site.index, {name: text.strip()[:400] for name, text in form.items()}
    try:
        if not asked.site.may_mark:
            raise UserError("These pages are read-only.", "Start `appwitness web` without --read-only.")
        list_ = _known_list(said.get("list", ""))
        recording = index.to_mark(asked.recording)
        item, answer = f"{list_}:{said.get('item', '')}", said.get("answer", "")
        marking.mark_item(recording.path, item, answer, note=said.get("note") or None, who=said.get("who") or None)
        index.judge_again(recording)
    except UserError as error:
        return actions(asked, error.message)
    return RedirectResponse(asked.to_recording("checklist", list=list_), status_code=303)


def _known_list(name: str) -> str:
    if name not in checklists.NAMES:  # it may be a path, which a page must not name
        raise UserError(
            Spoken("There is no checklist {name!r}.", name=name),
            Spoken("Choose from {names}.", names=", ".join(checklists.NAMES)),
        )
    return name


def share(asked: PageRequest, _: Mapping[str, str]) -> Response:
    """An archive of a copy in which each personal value is replaced."""
    asked.site.working()
    place = asked.site.index.place(asked.recording)

    def make(folder: Path) -> Path:
        copy = erasing.share(place, folder / "shared")
        return archiving.pack(copy.path, folder / "shared.zip").file

    return _made(asked, make, "shared.zip")


def bundle(asked: PageRequest, _: Mapping[str, str]) -> Response:
    """A bundle for a stranger. It contains what was recorded unchanged, so it is available only where values may be
    shown."""
    asked.site.working()
    index = asked.site.index
    if index.reveals is None:
        raise UserError("A bundle has the values as they were recorded.", "Start `appwitness web --reveal`.")
    place = index.place(asked.recording)

    def make(folder: Path) -> Path:
        exchanging.bundle(place, folder / "bundle.zip", index.judging)
        return folder / "bundle.zip"

    return _made(asked, make, "bundle.zip")


def _made(asked: PageRequest, make: Any, ending: str) -> Response:
    """A file that is made for this response and removed after it."""
    folder = Path(tempfile.mkdtemp(prefix="appwitness-", dir=private_files.roomy()))
    try:
        file = make(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    gone = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(file, media_type="application/zip", headers=as_file(asked.recording, ending), background=gone)


def forget(asked: PageRequest, form: Mapping[str, str]) -> Response:
    """Forget the recording, or only the parts of it that hold given values, after a preview."""
    asked.site.working()
    index = asked.site.index
    try:
        place = index.place(asked.recording)
        lines = [line.strip() for line in form.get("values", "").splitlines() if line.strip()]
        meant = erasing.Forgetting((place,), values=exchanging.values_of(lines))
        if form.get("sure") != "yes":
            (plan,) = meant.plans()
            told = {
                "lines": {kind: len(numbers) for kind, numbers in plan.lines.items()},
                "bodies": len(plan.bodies),
                "unsearched": len(plan.unsearched),
                "values": form.get("values", ""),
                "reason": form.get("reason", "")[:200],
            }
            return actions(asked, preview=told)
        meant.forget(form.get("reason") or None, db=str(index.store.place))
        if lines:
            return RedirectResponse(asked.link("recordings", index.take_in(place)), status_code=303)
    except UserError as error:
        return actions(asked, error.message)
    return RedirectResponse(asked.link(), status_code=303)


def waive(asked: PageRequest, form: Mapping[str, str]) -> Response:
    """Waive a finding until a date, by an entry in the waivers in the server's folder."""
    asked.site.working()
    number = asked.request.path_params["number"]
    index = asked.site.index
    try:
        place = index.place(asked.recording)
        runs = gating.GatedRuns()
        (report,) = runs.reports([place], index.judging)
        if not 1 <= number <= len(report.findings):
            raise UserError(
                Spoken("{recording} has no finding {number}.", recording=asked.recording, number=number),
                "Choose one from the list.",
            )
        fields = {name: form.get(name, "").strip() or None for name in ("owner", "reason", "expires", "ticket")}
        waivers = accepting.waivers_beside(datetime.now(UTC).date())
        waivers.add(report.findings[number - 1].id, fields, runs, index.judging)
    except UserError as error:
        return finding_page.finding(asked, error.message, form)
    return RedirectResponse(asked.to_recording("gate"), status_code=303)

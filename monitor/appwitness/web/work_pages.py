"""Pages that start work: the demo, an import, a run on a device; and the progress of runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

from starlette.responses import JSONResponse, RedirectResponse, Response

from appwitness.api import completing, devices, diagnosing, reference
from appwitness.api.demo import demo_runs
from appwitness.api.inbox import Arrival
from appwitness.api.live_runs import MODES, LivePlan, RunProgress, RunRequest
from appwitness.events import Scope
from appwitness.findings import LEVELS
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken
from appwitness.web.consent_page import OPERATOR_STATES
from appwitness.web.query import PageRequest

NEWEST = 20
"""Maximum number of lines that the page of a run lists."""
WORST = 50
"""Maximum number of findings that the page lists, the worst first."""
ASKED_FOR = ("phone_number", "email", "name", "location", "android_id", "advertising_id", "device_id_imei")
"""Data types that the form has a field for; others are given as TYPE=VALUE."""

# the page with the three ways to begin


def doors(asked: PageRequest) -> Response:
    """The ways to begin: demo, file, run on a device."""
    return asked.answer("new.html", {"may_start": asked.site.work is not None})


def demo(asked: PageRequest, _: Mapping[str, str]) -> Response:
    """Start runs of the sample apps, one after the other."""
    runs = asked.site.working().runs
    runs.start_each([RunRequest(run.device, run.plan) for run in demo_runs()])
    return RedirectResponse(asked.link("runs"), status_code=303)


# files


@contextmanager
def receiving(asked: PageRequest) -> Iterator[Arrival]:
    """Receive a file as the body of a request. In the URL, `drop` is the id of the files it belongs to, and `name` is
    its own name. Raises UserError if the file is refused."""
    said = asked.request.headers.get("content-length", "")
    size = int(said) if said.isdecimal() and len(said) < 16 else None
    name = asked.request.query_params.get("name", "")
    with asked.site.working().inbox.receiving(asked.text("drop"), name, size) as arrival:
        yield arrival


def received(asked: PageRequest, id_: str) -> Response:
    """The page where dropped files are handled further: an archive is imported at once, an app needs a device, a
    capture needs a name."""
    drop = asked.site.working().inbox.of(id_)
    if drop.of("app"):
        address = asked.link("new", "observe", drop=id_)
    elif len(drop.files) == 1 and drop.of("recording"):
        id_, address = "", asked.link("recordings", _taken_in(asked, id_, "", ()))
    else:
        address = asked.link("new", "files", id_)
    return JSONResponse({"drop": id_, "address": address})


def dropped(asked: PageRequest, problem: str = "", fields: Mapping[str, str] | None = None) -> Response:
    """The dropped files, and the form for what must be known about them."""
    drop = asked.site.working().inbox.of(asked.request.path_params["drop"])
    fields = fields or {}
    facts = {
        "drop": drop.id,
        "files": [{"name": each.name, "size": each.size, "kind": each.kind} for each in drop.files],
        "problem": problem,
        "_fields": fields,
        "_asked_for": ASKED_FOR,
        "_types": [kind.code for kind in reference.data_types()],
        "_unsure": problem and "sure" in fields,
    }
    return asked.answer("dropped.html", facts, 400 if problem else 200)


def take_in(asked: PageRequest, form: Mapping[str, str]) -> Response:
    """Import the files as a recording, and show it."""
    values = [f"{code}={form[code].strip()}" for code in ASKED_FOR if form.get(code, "").strip()]
    values += [line.strip() for line in form.get("values", "").splitlines() if line.strip()]
    id_ = asked.request.path_params["drop"]
    try:
        if not form.get("app", "").strip():
            raise UserError("The app is not named.", "Write its package, such as com.example.shop, or a website.")
        if not (values or form.get("sure") or asked.site.working().inbox.of(id_).of("hooks")):
            return dropped(asked, asked.words("drop_no_values"), {**form, "sure": "yes"})
        name = _taken_in(asked, id_, form["app"].strip(), values)
    except UserError as error:
        return dropped(asked, error.message, {name: text for name, text in form.items() if name != "sure"})
    return RedirectResponse(asked.link("recordings", name), status_code=303)


def _taken_in(asked: PageRequest, drop: str, app: str, values: Any) -> str:
    return asked.site.index.take_in(asked.site.working().inbox.take_in(drop, app, values))


# a run


def observe(asked: PageRequest, problem: str = "", fields: Mapping[str, str] | None = None) -> Response:
    """The connected devices, and what the chosen one lacks and allows to observe."""
    inbox = asked.site.working().inbox
    name, id_ = asked.text("device"), asked.text("drop")
    listed, trouble = _devices()
    chosen = next((each for each in listed if each.name == name), None)
    facts = {
        "problem": problem,
        "trouble": trouble,
        "devices": listed,
        "device": chosen and chosen.name,
        "diagnosis": diagnosing.diagnose(chosen.name).results if chosen else (),
        "embedded": chosen is not None and devices.NamedDevice(chosen.name).embedded,
        "drop": id_,
        "apks": [each.name for each in inbox.of(id_).of("app")] if id_ else [],
        "_packages": _packages(chosen.name) if chosen else [],
        "_fields": fields or {},
        "_plans": get_args(LivePlan),
        "_modes": MODES,
    }
    return asked.answer("observe.html", facts, 400 if problem else 200)


def start(asked: PageRequest, form: Mapping[str, str]) -> Response:
    """Start a run."""
    work = asked.site.working()
    try:
        if all(each.name != asked.text("device") for each in _devices()[0]):
            raise UserError("This device is no longer connected.", "Choose one from the list.")
        apks = work.inbox.of(asked.text("drop")).of("app") if asked.text("drop") else []
        begun = work.runs.start(
            RunRequest(
                device=asked.text("device"),
                plan=form.get("plan", ""),  # type: ignore[arg-type]
                app=form.get("app", "").strip() or None,
                apks=tuple(each.path for each in apks),
                mode=form.get("mode") or "auto",
                seconds=_seconds(form.get("seconds", "")),
                by_hand="by_hand" in form,
                clear_data="clear_data" in form,
            )
        )
    except UserError as error:
        return observe(asked, error.message, form)
    return RedirectResponse(asked.link("runs", begun.id), status_code=303)


def _devices() -> tuple[list[Any], str]:
    """The connected devices, and the reason why others may be missing."""
    try:
        return list(devices.listed()), ""
    except UserError as error:  # adb does not answer
        return list(devices.embedded_ones()), error.message


def _packages(device: str) -> list[str]:
    try:
        return [package for package, _ in completing.packages(device)]
    except UserError:
        return []


def _seconds(text: str) -> float | None:
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise UserError(
            Spoken("{text!r} is not a length of time.", text=text[:20]), "Write seconds: 30 or 2.5."
        ) from None


# runs that were started here


def runs(asked: PageRequest) -> Response:
    """All runs started here."""
    known = asked.site.working().runs
    told = known.list()
    facts = {
        "state": state_of_runs(asked),
        "runs": [{**_brief(each), "recording": asked.site.index.name_of(each.recording)} for each in told],
    }
    return asked.answer("runs.html", facts)


def run(asked: PageRequest) -> Response:
    """One run and its progress."""
    progress = _asked_for(asked)
    index = asked.site.index
    name = index.name_of(progress.recording)
    lines = dict(index.state(name).lines) if name else {}
    facts = {
        **_brief(progress),
        "state": state_of_run(asked),
        "recording": name,
        "counts": {
            "reads": lines.get("access", progress.reads),
            "uploads": lines.get("upload", progress.uploads),
            "screens": lines.get("screen", 0),
            "consents": lines.get("consent", progress.consents),
            "gaps": lines.get("gap", progress.gaps),
        },
        "findings": _findings(asked, name) if name else [],
        "phases": [each.what for each in progress.events if each.what.get("event") in ("stage", "warning")],
        "newest": [each for each in reversed(progress.events) if "ref" in each.what][:NEWEST],
        "_may_mark": bool(name) and not progress.over and asked.site.may_mark,
        "_statuses": OPERATOR_STATES,
        "_scopes": get_args(Scope),
    }
    return asked.answer("run.html", facts)


def stop(asked: PageRequest, _: Mapping[str, str]) -> Response:
    """Stop a run cleanly."""
    stopped = asked.site.working().runs.stop(asked.request.path_params["run"])
    return RedirectResponse(asked.link("runs", stopped.id), status_code=303)


def state_of_runs(asked: PageRequest) -> str:
    """A version that changes whenever one of the runs does."""
    return f"runs-{asked.site.working().runs.changes}"


def state_of_run(asked: PageRequest) -> str:
    """A version that changes whenever the run reports something, or the index has something new about it."""
    progress = _asked_for(asked)
    name = asked.site.index.name_of(progress.recording)
    known = hash(asked.site.index.state(name)) & 0xFFFFFFFF if name else 0
    return f"{progress.state}-{progress.cursor}-{known:x}"


def _asked_for(asked: PageRequest) -> RunProgress:
    return asked.site.working().runs.status(asked.request.path_params["run"])


def _brief(progress: RunProgress) -> dict[str, Any]:
    asked_for = progress.request
    return {
        "run": progress.id,
        "device": asked_for.device,
        "app": asked_for.app or ", ".join(each.name for each in asked_for.apks),
        "plan": asked_for.plan,
        "run_state": progress.state,
        "over": progress.over,
        "phase": progress.phase,
        "started": progress.started,
        "seconds": round(progress.seconds, 1),
        "reads": progress.reads,
        "uploads": progress.uploads,
        "problem": progress.problem,
    }


def _findings(asked: PageRequest, name: str) -> list[dict[str, Any]]:
    """The findings, the worst first, each with its number in the recording."""
    index = asked.site.index
    mask = index.mask(name)
    found = enumerate(index.concluded(name, index.state(name)).findings, start=1)
    worst = sorted(found, key=lambda each: LEVELS.index(each[1].level))[:WORST]
    return [
        {
            "number": number,
            "level": each.level,
            "rule": each.rule,
            "title": each.title,
            "about": each.data and asked.words.data(mask.code_of_data(each.data)),
            "host": each.recipient and mask.host(each.recipient.host),
        }
        for number, each in worst
    ]

"""Pages of a fleet: its campaigns, their progress, their runs, and the devices."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from starlette.responses import Response

from appwitness.api.fleet_progress import (
    FILTERS,
    METRICS_TYPE,
    CampaignRun,
    Runs,
    RunState,
    Slot,
    Status,
    by_campaign,
    choices_of_runs,
    failures,
    fitting_devices,
    is_silent,
    progress,
    prometheus,
    runs_of,
    status,
)
from appwitness.findings.mask import Mask
from appwitness.support.errors import UserError
from appwitness.support.vocabulary import told
from appwitness.web.query import PageRequest, page_of

STATES: tuple[RunState, ...] = get_args(RunState)
KINDS = {"judged": "seen", "recorded": "waiting", "leased": "waiting", "unobservable": "unseen", "planned": "absent"}
"""State of a run -> how it is drawn in a bar, in this order."""
WIDTH = 400
"""Width of a bar in the drawing's units."""


def campaigns(asked: PageRequest) -> Response:
    """All campaigns and all devices."""
    told = status(_fleet(asked))
    facts = {
        "state": _name_of(told),
        "campaigns": [{"name": name, **progress(told, pools)._asdict()} for name, pools in by_campaign(told).items()],
        "devices": [_device(asked, slot) for slot in told.devices],
        "_bar": lambda each: _bar(asked, each),
    }
    return asked.answer("campaigns.html", facts)


def metrics(asked: PageRequest) -> Response:
    """The metrics of the fleet for Prometheus; zeros for an index without a fleet."""
    return Response(prometheus(asked.site.index.fleet), media_type=METRICS_TYPE)


def state_of_fleet(asked: PageRequest) -> str:
    """A version that changes whenever a page of the fleet may have changed."""
    return _name_of(status(_fleet(asked)))


def campaign(asked: PageRequest) -> Response:
    """The progress of one campaign, what failed, and what can be done about it."""
    fleet, name = _fleet(asked), asked.request.path_params["campaign"]
    told = status(fleet, name)
    failed, devices = failures(fleet, name), fitting_devices(told)
    facts = {
        "state": _name_of(told),
        "campaign": name,
        "progress": progress(told, told.pools)._asdict(),
        "pools": [
            {"pool": pool.pool, "devices": len(told.able(pool)), **progress(told, [pool])._asdict()}
            for pool in told.pools
        ],
        "failures": [
            {"reason": each.reason, "runs": each.runs, "example": _run(asked, each.example)} for each in failed
        ],
        "devices": [_device(asked, slot) for slot in devices],
        "commands": list(_commands(name, told, devices, [each.reason for each in failed])),
        "superseded": told.superseded,
        "_bar": lambda each: _bar(asked, each),
    }
    return asked.answer("campaign.html", facts)


def runs_of_campaign(asked: PageRequest) -> Response:
    """The runs of one campaign."""
    fleet, name = _fleet(asked), asked.request.path_params["campaign"]
    told = status(fleet, name)
    filters = {each: asked.text(each) for each in (*FILTERS, "text")}
    found = runs_of(fleet, name, filters, asked.page)
    facts = {
        "state": _name_of(told),
        "campaign": name,
        "filters": filters,
        **page_of("runs", found, lambda run: _run(asked, run)),
        "_choices": choices_of_runs(fleet, name),
        "_states": STATES,
    }
    return asked.answer("campaign_runs.html", facts)


def _fleet(asked: PageRequest) -> Runs:
    fleet = asked.site.index.fleet
    if fleet is None:
        raise UserError("No campaign was planned in this database.", "`appwitness fleet plan` plans one.")
    return fleet


def _name_of(told: Status) -> str:
    devices = [(slot.host, slot.serial, slot.state, slot.note, slot.run, not is_silent(slot), slot.paused)
               for slot in told.devices]  # fmt: skip
    return format(hash((tuple(told.pools), tuple(told.reasons), tuple(devices))) & 0xFFFFFFFFFFFF, "x")


def _bar(asked: PageRequest, of: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a bar for `parts.coverage`."""
    words, parts, at = asked.words, [], 0.0
    for state, kind in KINDS.items():
        width = WIDTH * of[state] / max(1, of["total"])
        parts.append({"kind": kind, "x": f"{at:.1f}", "width": f"{width:.1f}"})
        at += width
    said = (words(f"run_counted_{state}", count=f"{of[state]:,}") for state in KINDS if of[state])
    return {"name": "", "said": words("comma").join(said), "parts": parts}


def _device(asked: PageRequest, slot: Slot) -> dict[str, Any]:
    silent = is_silent(slot)
    return {
        "host": slot.host,
        "serial": slot.serial,
        "labels": dict(slot.labels),
        "state": "silent" if silent else slot.state,
        "since": datetime.now(UTC) - timedelta(seconds=slot.silent_s) if silent else None,
        "note": _note(asked, slot.note),
        "run": None if silent else slot.run,
        "paused": slot.paused,
    }


def _run(asked: PageRequest, run: CampaignRun) -> dict[str, Any]:
    return {**run._asdict(), "note": _note(asked, run.note)}


def _note(asked: PageRequest, note: str | None) -> str | None:
    """A message, with masks for what looks like a personal value."""
    return note if asked.reveal or note is None else Mask(()).by(told, note)


def _commands(name: str, told: Status, devices: Sequence[Slot], reasons: Sequence[str]) -> Iterable[dict[str, str]]:
    """What a person can do now: the reason and the command."""
    for reason in reasons:
        command = f"appwitness fleet retry --campaign {shlex.quote(name)} --reason {shlex.quote(reason)}"
        yield {"why": "retry", "about": reason, "command": command}
    if any(pool.planned and not told.able(pool) for pool in told.pools):
        yield {"why": "host", "about": "", "command": "appwitness fleet host --devices all"}
    for slot in devices:
        if slot.paused:
            command = f"appwitness fleet resume {shlex.quote(f'{slot.host}/{slot.serial}')}"
            yield {"why": "resume", "about": slot.serial, "command": command}

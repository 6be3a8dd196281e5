"""Pages of a fleet: its campaigns, how far each is, its runs, and the devices that make them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from appwitness.findings.mask import Mask
from appwitness.fleet import metrics as prometheus
from appwitness.fleet.pools import meets
from appwitness.fleet.status import SILENT_S, Status, status
from appwitness.store.campaigns import FILTERS, Planned, choices_of_runs, failures, runs_of
from appwitness.store.runs import Pool, Runs, Slot
from appwitness.support.errors import UserError
from appwitness.web.query import Asked

STATES = ("planned", "leased", "recorded", "judged", "unobservable")
KINDS = {"judged": "seen", "recorded": "waiting", "leased": "waiting", "unobservable": "unseen", "planned": "absent"}
"""State of runs -> how it is drawn in a bar, in this order."""
WIDTH = 400
"""Of a bar."""


def campaigns(asked: Asked) -> Response:
    """Every campaign, and every device."""
    told = status(_runs(asked))
    of: dict[str, list[Pool]] = {}
    for pool in told.pools:
        of.setdefault(pool.campaign, []).append(pool)
    facts = {
        "state": _name_of(told),
        "campaigns": [{"name": name, **_progress(told, pools)} for name, pools in of.items()],
        "devices": [_device(asked, slot) for slot in told.devices],
        "_bar": lambda each: _bar(asked, each),
    }
    return asked.answer("campaigns.html", facts)


def metrics(asked: Asked) -> Response:
    """The figures of the fleet for Prometheus; of an index without one, zeros."""
    runs = asked.site.runs
    return Response(prometheus.text(status(runs) if runs else Status((), (), (), 0)), media_type=prometheus.TYPE)


def state_of_fleet(asked: Asked) -> str:
    """Another text whenever a page of the fleet may have changed."""
    return _name_of(status(_runs(asked)))


def campaign(asked: Asked) -> Response:
    """How far one campaign is, what failed, and what to do about it."""
    runs, name = _runs(asked), asked.request.path_params["campaign"]
    told = status(runs, name)
    _must_be(told.pools, name)
    failed = failures(runs, name)
    devices = [slot for slot in told.devices if any(meets(slot.labels, pool.pool) for pool in told.pools)]
    facts = {
        "state": _name_of(told),
        "campaign": name,
        "progress": _progress(told, told.pools),
        "pools": [
            {"pool": pool.pool, "devices": len(told.able(pool)), **_progress(told, [pool])} for pool in told.pools
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


def runs_of_campaign(asked: Asked) -> Response:
    """The runs of one campaign."""
    runs, name = _runs(asked), asked.request.path_params["campaign"]
    told = status(runs, name)
    _must_be(told.pools, name)
    filters = {each: asked.text(each) for each in (*FILTERS, "text")}
    found = runs_of(runs, name, filters, asked.page)
    facts = {
        "state": _name_of(told),
        "campaign": name,
        "filters": filters,
        "runs": [_run(asked, run) for run in found.rows],
        "page": found.number,
        "pages": found.last,
        "total": found.total,
        "_choices": choices_of_runs(runs, name),
        "_states": STATES,
    }
    return asked.answer("campaign_runs.html", facts)


def _runs(asked: Asked) -> Runs:
    runs = asked.site.runs
    if runs is None:
        raise UserError("No campaign was planned in this database.", "`appwitness fleet plan` plans one.")
    return runs


def _must_be(pools: Sequence[Pool], name: str) -> None:
    if not pools:
        raise UserError(f"There is no campaign {name}.", "The list of campaigns has those that there are.")


def _name_of(told: Status) -> str:
    devices = [(slot.host, slot.serial, slot.state, slot.note, slot.run, slot.silent_s < SILENT_S, slot.paused)
               for slot in told.devices]  # fmt: skip
    return format(hash((tuple(told.pools), tuple(told.reasons), tuple(devices))) & 0xFFFFFFFFFFFF, "x")


def _progress(told: Status, pools: Iterable[Pool]) -> dict[str, Any]:
    """Runs by state, and how long the slowest pool takes; null: some runs wait for a device that is not there."""
    pools = list(pools)
    etas = [told.eta_s(pool) for pool in pools]
    known = [eta for eta in etas if eta is not None]
    return {
        **{state: sum(getattr(pool, state) for pool in pools) for state in STATES},
        "total": sum(pool.total for pool in pools),
        "findings": sum(pool.findings for pool in pools),
        "eta_s": max(known, default=0.0) if len(known) == len(etas) else None,
        "stuck": sum(pool.planned for pool in pools if not told.able(pool)),
    }


def _bar(asked: Asked, of: dict[str, Any]) -> dict[str, Any]:
    """A bar for `parts.coverage`."""
    words, parts, at = asked.words, [], 0.0
    for state, kind in KINDS.items():
        width = WIDTH * of[state] / max(1, of["total"])
        parts.append({"kind": kind, "x": f"{at:.1f}", "width": f"{width:.1f}"})
        at += width
    said = (words(f"run_counted_{state}", count=f"{of[state]:,}") for state in KINDS if of[state])
    return {"name": "", "said": words("comma").join(said), "parts": parts}


def _device(asked: Asked, slot: Slot) -> dict[str, Any]:
    silent = slot.silent_s >= SILENT_S
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


def _run(asked: Asked, run: Planned) -> dict[str, Any]:
    return {**run._asdict(), "note": _note(asked, run.note)}


def _note(asked: Asked, note: str | None) -> str | None:
    """What somebody said, without what looks like a value in it."""
    return note if asked.reveal or note is None else Mask(()).excerpt(note)


def _commands(name: str, told: Status, devices: Sequence[Slot], reasons: Sequence[str]) -> Iterable[dict[str, str]]:
    """What a person may do now: why, and the command."""
    for reason in reasons:
        command = f"appwitness fleet retry --campaign {shlex.quote(name)} --reason {shlex.quote(reason)}"
        yield {"why": "retry", "about": reason, "command": command}
    if any(pool.planned and not told.able(pool) for pool in told.pools):
        yield {"why": "host", "about": "", "command": "appwitness fleet host --devices all"}
    for slot in devices:
        if slot.paused:
            command = f"appwitness fleet resume {shlex.quote(f'{slot.host}/{slot.serial}')}"
            yield {"why": "resume", "about": slot.serial, "command": command}

"""What the monitor itself changed on the device and in the app, and caused on the network, as recorded."""

from __future__ import annotations

from collections.abc import Iterator

from appwitness.events import Run, Screen, count_sources
from appwitness.findings import Reason, Report, Why, because

NAMED = 3
"""Maximum number of changes or differences that are named."""
SHORT = frozenset(
    (
        *(Why.AUDIT_IMPORTED, Why.UNTRIED, Why.UNPINNED, Why.REDIRECTED, Why.CHANGES_UNRECORDED),
        *(Why.CHANGES_SO_FAR, Why.UNCHANGED),
        *(Why.ALL_UNDONE, Why.NOT_UNDONE, Why.NO_CONTROL, Why.CONTROL_AGREES, Why.CONTROL_DIFFERS),
    )
)
"""What is reported where there is room for only one line."""


def audit(report: Report) -> tuple[Reason, ...]:
    """The monitor's own effects, in this order: in the app, on the way to the network, on the device, requests, the
    control run."""
    if report.run.imported:
        return (because(Why.AUDIT_IMPORTED),)
    return (
        *_in_the_app(report.run),
        *_played(report),
        *_on_the_way(report.run),
        *_on_the_device(report.run),
        *_requests(report.run),
        _control(report),
    )


def _in_the_app(run: Run) -> Iterator[Reason]:
    if run.unhooked is not None:
        yield because(Why.UNHOOKED, why=run.unhooked)
    elif run.hooks:
        count = count_sources(run.hooks)
        agent = run.versions.get("agent") or ""
        yield because(Why.WRAPPED, count=count.installed, many=count.known, agent=agent)
    if run.unhooked is None:
        yield _probe(run)
        if run.tried == "no":
            device = run.device
            said = (f"API {device.api_level}" if device.api_level else None, device.facts.get("abis"))
            yield because(Why.UNTRIED, names=[each for each in said if each])
    if run.unpin:
        met = [check for check, state in run.unpinned.items() if state == "met"]
        yield because(Why.UNPINNED, names=sorted(met))
    else:
        yield because(Why.NOT_UNPINNED if "unpin" in run.model_fields_set else Why.UNPIN_UNRECORDED)


def _played(report: Report) -> Iterator[Reason]:
    touches = [seen.event.touched for seen in report.screens if isinstance(seen.event, Screen)]
    if count := sum(touch is not None and touch.by == "plan" for touch in touches):
        yield because(Why.PLAYED, count=count)


def _probe(run: Run) -> Reason:
    probe = run.probe
    if probe is None or probe.called == 0:
        return because(Why.PROBE_UNRECORDED)
    if probe.failed:
        return because(Why.PROBE_FAILED, count=probe.seen, many=probe.called)
    return because(Why.PROBE_PASSED, count=probe.called)


def _on_the_way(run: Run) -> Iterator[Reason]:
    way = str(run.route.get("way") or (run.model_extra or {}).get("mode") or "")
    if run.proxy is not None:
        yield because(Why.PROXIED, to=f"{run.proxy.ip}:{run.proxy.port}", way=way)
    if way.startswith("redirect"):
        yield because(Why.REDIRECTED)


def _on_the_device(run: Run) -> Iterator[Reason]:
    if run.observers.persona == "planted" and run.persona:
        yield because(Why.PLANTED, count=len(run.persona))
    left = [change.what for change in run.changes if change.undone is None]
    if "changes" not in run.model_fields_set:
        yield because(Why.CHANGES_UNRECORDED)
    elif run.ended is None:
        yield because(Why.CHANGES_SO_FAR, count=len(run.changes))
    elif left:
        yield because(Why.NOT_UNDONE, count=len(left), many=len(run.changes), names=left[:NAMED])
    else:
        yield because(Why.ALL_UNDONE, count=len(run.changes)) if run.changes else because(Why.UNCHANGED)


def _requests(run: Run) -> Iterator[Reason]:
    codes = {"time_stamp": Why.ASKED_TIME, "frida_build": Why.FETCHED_FRIDA, "proxy_reached": Why.TRIED_PROXY}
    if run.requests is None:
        yield because(Why.REQUESTS_UNRECORDED)
    elif not run.requests:
        yield because(Why.NO_REQUESTS)
    else:
        yield from (because(codes[request.what], to=request.to) for request in run.requests)


def _control(report: Report) -> Reason:
    if not report.coverage.get("control"):
        return because(Why.NO_CONTROL)
    differences = [gap.subject for gap in report.gaps if gap.counted and gap.counted.by == "control"]
    if not differences:
        return because(Why.CONTROL_AGREES)
    return because(Why.CONTROL_DIFFERS, count=len(differences), names=list(dict.fromkeys(differences))[:NAMED])

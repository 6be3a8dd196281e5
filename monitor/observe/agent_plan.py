"""What the agent is asked to watch, as it takes it (hooks/plan.ts)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.observe import exits, native, transforms, trust
from monitor.observe.consent_signals import Signals
from monitor.observe.sources import Source

FLUSH_MS = 50


def plan(
    app: str,
    sources: Sequence[Source],
    signals: Signals,
    *,
    api_level: int | None,
    started: bool,
    stand_ins: bool,
    stack: bool,
    fold_ms: int,
    proxy_key: str | None,
    unpin: bool,
    redirect: tuple[str, int] | None = None,
) -> dict[str, Any]:
    """All of the catalog. `api_level`: that of the device's Android; `started`: the process begins with us;
    `stand_ins`: Android's classes are the device's own, loaded as the app's are; the rest is as `Agent` takes it."""
    return {
        "app": app,
        "started": started,
        "stand_ins": stand_ins,
        "sources": [source.plan() for source in sources],
        **signals.plan(),
        "transforms": transforms.load().plan(api_level),
        "native": native.load().plan(),
        "exits": exits.load().plan(),
        "tls": trust.libraries().plan(proxy_key),
        "unpinning": trust.checks().plan() if unpin else trust.NO_CHECKS,
        "redirect": None if redirect is None else {"ip": redirect[0], "port": redirect[1]},
        "stack": stack,
        "flush_ms": FLUSH_MS,
        "fold_ms": fold_ms,
    }

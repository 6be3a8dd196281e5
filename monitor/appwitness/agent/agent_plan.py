"""The plan that tells the agent what to watch, in the form that hooks/plan.ts expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from appwitness.agent import consent_signals, exits, native_routes, tls_libraries, transforms
from appwitness.agent.sources import Source

FLUSH_MS = 50


@dataclass(frozen=True)
class AgentOptions:
    """Options of the agent in a run."""

    api_level: int | None = None
    """API level of the device."""
    partial: bool = False
    """The device has only part of Android's classes, as stand-ins that are loaded like the app's own."""
    clock_offset_ms: float = 0
    """Offset of the device's clock, until it is measured."""
    stack: bool = True
    fold_ms: int = 1000
    """Identical calls within this time are folded into one line."""
    proxy_key: str | None = None
    """Key identifier of the proxy's CA (trust.key_of): traffic that the proxy decrypts is not recorded at the TLS
    library as well."""
    unpin: bool = False
    """Make the app accept the proxy's certificate."""


USUAL = AgentOptions()


def plan(
    app: str,
    sources: Sequence[Source],
    options: AgentOptions,
    *,
    started: bool,
    redirect: tuple[str, int] | None = None,
) -> dict[str, Any]:
    """The plan for all sources of the catalog. `started`: appwitness starts the process."""
    return {
        "app": app,
        "started": started,
        "stand_ins": options.partial,
        "sources": [source.plan() for source in sources],
        **consent_signals.plan(),
        "transforms": transforms.load().plan(options.api_level),
        "native": native_routes.load().plan(),
        "exits": exits.load().plan(),
        "tls": tls_libraries.libraries().plan(options.proxy_key),
        "unpinning": tls_libraries.checks().plan() if options.unpin else tls_libraries.NO_CHECKS,
        "redirect": None if redirect is None else {"ip": redirect[0], "port": redirect[1]},
        "stack": options.stack,
        "flush_ms": FLUSH_MS,
        "fold_ms": options.fold_ms,
    }

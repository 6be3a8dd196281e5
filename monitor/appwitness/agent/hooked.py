"""Tracks the state of each source's hook, and the gaps that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from appwitness.agent.sources import Source

State = Literal["installed", "class_absent", "overload_absent", "failed", "waiting"]
Why = Literal["class_absent", "method_absent", "install_failed"]
_ABSENT: Mapping[State, Why] = {
    "waiting": "class_absent",
    "class_absent": "class_absent",
    "overload_absent": "method_absent",
}


class HookStatus(BaseModel):
    """The state of one source's hook."""

    model_config = ConfigDict(frozen=True)

    source: str
    cls: str
    method: str
    state: State
    detail: str | None = None


class Hooked:
    """The hooks of `sources` in one process. `api_level`: that of the device's Android; `partial`: the device has
    only part of Android's classes."""

    def __init__(self, sources: Sequence[Source], api_level: int | None, *, partial: bool) -> None:
        self._sources = sources
        self._api_level = api_level
        self._partial = partial
        self._keys = {_key(source) for source in sources}
        self._told: dict[tuple[str, str, str], HookStatus] = {}

    def told(self, items: Iterable[HookStatus]) -> None:
        """Take states that the agent reports; states of sources that nobody asked for are ignored."""
        self._told |= {_of(status): status for status in items if _of(status) in self._keys}

    def statuses(self) -> list[HookStatus]:
        """The states of all hooks, in the order of the sources."""
        known = dict(self._told)
        return [
            known.get(
                _key(source),
                HookStatus(source=source.name, cls=source.cls, method=source.method, state="waiting"),
            )
            for source in self._sources
        ]

    def gaps(self) -> Iterator[tuple[Why, str | None, str]]:
        """Sources that should exist and were never hooked, as (why, detail, subject of the gap). One gap each, or
        one for all on a device with part of Android. A source that this Android release lacks, or that is marked
        optional, is no gap."""
        wanted = {_key(source) for source in self._sources if source.on(self._api_level) and not source.optional}
        missing = [status for status in self.statuses() if status.state in _ABSENT and _of(status) in wanted]
        if self._partial and missing:
            installed = {status.source for status in self.statuses() if status.state == "installed"}
            names = {status.source for status in missing} - installed
            others = {source.name for source in self._sources} - installed
            some = f"{len(names):,} of the {len(others):,} sources that are not installed"
            yield "class_absent", f"{some} belong to this release of Android; run.json says how each stands", "sources"
            missing = []
        for status in [*missing, *(status for status in self.statuses() if status.state == "failed")]:
            detail = status.detail or (f"{status.cls} never came" if status.state == "waiting" else None)
            yield _ABSENT.get(status.state, "install_failed"), detail, status.source


def _key(source: Source) -> tuple[str, str, str]:
    return (source.name, source.cls, source.method)


def _of(status: HookStatus) -> tuple[str, str, str]:
    return (status.source, status.cls, status.method)

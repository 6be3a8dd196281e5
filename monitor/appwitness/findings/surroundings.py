"""The context of a match in its upload: its path, its neighbours and its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Literal

from pydantic import Field

from appwitness.events import Record


class Stage(Record):
    """The result of one decoding step."""

    step: str = Field(description="name of the step: gzip, json; empty: as it is stored")
    path: str = Field(description="where in the upload: `$`, `$.people[3]`")
    size: int = Field(description="bytes")


class Neighbour(Record):
    """One field of the decoded upload."""

    path: str
    text: str = Field(description="its beginning")
    cut: bool = Field(default=False, description="it goes on")
    here: bool = Field(default=False, description="the field that holds the value")


class Stretch(Record):
    """Consecutive bytes of the stored body."""

    what: Literal["found", "value", "structure"] = Field(
        description="found: the match, or what it was decoded from; value: of another field; structure: between fields"
    )
    data: bytes
    hidden: bool = Field(default=False, description="they are not to be shown: masked")


class Context(Record):
    """The context of one match of a flow."""

    match: int = Field(description="number of the match in its flow, from 0")
    stages: tuple[Stage, ...] = Field(default=(), description="from what is stored to the field")
    fields: tuple[Neighbour, ...] = Field(default=(), description="the field before, the one that holds it, the next")
    offset: int = Field(default=0, description="where in the stored body the bytes begin")
    stretches: tuple[Stretch, ...] = Field(
        default=(), description="stored bytes; none where the match has no place of its own among them: gzip"
    )


class Contexts(Mapping[str, tuple[Context, ...]]):
    """Flow id -> the contexts of its matches. Only the page uses them, so they are computed on first access: bodies
    are read and decoded once more for this."""

    def __init__(self, make: Callable[[], Mapping[str, tuple[Context, ...]]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Mapping[str, tuple[Context, ...]]:
        return self._make()

    def __getitem__(self, flow: str) -> tuple[Context, ...]:
        return self._made[flow]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

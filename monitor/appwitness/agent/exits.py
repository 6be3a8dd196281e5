"""Reads catalog/exits.yml, ways for data to leave an app other than a connection, in the form the agent expects."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from appwitness.agent.sources import Name
from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry


class ExitMethods(CatalogEntry):
    """Methods of one class through which data leaves the app."""

    cls: Name = Field(alias="class")
    methods: tuple[str, ...] = Field(min_length=1)
    via: Literal["sms", "intent", "bluetooth", "nfc"]
    to: int | Literal["this"] | None = Field(default=None, description="where it goes: index of an argument, or `this`")
    get: tuple[str, ...] = Field(default=(), description="getters that lead from there to the destination")
    holds: tuple[int, ...] = Field(default=(), description="arguments with what goes out")
    getters: tuple[str, ...] = Field(default=(), description="getters that give the bytes of such an argument")
    intent: int | None = Field(default=None, description="index of the intent")

    @model_validator(mode="after")
    def _has_something(self) -> ExitMethods:
        if (self.intent is None) != bool(self.holds):
            raise ValueError("an exit has `holds`, or an `intent`")
        return self


class Exits(CatalogEntry):
    """catalog/exits.yml."""

    exits: tuple[ExitMethods, ...]

    def plan(self) -> list[dict[str, Any]]:
        """The exits in the form that the agent expects (hooks/plan.ts)."""
        return [entry.model_dump() for entry in self.exits]


def load() -> Exits:
    """Load the catalog's exits. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "exits.yml", Exits)

"""Reads catalog/transforms.yml: the digests, MACs, ciphers, compressors and encoders whose calls the agent records."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from appwitness.agent.sources import Levels, among
from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry


class CallPart(CatalogEntry):
    """Where a call has the bytes: a whole argument or return value, or part of an argument."""

    of: int | Literal["return"] = Field(alias="argument", description="index of the argument, first is 0; or `return`")
    start: int | None = Field(default=None, alias="from", description="index of the argument that says where it begins")
    size: int | str | None = Field(
        default=None, description="index of the argument that says how long; `count`: what was returned; a getter"
    )


class Begin(CatalogEntry):
    """A call that begins a new operation."""

    mode: int | None = Field(default=None, description="index of a Cipher's mode: 1 and 3 encrypt, 2 and 4 decrypt")
    key: int | None = Field(default=None, description="index of the key")


class TransformMethod(CatalogEntry):
    """One method of a class that transforms."""

    method: str
    overload: tuple[str, ...] | None = Field(default=None, description="argument types; None: all there are")
    takes: CallPart | None = None
    gives: CallPart | None = None
    begins: Begin | None = None
    ends: bool = False
    when: str | None = Field(default=None, description="getter that must say true for the work to end")
    clears: bool = False
    api: Levels | None = Field(default=None, description="Android API levels that have it: 35-; None: all")

    @field_validator("takes", "gives", mode="before")
    @classmethod
    def _whole(cls, part: Any) -> Any:
        return {"argument": part} if isinstance(part, int | str) else part


class Transformer(CatalogEntry):
    """One class that transforms."""

    cls: str = Field(alias="class")
    op: Literal["digest", "mac", "encrypt", "decrypt", "compress", "encode"]
    algorithm: str = Field(default="", description="its name, or the getter that says it")
    iv: str | None = Field(default=None, description="getter of the initialisation vector")
    methods: tuple[TransformMethod, ...] = Field(min_length=1)
    optional: str | None = Field(default=None, description="why it may be missing without anything being missed")


class Transformers(CatalogEntry):
    """catalog/transforms.yml."""

    not_from: tuple[str, ...] = Field(description="beginnings of frames whose own crypto is left out; `*` is any text")
    through: tuple[str, ...] = Field(description="the same of those that stand between a caller and the call")
    classes: tuple[Transformer, ...]

    def plan(self, level: int | None) -> dict[str, Any]:
        """The entry in the form that the agent expects (hooks/plan.ts); `level`: the device's API level, if known."""
        return {
            **self.model_dump(exclude={"classes"}),
            "classes": [
                {
                    **each.model_dump(exclude={"methods"}),
                    "methods": [
                        {**step.model_dump(exclude={"api"}), "expected": among(level, step.api)}
                        for step in each.methods
                    ],
                }
                for each in self.classes
            ],
        }


def load() -> Transformers:
    """Load the catalog's transforms. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "transforms.yml", Transformers)

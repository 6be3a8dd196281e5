"""A diagnosis: the results of all checks, for every kind of device."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

Level = Literal["ok", "warning", "fault"]


class Result(BaseModel):
    """The result of one check. Its texts may be `Spoken`; where it is written as JSON, they are English."""

    model_config = ConfigDict(frozen=True)

    check: str = Field(description="the check's name: a key of `checks` in catalog/devices/doctor.yml")
    level: Level = Field(description="fault: a run would fail; warning: it would see less, or say less")
    code: str | None = Field(description="code of the fault, the same in every version; null when there is none")
    message: SkipValidation[str]
    remedy: SkipValidation[str | None]


class Diagnosis(BaseModel):
    """What `appwitness doctor --json` prints; fields are added, never renamed."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    device: str | None = Field(description="serial as adb has it; null when none was found")
    model: str | None = None
    release: str | None = None
    api: int | None = None
    kind: Literal["emulator", "phone", "lab"] | None = None
    results: tuple[Result, ...]

    @property
    def worst(self) -> Level:
        """The most serious level among its results."""
        levels: tuple[Level, ...] = ("fault", "warning", "ok")
        return next(level for level in levels if any(result.level == level for result in self.results))


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `appwitness doctor --json`."""
    tree = Diagnosis.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **tree}

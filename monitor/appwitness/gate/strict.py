"""The record of a file that people write: an unknown key is an error, since it may be a known one misspelt."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Frozen, and no other fields than those that are declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

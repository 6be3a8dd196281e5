"""What files of the catalog are read as: entries that know all their fields, and regular expressions."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class CatalogEntry(BaseModel):
    """A part of a file of the catalog: a field that is not known is an error. Fields may have another name there."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _pattern(text: str) -> str:
    if "(?P" in text or re.search(r"\(\?[aiLmsux]", text):
        raise ValueError("named groups and inline flags are not known to the agent")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression that Python and the agent's JavaScript read alike."""

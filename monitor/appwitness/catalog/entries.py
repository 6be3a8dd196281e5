"""Base models for catalog files: entries that reject unknown fields, and regular expressions."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo


class CatalogEntry(BaseModel):
    """A part of a catalog file: unknown fields are errors. A field may be named differently in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def known_names(name: str, where: str) -> AfterValidator:
    """Checks that names occur in another catalog file; the known names are passed as validation context."""

    def check(names: Any, info: ValidationInfo) -> Any:
        known = (info.context or {}).get(name)
        given = (names,) if isinstance(names, str) else names or ()
        unknown = sorted(set(given) - set(known)) if known is not None else []
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: unknown name; {where} lists the known ones")
        return names

    return AfterValidator(check)


def _pattern(text: str) -> str:
    if "(?P" in text or re.search(r"\(\?[aiLmsux]", text):
        raise ValueError("the agent does not support named groups and inline flags")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression that Python and the agent's JavaScript interpret alike."""

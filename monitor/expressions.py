"""Regular expressions of the catalog, which Python and the agent's JavaScript read alike."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator


def _pattern(text: str) -> str:
    if "(?P" in text or re.search(r"\(\?[aiLmsux]", text):
        raise ValueError("named groups and inline flags are not known to the agent")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]

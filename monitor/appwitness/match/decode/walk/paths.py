"""The path of a leaf: where it stands in its document."""

from __future__ import annotations

import json
import re

NAME = re.compile(r"[^\W\d][\w$-]*")
LONGEST_KEY = 200
"""Maximum letters of a key in a path."""


def child_path(parent: str, key: str) -> str:
    """The path of a member: `$.name`, or `$["first name"]` if the key is not a plain word; a long key is cut."""
    key = key if len(key) <= LONGEST_KEY else key[:LONGEST_KEY] + "…"
    return f"{parent}.{key}" if NAME.fullmatch(key) else f"{parent}[{json.dumps(key, ensure_ascii=False)}]"

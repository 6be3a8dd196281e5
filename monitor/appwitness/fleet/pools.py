"""Pools: requirements on a device such as `api>=33 and rooted and region=cn`, and whether a device meets them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

_TERM = re.compile(
    r"(?P<not>not\s+)?(?P<name>(?!(?:and|or|not)\b)[A-Za-z][\w.-]*)\s*(?:(?P<op>>=|<=|!=|=|>|<)\s*(?P<value>[\w.:+-]+))?"
)
_ORDER: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
LONGEST = 200
"""Maximum length of a pool's text, in characters."""


@lru_cache(1000)
def pool(needs: str) -> str:
    """The canonical form of requirements: sorted terms, without duplicates. Raises UserError for text that is not a
    requirement."""
    terms = sorted({_spelled(term) for term in re.split(r"\s+and\s+", needs.strip(), flags=re.IGNORECASE) if term})
    name = " and ".join(terms)
    if len(name) > LONGEST:
        raise UserError(
            Spoken("{needs!r} is longer than {longest} characters.", needs=needs, longest=LONGEST),
            "Give devices a label for it: --label.",
        )
    return name


def _spelled(term: str) -> str:
    found = _TERM.fullmatch(term.strip())
    if found is None or (found["not"] and found["op"]) or (found["op"] in _ORDER and not _number(found["value"])):
        raise UserError(
            Spoken("{term!r} is not something that a device can have.", term=term),
            "Write terms as api>=33 and rooted and region=cn.",
        )
    if found["op"]:
        return f"{found['name']}{found['op']}{found['value']}"
    return f"not {found['name']}" if found["not"] else found["name"]


def meets(labels: Mapping[str, str], pool: str) -> bool:
    """Whether a device with these labels meets all requirements of the pool."""
    return all(_meets(labels, term) for term in pool.split(" and ") if term)


def _meets(labels: Mapping[str, str], term: str) -> bool:
    found = _TERM.fullmatch(term)
    if found is None:
        return False
    has = labels.get(found["name"])
    if not found["op"]:
        return (has in (None, "no")) == bool(found["not"])
    if found["op"] in ("=", "!="):
        return (has == found["value"]) == (found["op"] == "=")
    return has is not None and _number(has) and _ORDER[found["op"]](float(has), float(found["value"]))


def strictness(pool: str) -> int:
    """How demanding a pool is: a device first takes the runs that only few devices can record."""
    return pool.count(" and ")


def _number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None

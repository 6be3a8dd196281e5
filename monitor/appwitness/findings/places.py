"""A table of the text fields in a recording and how each may be shown or copied; in unlisted text only our own words
stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from appwitness.events import Part, Record
from appwitness.support import vocabulary as only
from appwitness.support.vocabulary import Hide

type Way = Callable[[str, Hide], str]


def subject(said: str, hide: Hide) -> str:
    """The subject of a gap: a host, a source, a process, a line."""
    return only.name(said, hide) if "." in said and " " not in said else only.told(said, hide)


def stated(said: str, _hide: Hide) -> str:
    """Text that a person supplies for reports to show, unchanged."""
    return said


WAYS: Mapping[str, Way] = {
    **dict.fromkeys(("AnsweredItem.who", "AnsweredItem.note"), stated),
    **dict.fromkeys(("app", "package", "activity", "on_behalf", "owners"), only.name),
    **dict.fromkeys(("source", "stack"), only.name),
    **dict.fromkeys(("host", "announced", "sni", "ip"), only.host),
    **dict.fromkeys(("data", "outcome", "thread"), only.sifted),
    **dict.fromkeys(("corrects", "retracts", "ref"), only.reference),
    "algorithm": only.algorithm,
    "method": only.method,
    "alpn": only.alpn,
    "Tls.version": only.tls_version,
    "Upload.type": only.content_type,
    "Consent.text": only.permission,
    "Gap.subject": subject,
    "ReportedGap.subject": subject,
    "Witness.subject": only.permission,
    "detail": only.told,
}
"""`Kind.field` or field -> how it may be shown."""


def way_of(kind: type, field: str) -> Way:
    """How the text of a field may be shown."""
    return WAYS.get(f"{kind.__name__}.{field}") or WAYS.get(field) or only.sifted


@cache
def closed(kind: type[Part]) -> frozenset[str]:
    """The fields that hold no freely chosen text: numbers, times, digests, choices of the contract."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    return frozenset(each.name for each in info.fields if all(map(_is_closed, _kinds(each.type))))


def _kinds(kind: Any) -> Iterator[Any]:
    match kind:
        case msgspec.inspect.UnionType():
            for each in kind.types:
                yield from _kinds(each)
        case msgspec.inspect.Metadata():
            yield from _kinds(kind.type)
        case _:
            yield kind


def _is_closed(kind: Any) -> bool:
    inspect = msgspec.inspect
    if isinstance(kind, inspect.StrType):
        return kind.pattern is not None
    return isinstance(
        kind,
        inspect.LiteralType | inspect.IntType | inspect.FloatType | inspect.BoolType | inspect.DateTimeType
        | inspect.NoneType,
    )  # fmt: skip


@cache
def closed_of(kind: type[Record]) -> frozenset[str]:
    """The same for a part of run.json."""
    return frozenset(name for name, field in kind.model_fields.items() if _is_choice(field.annotation))


def _is_choice(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return all(map(_is_choice, get_args(annotation)))
    return get_origin(annotation) is Literal or annotation in (int, float, bool, datetime, type(None))

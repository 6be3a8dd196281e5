"""The page of one source: what is hooked, why, who guards it, where it is, how values are read, what leans on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from appwitness.api.hooked_apis import (
    Binder,
    Cover,
    FollowSpec,
    HookedEntry,
    HookedPage,
    NativeRoute,
    Source,
    ValueSpec,
)

WIDTH = 13


def page(hooked: HookedPage) -> str:
    """The page of all sources of one name, and of the yardstick's APIs that they see."""
    lines = [hooked.name]
    for each in hooked.entries:
        lines += ["", *_lines(_of(each))]
    own = [_yard(cover) for cover in hooked.covers if cover.state == "hooked"]
    lean: dict[str, list[str]] = {}
    for cover in hooked.covers:
        if cover.state == "lower_layer":
            lean.setdefault(cover.why or "", []).append(_yard(cover))
    if own:
        lines += ["", *_lines([("yardstick", own)])]
    for why, names in lean.items():
        lines += ["", *_lines([("lean on it", names), ("because", [why])])]
    return "\n".join(lines)


def covered_page(cover: Cover) -> str:
    """The page of an API that has no source of its own: what sees it, or why nothing does."""
    parts = [
        ("yardstick", [f"{cover.yard.level}, {cover.yard.category}"]),
        ("state", [cover.state.replace("_", " ")]),
        ("seen by", [cover.by] if cover.by else []),
        ("because", [cover.why] if cover.why else []),
    ]
    return "\n".join([cover.yard.name, "", *_lines(parts)])


def _yard(cover: Cover) -> str:
    yard = cover.yard
    return f"{yard.name} ({yard.level}, {yard.category})"


def _lines(parts: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    for label, texts in parts:
        for at, text in enumerate(texts):
            yield f"  {label if at == 0 else '':{WIDTH}}{text}".rstrip()


def _of(each: HookedEntry) -> list[tuple[str, Sequence[str]]]:
    match each:
        case Source():
            return _source(each)
        case NativeRoute():
            return _route(each)
        case Binder():
            return [
                ("why", [each.why]),
                ("data", [f"{data}: {interface}" for interface, data in sorted(each.interfaces.items())]),
                ("value", ["none; args.code is the number of the transaction"]),
            ]


def _source(source: Source) -> list[tuple[str, Sequence[str]]]:
    hooked = [f"({', '.join(types)})" for types in source.overloads] if source.overloads else ["every overload"]
    only = []
    if source.when:
        what = "the object" if source.when.argument == "this" else f"argument {source.when.argument}"
        only = [f"{what}{_chain(source.when.get)} has {' or '.join(source.when.matches)}"]
    notes = [*([f"its class: from {', '.join(source.implementations)}"] if source.implementations else [])]
    if source.callback:
        notes.append("the system calls it on a class of the app's")
    values = [*_values(source.values, source.data), *_follows(source.follow, source.data)]
    return [
        ("data", [source.data]),
        ("why", [source.why] if source.why else []),
        ("permission", [source.permission or "none"]),
        ("Android", [f"API {source.api}" if source.api else "every API level"]),
        ("hooked", [*hooked, *notes]),
        ("signature", source.shape),
        ("only when", only),
        ("value", values or ["none: that it was called, and with what"]),
        ("may lack", [source.optional] if source.optional else []),
    ]


def _values(values: Sequence[ValueSpec], data: str) -> Iterator[str]:
    for value in values:
        where = {"return": "what it returns", "this": "the object"}.get(str(value.of), f"argument {value.of}")
        of = f", of a {value.only}" if value.only else ""
        form = "" if value.form == "text" else f", as {value.form}"
        yield f"{value.type or data}: {where}{_chain(value.get)}{of}{form}"


def _chain(getters: Sequence[str]) -> str:
    return "".join(getter if getter.startswith(".") else f".{getter}()" for getter in getters)


def _follows(follows: Sequence[FollowSpec], data: str) -> Iterator[str]:
    for follow in follows:
        if follow.form == "cursor":
            kinds = {
                kind
                for table in follow.tables
                for column in table.columns.values()
                for kind in ([column] if isinstance(column, str) else column.values())
            }
            yield f"each cell that the app reads of the cursor: {', '.join(sorted(kinds))}"
            continue
        what = f"the {follow.type} that the app gives" if follow.object == "argument" else "what it returns"
        for method, step in follow.methods.items():
            for text in (*_values(step.values, data), *_follows(step.follow, data)):
                yield f"{what}, {method}: {text}"


def _route(route: NativeRoute) -> list[tuple[str, Sequence[str]]]:
    return [
        ("why", [route.why]),
        ("hooked", [", ".join((route.function, *route.also))]),
        ("read as", [route.reads]),
        ("data", [f"{ask.data}: {ask.matches or 'every call'}" for ask in route.asks]),
    ]

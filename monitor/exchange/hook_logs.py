"""JSON lines of other tools' hooks, one call a line: read as accesses, by a mapping that says where what stands."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor import catalog
from monitor.errors import UserError
from monitor.events import Access, Gap, Value
from monitor.exchange.conversion import Conversion
from monitor.observe import sources

LOCATION = re.compile(r"(-?\d{1,2}\.\d+),\s?(-?\d{1,3}\.\d+)")
"""The place in `Location[gps 31.230416,121.473701 hAcc=5.0 ...]`, as Android prints one."""
OBJECT = re.compile(r"<instance\b|\[object |^[\w.$]+@[0-9a-f]{1,8}$")
"""A value that only says which object it was."""
Where = Sequence[str | int]


class Fields(BaseModel):
    """catalog/hook_logs/<tool>.yml: where a line of a tool's log has what. A place is a list of keys and indices."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    time: tuple[str | int, ...] = Field(description="RFC 3339, or seconds or milliseconds since 1970")
    cls: tuple[str | int, ...] = Field(alias="class", description="class of the hooked method")
    method: tuple[str | int, ...] = Field(description="its method; $init for constructors")
    returned: tuple[str | int, ...] = Field(description="what it returned")
    argument: tuple[str | int, ...] = Field(description="one argument; the index stands where `*` does")
    stack: tuple[str | int, ...] = Field(description="frames, innermost first: a list, or text of lines")
    only: dict[str, str] = Field(default_factory=dict, description="key -> text that a line must have to be a call")


def fields(mapping: Path | None) -> Fields:
    """A mapping of the user's own, or frooky's. Raises FileError with file and line."""
    if mapping is None:
        (mapping,) = catalog.files("hook_logs/frooky.yml")
    return catalog.parse(mapping, Fields)


def read(path: Path, app: str, mapping: Path | None = None) -> Conversion:
    """The calls of a hook log that a source of the catalog names, each as an access.

    A value that the log has only as an object's name is no value: the access then has none. Calls of other APIs and
    lines that cannot be read are counted in gaps.
    """
    where = fields(mapping)
    known: dict[tuple[str, str], sources.Source] = {}
    for source in sources.load():
        known.setdefault((source.cls, source.method), source)
    conversion = Conversion()
    others: Counter[str] = Counter()
    last = datetime.now(UTC)
    for number, line in enumerate(_lines(path), 1):
        subject = f"{path.name}:{number}"
        if isinstance(line, str):
            conversion.missed(last, app, subject, line)
            continue
        if any(line.get(key) != text for key, text in where.only.items()):
            continue
        try:
            last = _time(_at(line, where.time))
            cls, method = str(_at(line, where.cls)), str(_at(line, where.method))
        except (LookupError, TypeError, ValueError, ValidationError) as error:
            conversion.missed(last, app, subject, f"{type(error).__name__}: {error}")
            continue
        if (cls, method) in known:
            conversion.events.append(_access(line, where, known[cls, method], app, last))
        else:
            others[f"{cls}.{method}"] += 1
    for api, count in sorted(others.items()):
        conversion.events.append(
            Gap(
                at=last,
                app=app,
                where="hook",
                subject=api,
                why="protocol_unsupported",
                detail=f"{count} calls; no source names this API",
            )
        )
    return conversion


def _lines(path: Path) -> Iterator[dict[str, Any] | str]:
    """Each line as an object, or what is wrong with it."""
    with path.open("rb") as file:
        for raw in file:
            if not raw.strip():
                continue
            try:
                line = json.loads(raw)
            except ValueError as error:
                yield f"not JSON: {error}"
                continue
            yield line if isinstance(line, dict) else "not an object"


def _at(line: Any, where: Where) -> Any:
    for step in where:
        line = line[step]
    return line


def _maybe(line: Any, where: Where) -> Any:
    try:
        return _at(line, where)
    except (LookupError, TypeError):
        return None


def _time(text: Any) -> datetime:
    if isinstance(text, str) and not text.replace(".", "", 1).isdigit():
        at = datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    number = float(text)
    return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)


def _access(line: Mapping[str, Any], where: Fields, source: sources.Source, app: str, at: datetime) -> Access:
    values: list[Value] = []
    seen: list[Any] = []
    for spec in source.values:
        if spec.of == "return":
            raw = _maybe(line, where.returned)
        elif isinstance(spec.of, int):
            raw = _maybe(line, _argument(where, spec.of))
        else:
            continue
        seen.append(raw)
        text = None if spec.get else _text(raw, spec.form)
        if text:
            values.append(Value(type=spec.type or source.data, text=text))
    # (A target that the source itself names, or finds in the call's surroundings, stands in no log.)
    target = _maybe(line, _argument(where, source.target)) if isinstance(source.target, int) else None
    stack = _maybe(line, where.stack) or ()
    frames = [frame.strip() for frame in (stack.splitlines() if isinstance(stack, str) else stack)]
    own = f"{source.cls}.{source.method.replace('$init', '<init>')}("
    return Access(
        at=at,
        app=app,
        source=source.name,
        target=None if target is None else str(target),
        data=source.data,
        values=tuple(values),
        outcome="empty" if seen and all(raw in (None, "", "null") for raw in seen) else "returned",
        stack=tuple(frame for frame in frames if frame and not frame.startswith(own)),
    )


def _argument(where: Fields, index: int) -> Where:
    return [index if step == "*" else step for step in where.argument]


def _text(raw: Any, form: str) -> str | None:
    """A logged value as the contract writes it; None when the log does not have the value itself."""
    if raw is None or isinstance(raw, dict | list):
        return None
    text = str(raw)
    if form == "location":
        place = LOCATION.search(text)
        return f"{place[1]},{place[2]}" if place else None
    return None if OBJECT.search(text) else text


def persona(words: Sequence[str]) -> tuple[Value, ...]:
    """`phone_number=+8613800138000` and the like, as given on the command line. Raises UserError."""
    values: list[Value] = []
    for word in words:
        type_, equals, text = word.partition("=")
        if not equals or not type_ or not text:
            raise UserError(f"--value {word!r} is not TYPE=VALUE.", "Write it as --value phone_number=+8613800138000.")
        values.append(Value(type=type_, text=text))
    return tuple(values)

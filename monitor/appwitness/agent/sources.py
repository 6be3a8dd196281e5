"""Reads catalog/sources/, the APIs to hook, in the form that the agent expects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry, Pattern
from appwitness.support.errors import FileError
from appwitness.support.spoken import Spoken

_NAME = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*\Z")
_LEVELS = re.compile(r"(\d+)-(\d*)\Z")
_TYPE = r"[A-Za-z_$][\w$.]*(?:\[\])*"
_SHAPE = re.compile(
    rf"(?P<static>static )?(?P<gives>{_TYPE}) (?P<method>[A-Za-z_$][\w$]*)\((?P<takes>(?:{_TYPE}(?:, {_TYPE})*)?)\)\Z"
)


def _qualified(text: str) -> str:
    if not _NAME.match(text):
        raise ValueError(f"not a name of Java: {text!r}")
    return text


def _levels(text: str) -> str:
    found = _LEVELS.match(text)
    if not found or (found[2] and int(found[2]) < int(found[1])):
        raise ValueError(f"not a range of API levels such as 26- or 1-28: {text!r}")
    return text


def _signature(text: str) -> str:
    if not _SHAPE.match(text):
        raise ValueError(f"not a signature such as `static java.lang.String getId(android.content.Context)`: {text!r}")
    return text


def among(level: int | None, levels: str | None) -> bool:
    """Whether an API level is in a range such as `26-`; True if either is unknown."""
    if levels is None or level is None:
        return True
    first, _, last = levels.partition("-")
    return int(first) <= level <= int(last or level)


Name = Annotated[str, AfterValidator(_qualified)]
Levels = Annotated[str, AfterValidator(_levels)]
Signature = Annotated[str, AfterValidator(_signature)]


class Shape(NamedTuple):
    """A parsed Java method signature."""

    static: bool
    gives: str
    method: str
    takes: tuple[str, ...]

    @classmethod
    def of(cls, signature: str) -> Shape:
        """`static java.lang.String getId(android.content.Context)`."""
        found = _SHAPE.match(signature)
        if not found:
            raise ValueError(f"not a signature: {signature!r}")
        takes = tuple(found["takes"].split(", ")) if found["takes"] else ()
        return cls(bool(found["static"]), found["gives"], found["method"], takes)


class ValueSpec(CatalogEntry):
    """Where a call has a value, and how it is converted to text."""

    type: str | None = Field(default=None, description="data type code; that of the source when not given")
    of: Literal["return", "this"] | int = Field(
        default="return", alias="from", description="`return`, `this`, or the index of an argument, first is 0"
    )
    get: tuple[str, ...] = Field(
        default=(), description="getters without arguments, called one after the other; `.name` is a public field"
    )
    form: Literal["text", "location", "hex", "mac", "count"] = Field(
        default="text",
        alias="as",
        description="text: strings, numbers, what toString gives; of a list, an array, a Map or a Bundle each element; "
        "of a byte[] its UTF-8. location: `lat,lon` of an object with getLatitude and getLongitude, or with the fields "
        "latitude and longitude. hex: a byte[] as 0a1b2c. mac: a byte[] as 0a:1b:2c. count: no value; `args.elements` "
        "says how many a list, array or map has",
    )
    only: Name | None = Field(
        default=None, description="class that the object must be of; a call that gives another one is no access"
    )


class TableSpec(CatalogEntry):
    """One table of a content provider: which column holds which type."""

    uri: Pattern = Field(description="found in the content URI; the first table that has the column counts")
    columns: dict[str, str | dict[str, str]] = Field(
        description="column -> data type code, or MIME type of the row -> data type code"
    )


class StepSpec(CatalogEntry):
    """A method of a followed object, and its values."""

    values: tuple[ValueSpec, ...] = ()
    follow: tuple[FollowSpec, ...] = ()


class FollowSpec(CatalogEntry):
    """An object that delivers values later: a listener or callback of the app, or a task or cursor that it received."""

    object: Literal["return", "argument"]
    type: Name | None = Field(default=None, description="class of the argument, wherever it stands")
    form: Literal["object", "cursor"] = Field(default="object", alias="as")
    tables: tuple[TableSpec, ...] = ()
    methods: dict[str, StepSpec] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> FollowSpec:
        if (self.object == "argument") != (self.type is not None):
            raise ValueError("an argument is named by its `type`, a returned object is not")
        if (self.form == "cursor") != bool(self.tables) or (self.form == "object") != bool(self.methods):
            raise ValueError("a cursor has `tables`, another object has `methods`")
        return self


class CallCondition(CatalogEntry):
    """Which calls of a general API concern personal data."""

    argument: int | Literal["this"]
    get: tuple[str, ...] = Field(default=(), description="getters that lead from there to the text")
    matches: tuple[Pattern, ...] = Field(
        min_length=1, description="any of them, found in it as text; ${app} in them is the package of the app"
    )


class Ours(CatalogEntry):
    """Calls that are made only because the app is observed: they are no accesses of the app."""

    frames: tuple[Pattern, ...] = Field(
        min_length=1, description="the first is found in the frame that called, each other one further out, in order"
    )
    why: str = Field(description="what of ours causes the call, in one sentence")


class _Watch(CatalogEntry):
    """How an API is hooked, and the values of a call."""

    cls: Name
    overloads: tuple[tuple[str, ...], ...] | None = Field(
        default=None, description="argument types of those to wrap; None: all there are"
    )
    target: int | Literal["when"] | None = Field(
        default=None, description="index of the argument that says what was asked; `when`: the text that it looked at"
    )
    args: dict[str, int] = Field(default_factory=dict, description="name -> index of an argument that matters")
    when: CallCondition | None = None
    values: tuple[ValueSpec, ...] = ()
    follow: tuple[FollowSpec, ...] = ()
    implementations: tuple[Name, ...] = Field(
        default=(),
        description="factories (class.method, or a static field) that give what has the body: of an interface, of a "
        "class of the app's",
    )
    quiet: bool = Field(default=False, description="registering is no access; only each delivery is")
    unseen: bool = Field(
        default=False, description="an access only when one of its values was not given by any source lately"
    )
    callback: bool = Field(
        default=False,
        description="the system calls it on a class of the app's: its arguments hold the values; `implementations` "
        "name what makes the object",
    )
    ours: tuple[Ours, ...] = Field(default=(), description="calls that our proxy, certificate or agent causes")
    optional: str | None = Field(
        default=None, description="why it may be missing without anything being missed: an SDK, a hidden API"
    )
    api: Levels | None = Field(default=None, description="Android API levels that have it: 26-, 1-28; None: all")
    shape: tuple[Signature, ...] = Field(
        default=(), description="signatures of a hidden or vendor API, which no public list has"
    )


class Source(_Watch):
    """One API through which an app reads personal data."""

    name: str = Field(description="class and method, as accesses name it")
    method: str = Field(description="name of the method; $init for constructors")
    data: str = Field(description="data type code")
    permission: str | None = Field(default=None, description="Android permission that guards it")
    why: str = Field(default="", description="why this is personal data, in one sentence")

    def on(self, level: int | None) -> bool:
        """Whether Android at this API level has it; True if either is unknown."""
        return among(level, self.api)

    def plan(self) -> dict[str, Any]:
        """The source in the form that the agent expects (hooks/plan.ts)."""
        return {
            "source": self.name,
            "cls": self.cls,
            "method": self.method,
            "overloads": self.overloads,
            "data": self.data,
            "target": self.target,
            "args": self.args,
            "when": self.when.model_dump() if self.when else None,
            "values": [_value(value, self.data) for value in self.values],
            "follow": [_follow(follow, self.data) for follow in self.follow],
            "implementations": self.implementations,
            "callback": self.callback,
            "quiet": self.quiet,
            "unseen": self.unseen,
            "ours": [each.frames for each in self.ours],
        }


def _value(spec: ValueSpec, data: str) -> dict[str, Any]:
    return {"type": spec.type or data, "from": spec.of, "get": spec.get, "as": spec.form, "only": spec.only}


def _follow(spec: FollowSpec, data: str) -> dict[str, Any]:
    return {
        "object": spec.object,
        "type": spec.type,
        "as": spec.form,
        "tables": [table.model_dump() for table in spec.tables],
        "methods": {
            name: {
                "values": [_value(value, data) for value in step.values],
                "follow": [_follow(follow, data) for follow in step.follow],
            }
            for name, step in spec.methods.items()
        },
    }


class SourceEntry(_Watch):
    """One entry of a file: methods of one class that are read in the same way."""

    cls: Name = Field(alias="class")
    methods: tuple[str, ...] = Field(min_length=1)
    data: str | None = Field(default=None, description="that of the file when not given")
    permission: str | None = Field(default=None, description="that of the file when not given; null: none guards it")
    why: str | None = Field(default=None, description="that of the file when not given")

    @model_validator(mode="after")
    def _of_its_methods(self) -> SourceEntry:
        if other := {Shape.of(signature).method for signature in self.shape} - set(self.methods):
            raise ValueError(f"a shape of {', '.join(sorted(other))}, which is not among the methods")
        return self


class CatalogSources(CatalogEntry):
    """catalog/sources/<data type>.yml."""

    data: str = Field(description="data type code of the entries")
    why: str = Field(description="why this is personal data, in one sentence")
    permission: str | None = None
    sources: tuple[SourceEntry, ...]


def load(extra: Path | None = None) -> list[Source]:
    """All sources of the catalog in file order, then those of `extra`, a file or folder of the user's own. Raises
    FileError, with the line, for an invalid entry, and for an API that a file names twice."""
    loaded: list[Source] = []
    for path in yaml_files.files("sources", extra):
        file = yaml_files.parse(path, CatalogSources)
        seen: set[str] = set()
        for source in (source for entry in file.sources for source in _expand(entry, file)):
            identity = f"{source.name} {source.overloads} {source.when}"
            if identity in seen:
                line = _line_of(path, source.method)
                raise FileError(path, line, Spoken("{name} is listed twice.", name=source.name), "Keep one of the two.")
            seen.add(identity)
            loaded.append(source)
    return loaded


def _expand(entry: SourceEntry, file: CatalogSources) -> list[Source]:
    own = {"methods", "data", "shape"}
    shared = {name: getattr(entry, name) for name in type(entry).model_fields if name not in own}
    shared["permission"] = entry.permission if "permission" in entry.model_fields_set else file.permission
    shared["why"] = entry.why or file.why
    return [
        Source(
            name=f"{entry.cls}.{method}",
            method=method,
            data=entry.data or file.data,
            shape=tuple(signature for signature in entry.shape if Shape.of(signature).method == method),
            **shared,
        )
        for method in entry.methods
    ]


def _line_of(path: Path, word: str) -> int | None:
    """The last line that contains the word."""
    lines = path.read_text("utf-8").splitlines()
    return next((number for number in range(len(lines), 0, -1) if word in lines[number - 1]), None)

"""Every source of the catalog against the public list of Android's API: its method, its values, what it follows.

Those of classes that a JVM has are called for real.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from appwitness.agent.sources import FollowSpec, Source, TableSpec, ValueSpec, load
from appwitness.events import Access
from tests.lab import signatures
from tests.lab.api_types import ALL_ABSTRACT, Method, Types, Unfit, bare, element
from tests.lab.program import Play
from tests.lab.real_calls import REAL

SOURCES = load()
OF_A_JVM = [each for each in SOURCES if each.cls.startswith(("java.", "javax.")) and not each.shape]
ANYTHING = ("java.lang.Object", "java.lang.String", "java.lang.CharSequence")
TEXTLESS = ("java.lang.Runnable", "java.util.concurrent.Executor", "java.util.TimeZone")
"""Types of which nobody can make a text: an entry must name getters that lead to one."""

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def types(listed: dict[str, signatures.Declared]) -> Types:
    return Types(listed, SOURCES)


@pytest.mark.parametrize("source", [each for each in SOURCES if each not in OF_A_JVM], ids=lambda each: each.name)
def test_the_source_fits_what_android_has(types: Types, source: Source) -> None:
    try:
        fits(types, source)
    except Unfit as error:
        pytest.fail(str(error), pytrace=False)


def fits(types: Types, source: Source) -> None:
    """Raises Unfit where the catalog is wrong about a source."""
    overloads = types.methods(source)
    bodiless = types.interface(source.cls) or source.cls in ALL_ABSTRACT
    if bodiless and not source.implementations and not all(method.static for method in overloads):
        raise Unfit(f"{source.cls} is abstract: hook the class that has the body, or name `implementations`")
    concerned = [method for method in overloads if _concerns(source, method)]
    if not concerned or not all(any(_has(spec, method) for method in concerned) for spec in source.values):
        raise Unfit(f"no overload of {source.name} has the arguments that the entry speaks of: {overloads}")
    for method in concerned:
        for spec in source.values:
            if _has(spec, method):
                begins = source.cls if spec.of == "this" else method.gives if spec.of == "return" else None
                _leads(types, begins or method.takes[int(spec.of)], spec)
    for follow in source.follow:
        if follow.form == "cursor":
            for table in follow.tables:
                _reached(source, follow, table)
        elif follow.object == "argument":
            if not any(_listens(types, follow, type_) for method in concerned for type_ in method.takes):
                raise Unfit(f"no overload of {source.name} takes a {follow.type}")
            _steps(types, str(follow.type), follow)
        else:
            _steps(types, bare(concerned[0].gives), follow)


def _has(spec: ValueSpec, method: Method) -> bool:
    if spec.of == "this":
        return not method.static
    return spec.of < len(method.takes) if isinstance(spec.of, int) else method.gives != "void"


def _concerns(source: Source, method: Method) -> bool:
    """Whether an overload has what `when` looks at and at least one value's argument."""
    looked = source.when.argument if source.when else 0
    if source.when and (method.static if looked == "this" else int(looked) >= len(method.takes)):
        return False
    return not source.values or source.method == "$init" or any(_has(spec, method) for spec in source.values)


def _leads(types: Types, type_: str, spec: ValueSpec) -> None:
    """Follow a value's getters to where its form must be possible."""
    type_ = spec.only or type_
    for getter in spec.get:
        type_ = _inner(type_)
        type_ = "java.lang.String" if getter == "toString" else types.getter(type_, getter)
    if spec.form == "count":
        return
    type_ = "byte[]" if type_ == "int[]" and spec.form in ("hex", "mac") else _inner(type_)  # the list says `number`
    if spec.form == "location" and type_ not in ANYTHING and not type_.endswith("LatLng"):
        for name in ("getLatitude", "getLongitude"):
            types.getter(type_, name)
    if spec.form in ("hex", "mac") and type_ not in ("byte[]", "java.lang.Object"):
        raise Unfit(f"{spec.form} of a {type_}: only a byte[] has it")
    if spec.form == "text" and type_ in TEXTLESS:
        raise Unfit(f"nobody can make a text of a {type_}: name getters that lead to one")


def _inner(type_: str) -> str:
    while (inner := element(type_)) is not None:
        type_ = inner
    return type_


def _listens(types: Types, follow: FollowSpec, type_: str) -> bool:
    name = str(follow.type)
    type_ = bare(type_)
    unsaid = name.startswith("java.") and type_ == "java.lang.Object"  # the list has no types of functions
    return unsaid or types.is_a(name, type_) or types.is_a(type_, name) or name.startswith(f"{type_}$")


def _steps(types: Types, type_: str, follow: FollowSpec) -> None:
    """The methods of an object that is followed, with their values and what they give in turn."""
    for name, step in follow.methods.items():
        known = [] if type_.startswith("java.") else types.of_object(type_, name)
        least = max((spec.of for spec in step.values if isinstance(spec.of, int)), default=-1) + 1
        listeners = [each for each in step.follow if each.object == "argument"]
        fitting = [
            method
            for method in known
            if len(method.takes) >= least
            and all(any(_listens(types, each, one) for one in method.takes) for each in listeners)
        ]
        if known and not fitting:
            raise Unfit(f"{type_}.{name} has not the arguments that the entry speaks of: {known}")
        for method in fitting[:1]:
            for spec in step.values:
                _leads(types, method.gives if spec.of == "return" else method.takes[int(spec.of)], spec)
        for each in step.follow:
            _steps(types, str(each.type) if each.object == "argument" else bare(fitting[0].gives), each)


def _reached(source: Source, follow: FollowSpec, table: TableSpec) -> None:
    """Raises Unfit where no URI that the source looks for belongs to the table, for a column that it has first."""
    patterns = source.when.matches if source.when else ("content://x",)
    starts = [text for pattern in patterns for text in examples(pattern)]
    ends = examples(table.uri)
    for uri in [*ends, *starts, *(start.rstrip("/") + end for start in starts for end in ends)]:
        first = [next((each for each in follow.tables if _of(each, uri, name)), None) for name in table.columns]
        if table in first and any(re.search(pattern, uri) for pattern in patterns):
            return
    raise Unfit(f"no URI that `when` lets through reaches the table {table.uri!r}")


def _of(table: TableSpec, uri: str, column: str) -> bool:
    return column in table.columns and re.search(table.uri, uri) is not None


def examples(pattern: str) -> list[str]:
    """The simplest texts that a regular expression finds; lookarounds may make it none."""
    made = {"".join(_text(parser.parse(pattern), branch, repeat)) for branch in range(4) for repeat in (0, 1, 3)}
    return sorted((text for text in made if re.search(pattern, text)), key=lambda text: (len(text), text))


def _text(parts: Iterable[tuple[Any, Any]], branch: int, repeat: int) -> Iterable[str]:
    for kind, what in parts:
        match kind:
            case kinds.LITERAL:
                yield chr(what)
            case kinds.ANY:
                yield "x"
            case kinds.IN:
                yield _one_of(what)
            case kinds.BRANCH:
                yield from _text(what[1][branch % len(what[1])], branch, repeat)
            case kinds.SUBPATTERN:
                yield from _text(what[3], branch, repeat)
            case kinds.MAX_REPEAT | kinds.MIN_REPEAT:
                for _ in range(max(what[0], min(repeat, what[1]))):
                    yield from _text(what[2], branch, repeat)
            case _:  # anchors and lookarounds have no width
                pass


def _one_of(options: Any) -> str:
    """A letter of a class."""
    (kind, what), *_ = options
    if kind is kinds.NEGATE:
        taken = {chr(each) for of, each in options if of is kinds.LITERAL}
        return next(char for char in "ax1-" if char not in taken)
    if kind is kinds.CATEGORY:
        return {kinds.CATEGORY_DIGIT: "1", kinds.CATEGORY_SPACE: " "}.get(what, "w")
    return chr(what if kind is kinds.LITERAL else what[0])


def test_no_source_is_said_to_be_older_than_it_is(types: Types) -> None:
    public = [each for each in SOURCES if not each.shape and types.known(each.cls)]
    assert {
        (each.name, each.api, since)
        for each in public
        if (since := types.since(each)) > int((each.api or "0-").split("-")[0])
    } == set()


THERE = {
    "android.app.ApplicationPackageManager",
    "android.media.session.MediaSessionManager",
    "android.os.SystemProperties",
}
"""Classes of every Android that the list has not."""


def test_a_name_that_the_list_has_not_says_why_it_may_be_missing(types: Types) -> None:
    ours = [each for each in SOURCES if each.cls not in THERE and not each.cls.startswith("java.")]
    assert {each.name for each in ours if not types.has(each) and not each.optional} == set()


def test_sources_that_a_jvm_has(play: Play, tmp_path: Path) -> None:
    calls = {
        number: (source, body)
        for number, (source, body) in enumerate(
            (source, body)
            for source in OF_A_JVM
            for body in REAL.get(f"{source.name} {source.data}") or REAL.get(source.name, ())
        )
    }
    assert {source.name for source, _ in calls.values()} == {source.name for source in OF_A_JVM}
    methods = "".join(
        f"  static void call{number}() throws Exception {{\n    {body}\n  }}\n" for number, (_, body) in calls.items()
    )
    steps = "".join(f"    call = {number}; call{number}();\n" for number in calls)
    got = 'static int call;\n  static void got(Object text) { System.out.println(call + " " + text); }\n'
    source_file = tmp_path / "Play.java"
    source_file.write_text(
        f"package real;\n\nclass Play {{\n  {got}{methods}"
        f"  public static void main(String[] none) throws Exception {{\n{steps}    System.exit(0);\n  }}\n}}\n"
    )
    played = play("real.Play", OF_A_JVM, files=[source_file])
    for number, (source, body) in calls.items():
        wanted = [line.split(" ", 1)[1] for line in played.printed.splitlines() if line.startswith(f"{number} ")]
        seen = [
            each
            for each in played.recording.events(Access)
            if (each.source, each.data) == (source.name, source.data)
            and f"real.Play.call{number}(" in " ".join(each.stack)
        ]
        assert seen, body
        assert [value.text for access in seen for value in access.values] == wanted, body

"""The calls of one source: one for each overload, each pattern that it looks for, each class that it may give."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from appwitness.agent.sources import FollowSpec, Source, TableSpec, ValueSpec
from tests.lab.standin import Unfit
from tests.lab.standin.examples import examples, other
from tests.lab.standin.real import REAL
from tests.lab.standin.types import ALL_ABSTRACT, PRIMITIVES, Method, Types, bare
from tests.lab.standin.values import TEXTS, Deliveries, Makes, Tree

ROWS = 2
CURSOR = "android.database.Cursor"


def names_field(name: str) -> bool:
    """Whether the last part of a factory is a static field that holds the object, not a method that makes it."""
    return name[0].isupper()


class Expected(NamedTuple):
    """One access that must be there."""

    outcome: str
    values: tuple[tuple[str, str], ...]
    """(type, text); of a real call, which prints its texts, empty."""
    target: str | None
    args: dict[str, object]


@dataclass
class Call:
    """One call of a source's method: the Java of it, and what the agent must say."""

    number: int
    source: Source
    what: str
    """Which overload, pattern or class it is about."""
    java: str
    expected: list[Expected] = field(default_factory=list)
    real: bool = False
    """Of a class that the JVM has: what it gave is printed, not made."""


class Writer:
    """Writes the calls of sources and remembers which classes of Android they need."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self.used: set[str] = set()
        self.methods: dict[tuple[str, str], list[Method]] = {}
        """(class, method) -> its overloads, for the stand-in of the class"""
        self.factories: dict[str, set[str]] = {}
        """class -> factories (class.method) of its implementations"""
        self._numbers = count(1)

    def calls(self, source: Source) -> list[Call]:
        """All calls of one source. Raises Unfit when the catalog is wrong about it."""
        if source.cls.startswith(("java.", "javax.")) and not source.shape:
            return self._real(source)
        overloads = self.types.methods(source)
        has_body = all(method.static for method in overloads) or not (
            self.types.interface(source.cls) or source.cls in ALL_ABSTRACT
        )
        if not has_body and not source.implementations:
            raise Unfit(f"{source.cls} is abstract: hook the class that has the body, or name `implementations`")
        self.methods.setdefault((source.cls, source.method), []).extend(overloads)
        self.factories.setdefault(source.cls, set()).update(source.implementations)
        self.used.add(source.cls)
        made = [
            call
            for method in overloads
            if self._concerns(source, method)
            for call in self._of_overload(source, method, method is overloads[0])
        ]
        if not made:
            raise Unfit(f"no overload of {source.name} has the arguments that the entry speaks of: {overloads}")
        return made

    def _concerns(self, source: Source, method: Method) -> bool:
        """Whether an overload has what `when` looks at and at least one value's argument."""
        looked = source.when.argument if source.when else 0
        if source.when and (method.static if looked == "this" else int(looked) >= len(method.takes)):
            return False
        return not source.values or any(self._has(spec, method) for spec in source.values)

    def _has(self, spec: ValueSpec, method: Method) -> bool:
        if spec.of == "this":
            return not method.static
        return spec.of < len(method.takes) if isinstance(spec.of, int) else method.gives != "void"

    def _of_overload(self, source: Source, method: Method, first: bool) -> Iterator[Call]:
        asked = [text for pattern in source.when.matches for text in self._asked(pattern)] if source.when else [None]
        tables = [(follow, table) for follow in source.follow if follow.form == "cursor" for table in follow.tables]
        for at, text in enumerate(asked if first else asked[:1]):
            groups = dict.fromkeys(spec.only for spec in source.values if self._has(spec, method)) or {None: None}
            for only in groups:
                yield self._call(source, method, text, only, None)
            if at == 0 and first:
                for follow, table in tables:
                    yield self._call(source, method, self._uri(source, follow, table), None, (follow, table))
        if first and (let := self._let_through(source, method)):
            passed = self._call(source, method, let, next(iter(groups)), None)
            passed.expected = []
            yield passed

    def _let_through(self, source: Source, method: Method) -> str | None:
        """A text that no source of the name and type looks for; None where a call cannot be given it, or all look."""
        at = source.when.argument if source.when and not source.when.get else None
        alike = self.types.alike(source)
        if at is None or not all(each.when for each in alike):
            return None
        if isinstance(at, int):
            type_ = method.takes[at]
            if type_ in PRIMITIVES or (type_.startswith("java.") and type_ not in TEXTS):
                return None
        return other([pattern for each in alike if each.when for pattern in each.when.matches])

    def _asked(self, pattern: str) -> list[str]:
        found = examples(pattern)
        if not found:
            raise Unfit(f"no text is known that {pattern!r} finds")
        return found[:1]

    def _uri(self, source: Source, follow: FollowSpec, table: TableSpec) -> str | None:
        """A URI that the source looks for and that belongs to the table, for a column that it has first."""
        patterns = source.when.matches if source.when else ("content://x",)
        starts = [text for pattern in patterns for text in examples(pattern)]
        ends = examples(table.uri)
        for uri in [*ends, *starts, *(start.rstrip("/") + end for start in starts for end in ends)]:
            wanted = any(re.search(pattern, uri) for pattern in patterns)
            if (
                wanted
                and re.search(table.uri, uri)
                and any(self._kind(follow, uri, c)[0] is table for c in table.columns)
            ):
                return uri
        raise Unfit(f"no URI that `when` lets through reaches the table {table.uri!r}")

    def _kind(self, follow: FollowSpec, uri: str, column: str) -> tuple[TableSpec | None, str | dict[str, str] | None]:
        """The table that says what a column holds, and what: the first that has it, as in the agent."""
        for table in follow.tables:
            if re.search(table.uri, uri) and column in table.columns:
                return table, table.columns[column]
        return None, None

    def _call(
        self,
        source: Source,
        method: Method,
        asked: str | None,
        only: str | None,
        table: tuple[FollowSpec, TableSpec] | None,
    ) -> Call:
        number = next(self._numbers)
        makes = Makes(self.types, number, self.used)
        what = f"({', '.join(method.takes)})" + (f" {asked}" if asked else "") + (f" only {only}" if only else "")
        specs = [(at, spec) for at, spec in enumerate(source.values) if spec.only == only and self._has(spec, method)]
        texts: dict[int, list[str]] = {}
        elements: int | None = None
        lines: list[str] = []
        deliver: list[str] = []

        # What the app gives.
        told: dict[int, str | None] = {}
        followed = Deliveries(makes)
        listeners = self._listeners(source, method)
        looked = source.when.argument if source.when and asked is not None else None
        sought = (source.when.get, asked) if source.when and asked is not None else None
        for at, type_ in enumerate(method.takes):
            mine = [(i, spec) for i, spec in specs if spec.of == at]
            if mine or (looked == at and sought and sought[0]):
                made = makes.value(type_, Tree.of(mine, sought if looked == at else None), only)
                texts |= made.texts
                elements = elements if made.elements is None else made.elements
                lines.append(f"{makes.name(type_)} p{at} = {made.java};")
                told[at] = next((made.texts[i][0] for i, spec in mine if not spec.get and made.texts.get(i)), None)
            elif at in listeners:
                follow = listeners[at]
                listener = followed.listener(str(follow.type), type_, follow.methods)
                lines.append(f"{listener.name} it{at} = new {listener.name}();")
                lines.append(f"{makes.name(type_)} p{at} = it{at};")
                deliver.append(listener.on(f"it{at}"))
                told[at] = None
            elif looked == at:
                java, told[at] = makes.plain(type_, asked)
                lines.append(f"{makes.name(type_)} p{at} = {java};")
            else:
                java, told[at] = makes.plain(type_)
                lines.append(f"{makes.name(type_)} p{at} = {java};")

        # What it gets.
        cursors = [follow for follow in source.follow if follow.form == "cursor"]
        returned = [(i, spec) for i, spec in specs if spec.of == "return"]
        after: list[str] = []
        rows: list[tuple[str, str]] = []
        if cursors:
            result, rows, columns = self._rows(makes, cursors[0], asked or "", table)
            self.used.add(CURSOR)
            after.append(f"Play.read(({CURSOR}) got, {columns});")
        elif steps := [follow for follow in source.follow if follow.object == "return"]:
            result, after = self._object(makes, bare(method.gives), steps, followed)
        elif method.gives == "void" or source.method == "$init":
            result = "null"
        else:
            made = makes.value(method.gives, Tree.of(returned), only)
            result = made.java
            texts |= made.texts
            elements = elements if made.elements is None else made.elements
        self_ = [(i, spec) for i, spec in specs if spec.of == "this"]
        lines.append(f"final Object result = {result};")
        lines.append(f"Play.next(args -> {{ {' '.join(deliver)} return result; }});")
        tree = Tree.of(self_, sought) if self_ or looked == "this" else None
        lines += self._made(source, method, makes, tree, texts, only if self_ else None)
        lines += after

        target = asked if source.target == "when" else None if source.target is None else told.get(source.target)
        args: dict[str, object] = {
            name: text for name, at in source.args.items() if (text := told.get(at)) is not None and len(text) <= 200
        }
        expected = []
        if elements is not None:
            args |= {"elements": elements}
        values = tuple((spec.type or source.data, text) for i, spec in specs for text in texts.get(i, ()))
        if cursors:
            expected.append(Expected("returned", tuple(rows), target, args | {"rows": ROWS, "rows_read": ROWS}))
        elif source.values:
            expected.append(Expected("returned" if values or elements else "empty", values, target, args))
        elif not source.quiet:
            expected.append(Expected("requested" if source.follow else "returned", (), target, args))
        for each, held, counted in followed.made:
            given = tuple((spec.type or source.data, text) for i, spec in enumerate(each) for text in held.get(i, ()))
            more = {} if counted is None else {"elements": counted}
            expected.append(Expected("returned" if given or counted else "empty", given, target, args | more))
        return Call(number, source, what, self._class(number, makes, lines), expected)

    def _made(
        self,
        source: Source,
        method: Method,
        makes: Makes,
        tree: Tree | None,
        texts: dict[int, list[str]],
        only: str | None,
    ) -> list[str]:
        """Statements that make the object and call its method; `got` is what came."""
        given = ", ".join(f"p{at}" for at in range(len(method.takes)))
        cls = makes.name(source.cls)
        if source.method == "$init":
            made = makes.value(source.cls, tree, only, method.takes) if tree else None
            texts |= made.texts if made else {}
            return [f"Object got = {made.java if made else f'new {cls}({given})'};", "Play.same(null, null);"]
        if method.static:
            owner = cls
        elif source.implementations:
            factory, _, name = source.implementations[0].rpartition(".")
            self.used.add(factory)
            asked = name if names_field(name) else f'{name}("{source.cls}")'
            owner = f"(({cls}) {makes.name(factory)}.{asked})"
        elif tree:
            makes.called = source.method
            made = makes.value(source.cls, tree, only)
            makes.called = None
            texts |= made.texts
            owner = f"({made.java})"
        else:
            owner = f"new {cls}()"
        call = f"{owner}.{source.method}({given})"
        if method.gives == "void":
            return [f"{call};", "Object got = null;", "Play.same(got, null);"]
        return [f"Object got = {call};", "Play.same(got, result);"]

    def _listeners(self, source: Source, method: Method) -> dict[int, FollowSpec]:
        """Which arguments are followed."""
        found: dict[int, FollowSpec] = {}
        for follow in source.follow:
            if follow.object == "argument" and follow.form == "object":
                type_ = str(follow.type)
                for at, each in enumerate(method.takes):
                    if self.types.is_a(type_, each) or self.types.is_a(each, type_) or type_.startswith(f"{each}$"):
                        found.setdefault(at, follow)
                        break
        return found

    def _object(
        self, makes: Makes, type_: str, follows: Sequence[FollowSpec], followed: Deliveries
    ) -> tuple[str, list[str]]:
        """Expression of an object that is followed, and the statements by which the app takes values out of `got`."""
        members: list[str] = []
        steps: list[str] = []
        type_ = "java.lang.Object" if type_.startswith("java.") else type_
        for name, step in ((name, step) for follow in follows for name, step in follow.methods.items()):
            listeners = [follow for follow in step.follow if follow.object == "argument"]
            inner = [follow for follow in step.follow if follow.object == "return"]
            method = self._method(type_, name, listeners)
            takes = method.takes
            parameters = ", ".join(f"{makes.name(each)} p{at}" for at, each in enumerate(takes))
            given = [makes.plain(each)[0] for each in takes]
            for listener in listeners:
                at = next(at for at, each in enumerate(takes) if self.types.is_a(str(listener.type), each))
                made = followed.listener(str(listener.type), takes[at], listener.methods)
                given[at] = f"new {made.name}()"
                deliver = made.on(f"(({made.name}) p{at})")
                members.append(f"public Object {name}({parameters}) {{ {deliver} return this; }}")
            if not listeners:
                given = followed.arguments(takes, [spec for spec in step.values if isinstance(spec.of, int)])
                returned = [spec for spec in step.values if spec.of == "return"]
                value, more = self._step(makes, method.gives, returned, inner, followed)
                kept = f"kept{makes.fresh()}"
                gives = makes.gives(method.gives)
                members.append(f"final {gives} {kept} = {value};")
                members.append(f"public {gives} {name}({parameters}) {{ return {kept}; }}")
                steps.append(f"Object got{kept} = $self.{name}({', '.join(given)});")
                steps += [line.replace("$got", f"got{kept}") for line in more]
            else:
                steps.append(f"$self.{name}({', '.join(given)});")
        name = makes.subclass(type_, members)
        return f"new {name}()", [line.replace("$self", f"(({name}) $got)") for line in steps]

    def _method(self, type_: str, name: str, listeners: Sequence[FollowSpec]) -> Method:
        """The method of a followed object that takes the listeners; where nobody says, just them."""
        known = self.types.of_object(type_, name)
        for method in known:
            if all(any(self.types.is_a(str(each.type), one) for one in method.takes) for each in listeners):
                return method
        if known:
            raise Unfit(f"{type_}.{name} takes no {' and '.join(str(each.type) for each in listeners)}: {known}")
        return Method(tuple(str(each.type) for each in listeners), "java.lang.Object", False)

    def _step(
        self,
        makes: Makes,
        gives: str,
        values: Sequence[ValueSpec],
        inner: Sequence[FollowSpec],
        followed: Deliveries,
    ) -> tuple[str, list[str]]:
        """Expression of what a method of a followed object gives, and what the app does with it."""
        if inner:
            return self._object(makes, bare(gives), inner, followed)
        made = makes.value(gives, Tree.of(list(enumerate(values))), values[0].only if values else None)
        if values:
            followed.made.append((tuple(values), made.texts, made.elements))
        return made.java, []

    def _rows(
        self, makes: Makes, follow: FollowSpec, uri: str, table: tuple[FollowSpec, TableSpec] | None
    ) -> tuple[str, list[tuple[str, str]], str]:
        """Expression of a cursor, the cells that must be seen, and the columns that the app reads."""
        tables = [table[1]] if table else [each for each in follow.tables if re.search(each.uri, uri)]
        columns = list(dict.fromkeys(column for each in tables for column in each.columns))
        kinds = {column: self._kind(follow, uri, column)[1] for column in columns}
        mimes = [mime for kind in kinds.values() if isinstance(kind, dict) for mime in kind]
        mime = mimes[0] if mimes else None
        cells: list[tuple[str, str]] = []
        rows = []
        for row in range(ROWS):
            texts = [f"c{makes.call}.{row}.{at}" for at in range(len(columns))]
            for column, text in zip(columns, texts, strict=True):
                kind = kinds[column]
                type_ = kind.get(mime or "") if isinstance(kind, dict) else kind
                if type_ is not None:
                    cells.append((type_, text))
            rows.append("{" + ", ".join(f'"{text}"' for text in [*texts, *([mime] if mime else [])]) + "}")
        names = ", ".join(f'"{column}"' for column in [*columns, *(["mimetype"] if mime else [])])
        return (
            f"new standin.Rows(new String[] {{{names}}}, new String[][] {{{', '.join(rows)}}})",
            cells,
            str(len(columns)),
        )

    def _class(self, number: int, makes: Makes, lines: Sequence[str]) -> str:
        body = "".join(f"\n    {line.replace('$got', 'got')}" for line in lines)
        classes = "".join(f"\n\n  {each}" for each in makes.classes)
        return (
            "package standin;\n\n"
            '@SuppressWarnings({"unchecked", "rawtypes"})\n'
            f"public class Call{number} implements Play.Step {{\n  public void run() {{{body}\n  }}{classes}\n}}\n"
        )

    def _real(self, source: Source) -> list[Call]:
        """A class of the JVM: called as it is."""
        made = []
        for body in REAL.get(f"{source.name} {source.data}") or REAL.get(source.name, ()):
            number = next(self._numbers)
            java = (
                f"package standin;\n\npublic class Call{number} implements Play.Step {{\n"
                f"  public void run() throws Exception {{\n    {body}\n  }}\n}}\n"
            )
            made.append(Call(number, source, body.strip().splitlines()[0], java, real=True))
        if not made:
            raise Unfit(f"{source.cls} is a class of the JVM: write in tests/lab/standin/real.py how it is called")
        return made

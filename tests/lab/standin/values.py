"""Java expressions of objects that hold values where a source says that they are, and the texts that must come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from appwitness.agent.sources import StepSpec, ValueSpec
from tests.lab.standin import Unfit
from tests.lab.standin.types import BUNDLES, LISTS, PRIMITIVES, Types, bare, element

BASE = "standin.Base"
TEXTS = {"java.lang.String", "java.lang.CharSequence", "java.lang.Object"}
NUMBERS = {
    "java.lang.Integer": "int",
    "java.lang.Long": "long",
    "java.lang.Float": "float",
    "java.lang.Double": "double",
}
COUNTED = 3
"""Elements of what is only counted."""


@dataclass
class Tree:
    """Where values are in an object: in itself, or behind getters."""

    here: list[tuple[int, str]] = field(default_factory=list)
    """Which value, in which form."""
    behind: dict[str, Tree] = field(default_factory=dict)

    @classmethod
    def of(cls, specs: Sequence[tuple[int, ValueSpec]], asked: tuple[Sequence[str], str] | None = None) -> Tree:
        """The values of several specs that begin in one object. `asked`: a text that must be behind these getters."""
        tree = cls()
        for at, spec in specs:
            tree._at(spec.get).here.append((at, spec.form))
        if asked:
            node = tree._at(asked[0])
            node.here = [(at, f"={asked[1]}") for at, _ in node.here or [(-2, "")]]
        return tree

    def _at(self, getters: Sequence[str]) -> Tree:
        node = self
        for getter in getters:
            node = node.behind.setdefault(getter, Tree())
        return node


@dataclass
class Made:
    """A Java expression, and what it holds."""

    java: str
    texts: dict[int, list[str]] = field(default_factory=dict)
    """value -> its texts, in order"""
    elements: int | None = None
    """What is counted."""

    def also(self, other: Made) -> None:
        """Add what another holds."""
        for at, texts in other.texts.items():
            self.texts.setdefault(at, []).extend(texts)
        if other.elements is not None:
            self.elements = (self.elements or 0) + other.elements


class Makes:
    """Makes the objects of one call; the classes they need are written beside it."""

    def __init__(self, types: Types, call: int, used: set[str]) -> None:
        self.types = types
        self.call = call
        self.used = used
        """Classes of Android that must be written."""
        self.classes: list[str] = []
        self.called: str | None = None
        """The method that the call is about, when the object made next is the one that has it."""
        self._count = 0

    def fresh(self) -> int:
        """A number that no other value of the call has."""
        self._count += 1
        return self._count

    def name(self, type_: str) -> str:
        """A type as Java source writes it; classes of Android are remembered as used."""
        cls = bare(type_).removesuffix("[]").removesuffix("[]")
        dims = bare(type_)[len(cls) :]
        if "." in cls and not cls.startswith(("java.", "javax.", "standin.")):
            self.used.add(cls)
        return cls.replace("$", ".") + dims

    def value(self, type_: str, tree: Tree, only: str | None = None, takes: Sequence[str] = ()) -> Made:
        """An object of the type, or of the class `only`, with values where the tree says.

        `takes`: types of the arguments p0, p1 ... that its constructor hands on to that of its class.
        """
        if only is not None:
            type_ = only
        if type_ == "int[]" and tree.here and tree.here[0][1] in ("hex", "mac"):
            type_ = "byte[]"  # the list says `number` of both
        inner = element(type_)
        if inner is not None and not (tree.here and tree.here[0][1] == "count"):
            return self._list(type_, inner, tree)
        if type_.startswith("java.net.Inet") and set(tree.behind) == {"getHostAddress"}:
            java, text = self.plain("java.net.InetAddress")
            return Made(java, {at: [str(text).lstrip("/")] for at, _ in tree.behind["getHostAddress"].here})
        if tree.behind or takes:
            return self._object(type_, tree, takes)
        if not tree.here:
            return Made(self.plain(type_)[0])
        made = self._leaf(type_, tree.here[0][1])
        texts = made.texts.pop(-1, [])
        return Made(made.java, {at: list(texts) for at, _ in tree.here}, made.elements)

    def _list(self, type_: str, inner: str, tree: Tree) -> Made:
        made = Made("")
        parts = []
        for _ in range(2):
            part = self.value(inner, tree)
            parts.append(part.java)
            made.also(part)
        made.java = self._holding(type_, inner, parts)
        return made

    def _holding(self, type_: str, inner: str, parts: Sequence[str]) -> str:
        joined = ", ".join(parts)
        if type_.endswith("[]"):
            return f"new {self.name(inner)}[] {{{joined}}}"
        if type_.startswith("java.util.Map"):
            return f"Play.map({joined})"
        if type_ in BUNDLES:
            puts = " ".join(f'held.put("key{at}", {part});' for at, part in enumerate(parts))
            return f"new {self.name(type_)}() {{{{ {puts} }}}}"
        if type_.startswith("java.util.Set"):
            return f"new java.util.LinkedHashSet<Object>(java.util.Arrays.<Object>asList({joined}))"
        return f"new java.util.ArrayList<Object>(java.util.Arrays.<Object>asList({joined}))"

    def _object(self, type_: str, tree: Tree, takes: Sequence[str] = ()) -> Made:
        called, self.called = self.called, None
        made = Made("")
        members = []
        here = list(tree.here)
        for getter, rest in tree.behind.items():
            if getter == "toString":
                here += rest.here
                continue
            gives = self.types.getter(type_, getter) if type_ != "java.lang.Object" else "java.lang.Object"
            part = self.value(gives, rest)
            made.also(part)
            kept = f"kept{self.fresh()}"
            declared = self.gives(gives)
            if getter.startswith("."):
                members.append(f"public {declared} {getter[1:]} = {part.java};")
            else:
                members.append(f"final {declared} {kept} = {part.java};")
                members.append(_getter(declared, getter, kept, called))
        text = f"o{self.call}.{self.fresh()}"
        if places := [at for at, form in here if form == "location"]:
            added, where = self._place(type_, called)
            members += added
            made.texts |= {at: [where] for at in places}
            here = [each for each in here if each[1] != "location"]
        for at, _ in here:
            made.texts.setdefault(at, []).append(text)
        if here:
            members.append(f'{{ text = "{text}"; }}')
        name = self.subclass(type_, members, takes)
        made.java = f"new {name}({', '.join(f'p{at}' for at in range(len(takes)))})"
        return made

    def subclass(self, type_: str, members: Sequence[str], takes: Sequence[str] = ()) -> str:
        """Write a class of the type with these members; its name."""
        name = f"Made{self.fresh()}"
        above = self.above(type_)
        if takes:
            parameters = ", ".join(f"{self.name(each)} p{at}" for at, each in enumerate(takes))
            given = ", ".join(f"p{at}" for at in range(len(takes)))
            members = [f"public {name}({parameters}) {{ super({given}); }}", *members]
        lines = "".join(f"\n    {member}" for member in members)
        self.classes.append(f"public static class {name} {above} {{{lines}\n  }}")
        return name

    def above(self, type_: str, also: str | None = None) -> str:
        """`extends` and `implements` of a class of these types."""
        types = [each for each in dict.fromkeys((type_, also)) if each and each not in TEXTS]
        faces = [self.name(each) for each in types if self.types.interface(each) or each.startswith("java.")]
        classes = [self.name(each) for each in types if self.name(each) not in faces] or [BASE]
        return f"extends {classes[0]}" + (f" implements {', '.join(faces)}" if faces else "")

    def gives(self, type_: str) -> str:
        """The type by which a stand-in returns it: what matters to the agent is only what JNI tells apart."""
        return type_ if type_ in PRIMITIVES or type_ in ("void", "java.lang.String") else "java.lang.Object"

    def _place(self, type_: str, called: str | None) -> tuple[list[str], str]:
        """Members of an object that is somewhere, and the text of where."""
        n = self.fresh()
        latitude, longitude = f"31.{self.call:04}{n:02}", f"-121.{self.call:04}{n:02}1"
        text = f"{latitude.rstrip('0')},{longitude}"
        if type_.endswith("LatLng"):
            return [f"public final double latitude = {latitude}, longitude = {longitude};"], text
        for name in ("getLatitude", "getLongitude"):
            if type_ not in TEXTS:
                self.types.getter(type_, name)
        return [
            _getter("double", "getLatitude", latitude, called),
            _getter("double", "getLongitude", longitude, called),
        ], text

    def _leaf(self, type_: str, form: str) -> Made:
        n = self.fresh()
        if form == "location":
            called, self.called = self.called, None
            members, text = self._place(type_, called)
            return Made(f"new {self.subclass(type_, members)}()", {-1: [text]})
        if form in ("hex", "mac"):
            if type_ not in ("byte[]", "int[]", "java.lang.Object"):
                raise Unfit(f"{form} of a {type_}: only a byte[] has it")
            octets = [2, self.call >> 8 & 255, self.call & 255, n & 255, 0, 255]
            text = (":" if form == "mac" else "").join(f"{octet:02x}" for octet in octets)
            return Made(f"new byte[] {{{', '.join(f'(byte) {octet}' for octet in octets)}}}", {-1: [text]})
        if form == "count":
            return self._counted(type_)
        java, held = self.plain(type_, form[1:] if form.startswith("=") else f"v{self.call}.{n}")
        if held is None:
            raise Unfit(f"nobody can make a text of a {type_}: name getters that lead to one")
        return Made(java, {-1: [held]})

    def _counted(self, type_: str) -> Made:
        inner = element(type_)
        if type_ == "byte[]":
            return Made(f"new byte[{COUNTED}]", elements=COUNTED)
        if inner is None or type_ == "java.lang.Object":
            name = self.subclass(type_, [f"public int size() {{ return {COUNTED}; }}"])
            return Made(f"new {name}()", elements=COUNTED)
        return Made(self._holding(type_, inner, [self.plain(inner)[0] for _ in range(COUNTED)]), elements=COUNTED)

    def plain(self, type_: str, text: str | None = None) -> tuple[str, str | None]:
        """An object of the type and its text, the one that is asked for; None where it has none to speak of."""
        n = self.call * 100 + self.fresh()
        text = text or f"s{n}"
        type_ = NUMBERS.get(bare(type_), bare(type_))
        if type_ in TEXTS:
            return f'"{_escaped(text)}"', text
        if simple := _SIMPLE.get(type_):
            return simple(n, text)
        if type_ == "byte[]":
            return f'"{text}".getBytes(java.nio.charset.StandardCharsets.UTF_8)', text
        if type_.endswith("[]"):
            java, held = self.plain(type_[:-2], text)
            return f"new {self.name(type_)} {{{java}}}", held
        if type_ in LISTS or type_ == "java.util.Map":
            return {"java.util.Map": "java.util.Map.of()", "java.util.Set": "java.util.Set.of()"}.get(
                type_, "new java.util.ArrayList<Object>()"
            ), ""
        if type_.startswith(("java.", "javax.")):
            return f"({self.name(type_)}) null", None
        name = self.name(type_)
        if type_ in BUNDLES:
            return f"new {name}()", ""
        if self.types.interface(type_):
            return f'Base.named(new {self.subclass(type_, [])}(), "{_escaped(text)}")', text
        return f'Base.named(new {name}(), "{_escaped(text)}")', text


def _getter(gives: str, name: str, value: str, called: str | None) -> str:
    """A getter; the one that the call is about goes through that of the class, where the hook is, the first time."""
    if name != called:
        return f"public {gives} {name}() {{ return {value}; }}"
    return (
        f"private boolean asked; public {gives} {name}() {{ if (asked) return {value}; "
        f"asked = true; try {{ return super.{name}(); }} finally {{ asked = false; }} }}"
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


_SIMPLE: dict[str, Callable[[int, str], tuple[str, str | None]]] = {
    "int": lambda n, text: (text, text) if text.isdigit() else (str(n), str(n)),
    "long": lambda n, _: (f"{n}L", str(n)),
    "short": lambda n, _: (f"(short) {n % 30000}", str(n % 30000)),
    "byte": lambda n, _: (f"(byte) {n % 100}", str(n % 100)),
    "float": lambda n, _: (f"{n % 1000}.5f", f"{n % 1000}.5"),
    "double": lambda n, _: (f"{n}.25", f"{n}.25"),
    "char": lambda n, _: (f"'{chr(97 + n % 26)}'", chr(97 + n % 26)),
    "boolean": lambda n, _: ("true", "true"),
    "java.lang.Boolean": lambda n, _: ("Boolean.TRUE", "true"),
    "java.lang.Class": lambda n, _: ("Object.class", "class java.lang.Object"),
    "java.lang.Runnable": lambda n, _: ("(Runnable) () -> { }", None),
    "java.util.concurrent.Executor": lambda n, _: ("(java.util.concurrent.Executor) Runnable::run", None),
    "java.util.UUID": lambda n, _: (f"new java.util.UUID(0, {n})", f"00000000-0000-0000-0000-{n:012x}"),
    "java.io.File": lambda n, text: (f'new java.io.File("{text}")', text),
    "java.util.Locale": lambda n, _: ('java.util.Locale.forLanguageTag("de-CH")', "de_CH"),
    "java.util.TimeZone": lambda n, _: ('java.util.TimeZone.getTimeZone("Asia/Tokyo")', None),
    "java.net.InetAddress": lambda n, _: (
        f"Play.address({n >> 8 & 255}, {n & 255})",
        f"/10.0.{n >> 8 & 255}.{n & 255}",
    ),
}


class Listener(NamedTuple):
    """A class of the app's, and the statements that call it; `$it` stands for the object."""

    name: str
    deliver: tuple[str, ...]

    def on(self, it: str) -> str:
        """The statements."""
        return " ".join(self.deliver).replace("$it", it)


class Deliveries:
    """Objects whose methods give values later: what the framework calls on the app's, what the app calls on its own."""

    def __init__(self, makes: Makes) -> None:
        self._makes = makes
        self.made: list[tuple[tuple[ValueSpec, ...], dict[int, list[str]], int | None]] = []
        """Values of each delivery, in the order of the specs."""

    def listener(self, type_: str, parameter: str, methods: dict[str, StepSpec]) -> Listener:
        """A listener of the type that also fits the parameter."""
        members, deliver = [], []
        for name, step in methods.items():
            takes = self._takes(type_, name, step)
            parameters = ", ".join(f"{self._makes.name(each)} p{at}" for at, each in enumerate(takes))
            members.append(f"public void {name}({parameters}) {{ }}")
            for only in dict.fromkeys(spec.only for spec in step.values) or [None]:
                given = self.arguments(takes, [spec for spec in step.values if spec.only == only])
                deliver.append(f"$it.{name}({', '.join(given)});")
        also = type_ if self._makes.types.interface(type_) and parameter != type_ else None
        above = self._makes.above(parameter if also else type_, also)
        name = f"Made{self._makes.fresh()}"
        lines = "".join(f"\n    {member}" for member in members)
        self._makes.classes.append(f"public static class {name} {above} {{{lines}\n  }}")
        return Listener(name, tuple(deliver))

    def _takes(self, type_: str, name: str, step: StepSpec) -> tuple[str, ...]:
        least = max((spec.of for spec in step.values if isinstance(spec.of, int)), default=-1) + 1
        known = [each.takes for each in self._makes.types.of_object(type_, name) if len(each.takes) >= least]
        if known:
            return min(known, key=lambda each: (len(each), any(bare(one) in LISTS for one in each)))
        return ("java.lang.Object",) * least

    def arguments(self, takes: Sequence[str], specs: Sequence[ValueSpec]) -> list[str]:
        """Expressions of the arguments, values in those that the specs name."""
        texts: dict[int, list[str]] = {}
        elements = None
        given = []
        for at, each in enumerate(takes):
            mine = [(i, spec) for i, spec in enumerate(specs) if spec.of == at]
            if mine:
                only = mine[0][1].only
                made = self._makes.value(each, Tree.of(mine), only)
                texts |= made.texts
                elements = made.elements if made.elements is not None else elements
                given.append(made.java)
            else:
                given.append(self._makes.plain(each)[0])
        if specs:
            self.made.append((tuple(specs), texts, elements))
        return given

"""What is known of the classes that sources name: from the public list of Android's API, else from a `shape`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from appwitness.agent.sources import Shape, Source
from tests.lab.signatures import Declared

PRIMITIVES = {"boolean", "byte", "char", "short", "int", "long", "float", "double"}
DEGREES = {"getLatitude", "getLongitude", "getAltitude"}
"""The list says `number` of whatever is one; of these it matters that they have decimals."""
ALL_ABSTRACT = {
    "android.content.Context",
    "android.content.pm.PackageManager",
    "android.hardware.camera2.CameraDevice",
    "android.hardware.camera2.CameraCaptureSession",
    "android.webkit.CookieManager",
    "android.webkit.WebSettings",
}
"""Classes whose methods have no body; the list does not tell."""
LISTS = ("java.util.List", "java.util.Collection", "java.util.Set", "java.util.ArrayList")

BUNDLES = ("android.os.Bundle", "android.os.BaseBundle", "android.os.PersistableBundle")


class Unfit(Exception):
    """The catalog says what no class of Android bears out; the message says what and what to write instead."""


class Method(NamedTuple):
    """One overload."""

    takes: tuple[str, ...]
    gives: str
    """Java type; of a list with the type of its elements."""
    static: bool


class Types:
    """Signatures by class, for the sources of one catalog."""

    def __init__(self, listed: dict[str, Declared], sources: Sequence[Source]) -> None:
        self._listed = listed
        self._shapes: dict[tuple[str, str], list[Shape]] = {}
        for source in sources:
            for shape in map(Shape.of, source.shape):
                self._shapes.setdefault((source.cls, source.method), []).append(shape)
        self._interfaces = {source.cls for source in sources if source.implementations and source.cls not in listed}

    def known(self, cls: str) -> bool:
        """Whether the public list has the class."""
        return cls in self._listed

    def interface(self, cls: str) -> bool:
        """Whether it is an interface."""
        return self._listed[cls].interface if cls in self._listed else cls in self._interfaces

    def is_a(self, cls: str, above: str) -> bool:
        """Whether a class is the other, or inherits from it, as far as the list tells."""
        return cls == above or any(above == name for name in self._above(cls))

    def since(self, source: Source) -> int:
        """The API level that its method came with; 0 where it has always been there, or nobody says."""
        levels = [
            self._listed[name].since[source.method]
            for name in self._above(source.cls)
            if name in self._listed and source.method in self._listed[name].since
        ]
        return min(levels, default=0)

    def has(self, source: Source) -> bool:
        """Whether the public list has its method."""
        above = [self._listed[name] for name in self._above(source.cls) if name in self._listed]
        return any(source.method == name for each in above for name, _ in each.methods) or (
            source.method == "$init" and self.known(source.cls)
        )

    def methods(self, source: Source) -> list[Method]:
        """The overloads that the source wraps. Raises Unfit when Android has no such method."""
        if source.shape:
            found = [Method(shape.takes, shape.gives, shape.static) for shape in map(Shape.of, source.shape)]
        elif self.known(source.cls):
            found = self._of_list(source)
        elif source.cls.startswith(("java.", "javax.")):
            raise Unfit(f"{source.cls} is a class of the JVM: write in tests/lab/real_calls.py how it is called")
        else:
            raise Unfit(f"no public list has {source.cls}: give the entry a `shape` if it is hidden or a vendor's")
        if source.overloads is None:
            return found
        return [self._overload(source, takes, found) for takes in source.overloads]

    def _of_list(self, source: Source) -> list[Method]:
        if source.method == "$init":
            takes = self._listed[source.cls].constructors
            return [Method(tuple(map(java, each)), "void", False) for each in sorted(takes)]
        for name in self._above(source.cls):
            declared = self._listed.get(name)
            own = [key for key in (declared.results if declared else ()) if key[0] == source.method]
            if declared and own:
                return [
                    Method(
                        tuple(map(java, key[1])),
                        java(declared.results[key], source.method),
                        source.method in declared.statics,
                    )
                    for key in sorted(own)
                ]
        raise Unfit(
            f"{source.cls} has no public method {source.method}: correct it, or give it a `shape` if it is hidden"
        )

    def _overload(self, source: Source, takes: tuple[str, ...], found: list[Method]) -> Method:
        for method in found:
            if len(takes) == len(method.takes) and all(map(_fits, takes, method.takes)):
                return method._replace(takes=takes)
        raise Unfit(f"{source.name} has no overload ({', '.join(takes)}): there is {[each.takes for each in found]}")

    def getter(self, cls: str, name: str) -> str:
        """Type of what a getter or `.field` of a class gives; java.lang.Object where nobody says.

        Raises Unfit when the class is listed and has no such member.
        """
        if shapes := self._shapes.get((cls, name)):
            return shapes[0].gives
        if not self.known(cls) or cls in ("java.lang.Object", "android.os.Parcelable"):
            return "java.lang.Object"
        for above in self._above(cls):
            declared = self._listed.get(above)
            if declared and name.startswith(".") and name[1:] in declared.fields:
                return java(declared.fields[name[1:]])
            if declared and (name, ()) in declared.results:
                return java(declared.results[name, ()], name)
        if name in ("toString", "getClass", "hashCode"):
            return "java.lang.String"
        raise Unfit(f"{cls} has no {name.lstrip('.')}{'' if name.startswith('.') else '()'}")

    def of_object(self, cls: str, name: str) -> list[Method]:
        """Overloads of a method of a listener or of a result that is followed; none where the class is not listed.

        Raises Unfit when it is and lacks it.
        """
        if not self.known(cls) or cls == "java.lang.Object":
            return []
        for above in self._above(cls):
            declared = self._listed.get(above)
            own = sorted(key for key in (declared.results if declared else ()) if key[0] == name)
            if declared and own:
                return [
                    Method(tuple(map(java, key[1])), java(declared.results[key], name), name in declared.statics)
                    for key in own
                ]
        raise Unfit(f"{cls} has no method {name}")

    def _above(self, cls: str) -> Iterable[str]:
        waiting, seen = [cls], []
        while waiting:
            name = waiting.pop(0)
            if name not in seen:
                seen.append(name)
                waiting += self._listed[name].parents if name in self._listed else ()
        return seen


def java(listed: str, method: str = "") -> str:
    """A type of the list as Java writes it: every number is an int, what has no type an Object."""
    if listed.endswith("[]"):
        return f"{java(listed[:-2])}[]"
    if found := re.match(r"([\w.]+)<(.*)>$", listed):
        return f"{found[1]}<{java(found[2])}>"
    number = "double" if method in DEGREES else "int"
    return {"number": number, "string": "java.lang.String", "any": "java.lang.Object"}.get(listed, listed)


def _fits(exact: str, listed: str) -> bool:
    """Whether a type of the catalog is one that the list may mean."""
    if exact.endswith("[]") or listed.endswith("[]"):
        return listed == "java.lang.Object" or (
            exact.endswith("[]") and listed.endswith("[]") and _fits(exact[:-2], listed[:-2])
        )
    numbers = PRIMITIVES - {"boolean", "char"} | {
        f"java.lang.{name}" for name in ("Integer", "Long", "Float", "Double")
    }
    texts = {"char", "java.lang.CharSequence", "java.lang.String"}
    return (
        exact == listed
        or listed == "java.lang.Object"
        or (listed in ("int", "double") and exact in numbers)
        or (listed == "java.lang.String" and exact in texts)
        or (listed == "boolean" and exact == "java.lang.Boolean")
    )


def element(type_: str) -> str | None:
    """Type of what is in a list, an array or a map (its values); None of what is opened by nobody."""
    if type_.endswith("[]") and type_ != "byte[]":
        return type_[:-2]
    if found := re.match(r"(?:java\.util\.(?:List|Collection|Set|ArrayList|Map))<(.*)>$", type_):
        return found[1]
    return "java.lang.Object" if type_ in (*LISTS, "java.util.Map", *BUNDLES) else None


def bare(type_: str) -> str:
    """Without what a list is of."""
    return re.sub(r"<.*>", "", type_)

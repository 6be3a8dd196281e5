"""Signatures of the public Android API and of the lab device's classes, brought to one form for comparison."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = "@nativescript/types-android@9.1.1"
"""On the npm registry: the API of Android 5 to 17, as TypeScript made from the SDK."""
LIST = "package/lib/android/android-platform-21-37-merged.d.ts"

Parameters = tuple[str, ...]


@dataclass
class Declared:
    """One class: methods by name and parameters to result types, constructors, constants."""

    methods: dict[tuple[str, Parameters], set[str]] = field(default_factory=dict)
    constructors: set[Parameters] = field(default_factory=set)
    constants: dict[str, str | None] = field(default_factory=dict)
    """Static fields by name; None where the value is not said."""
    parents: tuple[str, ...] = ()
    interface: bool = False
    """Only the list of the API tells."""
    statics: set[str] = field(default_factory=set)
    """Names of static methods; only the list of the API tells."""
    results: dict[tuple[str, Parameters], str] = field(default_factory=dict)
    """Result types with what a list is of: `java.util.List<android.telephony.CellInfo>`; only the list tells."""
    fields: dict[str, str] = field(default_factory=dict)
    """Types of public fields of an object; only the list tells."""
    since: dict[str, int] = field(default_factory=dict)
    """First API level of a method, where it is later than 21; of several overloads the first."""


def fetch(folder: Path) -> Path:
    """The list of the API, from npm into `folder`. Raises OSError or CalledProcessError when npm cannot."""
    done = subprocess.run(
        ["npm", "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True, check=True, timeout=120
    )
    subprocess.run(["tar", "xzf", done.stdout.strip().splitlines()[-1], LIST], cwd=folder, check=True)
    return folder / LIST


_LETTERS = {**dict.fromkeys("BSIJFD", "number"), "C": "string", "Z": "boolean", "V": "void"}
_SAME = {
    "java.lang.String": "string",
    "java.lang.CharSequence": "string",
    "java.lang.Object": "any",
    "java.lang.Boolean": "boolean",
    **dict.fromkeys((f"java.lang.{name}" for name in ("Integer", "Long", "Double", "Float", "Short")), "number"),
}
_OPEN = re.compile(
    r"^(?:declare |export )*(module|class|interface|abstract class) (\S+?)(?:<.*?>)?(?: +(extends .*))? ?\{$"
)
_MEMBER = re.compile(r"^public (?:static )?([A-Za-z_$][\w$]*)(?:<[^(]*>)?\((.*)\): (.+);$")
_OBJECT_FIELD = re.compile(r"^public (?!static )(?:readonly )?([A-Za-z_$][\w$]*): ([^()]+);$")
_SINCE = re.compile(r"/\*\* @since (\d+)")
_CONSTRUCTOR = re.compile(r"^public constructor\(((?!implementation: \{).*)\);$")
_FIELD = re.compile(r"^public static ([A-Za-z_]\w*): (?:(-?[\d.e+]+|\"[^\"]*\")|[^();]+);$")


def of_list(path: Path) -> dict[str, Declared]:
    """The classes of the list, inner ones as `android.view.View$OnClickListener`."""
    classes: dict[str, Declared] = {}
    stack: list[tuple[str, str]] = []
    since = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if said := _SINCE.search(text):
            since = int(said[1])
            continue
        if opened := _OPEN.match(text):
            stack.append((opened[1], opened[2]))
            if opened[1] != "module":
                parents = re.findall(r"(?:extends|implements|,) ([\w.]+)", _no_generics(opened[3] or ""))
                classes.setdefault(_name(stack), Declared()).parents = tuple(map(_binary, parents))
        elif text.endswith("{"):
            if text == "public constructor(implementation: {" and stack[-1][0] != "other":
                classes[_name(stack)].interface = True
            stack.append(("other", ""))
        elif text.startswith("}"):
            stack.pop()
        elif stack and stack[-1][0] not in ("module", "other"):
            _member(classes[_name(stack)], text, since)
        since = 0
    return classes


def _name(stack: list[tuple[str, str]]) -> str:
    return _join([part for _, names in stack for part in names.split(".")])


def _join(parts: list[str]) -> str:
    """A package is written small, a class begins with a capital; `R.id` and the like do not matter here."""
    name = ""
    for part in parts:
        inner = name.rpartition(".")[2].rpartition("$")[2][:1].isupper()
        name += ("$" if inner else "." if name else "") + part
    return name


def _binary(name: str) -> str:
    return _join(name.split("."))


def _no_generics(text: str) -> str:
    before = None
    while before != text:
        before, text = text, re.sub(r"<[^<>]*>", "", text)
    return text


def _member(declared: Declared, text: str, since: int) -> None:
    if constructor := _CONSTRUCTOR.match(text):
        declared.constructors.add(tuple(_type(part) for part in _split(constructor[1])))
    elif member := _MEMBER.match(text):
        key = member[1], tuple(_type(part) for part in _split(member[2]))
        declared.methods.setdefault(key, set()).add(_type(member[3]))
        declared.results[key] = _with_elements(member[3])
        declared.since[member[1]] = min(since, declared.since.get(member[1], since))
        if text.startswith("public static "):
            declared.statics.add(member[1])
    elif static := _FIELD.match(text):
        declared.constants[static[1]] = static[2].strip('"') if static[2] else None
    elif own := _OBJECT_FIELD.match(text):
        declared.fields[own[1]] = _with_elements(own[2])


def _split(parameters: str) -> list[str]:
    """`a: T, b: Map<K, V>` -> [`T`, `Map<K, V>`]."""
    parts, depth, current = [], 0, ""
    for char in parameters:
        depth += (char in "<({") - (char in ">)}")
        if char == "," and not depth:
            parts.append(current)
            current = ""
        else:
            current += char
    return [part.split(":", 1)[1].strip() for part in [*parts, current] if ":" in part]


def _type(text: str) -> str:
    text = text.replace(" | null", "").strip()
    if array := re.match(r"^(?:androidNative\.)?Array<(.*)>$", text):
        return f"{_type(array[1])}[]"
    text = _no_generics(text)
    if text in ("number", "string", "boolean", "void"):
        return text
    return _SAME.get(text, _binary(text)) if "." in text else "any"  # a type variable has no dot


def _with_elements(text: str) -> str:
    """A type, of a list with the type of its elements."""
    text = text.replace(" | null", "").strip()
    if listed := re.match(r"^(java\.util\.(?:List|Collection|Set|ArrayList))<(.*)>$", text):
        return f"{listed[1]}<{_with_elements(listed[2])}>"
    if mapped := re.match(r"^(java\.util\.Map)<[^,<>]*,(.*)>$", text):
        return f"{mapped[1]}<{_with_elements(mapped[2])}>"
    return _type(text)


def of_jar(jar: Path, names: Iterable[str]) -> dict[str, Declared]:
    """The public classes of the jar and their public members, as javap tells them."""
    done = subprocess.run(
        ["javap", "-public", "-constants", "-s", "-cp", str(jar), *names], capture_output=True, text=True, check=True
    )
    classes: dict[str, Declared] = {}
    current: Declared | None = None
    line = ""
    for raw in done.stdout.splitlines():
        text = raw.strip()
        if opened := re.match(r"^(public )?(?:[a-z]+ )*?(?:class|interface) ([\w.$]+)", text):
            current = Declared() if opened[1] else None
            if current is not None:
                classes[opened[2]] = current
        elif current is not None and text.startswith("descriptor: "):
            _described(current, line, text.removeprefix("descriptor: "))
        else:
            line = text
    return classes


def _described(declared: Declared, line: str, descriptor: str) -> None:
    if "(" not in descriptor:
        if constant := re.search(r"static final \S+ (\w+)(?: = (.+))?;$", line):
            value = constant[2]
            declared.constants[constant[1]] = value and (value[1:-1] if value[0] == '"' else value.rstrip("lfd"))
        return
    inside, result = descriptor[1:].split(")")
    parameters = tuple(map(_described_type, re.findall(r"\[*(?:[BSIJFDCZV]|L[^;]+;)", inside)))
    name = re.match(r".*?([\w.$]+)\(", line)
    assert name, line
    if "." in name[1] or re.match(r"^public [\w.$]+\(", line):
        declared.constructors.add(parameters)
    else:
        declared.methods.setdefault((name[1], parameters), set()).add(_described_type(result))


def _described_type(descriptor: str) -> str:
    if descriptor.startswith("["):
        return f"{_described_type(descriptor[1:])}[]"
    if len(descriptor) == 1:
        return _LETTERS[descriptor]
    name = descriptor[1:-1].replace("/", ".")
    return _SAME.get(name, name)


def same(ours: Parameters, listed: Parameters) -> bool:
    """Whether two rows of types fit; what is `any` (an object, a type variable) fits everything."""
    return len(ours) == len(listed) and all(
        one == other or "any" in (one.removesuffix("[]"), other.removesuffix("[]"))
        for one, other in zip(ours, listed, strict=True)
    )

"""Writes the stand-ins and the calls as Java, and compiles them; what does not compile is told by call."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.lab.standin.calls import CURSOR, Call, Writer, names_field
from tests.lab.standin.types import PRIMITIVES, Method

BUNDLE = "android.os.BaseBundle"
HERE = Path(__file__).parents[1] / "java" / "standin"
ROUNDS = 4
BOXES = {
    **{name: name.capitalize() for name in PRIMITIVES},
    "int": "Integer",
    "char": "Character",
}
MEMBERS = {
    CURSOR: "int getCount(); int getPosition(); String[] getColumnNames(); String getString(int column);"
    " boolean moveToNext(); void close();",
    BUNDLE: "public final java.util.Map<String, Object> held = new java.util.LinkedHashMap<>();"
    " public java.util.Set<String> keySet() { return held.keySet(); }",
}
"""What the supporting classes need besides the methods of sources."""
GET = "public Object get(String key) { return held.get(key); }"
PARENTS = {"android.os.Bundle": BUNDLE, "android.os.PersistableBundle": BUNDLE}


def write(folder: Path, writer: Writer, calls: Iterable[Call]) -> None:
    """The Java sources of the stand-ins and of the calls."""
    for path in HERE.glob("*.java"):
        _put(folder / "standin" / path.name, path.read_text("utf-8"))
    for call in calls:
        _put(folder / "standin" / f"Call{call.number}.java", call.java)
    factories: dict[str, list[str]] = {}
    for cls, named in writer.factories.items():
        for factory in named:
            factories.setdefault(factory, []).append(cls)
    used = writer.used | {CURSOR, BUNDLE} | {factory.rpartition(".")[0] for factory in factories}
    outermost: dict[str, list[str]] = {}
    for name in sorted(used):
        outermost.setdefault(name.split("$")[0], []).append(name)
    for outer, names in outermost.items():
        package, _, _ = outer.rpartition(".")
        _put(
            folder / f"{outer.replace('.', '/')}.java",
            f"package {package};\n\n{_nested(outer, names, writer, factories)}",
        )


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _nested(cls: str, names: Sequence[str], writer: Writer, factories: dict[str, list[str]], depth: int = 0) -> str:
    inner = sorted({name for name in names if name.startswith(f"{cls}$")})
    direct = sorted({f"{cls}${name.removeprefix(f'{cls}$').split('$')[0]}" for name in inner})
    simple = re.split(r"[.$]", cls)[-1]
    lines = [_nested(each, inner, writer, factories, depth + 1) for each in direct]
    interface = cls == CURSOR or writer.types.interface(cls)
    own = {method: overloads for (owner, method), overloads in writer.methods.items() if owner == cls}
    for method, overloads in own.items():
        for overload in dict.fromkeys(overloads):
            lines.append(_method(simple, method, overload, bodiless=interface))
    if not interface and all(overload.takes for overload in own.get("$init", ())):
        lines.append(f"public {simple}() {{ }}")
    for factory, makes in factories.items():
        owner, _, name = factory.rpartition(".")
        if owner == cls:
            lines += [_implementation(made, writer) for made in makes]
            if names_field(name):
                lines += [f"public static final Object {name} = new {_named(made)}();" for made in dict.fromkeys(makes)]
                continue
            cases = " ".join(f'case "{made}": return new {_named(made)}();' for made in makes)
            lines.append(
                f"public static Object {name}(String made) {{ switch (made) {{ {cases} default: return null; }} }}"
            )
    if cls in MEMBERS:
        lines.append(MEMBERS[cls])
    if cls == BUNDLE and "get" not in own:
        lines.append(GET)
    extends = "" if interface else f" extends {PARENTS.get(cls, 'standin.Base')}"
    body = "".join(f"\n  {line}" for line in lines)
    static = "static " if depth else ""
    kind = "interface" if interface else "class"
    return f"public {static}{kind} {simple}{extends} {{{body}\n}}"


def _named(made: str) -> str:
    return f"Of{made.replace('.', '_').replace('$', '_')}"


def _implementation(made: str, writer: Writer) -> str:
    """A class as the factory of an interface, or of a class of the app's, returns it."""
    members = [
        _method("", method, overload, bodiless=False)
        for (of, method), overloads in writer.methods.items()
        if of == made
        for overload in dict.fromkeys(overloads)
    ]
    how = "implements" if writer.types.interface(made) else "extends"
    base = "extends standin.Base " if how == "implements" else ""
    return f"public static class {_named(made)} {base}{how} {made.replace('$', '.')} {{ {' '.join(members)} }}"


def _method(simple: str, method: str, overload: Method, *, bodiless: bool) -> str:
    parameters = ", ".join(f"{_source(each)} p{at}" for at, each in enumerate(overload.takes))
    given = ", ".join(f"p{at}" for at in range(len(overload.takes)))
    if (simple, method) == ("BaseBundle", "get"):
        return "public Object get(String p0) { return held.containsKey(p0) ? held.get(p0) : standin.Play.answer(p0); }"
    answer = f"standin.Play.answer(new Object[] {{{given}}})"
    if method == "$init":
        return f"public {simple}({parameters}) {{ {answer}; }}"
    static = "static " if overload.static else ""
    if overload.gives == "void":
        gives, body = "void", f"{answer};"
    elif overload.gives in PRIMITIVES:
        gives = overload.gives
        body = f"Object got = {answer}; return got == null ? {_zero(gives)} : ({gives}) ({BOXES[gives]}) got;"
    else:
        gives = "String" if overload.gives == "java.lang.String" else "Object"
        body = f"return ({gives}) {answer};"
    return f"public {static}{gives} {method}({parameters})" + (";" if bodiless else f" {{ {body} }}")


def _zero(primitive: str) -> str:
    return "false" if primitive == "boolean" else f"({primitive}) 0"


def _source(type_: str) -> str:
    return re.sub(r"<.*>", "", type_).replace("$", ".")


def compiled(folder: Path, out: Path, calls: Sequence[Call]) -> dict[int, str]:
    """Compile; the calls that do not, with what the compiler said. Raises AssertionError when a stand-in does not."""
    wrong: dict[int, str] = {}
    for _ in range(ROUNDS):
        files = [str(path) for path in folder.rglob("*.java")]
        listing = folder / "files"
        listing.write_text("\n".join(files), "utf-8")
        done = subprocess.run(
            ["javac", "-nowarn", "-Xmaxerrs", "1000", "--release", "17", "-d", str(out), f"@{listing}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return wrong
        bad = {
            int(found[1]): found[2] for found in re.finditer(r"/standin/Call(\d+)\.java:\d+: error: (.*)", done.stderr)
        }
        assert bad, done.stderr[-3000:]
        wrong |= bad
        for number in bad:
            (folder / "standin" / f"Call{number}.java").unlink()
    raise AssertionError(f"still not compiled: {done.stderr[-3000:]}")

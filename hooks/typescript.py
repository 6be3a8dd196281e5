"""Generates TypeScript: the recording contract (event.ts), and numbers that it shares with C (native/shared.ts).

`python -m hooks.typescript` writes both; with `--check` it only names files that are not current, and exits with 1.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from appwitness.events import FILES, KINDS, schema

HEADER = """\
// The recording contract, version 1. Generated from monitor/appwitness/events by `make fix`; do not edit.
"""
HOOKS = Path(__file__).parent
NUMBERS = """\
// Numbers that C and JavaScript share. Generated from shared.h by `make fix`; do not edit.
"""
_DEFINE = re.compile(r"^(?:/\* (?P<comment>.*) \*/\n)?#define (?P<name>\w+) (?P<value>\w+)$", re.MULTILINE)
_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def typescript() -> str:
    """The text of hooks/event.ts: an interface for each part of a line, and `Event`, a union of all kinds."""
    definitions: dict[str, Any] = schema()["$defs"]
    parts = [_interface(name, definitions[name]) for name in sorted(definitions)]
    kinds = " | ".join(kind.__name__ for kind in KINDS)
    files = "\n".join(f"  {kind}: {file!r},".replace("'", '"') for kind, file in FILES.items())
    parts.append(f"export type Event = {kinds};\n")
    parts.append(f"export const FILES = {{\n{files}\n}} as const;\n")
    return HEADER + "\n" + "\n".join(parts)


def _interface(name: str, definition: dict[str, Any]) -> str:
    required = {*definition.get("required", ()), "v"}
    lines = [f"/** {definition['description']} */"] if "description" in definition else []
    lines.append(f"export interface {name} {{")
    for field, shape in definition["properties"].items():
        if "description" in shape:
            lines.append(f"  /** {shape['description']} */")
        lines.append(f"  {field}{'' if field in required else '?'}: {_type(shape)};")
    lines.append("}\n")
    return "\n".join(lines)


def _type(shape: dict[str, Any]) -> str:
    match shape:
        case {"$ref": str(ref)}:
            return ref.rsplit("/", 1)[1]
        case {"const": value}:
            return _literal(value)
        case {"enum": values}:
            return " | ".join(_literal(value) for value in values)
        case {"anyOf": options}:
            return " | ".join(dict.fromkeys(_type(option) for option in options))
        case {"type": "array", "prefixItems": items}:
            return f"readonly [{', '.join(_type(item) for item in items)}]"
        case {"type": "array", "items": item}:
            inner = _type(item)
            return f"readonly ({inner})[]" if " " in inner else f"readonly {inner}[]"
        case {"type": "object"}:
            return "Record<string, unknown>"
        case {"type": str(name)} if name in _SCALARS:
            return _SCALARS[name]
    raise NotImplementedError(f"hooks/typescript.py has no TypeScript for {shape}: add a case")


def _literal(value: object) -> str:
    return "null" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def numbers() -> str:
    """The text of hooks/native/shared.ts: a constant for each `#define NAME NUMBER` of shared.h, with its comment."""
    parts = [NUMBERS]
    for each in _DEFINE.finditer((HOOKS / "native/shared.h").read_text("utf-8")):
        comment = f"/** {each['comment']} */\n" if each["comment"] else ""
        parts.append(f"{comment}export const {each['name']} = {each['value']};")
    return "\n".join(parts) + "\n"


def main() -> None:
    """Write files that are not current; with `--check` only name them, and exit with 1."""
    for path, text in {HOOKS / "event.ts": typescript(), HOOKS / "native/shared.ts": numbers()}.items():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if "--check" in sys.argv:
            sys.exit(f"hooks/{path.relative_to(HOOKS)} is not current: make fix")
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

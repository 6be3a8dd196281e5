"""Reads the catalog's YAML files; errors name the file and line."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ValidationError

from appwitness.support import given_files
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

HERE = Path(__file__).parent
PACKAGE = HERE.parent
LOADED = HERE / "loaded"
"""The parsed YAML files of the package, each named by the digest of its text; written by the build (hatch_build.py)."""
LARGEST = 8 << 20
"""Maximum size of a file, in bytes."""
MOST_FILES = 1000
"""Maximum number of files in a folder."""
MOST_NODES = 1_000_000
"""Maximum number of keys and values in a file; an alias counts as its target each time that it is used."""
MOST_DIGITS = 18
"""Maximum number of digits of an integer, so that it fits into 64 bits."""
UNFIT = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Characters that YAML cannot contain literally."""
_ESCAPED = re.compile(rf"[\x85\u2028\u2029]|{UNFIT.pattern}")
"""These, and the characters that YAML treats as line ends."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Like safe_load, but without base-60 numbers and merge keys; with libyaml, eight times as fast."""


_PLAIN: dict[str, re.Pattern[str]] = {
    "tag:yaml.org,2002:int": re.compile(r"[-+]?(?:0b[01_]+|0x[\da-fA-F_]+|0[0-7_]*|[1-9][\d_]*)"),
    "tag:yaml.org,2002:float": re.compile(
        r"[-+]?(?:\d[\d_]*\.[\d_]*(?:[eE][-+]\d+)?|\.[\d][\d_]*(?:[eE][-+]\d+)?|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
    ),
}
"""Patterns for untagged scalars that are numbers: those of YAML 1.1 without base 60 (1:30 for ninety)."""
_MERGE = "tag:yaml.org,2002:merge"
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(rf"(?:{_PLAIN[tag].pattern})$") if tag in _PLAIN else pattern)
        for tag, pattern in resolvers
        if tag != _MERGE
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _scalar(make: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A constructor for scalars that raises a YAML error if a value is invalid or too large."""

    def made(loader: Any, node: Any) -> Any:
        wrong = "not a valid number, date or boolean"
        try:
            if len(node.value) <= MOST_SCALAR and not (node.tag in _PLAIN and ":" in node.value):
                value = make(loader, node)
                large = isinstance(value, int) and abs(value) >= 10**MOST_DIGITS
                if not large and not (isinstance(value, float) and not math.isfinite(value)):
                    return value
            wrong = "a number that is too large, or not a number"
        except (ValueError, ArithmeticError, AttributeError, LookupError, TypeError):
            pass
        raise yaml.constructor.ConstructorError(None, None, wrong, node.start_mark)

    return made


MOST_SCALAR = 100
"""Maximum length of a number, a date or a boolean, in characters."""
for _kind in ("int", "float", "bool", "timestamp"):
    _tag = f"tag:yaml.org,2002:{_kind}"
    _Loader.add_constructor(_tag, _scalar(yaml.SafeLoader.yaml_constructors[_tag]))


def files(name: str, extra: Path | None = None) -> Iterator[Path]:
    """The YAML files of one part of the catalog, sorted by name: `rules` (a folder) or `recipients.yml` (a file).

    `extra` is the user's own folder or file, read after ours.
    """
    for place in (HERE / name, extra):
        if place is None:
            continue
        if place.is_dir():
            found = list(islice(place.glob("*.yml"), MOST_FILES + 1))
            if len(found) > MOST_FILES:
                raise FileError(
                    place,
                    None,
                    Spoken("more than {most_files} files.", most_files=MOST_FILES),
                    "Name a folder with fewer.",
                )
            yield from sorted(found)
        elif place.exists():
            yield place
        else:
            raise FileError(place, None, "no such file or folder.", "Name a YAML file or a folder of them.")


def tree(path: Path) -> Any:
    """The content of one YAML file as plain data. Raises FileError with the line if it is not YAML."""
    return _tree(path, text_of(path))


def quoted(plain: Any) -> str:
    """Plain data as one line of YAML that reads back the same. Raises UserError for a lone surrogate."""
    text = json.dumps(plain, ensure_ascii=False)
    if half := re.search(r"[\ud800-\udfff]", text):
        what = Spoken(
            "{text!r} contains half of a surrogate pair (U+{half:04X}), which no file can hold.",
            text=text[:100],
            half=ord(half[0]),
        )
        raise UserError(what, "Write the text without it.")
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def text_of(path: Path) -> str:
    """The text of a file that may come from a stranger, limited in size. Raises FileError."""
    if path.is_relative_to(PACKAGE):  # our own files, which a package manager may have replaced with links
        return path.read_text("utf-8")
    return given_files.text(path, LARGEST)


def bytes_of(path: Path) -> bytes:
    """The bytes of such a file, limited in the same way."""
    return path.read_bytes() if path.is_relative_to(PACKAGE) else given_files.read(path, LARGEST)


def _tree(path: Path, text: str) -> Any:
    if path.is_relative_to(PACKAGE):
        with suppress(OSError):  # not built, or changed since
            held = (LOADED / f"{hashlib.sha256(text.encode()).hexdigest()}.pickle").read_bytes()
            return pickle.loads(held)  # noqa: S301 it is as much our own as the .pyc files beside it
    return read(path, text)


def read(path: Path, text: str) -> Any:
    """The tree of a YAML text. Raises FileError with the line; `path` is only named in it."""
    todo = Spoken("Fix the line and try again.")
    if unfit := UNFIT.search(text, 1 if text.startswith("\ufeff") else 0):
        line = text.count("\n", 0, unfit.start()) + 1
        raise FileError(path, line, Spoken("not YAML: U+{unfit:04X} is not allowed in it.", unfit=ord(unfit[0])), todo)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _bounded(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        at: int | None = error.problem_mark.line + 1 if error.problem_mark else None
        raise FileError(path, at, Spoken("not YAML: {problem}.", problem=error.problem), todo) from None
    except yaml.YAMLError as error:
        raise FileError(path, None, Spoken("not YAML: {error}.", error=error), todo) from None
    except RecursionError:
        raise FileError(path, None, "not YAML: nested too deeply.", todo) from None


def _bounded(root: Any) -> None:
    """Raise a YAML error for duplicate keys, self-references, too deep nesting, and aliases that expand to too much."""
    sizes: dict[int, int] = {}
    inside: set[int] = set()
    waiting = [(root, False)]
    while waiting:
        node, left = waiting.pop()
        if isinstance(node, yaml.ScalarNode) or id(node) in sizes:
            continue
        pairs = isinstance(node, yaml.MappingNode)
        held = [each for pair in node.value for each in pair] if pairs else node.value
        if left:
            inside.discard(id(node))
            size = sizes[id(node)] = 1 + sum(sizes.get(id(each), 1) for each in held)
            if size > MOST_NODES:
                raise yaml.composer.ComposerError(None, None, "too many keys and values", node.start_mark)
            continue
        if id(node) in inside or len(inside) > DEEPEST:
            what = Spoken("nested too deeply") if len(inside) > DEEPEST else Spoken("it contains itself")
            raise yaml.composer.ComposerError(None, None, what, node.start_mark)
        if pairs:
            seen: set[tuple[str, str]] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in seen:
                        what = Spoken("{value!r} is listed here twice", value=key.value[:60])
                        raise yaml.composer.ComposerError(None, None, what, key.start_mark)
                    seen.add((key.tag, key.value))
        inside.add(id(node))
        waiting.append((node, True))
        waiting += [(each, False) for each in held]


DEEPEST = 100
"""Deepest nesting of lists and mappings."""


def parse[M: BaseModel](
    path: Path,
    model: type[M],
    known: Mapping[str, Any] | None = None,
    hint: str = "Compare with the files beside it.",
) -> M:
    """Parse one YAML file as a `model`. Raises FileError with the line of the first invalid field.

    `known` has the names in other files, for models that check references: data, kinds, presets. `hint` says what to do
    about an error. A file of the package is parsed once in a process, so its models must not be changed.
    """
    text = text_of(path)
    if not path.is_relative_to(HERE):
        return parse_text(path, text, model, known, hint)
    held = _parsed.get((path, model))
    if held is None or held[:2] != (text, known):
        held = _parsed[path, model] = text, known, parse_text(path, text, model, known, hint)
    return cast(M, held[2])


_parsed: dict[tuple[Path, type[BaseModel]], tuple[str, Mapping[str, Any] | None, BaseModel]] = {}
"""Text, known names and result for each file of the package."""


def parse_text[M: BaseModel](
    path: Path, text: str, model: type[M], known: Mapping[str, Any] | None = None, hint: str = ""
) -> M:
    """Like `parse`, for a text; errors name `path`."""
    data = _tree(path, text)
    try:
        return model.model_validate(data, context=known)
    except ValidationError as error:
        # a wrong value is the better hint than a missing field: the two often come together
        first = min(error.errors(include_url=False), key=lambda each: each["type"] == "missing")
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise FileError(
            path, line_of(text, first["loc"]), Spoken("{where}: {first}.", where=where, first=first["msg"]), hint
        ) from None


def lines_of(path: Path, name: str) -> list[int]:
    """The line numbers at which the entries of the list `name` begin, in a file that parses."""
    node: Any = yaml.compose(text_of(path), _Loader)
    return [
        entry.start_mark.line + 1
        for key, value in node.value
        if key.value == name and isinstance(value, yaml.SequenceNode)
        for entry in value.value
    ]


def line_of(text: str, loc: tuple[int | str, ...]) -> int:
    """The line number of the deepest node on the path `loc` that exists in the text."""
    node = yaml.compose(text, _Loader)
    line = 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == part), None)
            if pair is None:
                break
            line = pair[0].start_mark.line + 1
            node = pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line

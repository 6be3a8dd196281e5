"""Reads the catalog, what grows as data: YAML files beside this one, each error with its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from appwitness.support.errors import FileError

HERE = Path(__file__).parent
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same as safe_load; where libyaml is there, eight times as fast."""


def files(name: str, extra: Path | None = None) -> Iterator[Path]:
    """The YAML files of one part of the catalog in order of name: `rules` (a folder) or `recipients.yml` (a file).

    `extra` is a further folder or file of the user's own, read after ours.
    """
    for place in (HERE / name, extra):
        if place is None:
            continue
        if place.is_dir():
            yield from sorted(place.glob("*.yml"))
        elif place.exists():
            yield place
        else:
            raise FileError(place, None, "no such file or folder.", "Name a YAML file or a folder of them.")


def tree(path: Path) -> Any:
    """The content of one YAML file as plain data. Raises FileError with the line when it is not YAML."""
    return _tree(path, _text(path))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise FileError(path, None, "not UTF-8 text.", "Save the file as UTF-8.") from None


def _tree(path: Path, text: str) -> Any:
    try:
        return yaml.load(text, _LOADER)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise FileError(path, line, f"not YAML: {error.problem}.", "Fix the line and try again.") from None


def parse[M: BaseModel](
    path: Path,
    model: type[M],
    known: Mapping[str, Any] | None = None,
    hint: str = "Compare with the files beside it.",
) -> M:
    """One YAML file as a `model`. Raises FileError that names the line of the first field that does not fit.

    `known` are the names that other files have, for a model that checks what it names: data, kinds, presets.
    `hint` is what to do about an error.
    """
    return parse_text(path, _text(path), model, known, hint)


def parse_text[M: BaseModel](
    path: Path, text: str, model: type[M], known: Mapping[str, Any] | None = None, hint: str = ""
) -> M:
    """The same of a text; `path` is what errors name."""
    data = _tree(path, text)
    try:
        return model.model_validate(data, context=known)
    except ValidationError as error:
        # A wrong value is the better hint than a missing field: the one often comes with the other.
        first = min(error.errors(include_url=False), key=lambda each: each["type"] == "missing")
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise FileError(path, line_of(text, first["loc"]), f"{where}: {first['msg']}.", hint) from None


def lines_of(path: Path, name: str) -> list[int]:
    """The lines at which the entries of the list `name` begin, of a file that parses."""
    node: Any = yaml.compose(_text(path), _LOADER)
    return [
        entry.start_mark.line + 1
        for key, value in node.value
        if key.value == name and isinstance(value, yaml.SequenceNode)
        for entry in value.value
    ]


def line_of(text: str, loc: tuple[int | str, ...]) -> int:
    """The line of the deepest node on the way to `loc` that the text has."""
    node = yaml.compose(text, _LOADER)
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

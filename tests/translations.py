"""What the program says to people, as translators get it: `python -m tests.translations` brings zh.po up to date.

New texts come to it without a translation, texts that nobody says any more leave it.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import cloup
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from appwitness.catalog import yaml_files
from appwitness.cli import front_page
from appwitness.cli.front_page import GROUPS, VERBS
from appwitness.cli.local_words import paragraphs
from appwitness.cli.verbs import main
from appwitness.support.spoken import AND, COMMA, OR, SEMICOLON

PACKAGE = Path(__file__).parents[1] / "monitor/appwitness"
PO = PACKAGE / "support/locale/zh.po"
RECORDED = Path(__file__).with_name("recorded.txt")
SAYING = {
    **dict.fromkeys(("tr", "Spoken", "BadParameter", "UsageError", "option_group", "prompt"), (0, 1)),
    **dict.fromkeys(("UserError", "SetupError", "Unhookable", "StoreError", "DiskFullError"), (0, 2)),
    "columns": (0, 1),
    **{"DamagedRecording": (0, 2), "FileError": (2, 4), "Problem": (2, 3), "StillThere": (2, 3)},
}
"""Function or class -> which of its arguments are said to people."""
VARIABLE = (
    *("contacts", "calls", "messages", "appointments", "photo", "place", "device name", "clipboard"),
    *("ok", "warning", "fault", "error", "internal error", "high", "medium", "low", "info"),
    COMMA,
    SEMICOLON,
    AND,
    OR,
)
"""Texts that a variable holds where they are said."""
HEADER = "# What appwitness says, in Chinese. `python -m tests.translations` brings it up to date."
ABOUT = {
    "project": "appwitness",
    "version": "zh",
    "last_translator": "-",
    "language_team": "-",
    "msgid_bugs_address": "-",
}
SINCE = datetime(2026, 12, 1, tzinfo=UTC)
"""The dates that a file of this format has; the history of this one is in git."""
CLICK = ("core", "decorators", "exceptions", "formatting", "parser", "termui", "types")
UNSAID = (
    *(
        "Value must be",
        "DeprecationWarning",
        "Could not determine name",
        "No options defined",
        "Arguments take exactly",
    ),
    *("Name '{name}' defined", "Boolean option", "Unknown color", "{value!r} is not a valid UUID", "Choice("),
    *("Invalid start character", "%(prog)s, version", "Show the version and exit", "Confirm the action"),
)
"""How messages of click begin that only a programmer gets, or that nothing here makes it say."""


def of_verbs() -> Iterator[str]:
    """All that --help prints of every verb, but names."""
    for title, verbs in GROUPS.items():
        yield title
        yield from (says for _, says in verbs.values())
    yield from (front_page.ABOUT, front_page.MORE, "Usage:", "Options", "Other options", "Commands")
    yield from _of_command(main)


def commands(command: click.Command = main, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb, by its names, with what it is made of."""
    yield names, command
    if isinstance(command, click.Group):
        for name in VERBS if command is main else command.commands:
            found = command.get_command(click.Context(command), name)
            if found is not None:
                yield from commands(found, *names, name)


def _of_command(command: click.Command) -> Iterator[str]:
    for _, each in commands(command):
        yield from paragraphs(each.help or "")
        yield from paragraphs(each.epilog or "")
        groups = [*each.option_groups] if isinstance(each, cloup.Command) else []
        for group in groups:
            yield group.title
            yield group.help or ""
        for param in each.params:
            if isinstance(param, click.Option) and not param.hidden:
                yield param.help or ""
                yield param.show_default if isinstance(param.show_default, str) else ""


def of_catalog() -> Iterator[str]:
    """Faults of devices, and the checks of doctor."""
    yield from of_faults()
    yield from of_checks()


def of_faults() -> Iterator[str]:
    """What happened and what to do, of every code of devices and of Frida's errors."""
    for each in yaml_files.tree(yaml_files.HERE / "devices/faults.yml")["faults"].values():
        yield from (each["what"], each["do"])
    for each in yaml_files.tree(yaml_files.HERE / "devices/frida.yml")["errors"]:
        yield each["do"]


def of_checks() -> Iterator[str]:
    """What doctor says of each check, and of each warning."""
    tree = yaml_files.tree(yaml_files.HERE / "devices/doctor.yml")
    yield from (each["ok"] for each in tree["checks"].values())
    for each in (*tree["warnings"].values(), *tree["roms"]):
        yield from (each[name] for name in ("what", "do", "name") if name in each)


def of_recordings() -> Iterator[str]:
    """What recordings say of gaps: the hooks and the proxy write it in English."""
    lines = RECORDED.read_text("utf-8").splitlines()
    return (line for line in lines if not line.startswith("#"))


def put_together(folder: Path = PACKAGE) -> Iterator[str]:
    """Places where a text for people is made by an f-string or `+`: it has no template that could be translated."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for argument in _said(node):
                waiting = [argument]
                while waiting:
                    each = waiting.pop()
                    if isinstance(each, ast.JoinedStr | ast.BinOp):
                        yield f"{path.relative_to(folder)}:{each.lineno}"
                    elif isinstance(each, ast.IfExp):
                        waiting += (each.body, each.orelse)


def _said(node: ast.AST) -> list[ast.expr]:
    if not isinstance(node, ast.Call):
        return []
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    first, last = SAYING.get(name, (0, 0))
    return node.args[first:last]


def of_code(folder: Path = PACKAGE) -> Iterator[str]:
    """Texts in Python that are said to people: the first arguments of what is in SAYING."""
    for path in sorted(folder.rglob("*.py")):
        yield from _of_module(path)


def _of_module(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for argument in _said(node):
            parts = argument.elts if isinstance(argument, ast.Tuple) else (argument,)
            for each in ast.walk(argument) if isinstance(argument, ast.IfExp) else parts:
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value


def of_click() -> Iterator[str | tuple[str, str]]:
    """What click says by itself; of what depends on a number, singular and plural."""
    for name in CLICK:
        path = str(importlib.import_module(f"click.{name}").__file__)
        for _, text, *_ in extract_from_file("python", path, {"_": None, "ngettext": (1, 2)}):
            if not isinstance(text, str):
                yield (text[0], text[1])
            elif not text.startswith(UNSAID):
                yield text
    yield from ("required", "Show this message and exit.")


def everything() -> list[str | tuple[str, str]]:
    """All texts, in the order of zh.po, each once."""
    texts = (*of_verbs(), *of_catalog(), *of_code(), *of_recordings(), *VARIABLE, *of_click())
    return list(dict.fromkeys(filter(None, texts)))


def translated() -> dict[str | tuple[str, str], str]:
    """English -> Chinese; empty where there is none yet. Chinese has one form for any number."""
    with PO.open("rb") as there:
        return {_key(each): _one(each.string) for each in read_po(there) if each.id}


def _key(message: Message) -> str | tuple[str, str]:
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def _one(said: str | Sequence[str] | None) -> str:
    return said if isinstance(said, str) else (said or [""])[0]


def update() -> list[str]:
    """Write zh.po anew; the texts that lack a translation."""
    there = translated() if PO.exists() else {}
    made = Catalog("zh", header_comment=HEADER, creation_date=SINCE, revision_date=SINCE, fuzzy=False, **ABOUT)
    for text in everything():
        said = there.get(text, "")
        made.add(text, (said,) if isinstance(text, tuple) else said)
    with PO.open("wb") as out:
        write_po(out, made, width=0, omit_header=False)
    return [str(each.id) for each in made if each.id and not any(each.string or ())]


if __name__ == "__main__":
    missing = update()
    print(f"{len(missing)} texts lack a translation", file=sys.stderr)

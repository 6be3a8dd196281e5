"""The verb that says which options hold, and where each was set: config."""

from __future__ import annotations

import os
import re
from typing import Any

import click
from click.core import ParameterSource

from appwitness.cli import settings
from appwitness.cli.verbs import VERBS, main
from appwitness.support import escape
from appwitness.support.errors import UserError


@main.command()
@click.argument("verb", nargs=-1)
@click.pass_context
def config(ctx: click.Context, verb: tuple[str, ...]) -> None:
    """Say which options hold, and where each was set.

    With a VERB, such as `observe` or `baseline write`, every option that it has; else what the file sets. The command
    line goes before the environment (APPWITNESS_OBSERVE_PLAN), the environment before the file: appwitness.toml, or
    [tool.appwitness] in pyproject.toml, in this folder or above it.
    """
    from appwitness.cli.terminal import columns

    head = ("option", "value", "from")
    found = settings.find()
    if found:
        settings.check(found, VERBS)
        for name in VERBS:
            command = main.get_command(ctx, name)
            if command:
                found.defaults(name, command)
    click.echo(
        f"file: {found.path if found else f'none ({settings.NAMES[0]}, or [tool.appwitness] in pyproject.toml)'}"
    )
    if verb:
        columns(head, _options(ctx, verb, found))
    else:
        rows = _of_file(found, (), found.tables) if found else []
        rows += [
            (name, _shown(value), "environment")
            for name, value in sorted(os.environ.items())
            if name.startswith("APPWITNESS_")
        ]
        columns(head, rows)


def _of_file(found: settings.FileSettings, keys: tuple[str, ...], tables: Any) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for key, value in tables.items():
        if isinstance(value, dict):
            rows += _of_file(found, (*keys, key), value)
        else:
            rows.append((" ".join((*keys, f"--{key}")), _shown(value), found.place(*keys, key)))
    return rows


def _options(ctx: click.Context, verb: tuple[str, ...], found: settings.FileSettings | None) -> list[tuple[str, ...]]:
    of = main.make_context("appwitness", list(verb), resilient_parsing=True)
    command: click.Command = main
    for name in verb:
        inner = command.get_command(of, name) if isinstance(command, click.Group) else None
        if inner is None:
            raise UserError(f"There is no verb {' '.join(verb)}.", "`appwitness --help` names them.")
        if command is main and found:
            of.default_map = {name: found.defaults(name, inner)}
        command, of = inner, click.Context(inner, info_name=name, parent=of)
    if isinstance(command, click.Group):
        raise UserError(f"{' '.join(verb)} has verbs of its own.", f"Name one: {', '.join(sorted(command.commands))}.")
    rows: list[tuple[str, ...]] = []
    for key, option in settings.options(command):
        value, source = option.consume_value(of, {})
        if source is ParameterSource.DEFAULT_MAP and found:
            where = found.place(*verb, key) if key in found.table(*verb) else found.place(key)
        elif source is ParameterSource.ENVIRONMENT:
            where = f"environment {of.auto_envvar_prefix}_{str(option.name).upper()}"
        else:
            where = "default"
        rows.append((f"--{key}", _shown(option.get_default(of) if value is None else value), where))
    return rows


def _shown(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return escape.terminal(re.sub(r"//[^/@]*@", "//***@", value))  # a database's password
        case int() | float():
            return str(value)
        case list() | tuple() if value:
            return ", ".join(map(_shown, value))
        case _:
            return "-"

"""The verbs that say what appwitness knows: sources, rules, schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from monitor import events
from monitor.cli.base import main, out, plain, rules_option
from monitor.errors import UserError


@main.command()
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to write."
)
@click.option("--sources", "extra", type=click.Path(path_type=Path, exists=True), help="Further YAML file or folder.")
def sources(format_: str, extra: Path | None) -> None:
    """List the APIs that are hooked."""
    from monitor.observe.sources import load

    loaded = load(extra)
    if format_ == "json":
        click.echo(json.dumps([source.model_dump(mode="json") for source in loaded], indent=1, ensure_ascii=False))
        return
    _columns(("data", "source", "permission"), [(each.data, each.name, each.permission or "") for each in loaded])


def _columns(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Plain columns that a pipe can cut; nothing is folded or shortened."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@main.command()
@click.argument("rule", required=False)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to write."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language.")
@rules_option
def rules(rule: str | None, format_: str, lang: str, rules_folder: Path | None) -> None:
    """List the rules, or show the page of one RULE."""
    from monitor.correlate import knowledge

    known = knowledge(rules_folder).rules
    if rule is not None:
        known = tuple(each for each in known if each.id == rule)
        if not known:
            raise UserError(f"There is no rule {rule!r}.", "`appwitness rules` lists them.")
    if format_ == "json":
        click.echo(json.dumps([each.model_dump(mode="json") for each in known], indent=1, ensure_ascii=False))
    elif rule is not None:
        shown = known[0]
        out.print(f"[bold]{shown.id}[/] ({shown.level}): {plain(shown.title[lang])}\n")
        out.print(f"{plain(shown.why[lang])}\n")
        out.print(f"Remedy: {plain(shown.remedy[lang])}\n")
        for reference in shown.references:
            out.print(f"  {plain(reference)}")
    else:
        _columns(("level", "rule", "title"), [(each.level, each.id, each.title[lang]) for each in known])


@main.command()
@click.option(
    "--of", type=click.Choice(["lines", "report"]), default="lines", show_default=True, help="What to describe."
)
def schema(of: str) -> None:
    """Print the JSON Schema of the lines, or of the report."""
    if of == "lines":
        described = events.schema()
    else:
        from monitor.findings import report_schema

        described = report_schema()
    click.echo(json.dumps(described, indent=1, ensure_ascii=False))

"""The verb of what is hooked: the sources, the page of one, and how they cover what tools of the field hook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from appwitness.cli.list_verbs import format_option
from appwitness.cli.terminal import columns
from appwitness.cli.verbs import ListOrShow, main
from appwitness.support import escape

extra_option = click.option(
    "--sources", "extra", type=click.Path(path_type=Path, exists=True), help="Further YAML file or folder."
)


@main.group(cls=ListOrShow)
def sources() -> None:
    """List the sources that are known, show one, or --coverage: the APIs that any tool hooks, and how we see each.

    What became of them in a run (installed, waiting for their class, absent, failed) stands in its report.
    """


@sources.command("list")
@format_option
@extra_option
@click.option("--coverage", is_flag=True, help="How the APIs that other tools hook are covered, by level.")
def list_sources(format_: str, extra: Path | None, coverage: bool) -> None:
    """List the sources that are known, by kind of data."""
    from appwitness.api.hooked_apis import covered, entries, hooked_apis

    if coverage:
        _coverage(covered(extra), format_)
    elif format_ == "json":
        click.echo(_json([each.model_dump(mode="json") for each in entries(extra)]))
    else:
        columns(("data", "source", "permission"), hooked_apis(extra))


@sources.command("show")
@click.argument("name")
@format_option
@extra_option
def show_source(name: str, format_: str, extra: Path | None) -> None:
    """Show the page of a source by NAME: its full name, or how that ends (`TelephonyManager.getImei`).

    What is hooked and why it is personal data, permission, API levels, how values are read, and which other APIs are
    seen through it. Of an API that other tools hook and that is no source here: what sees it, or why nothing does.
    """
    from appwitness.api.hooked_apis import find
    from appwitness.cli.source_page import covered_page, page

    found = find(name, extra)
    if format_ == "json":
        pages = [
            {
                "name": each.name,
                "entries": [entry.model_dump(mode="json") for entry in each.entries],
                "yardstick": [
                    {"api": cover.yard.name, "level": cover.yard.level, "state": cover.state, "why": cover.why}
                    for cover in each.covers
                ],
            }
            for each in found.pages
        ]
        states = [
            {"name": each.yard.name, "level": each.yard.level, "state": each.state, "by": each.by, "why": each.why}
            for each in found.others
        ]
        click.echo(_json(pages or states))
        return
    click.echo(escape.terminal("\n\n".join([*map(page, found.pages), *map(covered_page, found.others)])))


def _coverage(counted: Mapping[str, Any], format_: str) -> None:
    if format_ == "json":
        click.echo(_json(counted))
        return
    for what in ("levels", "categories"):
        states = next(iter(counted[what].values()))
        columns(
            (what.removesuffix("s").replace("categorie", "category"), *states, "covered"),
            [(name, *_row(counts)) for name, counts in counted[what].items()],
        )
        click.echo()
    click.echo(
        "must: hooked by two tools of the field or more; full: by one; wide: by one or in bulk; gaps: by none.\n"
        "hooked: by a source of its own; lower_layer: its calls pass a source (`sources show` says which lean on it);\n"
        "not_here: no app can call it on the Android of today, or it cannot be hooked; missing: not seen."
    )
    for name in counted["missing"]:
        click.echo(f"missing  {escape.field(name)}")


def _row(counts: dict[str, int]) -> tuple[str, ...]:
    share = 1 - counts["missing"] / counts["total"] if counts["total"] else 1.0
    return (*(str(count) for count in counts.values()), f"{share:.1%}")


def _json(what: Any) -> str:
    return escape.json(json.dumps(what, indent=1, ensure_ascii=False))

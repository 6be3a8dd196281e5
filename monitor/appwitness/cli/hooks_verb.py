"""The verb of what is hooked: the sources, the page of one, and how they cover what tools of the field hook."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appwitness.cli.base import ListOrShow, main
from appwitness.cli.list_verbs import format_option
from appwitness.cli.terminal import columns
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.agent.yardstick import Cover
    from appwitness.cli.source_page import Known

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
    if coverage:
        _coverage(_covers(extra), format_)
        return
    from appwitness.agent import native_routes
    from appwitness.agent.sources import load

    loaded, below = load(extra), native_routes.load()
    if format_ == "json":
        click.echo(_json([each.model_dump(mode="json") for each in (*loaded, *below.routes, below.binder)]))
        return
    rows = [(each.data, each.name, each.permission or "") for each in loaded]
    rows += sorted({(ask.data, route.name, "") for route in below.routes for ask in route.asks})
    rows += sorted({(data, below.binder.source, "") for data in below.binder.interfaces.values()})
    columns(("data", "source", "permission"), rows)


@sources.command("show")
@click.argument("name")
@format_option
@extra_option
def show_source(name: str, format_: str, extra: Path | None) -> None:
    """Show the page of a source by NAME: its full name, or how that ends (`TelephonyManager.getImei`).

    What is hooked and why it is personal data, permission, API levels, how values are read, and which other APIs are
    seen through it. Of an API that other tools hook and that is no source here: what sees it, or why nothing does.
    """
    from appwitness.cli.source_page import covered_page, page

    known, covers = _all(extra), _covers(extra)
    found = _find(name, known)
    others = [] if found else [cover for cover in covers if _is(cover.yard.name.split(" ")[0], name)]
    if not found and not others:
        raise _unknown(name, known)
    shown = {full: [cover for cover in covers if (cover.by or "").split(" ")[0] == full] for full in found}
    if format_ == "json":
        pages = [
            {
                "name": full,
                "entries": [each.model_dump(mode="json") for each in entries],
                "yardstick": [
                    {"api": cover.yard.name, "level": cover.yard.level, "state": cover.state, "why": cover.why}
                    for cover in shown[full]
                ],
            }
            for full, entries in found.items()
        ]
        states = [
            {"name": each.yard.name, "level": each.yard.level, "state": each.state, "by": each.by, "why": each.why}
            for each in others
        ]
        click.echo(_json(pages or states))
        return
    texts = [page(full, entries, shown[full]) for full, entries in found.items()]
    click.echo("\n\n".join([*texts, *map(covered_page, others)]))


def _all(extra: Path | None) -> dict[str, list[Known]]:
    """Every source by its name; several entries may share one."""
    from appwitness.agent import native_routes
    from appwitness.agent.sources import load

    below = native_routes.load()
    named: dict[str, list[Known]] = {}
    for source in load(extra):
        named.setdefault(source.name, []).append(source)
    for route in below.routes:
        named.setdefault(route.name, []).append(route)
    named.setdefault(below.binder.source, []).append(below.binder)
    return named


def _find(name: str, known: dict[str, list[Known]]) -> dict[str, list[Known]]:
    return {name: known[name]} if name in known else {full: each for full, each in known.items() if _is(full, name)}


def _is(full: str, name: str) -> bool:
    """Whether it is this name, or ends so."""
    return full == name or full.endswith((f".{name}", f"${name}", f"!{name}"))


def _unknown(name: str, known: dict[str, list[Known]]) -> UserError:
    ends = {full.replace("!", ".").rpartition(".")[2]: full for full in known}
    near = [*difflib.get_close_matches(name, known, n=2), *difflib.get_close_matches(name, ends, n=2)]
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return UserError(f"There is no source {name!r}.", f"{hint}`appwitness sources` lists them.")


def _covers(extra: Path | None) -> list[Cover]:
    from appwitness.agent import native_routes
    from appwitness.agent import yardstick as coverage
    from appwitness.agent.sources import load

    return coverage.covered(coverage.yardstick(), load(extra), native_routes.load(), coverage.beside())


def _coverage(covers: Sequence[Cover], format_: str) -> None:
    from appwitness.agent.yardstick import STATES, table

    counted = table(covers)
    if format_ == "json":
        click.echo(_json(counted))
        return
    for what in ("levels", "categories"):
        head = (what.removesuffix("s").replace("categorie", "category"), "total", *STATES, "covered")
        columns(head, [(name, *_row(counts)) for name, counts in counted[what].items()])
        click.echo()
    click.echo(
        "must: hooked by two tools of the field or more; full: by one; wide: by one or in bulk; gaps: by none.\n"
        "hooked: by a source of its own; lower_layer: its calls pass a source (`sources show` says which lean on it);\n"
        "not_here: no app can call it on the Android of today, or it cannot be hooked; missing: not seen."
    )
    for name in counted["missing"]:
        click.echo(f"missing  {name}")


def _row(counts: dict[str, int]) -> tuple[str, ...]:
    share = 1 - counts["missing"] / counts["total"] if counts["total"] else 1.0
    return (*(str(count) for count in counts.values()), f"{share:.1%}")


def _json(what: Any) -> str:
    return json.dumps(what, indent=1, ensure_ascii=False)

"""The verb `catalog`: which edition of the data that ages is in effect, and how a newer one is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from appwitness.cli.as_json import document, json_option
from appwitness.cli.terminal import columns, out, plain
from appwitness.cli.verbs import FILE, main

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.catalog_updates import Edition


@main.group()
def catalog() -> None:
    """Show which edition of the catalog data that ages is in use, or install a newer one.

    Recipients, articles of law, system dialogs and the digests of Frida's builds age. What is hooked, and what counts
    as a finding, changes only with a release.
    """


@catalog.command()
@json_option
def show(as_json: bool) -> None:
    """Show edition, date and source of this data, and the date of each of its files."""
    from appwitness.api import catalog_updates

    edition, files = catalog_updates.held()
    if as_json:
        document({**_plain(edition), "files": [each._asdict() for each in files]})
        return
    out.print(_said(edition))
    rows = [(each.name, each.as_of or "-", "update" if each.updated else "package") for each in files]
    columns(("file", "as of", "from"), rows)


@catalog.command()
@click.argument("file", type=FILE)
@click.option("--key", "keys", type=FILE, multiple=True, help="File with a public key to trust, too. Repeatable.")
@json_option
def update(file: Path, keys: tuple[Path, ...], as_json: bool) -> None:
    """Install a newer edition from FILE, whose signature is beside it as FILE.sig.

    Nothing is fetched. An update is refused if it is not signed by a key that this release or --key names, is no newer
    than the edition in use, leaves out an entry that is there, or replaces any other file.
    """
    from appwitness.api import catalog_updates

    edition = catalog_updates.update(file, keys)
    if as_json:
        document(_plain(edition))
        return
    out.print(_said(edition))


def _said(edition: Edition) -> str:
    return plain(f"{edition}, from {edition.source or 'the package'}")


def _plain(edition: Edition) -> dict[str, object]:
    return edition.model_dump(mode="json", exclude={"files"})

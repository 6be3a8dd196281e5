"""The verbs fleet export and fleet letters: what is known of a campaign, for other tools and for authorities."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from appwitness.api import fleets
from appwitness.cli.terminal import err, plain
from appwitness.cli.verbs import VerbJudging, db_option, judging_options
from appwitness.cli.writing import note_reveal
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.fleets import TableName

campaign_option = click.option("--campaign", metavar="NAME", help="Only this campaign. [default: all]")
reveal_option = click.option(
    "--reveal", is_flag=True, help="Show personal values as they are; they are masked otherwise."
)


@click.command()
@click.argument("table", type=click.Choice(["runs", "findings", "flows", "recipients"]))
@campaign_option
@click.option("--format", "format_", type=click.Choice(["csv", "parquet"]), default="csv", help="What to write.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write. [default: stdout]")
@reveal_option
@db_option
def export(table: str, campaign: str | None, format_: str, output: Path | None, reveal: bool, db: str | None) -> None:
    """Write a table for other tools: runs, findings, flows or recipients, as CSV or Parquet.

    Runs are those that were planned; the others are of recordings that were judged. No table has values that were read
    or sent.
    """
    if format_ == "parquet" and output is None:
        raise UserError("Parquet goes to a file.", "Name it: --output FILE.")
    if reveal:
        note_reveal("fleet export", [_all_of(campaign)], [(f"{table} as {format_}", output)])
    name = cast("TableName", table)
    if output is None:
        fleets.write_csv(name, sys.stdout, campaign, reveal=reveal, db=db)
        return
    write = fleets.write_parquet if format_ == "parquet" else fleets.write_csv
    count = write(name, output, campaign, reveal=reveal, db=db)
    err.print(plain(f"written: {output}; rows: {count:,}"))


@click.command()
@campaign_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="New file, X.zip.")
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Language. [default: en; under --law cn: zh]")
@click.option(
    "--template",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your own Jinja2 template in Markdown, instead of ours.",
)
@reveal_option
@judging_options
def letters(
    campaign: str | None, output: Path, lang: str | None, template: Path | None, reveal: bool, judging: VerbJudging
) -> None:
    """Write the drafts of letters to an authority, by app: one for each recording with findings, as a ZIP.

    Each is what `appwitness report --format complaint` writes, under the law of --law, in a folder of its app.
    """
    if reveal:
        note_reveal("fleet letters", [_all_of(campaign)], [("letters", output)])
    count = fleets.write_letters(judging, output, campaign, lang=lang, template=template, reveal=reveal)
    err.print(plain(f"written: {output}; letters: {count:,}"))


def _all_of(campaign: str | None) -> str:
    """The recordings that are meant, for the log of reveals."""
    return f"campaign {campaign}" if campaign else "all in the index"

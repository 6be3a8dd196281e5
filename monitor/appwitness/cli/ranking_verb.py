"""The verb fleet ranking: how many apps send what to whom, by which SDK, against which rule."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, cast

import click

from appwitness.api import fleets
from appwitness.cli.list_verbs import format_option, lang_option
from appwitness.cli.terminal import columns, out, plain
from appwitness.cli.verbs import db_option, rules_option
from appwitness.support.escape import field, json

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from pathlib import Path

    from appwitness.api.fleets import By, Ranked


@click.command()
@click.option(
    "--by",
    type=click.Choice(["recipient", "sdk", "data", "rule", "finding", "app"]),
    default="recipient",
    show_default=True,
    help="What a row is; finding: the same finding of many apps.",
)
@click.option("--campaign", default="", metavar="NAME", help="Only runs of this campaign.")
@click.option("--recipient", default="", metavar="DOMAIN", help="Only what this recipient got.")
@click.option("--sdk", default="", metavar="NAME", help="Only what this SDK sent.")
@click.option("--data", default="", metavar="CODE", help="Only this kind of data.")
@click.option("--rule", default="", metavar="ID", help="Only findings of this rule.")
@click.option(
    "--app", default="", metavar="SHA256", help="Only this app: its APK, or its package where that is unknown."
)
@click.option("--top", type=click.IntRange(1, 1_000_000), default=30, show_default=True, help="How many rows.")
@format_option
@lang_option
@rules_option
@db_option
def ranking(by: str, top: int, format_: str, lang: str, rules: Path | None, db: str | None, **filters: str) -> None:
    """Rank recipients, SDKs, kinds of data, rules or findings by how many apps they concern.

    An app is its APK, and counts once however many runs it had. The numbers behind are of apps too: by what the user
    had answered when it was sent. What could not have shown it is left out, and said.
    """
    from appwitness.reports.ranking_words import basis as in_words
    from appwitness.reports.ranking_words import masked, named
    from appwitness.reports.words import Words

    found, basis, known, moments = fleets.ranking(cast("By", by), filters, top=top, rules=rules, db=db)
    words, titles = Words(lang), {rule.id: dict(rule.title) for rule in known.rules}
    if format_ == "json":
        told = {
            "v": 1, "by": by, "filters": {name: value for name, value in filters.items() if value},
            "basis": {name: value if name == "left" else value._asdict() for name, value in basis._asdict().items()},
            "total": found.total, "rows": [
                {**row._asdict(), "of": {name: masked(name, value) for name, value in row.of.items()},
                 "beside": {name: [masked(name, value) for value in of] for name, of in row.beside.items()}}
                for row in found.rows
            ],
        }  # fmt: skip
        click.echo(json(dumps(told, ensure_ascii=False, indent=1)))
        return

    def called(row: Ranked) -> str:
        of = [
            named(words, name, masked(name, value), titles, known.recipients.name_of)
            for name, value in row.of.items()
            if value
        ]
        return field(row.package if by == "app" else ", ".join(of))

    out.print(plain(in_words(words, basis.able, basis.gaps.runs, basis.left)))
    columns(
        ("apps", "of", "runs", *moments, by),
        [
            (*map(str, (row.apps, row.able, row.runs, *(row.when.get(each, "") for each in moments))), called(row))
            for row in found.rows
        ],
    )
    if found.total > len(found.rows):
        out.print(plain(f"{found.total - len(found.rows)} more: --top {found.total}"))

"""The verbs that say what appwitness knows: rules, laws, types of app and of data, policy, schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from appwitness.cli.terminal import columns, out, plain
from appwitness.cli.verbs import ListOrShow, law_option, main, rules_option
from appwitness.support import escape

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from pydantic import BaseModel

    from appwitness.api.reference import SchemaName, TouchingArticle
    from appwitness.reports.words import Words

lang_option = click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language.")
format_option = click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to write."
)


@main.group(cls=ListOrShow)
def rules() -> None:
    """List the rules, or show the page of one."""


@rules.command("list")
@format_option
@lang_option
@rules_option
def list_rules(format_: str, lang: str, rules: Path | None) -> None:
    """List the rules: level, finding types, name and title."""
    from appwitness.api import reference

    known = reference.rules(rules)
    if format_ == "json":
        click.echo(_json(known))
        return
    rows = [(each.level, " ".join(each.kinds), each.id, each.title[lang]) for each in known]
    columns(("level", "types", "rule", "title"), rows)


@rules.command("show")
@click.argument("rule")
@format_option
@lang_option
@law_option
@rules_option
def show_rule(rule: str, format_: str, lang: str, laws: tuple[str, ...], rules: Path | None) -> None:
    """Show the page of one RULE.

    What it looks for, why, what to do about it, how strong it is, and the articles that it touches.
    """
    from appwitness.api.reference import rule_page
    from appwitness.cli.rule_page import page

    known = rule_page(rule, rules, laws)
    click.echo(_json([known.rule]) if format_ == "json" else escape.terminal(page(known, lang)))


@main.command("app-types")
@format_option
@lang_option
def app_types(format_: str, lang: str) -> None:
    """List the types of app for --app-type, and what each needs for its basic function.

    From the Chinese provisions on necessary personal information (2021 No. 14). "checked" says how well an entry was
    matched against their text: source, source_partial, recalled (check before citing).
    """
    from appwitness.api import reference

    known = reference.app_types()
    if format_ == "json":
        click.echo(_json(known))
        return
    for each in known:
        names = (each.en, each.zh) if lang == "en" else (each.zh, each.en)
        click.echo(f"{each.number:2}  {names[0]} ({names[1]}) [{each.checked}]")
        click.echo(f"    {each.article.says[lang].partition(': ' if lang == 'en' else '：')[2]}")


@main.command("laws")
@format_option
@lang_option
@law_option
@click.option("--type", "kinds", multiple=True, metavar="F01", help="Only the articles that this finding type touches.")
def laws(format_: str, lang: Literal["en", "zh"], laws: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    """List the law that findings name: articles by jurisdiction, with the finding types that touch them."""
    from appwitness.api.reference import law_page
    from appwitness.reports.phrases import cited
    from appwitness.reports.words import Words

    known = law_page(laws, kinds)
    if format_ == "json":
        click.echo(_json(known.articles))
        return
    words = Words(lang)
    click.echo(f"{'State of the law' if lang == 'en' else '法律状态截至'} {known.law_as_of}\n")
    for kind, touching in known.touching:
        click.echo(f"{kind.id} {kind.en if lang == 'en' else kind.zh}")
        for each in touching:
            article = each.article
            click.echo(f"  {article.jurisdiction:5}  {cited(article, words)}: {article.says[lang]}")
            for note in _notes(each, words):
                click.echo(f"         [{note}]")


def _notes(touching: TouchingArticle, words: Words) -> Iterator[str]:
    """When findings name an article, where that is not always."""
    english = words.lang == "en"
    if touching.beyond:
        yield (
            "asks for more than such a finding shows: not named by it"
            if english
            else "要件超出此类发现所能证明：发现中不引用"
        )
    if touching.data:
        names = ", ".join(map(words.data, touching.data))
        yield f"only of: {names}" if english else f"仅适用于：{names}"


@main.command("data-types")
@format_option
def data_types(format_: str) -> None:
    """List the kinds of data: the codes that rules, sources and a policy.yml use."""
    from appwitness.api import reference

    known = reference.data_types()
    if format_ == "json":
        click.echo(_json(known))
        return
    columns(("code", "name", "名称"), [(each.code, each.en, each.zh) for each in known])


@main.group()
def policy() -> None:
    """Write down what an app's maker declares, for --policy: an example, and a check."""


@policy.command("example")
def policy_example() -> None:
    """Print a policy.yml to start from, with a comment on each part."""
    from appwitness.api import reference

    click.echo(reference.policy_example(), nl=False)


@policy.command("check")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def policy_check(file: Path) -> None:
    """Check a policy.yml, and say what it declares."""
    from appwitness.api.reference import declared_policy

    known = declared_policy(file)
    declared = known.policy
    out.print(
        f"{plain(str(file))}: {len(declared.codes)} kinds of data, {len(declared.recipients)} recipients, "
        f"{len(declared.sdks)} SDKs, {len(declared.first_party)} domains of the maker"
    )
    if known.app_type:
        out.print(f"type of app: {known.app_type.number} {known.app_type.en} ({known.app_type.zh})")
    for sdk in declared.sdks:
        if not sdk.hosts:
            out.print(f"SDK {plain(sdk.name)}: no host is known of {', '.join(sdk.packages)}; add its `hosts`")


def _json(items: Sequence[BaseModel]) -> str:
    return escape.json(json.dumps([each.model_dump(mode="json") for each in items], indent=1, ensure_ascii=False))


@main.command()
@click.option(
    "--of",
    type=click.Choice(["lines", "report", "comparison", "observe", "doctor", "gate", "baseline", "waivers", "flows"]),
    default="lines",
    show_default=True,
    help="What to describe.",
)
def schema(of: SchemaName | Literal["observe"]) -> None:
    """Print the JSON Schema of the lines, of what verbs write as JSON, or of the files of `gate`."""
    from appwitness.api import reference
    from appwitness.cli import live_events

    described = live_events.schema() if of == "observe" else reference.schema(of)
    click.echo(json.dumps(described, indent=1, ensure_ascii=False))

"""The verbs that say what appwitness knows: rules, laws, types of app and of data, policy, schema."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from pydantic import BaseModel

from appwitness import events
from appwitness.cli.base import ListOrShow, law_option, main, rules_option
from appwitness.cli.terminal import columns, out, plain
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.judge.data_types import DataTypes
    from appwitness.judge.laws import Provision


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
    from appwitness.correlate.prior_knowledge import knowledge

    known = knowledge(rules).rules
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
    from appwitness.cli.rule_page import page
    from appwitness.correlate.prior_knowledge import knowledge

    known = knowledge(rules, laws=laws)
    shown = next((each for each in known.rules if each.id == rule), None)
    if shown is None:
        near = difflib.get_close_matches(rule, [each.id for each in known.rules], n=3)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        raise UserError(f"There is no rule {rule!r}.", f"{hint}`appwitness rules` lists them.")
    click.echo(_json([shown]) if format_ == "json" else page(shown, known, lang))


@main.command("app-types")
@format_option
@lang_option
def app_types(format_: str, lang: str) -> None:
    """List the types of app for --app-type, and what each needs for its basic function.

    From the Chinese provisions on necessary personal information (2021 No. 14). "checked" says how well an entry was
    matched against their text: source, source_partial, recalled (check before citing).
    """
    from appwitness.catalog import yaml_files
    from appwitness.judge.app_types import AppTypes

    known = yaml_files.parse(yaml_files.HERE / "app_types.yml", AppTypes)
    if format_ == "json":
        click.echo(_json(known.types))
        return
    for each in known.types:
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
    from appwitness.correlate.prior_knowledge import knowledge
    from appwitness.judge.laws import citation

    known = knowledge(laws=laws)
    ids = [kind.id for kind in known.laws.kinds]
    wanted = [kind.upper() for kind in kinds] or ids
    if unknown := sorted(set(wanted) - set(ids)):
        raise UserError(f"There is no finding type {', '.join(unknown)}.", f"Choose from {ids[0]} to {ids[-1]}.")
    if format_ == "json":
        click.echo(_json(known.laws.articles(wanted, known.jurisdictions)))
        return
    click.echo(f"{'State of the law' if lang == 'en' else '法律状态截至'} {known.laws.as_of}\n")
    for kind in (known.laws.kind(each) for each in wanted):
        click.echo(f"{kind.id} {kind.en if lang == 'en' else kind.zh}")
        for provision, article in known.laws.provisions(kind.id, known.jurisdictions):
            click.echo(f"  {article.jurisdiction:5}  {citation(article, lang)}: {article.says[lang]}")
            for note in _notes(provision, kind.id, known.data_types, lang):
                click.echo(f"         [{note}]")


def _notes(provision: Provision, kind: str, types: DataTypes, lang: Literal["en", "zh"]) -> Iterator[str]:
    """When findings name an article, where that is not always."""
    if kind in provision.beyond:
        yield (
            "asks for more than such a finding shows: not named by it"
            if lang == "en"
            else "要件超出此类发现所能证明：发现中不引用"
        )
    if provision.data:
        names = ", ".join(types.label(code, lang) for code in provision.data)
        yield f"only of: {names}" if lang == "en" else f"仅适用于：{names}"


@main.command("data-types")
@format_option
def data_types(format_: str) -> None:
    """List the kinds of data: the codes that rules, sources and a policy.yml use."""
    from appwitness.correlate.prior_knowledge import knowledge

    known = knowledge().data_types.items
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
    click.echo(Path(__file__).with_name("policy.example.yml").read_text("utf-8"), nl=False)


@policy.command("check")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def policy_check(file: Path) -> None:
    """Check a policy.yml, and say what it declares."""
    from appwitness.correlate.prior_knowledge import knowledge

    known = knowledge(policy=file)
    declared = known.policy
    if declared is None:
        return
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
    return json.dumps([each.model_dump(mode="json") for each in items], indent=1, ensure_ascii=False)


@main.command()
@click.option(
    "--of",
    type=click.Choice(["lines", "report", "comparison", "observe", "doctor", "gate", "baseline", "waivers", "flows"]),
    default="lines",
    show_default=True,
    help="What to describe.",
)
def schema(of: str) -> None:
    """Print the JSON Schema of the lines, of what verbs write as JSON, or of the files of `gate`."""
    match of:
        case "lines":
            described = events.schema()
        case "doctor":
            from appwitness.devices.diagnosis import schema as doctor_schema

            described = doctor_schema()
        case "observe":
            from appwitness.cli.live_events import schema as live_schema

            described = live_schema()
        case "report" | "comparison":
            from appwitness.findings import comparison_schema, report_schema

            described = report_schema() if of == "report" else comparison_schema()
        case _:
            from appwitness.gate.schemas import schema as gate_schema

            described = gate_schema(of)
    click.echo(json.dumps(described, indent=1, ensure_ascii=False))

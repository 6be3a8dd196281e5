"""The verb `list`: reference data as a list, or one rule or source as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from appwitness.cli import completion
from appwitness.cli.as_json import document, json_option
from appwitness.cli.local_words import tr
from appwitness.cli.terminal import columns, out, plain
from appwitness.cli.verbs import FILE, FILE_OR_FOLDER, format_option, lang_option, law_option, main, rules_option
from appwitness.support import escape

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from pydantic import BaseModel

    from appwitness.api.reference import SchemaName, TouchingArticle
    from appwitness.reports.words import Words


@main.group("list")
def list_() -> None:
    """List what appwitness knows: rules, laws, sources, data types, app types, a policy, schemas."""


@list_.command()
@click.argument("rule", required=False, shell_complete=completion.rules)
@format_option
@lang_option
@law_option
@rules_option
def rules(rule: str | None, format_: str, lang: str, laws: tuple[str, ...], rules: Path | None) -> None:
    """List the rules, or show the page of one RULE.

    The list has the level, finding types, name and title of each rule. The page says what the rule looks for, why, what
    to do about it, how strong it is, and which articles it touches.
    """
    from appwitness.api import reference
    from appwitness.cli.catalog_pages import rule_page

    if rule is not None:
        known = reference.rule_page(rule, rules, laws)
        click.echo(_json([known.rule]) if format_ == "json" else escape.terminal(rule_page(known, lang)))
        return
    there = reference.rules(rules)
    if format_ == "json":
        click.echo(_json(there))
        return
    rows = [(tr(each.level), " ".join(each.kinds), each.id, each.title[lang]) for each in there]
    columns(("level", "types", "rule", "title"), rows)


@list_.command("app-types")
@format_option
@lang_option
def app_types(format_: str, lang: str) -> None:
    """List the types of app for --app-type, and what data each needs.

    It is the data that the basic function of such an app needs under the Chinese provisions on necessary personal
    information (2021 No. 14). "checked" says how an entry was compared with their text: source, source_partial,
    recalled (check before citing).
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


@list_.command("laws")
@format_option
@lang_option
@law_option
@click.option(
    "--type",
    "kinds",
    multiple=True,
    metavar="F01",
    shell_complete=completion.finding_types,
    help="Only articles that this finding type touches. Repeatable.",
)
def laws(format_: str, lang: Literal["en", "zh"], laws: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    """List the articles of law that findings name, by finding type and jurisdiction."""
    from appwitness.api.reference import law_compared, law_page
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
    click.echo()
    for law in known.laws:
        click.echo(law_compared(law, words))


def _notes(touching: TouchingArticle, words: Words) -> Iterator[str]:
    """The conditions under which findings name an article, if they do not always."""
    english = words.lang == "en"
    if touching.beyond:
        yield (
            "asks for more than such a finding shows: not named by it"
            if english
            else "要件超出此类发现所能证明：发现中不引用"
        )
    if touching.data:
        names = ", ".join(map(words.data, touching.data))
        yield f"only for: {names}" if english else f"仅适用于：{names}"


@list_.command("data-types")
@format_option
def data_types(format_: str) -> None:
    """List the data types: the codes that rules, sources and a policy.yml use."""
    from appwitness.api import reference

    known = reference.data_types()
    if format_ == "json":
        click.echo(_json(known))
        return
    columns(("code", "name", "名称"), [(each.code, each.en, each.zh) for each in known])


@list_.group(invoke_without_command=True)
@click.pass_context
def policy(ctx: click.Context) -> None:
    """Print an example of a policy.yml for --policy, or check one.

    A policy.yml says what an app's maker declares.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(policy_example)


@policy.command("example")
def policy_example() -> None:
    """Print a policy.yml to start from, with a comment on each part."""
    from appwitness.api import reference

    click.echo(reference.policy_example(), nl=False)


@policy.command("check")
@click.argument("file", type=FILE)
@json_option
def policy_check(file: Path, as_json: bool) -> None:
    """Check a policy.yml, and say what it declares."""
    from appwitness.api.reference import declared_policy

    known = declared_policy(file)
    declared = known.policy
    if as_json:
        type_ = known.app_type.number if known.app_type else None
        unknown = [sdk.name for sdk in declared.sdks if not sdk.hosts]
        document(
            {
                "file": file, "data": sorted(declared.codes), "recipients": len(declared.recipients),
                "sdks": [sdk.name for sdk in declared.sdks], "sdks_without_hosts": unknown,
                "first_party": sorted(declared.first_party), "app_type": type_,
            }
        )  # fmt: skip
        return
    out.print(
        tr(
            "{file}: {codes} data types, {recipients} recipients, {sdks} SDKs, {first_party} domains of the maker",
            file=plain(str(file)),
            codes=len(declared.codes),
            recipients=len(declared.recipients),
            sdks=len(declared.sdks),
            first_party=len(declared.first_party),
        )
    )
    if known.app_type:
        out.print(
            tr(
                "type of app: {number} {en} ({zh})",
                number=known.app_type.number,
                en=known.app_type.en,
                zh=known.app_type.zh,
            )
        )
    for sdk in declared.sdks:
        if not sdk.hosts:
            out.print(
                tr(
                    "SDK {name}: no host of {packages} is known; add its `hosts`",
                    name=plain(sdk.name),
                    packages=", ".join(sdk.packages),
                )
            )


def _json(items: Sequence[BaseModel]) -> str:
    return _text([each.model_dump(mode="json") for each in items])


@list_.command()
@click.option(
    "--of",
    type=click.Choice(
        ["lines", "report", "comparison", "observe", "doctor", "web", "gate", "baseline", "waivers", "flows"]
    ),
    default="lines",
    show_default=True,
    help="What the schema describes.",
)
def schema(of: SchemaName | Literal["observe", "web"]) -> None:
    """Print the JSON Schema of lines, reports or files.

    There are schemas of the lines of a recording, of what verbs write as JSON, and of the files of `gate`; for web, an
    OpenAPI document of what the pages answer with ?format=json.
    """
    from appwitness.api import reference
    from appwitness.cli import live_events

    if of == "web":
        from appwitness.web.routes import described as pages

        described = pages()
    else:
        described = live_events.schema() if of == "observe" else reference.schema(of)
    click.echo(json.dumps(described, indent=1, ensure_ascii=False))


@list_.command()
@click.argument("name", required=False, shell_complete=completion.sources)
@format_option
@click.option(
    "--sources",
    "extra",
    type=FILE_OR_FOLDER,
    help="YAML file or folder with sources of your own, in addition to ours.",
)
@click.option("--coverage", is_flag=True, help="Show instead how the APIs that other tools hook are covered, by level.")
def sources(name: str | None, format_: str, extra: Path | None, coverage: bool) -> None:
    """List the sources, which are the APIs that are hooked, or show the page of one.

    NAME is a full name or its end (`TelephonyManager.getImei`). The page says what is hooked and why it is personal
    data, the permission, API levels, how values are read, and which other APIs are seen through it. If other tools hook
    an API that is not a source here, the page says what sees the API, or why nothing does.

    The report of a run says of each source whether it was installed, was waiting for its class, was absent, or failed.
    """
    from appwitness.api.hooked_apis import covered, entries, hooked_apis

    if coverage and name is None:
        _coverage(covered(extra), format_)
    elif name is not None:
        _source(name, format_, extra)
    elif format_ == "json":
        click.echo(_text([each.model_dump(mode="json") for each in entries(extra)]))
    else:
        columns(("data", "source", "permission"), hooked_apis(extra))


def _source(name: str, format_: str, extra: Path | None) -> None:
    """Print the page of a source, or of several whose names end like this."""
    from appwitness.api.hooked_apis import find
    from appwitness.cli.catalog_pages import covered_page, source_page

    found = find(name, extra)
    if format_ != "json":
        click.echo(escape.terminal("\n\n".join([*map(source_page, found.pages), *map(covered_page, found.others)])))
        return
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
    click.echo(_text(pages or states))


def _coverage(counted: Mapping[str, Any], format_: str) -> None:
    if format_ == "json":
        click.echo(_text(counted))
        return
    for what in ("levels", "categories"):
        states = next(iter(counted[what].values()))
        columns(
            (what.removesuffix("s").replace("categorie", "category"), *states, "covered"),
            [(name, *_row(counts)) for name, counts in counted[what].items()],
        )
        click.echo()
    click.echo(
        tr(
            "must: hooked by two tools of the field or more; full: by one; wide: by one or in bulk; gaps: by none.\n"
            "hooked: by a source of its own; lower_layer: its calls pass a source (`list sources NAME` names them);\n"
            "not_here: no app can call it on current Android versions, or it cannot be hooked; missing: not seen."
        )
    )
    for name in counted["missing"]:
        click.echo(tr("missing  {name}", name=escape.field(name)))


def _row(counts: dict[str, int]) -> tuple[str, ...]:
    share = 1 - counts["missing"] / counts["total"] if counts["total"] else 1.0
    return (*(str(count) for count in counts.values()), f"{share:.1%}")


def _text(what: Any) -> str:
    return escape.json(json.dumps(what, indent=1, ensure_ascii=False))

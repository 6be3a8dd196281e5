"""Reference data: rules, articles of law, data types, app types, policies, JSON Schemas."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from appwitness.judge.rules.model import Rule
from appwitness.support.errors import UserError
from appwitness.support.spoken import OR, Spoken, listed

if TYPE_CHECKING:  # imported late, so that one part is read without the others
    from appwitness.correlate.prior_knowledge import Knowledge
    from appwitness.events import DataType
    from appwitness.findings import Article
    from appwitness.judge.app_types import AppType
    from appwitness.judge.data_types import Kind
    from appwitness.judge.laws import FindingType, Jurisdiction, Law
    from appwitness.judge.policy import Policy
    from appwitness.judge.rules.condition_registry import DeclaredCondition, Text
    from appwitness.judge.rules.frequency import Preset
    from appwitness.judge.rules.model import Condition
    from appwitness.reports.words import Words


SchemaName = Literal["lines", "report", "comparison", "doctor", "gate", "baseline", "waivers", "flows"]
SCHEMAS: dict[SchemaName, str] = {
    "lines": "events:schema",
    "report": "findings:report_schema",
    "comparison": "findings:comparison_schema",
    "doctor": "devices.diagnosis:schema",
    "gate": "findings.gate_decision:GateReport",
    "baseline": "gate.baseline:Baseline",
    "waivers": "gate.waivers:WaiverFile",
    "flows": "gate.allowed:FlowFile",
}
"""What `schema` describes -> the module and the record, or the function that returns its schema; imported on demand."""


@dataclass(frozen=True)
class RulePage:
    """A rule, with the catalog's data on everything it names."""

    rule: Rule
    finding_types: tuple[FindingType, ...]
    preset: Preset | None
    """The preset that defines how often is too often for the rule; None: the rule does not test how often."""
    articles: tuple[tuple[Jurisdiction, tuple[Article, ...]], ...]
    """The articles that it touches, by jurisdiction; jurisdictions without such articles are left out."""
    law_as_of: date
    """The date as of which the law is given."""
    own: bool
    """Whether it is the user's own rule, not one from the catalog."""


@dataclass(frozen=True)
class TouchingArticle:
    """An article that a finding type touches."""

    article: Article
    beyond: bool
    """Whether the article requires more than such a finding shows; findings then do not name it."""
    data: tuple[DataType, ...]
    """The data types that the article is limited to; empty: all."""


@dataclass(frozen=True)
class LawPage:
    """The articles that finding types touch."""

    law_as_of: date
    """The date as of which the law is given."""
    touching: tuple[tuple[FindingType, tuple[TouchingArticle, ...]], ...]
    articles: tuple[Article, ...]
    """The articles that findings of these types name, without duplicates."""
    laws: tuple[Law, ...]
    """The laws of the jurisdictions, each with the text it was compared with."""


@dataclass(frozen=True)
class DeclaredPolicy:
    """What a policy file declares."""

    policy: Policy
    app_type: AppType | None
    """The app type that it names; None if it names none."""


def rules(own: Path | None = None) -> tuple[Rule, ...]:
    """The rules by name, including those in a folder of the user's own. Raises FileError with file and line."""
    from appwitness.correlate.prior_knowledge import knowledge

    return knowledge(own).rules


def rule_page(name: str, own: Path | None = None, laws: Sequence[str] = ()) -> RulePage:
    """The page of a rule. `laws` are the jurisdictions whose articles it lists; empty: all.

    Raises UserError for a rule or jurisdiction that does not exist, FileError with file and line.
    """
    from appwitness.correlate.prior_knowledge import knowledge

    known = knowledge(own, laws=laws)
    found = next((each for each in known.rules if each.id == name), None)
    if found is None:
        near = difflib.get_close_matches(name, [each.id for each in known.rules], n=3)
        hint = Spoken("Did you mean {near}? ", near=listed(near, OR)) if near else ""
        raise UserError(
            Spoken("There is no rule {name!r}.", name=name),
            Spoken("{hint}`appwitness list rules` lists them.", hint=hint),
        )
    return page_of(found, known)


def page_of(rule: Rule, known: Knowledge) -> RulePage:
    """The page of a rule, with the catalog already read."""
    touched = known.laws.articles(rule.kinds, known.jurisdictions)
    places = (
        (place, tuple(each for each in touched if each.jurisdiction == place.code)) for place in known.laws.places
    )
    return RulePage(
        rule,
        tuple(known.laws.kind(each) for each in rule.kinds),
        known.frequency.by_id[rule.when.often] if rule.when.often else None,
        tuple((place, articles) for place, articles in places if articles),
        known.laws.as_of,
        rule.id in known.own_rules,
    )


def law_compared(law: Law, words: Words) -> str:
    """What a law was compared with and when, and what could not be compared."""
    held, name = law.compared, words.of(law.name)
    said = (
        words("law_compared", law=name, at=held.at, source=held.source)
        if held and held.at
        else words("law_uncompared", law=name)
    )
    return said + (words("law_lacks", what=words.of(held.lacks)) if held and held.lacks else "")


def law_page(laws: Sequence[str] = (), types: Sequence[str] = ()) -> LawPage:
    """The articles of some jurisdictions that finding types such as `F01` touch. Empty jurisdictions or types: all.

    Raises UserError for a jurisdiction or finding type that does not exist.
    """
    from appwitness.correlate.prior_knowledge import knowledge

    known = knowledge(laws=laws)
    ids = [kind.id for kind in known.laws.kinds]
    wanted = [each.upper() for each in types] or ids
    if unknown := sorted(set(wanted) - set(ids)):
        raise UserError(
            Spoken("There is no finding type {unknown}.", unknown=", ".join(unknown)),
            Spoken("Choose from {ids} to {ids_2}.", ids=ids[0], ids_2=ids[-1]),
        )

    def touching(id_: str) -> tuple[TouchingArticle, ...]:
        return tuple(
            TouchingArticle(article, id_ in provision.beyond, provision.data or ())
            for provision, article in known.laws.provisions(id_, known.jurisdictions)
        )

    return LawPage(
        known.laws.as_of,
        tuple((known.laws.kind(each), touching(each)) for each in wanted),
        known.laws.articles(wanted, known.jurisdictions),
        tuple(law for law in known.laws.laws if law.jurisdiction in (known.jurisdictions or known.laws.jurisdictions)),
    )


def data_types() -> tuple[Kind, ...]:
    """The data types that rules, sources and policies name by their codes."""
    from appwitness.correlate.prior_knowledge import knowledge

    return knowledge().data_types.items


def app_types() -> tuple[AppType, ...]:
    """The app types, and the data that each needs for its basic function."""
    from appwitness.catalog import yaml_files
    from appwitness.judge.app_types import AppTypes

    return yaml_files.parse(yaml_files.HERE / "app_types.yml", AppTypes).types


def policy_example() -> str:
    """A policy.yml to start from, with a comment on each part."""
    return Path(__file__).with_name("policy.example.yml").read_text("utf-8")


def declared_policy(file: Path) -> DeclaredPolicy:
    """What an app's maker declares in a policy.yml. Raises FileError with the invalid line."""
    from appwitness.correlate.prior_knowledge import knowledge

    known = knowledge(policy=file)
    assert known.policy is not None
    return DeclaredPolicy(known.policy, known.app_type)


def schema(of: SchemaName) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a recording's lines, of a command's JSON output, or of a `gate` file."""
    module, name = SCHEMAS[of].split(":")
    made: Any = getattr(import_module(f"appwitness.{module}"), name)
    if hasattr(made, "model_json_schema"):
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made.model_json_schema()}
    tree: dict[str, Any] = made()
    return tree


# what a rule's conditions look for, in words of one language

TRUTH: dict[bool, Text] = {True: ("yes", "是"), False: ("no", "否")}


def condition_texts(condition: Condition, words: Words) -> list[str]:
    """One text for each condition that a rule, or one of its levels, names, in the order in which they are tested."""
    return [_condition_text(declared, value, words) for declared, value in condition.asked]


def _condition_text(declared: DeclaredCondition, value: Any, words: Words) -> str:
    from appwitness.judge.rules.conditions import Separate

    text = _in_language(declared.says, words)
    if isinstance(value, Separate):
        return text.format(_condition_value(declared, value.consent, words), scope=words(f"scope_{value.scope}"))
    return text.format(_condition_value(declared, value, words))


def _condition_value(declared: DeclaredCondition, value: Any, words: Words) -> Any:
    """A condition's value in the words of the text; numbers stay as they are."""
    match value:
        case tuple():
            return " / ".join(str(_condition_value(declared, each, words)) for each in value)
        case bool():
            return _in_language(TRUTH[value], words)
        case str() if declared.named == "data":
            return words.data(value)
        case str() if declared.named:
            return words(f"{declared.named}_{value}")
        case str() if value in declared.choices:
            return _in_language(declared.choices[value], words)
        case _:
            return value


def _in_language(text: Text, words: Words) -> str:
    return text[0] if words.lang == "en" else text[1]

"""Conditions are declared once: a new one is a function with its decorator, and nothing else."""

import importlib
import re
import sys
from typing import Annotated, Literal

import pytest
from click.testing import CliRunner
from pydantic import Field

from appwitness.api.reference import condition_texts
from appwitness.cli.verbs import main
from appwitness.correlate import prior_knowledge
from appwitness.judge import rules
from appwitness.judge.rules import condition_registry, judge
from appwitness.judge.rules.condition_registry import CONDITIONS, JudgedRun, Test, condition
from appwitness.judge.rules.grouping import FindingGroup
from appwitness.judge.rules.model import Condition, When
from appwitness.reports.words import Words
from appwitness.support.errors import FileError
from tests.judge.scenario import Scenario

MODEL = "appwitness.judge.rules.model"
RULE = """\
id: mine
on: access
level: low
title: {en: T, zh: 题}
why: {en: W, zh: 因}
remedy: {en: R, zh: 法}
when:
  hour: [morning, 12]
detail:
  en: "The {data} was read {when}."
  zh: "{data}{when}"
"""
HOURS = tuple[Literal["morning"] | Annotated[int, Field(ge=12, lt=24)], ...]


@pytest.fixture
def registry(monkeypatch):
    """The registry, whose contents are put back afterwards."""
    monkeypatch.setattr(condition_registry, "CONDITIONS", dict(CONDITIONS))
    return condition_registry.CONDITIONS


@pytest.fixture
def newcomer(registry, monkeypatch):
    """What somebody adds to conditions.py; the model of rule files is then built again, as in a new process."""

    @condition(
        on=("access", "flow"),
        description="the hour of the day, UTC",
        says=("it was at this hour: {}", "发生时间：{}"),
        choices={"morning": ("before noon", "上午")},
        needs=("consent",),
    )
    def hour(hours: HOURS, run: JudgedRun) -> Test:
        wanted = {*range(12), *hours} if "morning" in hours else set(hours)
        return lambda each: each.at.hour in wanted

    monkeypatch.setattr(rules, "model", rules.model)
    monkeypatch.delitem(sys.modules, MODEL)
    model = importlib.import_module(MODEL)
    monkeypatch.setattr(prior_knowledge, "Rule", model.Rule)
    return model


@pytest.mark.usefixtures("newcomer")
def test_a_new_condition_is_read_judged_and_told(tmp_path):
    (tmp_path / "mine.yml").write_text(RULE, "utf-8")
    known = prior_knowledge.knowledge(tmp_path)
    [rule] = [each for each in known.rules if each.id == "mine"]
    assert rule.needs == ("hooks", "consent")

    run = Scenario()
    morning = run.reads(0)  # 9:00
    run.reads(5 * 3600)
    noon = run.reads(3 * 3600)
    [finding] = judge([rule], run.facts())
    assert (finding.count, set(finding.evidence)) == (2, {morning, noon})

    for lang, text in (("en", "  - it was at this hour: before noon / 12"), ("zh", "  - 发生时间：上午 / 12")):
        shown = CliRunner().invoke(main, ["list", "rules", "mine", "--rules", str(tmp_path), "--lang", lang])
        assert text in shown.output.splitlines()


@pytest.mark.usefixtures("newcomer")
@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("hour: [morning, 12]", "hour: [noon]", 8, "when.hour.0"),
        ("on: access", "on: claim", 7, "hour: not possible in a rule on claims; expected `on: access or flow`"),
    ],
)
def test_what_does_not_fit_a_new_condition_is_an_error_with_its_line(tmp_path, old, new, line, says):
    (tmp_path / "mine.yml").write_text(RULE.replace(old, new), "utf-8")
    with pytest.raises(FileError, match=says) as error:
        prior_knowledge.knowledge(tmp_path)
    assert error.value.line == line


def test_the_schema_describes_a_new_condition(newcomer):
    field = newcomer.Rule.model_json_schema()["$defs"]["When"]["properties"]["hour"]
    assert field["description"] == "the hour of the day, UTC"


def test_no_trace_of_it_is_left(tmp_path):
    assert "hour" not in CONDITIONS
    assert sys.modules[MODEL].Rule is rules.Rule
    (tmp_path / "mine.yml").write_text(RULE, "utf-8")
    with pytest.raises(FileError, match=r"when.hour: Extra inputs are not permitted") as error:
        prior_knowledge.knowledge(tmp_path)
    assert error.value.line == 8


def test_a_new_condition_of_groups_is_asked_of_each_group(registry, monkeypatch):
    @condition(on=("access",), says=("an even number of times", "偶数次"), of_groups=True)
    def even(_: Literal[True], group: FindingGroup) -> bool:
        return group.count % 2 == 0

    monkeypatch.setattr(rules, "model", rules.model)
    monkeypatch.delitem(sys.modules, MODEL)
    model = importlib.import_module(MODEL)
    texts = {"en": "T", "zh": "T"}
    about = {"title": texts, "why": texts, "remedy": texts, "detail": texts}
    rule = model.Rule.model_validate({"id": "mine", "on": "access", "level": "low", "when": {"even": True}, **about})
    run = Scenario()
    run.reads(0)
    assert not judge([rule], run.facts())
    run.reads(1)
    assert len(judge([rule], run.facts())) == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"on": ()}, "on ()"),
        ({"on": ("accesses",)}, "on ('accesses',)"),
        ({"says": ("", "无")}, "says ('', '无')"),
        ({"name": "consent"}, "there is a condition of this name"),
    ],
)
def test_what_cannot_be_declared_is_refused(registry, wrong, says):
    def odd(value: bool, run: JudgedRun) -> Test:
        raise NotImplementedError

    odd.__name__ = wrong.pop("name", "odd")
    with pytest.raises(ValueError, match=re.escape(says)):
        condition(**{"on": ("access",), "says": ("odd", "奇"), **wrong})(odd)
    assert "odd" not in registry


def test_fields_of_the_model_are_the_registrys():
    assert set(When.model_fields) == set(CONDITIONS)
    assert [*Condition.model_fields] == [name for name, each in CONDITIONS.items() if not each.of_groups]


@pytest.mark.parametrize("declared", CONDITIONS.values(), ids=lambda declared: declared.name)
def test_each_choice_of_a_condition_has_words(declared):
    for texts in (declared.says, *declared.choices.values()):
        assert all(texts)
    if declared.choices:
        assert set(re.findall(r"'(\w+)'", str(declared.type))) == set(declared.choices)


def test_a_page_shows_numbers_truth_and_names():
    asked = When.model_validate(
        {
            "with": ["location"],
            "cleartext": True,
            "confidence": 0.8,
            "soon_s": 2.5,
            "separate": {"scope": "ads_tracking", "consent": ["given"]},
            "rows": 3,
        }
    )
    assert condition_texts(asked, Words("en")) == [
        "the message was sent in cleartext: yes",
        "the value was found with a certainty of at least 80%",
        "the same message also carries: location",
        "the separate consent at that moment (advertising and tracking): given",
        "the user had decided at most 2.5 s before",
        "entries of at least 3 different people went to one recipient",
    ]

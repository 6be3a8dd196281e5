"""What programs look up: rules, law, schemas, policies."""

from typing import get_args

import pytest

from appwitness.api import hooked_apis, reference
from appwitness.support.errors import FileError, UserError


def test_a_rule_comes_with_all_that_it_names():
    page = reference.rule_page("sent-before-consent", laws=["eu", "cn"])
    assert page.rule.id in {rule.id for rule in reference.rules()}
    assert [kind.id for kind in page.finding_types] == list(page.rule.kinds)
    assert {place.code for place, _ in page.articles} == {"eu", "cn"}
    assert all(article.jurisdiction == place.code for place, articles in page.articles for article in articles)


@pytest.mark.parametrize("rule", [rule for rule in reference.rules() if rule.when.often][:1])
def test_a_rule_about_frequency_has_its_preset(rule):
    preset = reference.rule_page(rule.id).preset
    assert preset is not None
    assert preset.id == rule.when.often


def test_the_law_is_told_by_finding_type():
    page = reference.law_page(laws=["eu"], types=["f10"])
    [(kind, touching)] = page.touching
    assert kind.id == "F10"
    assert {each.article.jurisdiction for each in touching} == {"eu"}
    named = {(article.law, article.article) for article in page.articles}
    assert named == {(each.article.law, each.article.article) for each in touching if not each.beyond}


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: reference.rule_page("sent-befor-consent"), "Did you mean sent-before-consent"),
        (lambda: reference.law_page(types=["F99"]), "F01 to F28"),
        (lambda: reference.law_page(laws=["mars"]), "cn, eu, us, uk, br, in, store"),
        (lambda: hooked_apis.find("getLine1Numbr"), "getLine1Number"),
    ],
)
def test_what_there_is_not_is_said_with_what_there_is(ask, says):
    with pytest.raises(UserError, match=says):
        ask()


@pytest.mark.parametrize("of", get_args(reference.SchemaName))
def test_each_schema_is_one(of):
    assert {"$schema"} < set(reference.schema(of))


def test_the_example_of_a_policy_can_be_read(tmp_path):
    file = tmp_path / "policy.yml"
    file.write_text(reference.policy_example(), "utf-8")
    declared = reference.declared_policy(file)
    assert declared.app_type is not None
    assert declared.policy.recipients
    file.write_text("sdkz: []\n")
    with pytest.raises(FileError, match=r"policy\.yml:1"):
        reference.declared_policy(file)

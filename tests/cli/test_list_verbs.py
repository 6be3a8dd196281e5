"""The verbs that say what appwitness knows."""

import json
import re
from typing import get_args

import pytest
from click.testing import CliRunner

from appwitness.api.reference import page_of
from appwitness.catalog import yaml_files
from appwitness.cli.catalog_pages import JUDGES, rule_page
from appwitness.cli.verbs import main
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.judge.policy import Policy
from appwitness.judge.rules.condition_registry import On
from appwitness.judge.rules.model import When
from appwitness.support import site

KNOWN = knowledge()


def run(*args, code=0):
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result.output


def test_rules_are_listed_in_either_language():
    assert "sent-before-consent" in run("list", "rules")
    assert run("list", "rules", "--lang", "zh") != run("list", "rules")
    assert {each["id"] for each in json.loads(run("list", "rules", "--format", "json"))} == {
        each.id for each in KNOWN.rules
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("rule", KNOWN.rules, ids=lambda rule: rule.id)
def test_every_rule_has_a_page(rule, lang):
    text = rule_page(page_of(rule, KNOWN), lang)
    assert text.startswith(rule.id)
    for part in (rule.title[lang], rule.why[lang], rule.remedy[lang], (rule.passes or {})[lang]):
        assert part in text
    for kind in rule.kinds:
        assert kind in text
    asked = [name for name in When.model_fields if getattr(rule.when, name) is not None]
    assert len(re.findall(r"^  - ", text.partition("\n\n")[2].partition("\n\n")[0], re.MULTILINE)) == len(asked) + len(
        rule.levels
    )
    assert "{" not in text.partition(rule.why[lang])[0]
    if rule.when.often:
        assert KNOWN.frequency.by_id[rule.when.often].source in text


def test_texts_of_rules_have_no_space_where_a_line_of_chinese_ends():
    texts = (text["zh"] for rule in KNOWN.rules for text in (rule.title, rule.why, rule.remedy, rule.passes or {}))
    assert [text for text in texts if re.search("[一-鿿，。；：] [一-鿿]", text)] == []


def test_the_page_of_a_rule_of_ours_names_its_page_on_the_site(tmp_path, monkeypatch):
    assert "http" not in run("list", "rules", "sent-abroad")
    monkeypatch.setattr(site, "ADDRESS", "https://a.test/")
    assert "https://a.test/reference/rules/sent-abroad.html" in run("list", "rules", "sent-abroad")
    assert "https://a.test/zh/reference/rules/sent-abroad.html" in run("list", "rules", "sent-abroad", "--lang", "zh")
    own = tmp_path / "own.yml"
    own.write_text((yaml_files.HERE / "rules/sent-abroad.yml").read_text("utf-8"), "utf-8")
    assert "https://a.test/" not in run("list", "rules", "sent-abroad", "--rules", own)


def test_everything_that_a_rule_judges_has_words():
    assert set(JUDGES) == set(get_args(On))
    assert all(all(texts) for texts in JUDGES.values())


def test_the_page_of_a_rule_names_the_law_that_was_chosen():
    chinese = run("list", "rules", "sent-before-consent", "--law", "cn", "--lang", "zh")
    assert "《中华人民共和国个人信息保护法》第十三条" in chinese
    assert "GDPR" not in chinese.partition("其他依据")[0]
    assert "引用前请核对" in chinese
    both = run("list", "rules", "sent-before-consent", "--law", "eu,cn")
    assert both.index("GDPR, Art. 6(1)") > 0
    assert "check before citing" in both
    assert json.loads(run("list", "rules", "sent-before-consent", "--format", "json"))[0]["id"] == "sent-before-consent"


def test_an_organisations_own_rule_has_a_page(tmp_path):
    ours = (yaml_files.HERE / "rules/sent-in-cleartext.yml").read_text("utf-8")
    own = tmp_path / "rules"
    own.mkdir()
    (own / "ours.yml").write_text(ours.replace("id: sent-in-cleartext", "id: ours"), "utf-8")
    assert run("list", "rules", "ours", "--rules", own).startswith("ours")
    assert "ours" in run("list", "rules", "--rules", own)


BROKEN_RULES = [
    ("kinds: [F19]", "kinds: [F99]", "F99"),
    ("level: medium", "level: grave", "level"),
    ("cleartext: true", "cleartex: true", "cleartex"),
]


@pytest.mark.parametrize(("what", "instead", "said"), BROKEN_RULES)
def test_a_broken_rule_is_an_error_with_file_and_line(tmp_path, what, instead, said):
    text = (yaml_files.HERE / "rules/sent-in-cleartext.yml").read_text("utf-8")
    assert what in text
    path = tmp_path / "own.yml"
    path.write_text(text.replace(what, instead), "utf-8")
    line = next(number for number, row in enumerate(text.splitlines(), 1) if what in row)
    said_all = run("list", "rules", "--rules", path, code=2)
    assert f"{path}:{line}: " in said_all
    assert said in said_all


def test_laws_are_listed_by_finding_type_and_jurisdiction():
    text = run("list", "laws", "--type", "f10", "--law", "eu")
    assert "GDPR, Art. 44-49" in text
    assert "PIPL" not in text
    assert "F01" in run("list", "laws", "--lang", "zh")
    (first, *_) = json.loads(run("list", "laws", "--type", "F28", "--format", "json"))
    assert {"law", "article", "jurisdiction", "citation", "says", "verify"} <= set(first)


def test_types_of_app_and_of_data_are_listed():
    text = run("list", "app-types")
    assert "21  Women's health (女性健康类) [source]" in text
    assert "19  Learning and education (学习教育类) [recalled]" in text
    assert run("list", "app-types", "--lang", "zh").count("无须个人信息") == 13
    assert len(json.loads(run("list", "app-types", "--format", "json"))) == 39
    assert "phone_number" in run("list", "data-types")
    assert json.loads(run("list", "data-types", "--format", "json"))


def test_the_example_of_a_policy_is_one(tmp_path):
    path = tmp_path / "policy.yml"
    path.write_text(run("list", "policy", "example"), "utf-8")
    said = run("list", "policy", "check", path)
    assert "3 Instant messaging (即时通信类)" in said
    policy = knowledge(policy=path).policy
    assert policy is not None
    for part in Policy.model_fields.keys() - {"only_sent"}:  # which says that the file is a store's form
        assert getattr(policy, part), part
    assert policy.declares("oaid", "ulogs.umeng.com")


WRONG = [
    (["list", "rules", "nothing-like-it-at-all"], "`appwitness list rules` lists them"),
    (["list", "rules", "sent-before-consent", "--law", "mars"], "cn, eu, us, uk, br, in, store"),
    (["list", "laws", "--law", "cn,,eu"], "has an empty code"),
    (["report", "nowhere", "--law", "mars"], "cn, eu, us, uk, br, in, store"),
    (["report", "nowhere", "--territory", "China"], "code of two letters"),
    (["report", "nowhere", "--app-type", "online"], "Online shopping"),
    (["index", "correlate", "nowhere", "--app-type", "casino"], "no type of app 'casino'"),
    (["observe", "--app-type", "99"], "no type of app '99'"),
]


@pytest.mark.parametrize(("args", "said"), WRONG)
def test_what_is_wrong_is_said_with_what_there_is(args, said):
    assert said in run(*args, code=2)


def test_an_sdk_of_which_no_host_is_known_is_pointed_out(tmp_path):
    path = tmp_path / "policy.yml"
    path.write_text(
        "sdks: [{name: Ours, packages: [org.ours.sdk]}, {name: U, packages: [com.umeng.analytics]}]", "utf-8"
    )
    said = run("list", "policy", "check", path)
    assert "SDK Ours: no host of org.ours.sdk is known" in said
    assert "SDK U" not in said

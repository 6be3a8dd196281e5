"""Verbs by their old names: they do what the new ones do, and stderr says what to call now."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.cli import settings
from appwitness.cli.front_page import VERBS
from appwitness.cli.renamed_verbs import RENAMED, by_new_names
from appwitness.cli.verbs import main

RECORDING = "tests/recordings/sent-before-consent"


def run(*arguments, env=None):
    return CliRunner().invoke(main, [*map(str, arguments)], env=env)


REST = {
    "app-types": ("--lang", "zh"),
    "correlate": (RECORDING,),
    "data-types": ("--format", "json"),
    "laws": ("--type", "F28"),
    "policy": ("example",),
    "rules": ("--lang", "zh"),
    "rules list": (),
    "rules show": ("sent-before-consent", "--law", "cn"),
    "schema": ("--of", "report"),
    "sources": ("--coverage",),
    "sources list": ("--format", "json"),
    "sources show": ("TelephonyManager.getImei",),
    "waivers": ("--file", "tests/gate/nothing.yml"),
    "waivers check": ("--file", "tests/gate/nothing.yml"),
}
"""What follows the old name."""


def test_each_old_name_is_tried():
    assert {" ".join(old) for old in RENAMED} == REST.keys()
    assert not {old[0] for old in RENAMED} & VERBS.keys()


@pytest.mark.parametrize("old", REST)
def test_an_old_name_does_what_the_new_one_does_and_says_so(old):
    new = RENAMED[*old.split()]
    before, now = run(*old.split(), *REST[old]), run(*new, *REST[old])
    assert (before.stdout, before.exit_code) == (now.stdout, now.exit_code)
    notice, _, rest = before.stderr.partition("\n")
    assert (
        notice
        == f"`appwitness {old}` is now `appwitness {' '.join(new)}`; the old name stops working with the next release."
    )
    assert rest == now.stderr


def test_the_help_of_an_old_name_is_that_of_the_new_one():
    assert run("rules", "--help").stdout == run("list", "rules", "--help").stdout
    assert "Usage: main list rules" in run("rules", "--help").stdout


@pytest.mark.parametrize(("now", "is_chinese"), [({}, True), ({"APPWITNESS_LIST_RULES_LANG": "en"}, False)])
def test_the_environment_by_an_old_name_holds_unless_the_new_one_is_set(monkeypatch, now, is_chinese):
    monkeypatch.setenv("APPWITNESS_LIST_RULES_LANG", "")
    monkeypatch.delenv("APPWITNESS_LIST_RULES_LANG")  # both, so that it is unset again after the test
    chinese = run("list", "rules", "--lang", "zh").stdout
    shown = run("rules", "list", env={"APPWITNESS_RULES_LIST_LANG": "zh"} | now).stdout
    assert (shown == chinese) == is_chinese


def test_a_file_that_names_old_verbs_still_sets_their_options(tmp_path, monkeypatch):
    (tmp_path / "appwitness.toml").write_text('[rules.list]\nlang = "zh"\n[correlate]\nlaw = "cn"\n')
    chinese = run("list", "rules", "--lang", "zh").stdout
    monkeypatch.chdir(tmp_path)
    assert run("list", "rules").stdout == chinese
    shown = run("config", "index", "correlate").stdout
    (row,) = (line.split() for line in shown.splitlines() if line.startswith("--law"))
    assert row == ["--law", "cn", f"{tmp_path}/appwitness.toml:4"]


def test_a_strangers_file_sets_no_more_by_an_old_name(tmp_path, monkeypatch):
    (tmp_path / "appwitness.toml").write_text('[correlate]\ndb = "postgresql://theirs"\n')
    monkeypatch.chdir(tmp_path)
    result = run("list", "rules")
    assert result.exit_code == 0
    result = run("index", "upgrade")
    assert result.exit_code == 2
    assert "--db cannot be set in a file" in result.stderr


def test_tables_by_both_names_are_one_and_the_new_name_goes_first():
    both = {"correlate": {"law": "cn", "strict": True}, "index": {"correlate": {"law": "eu"}}, "rules": "own"}
    assert by_new_names(both) == {"index": {"correlate": {"law": "eu", "strict": True}}, "rules": "own"}
    assert by_new_names({"waivers": {"check": {"strict": True}}}) == {"waive": {"strict": True}}
    settings.check(settings.FileSettings(Path("x"), by_new_names({"rules": {"lang": "zh"}}), ""), VERBS)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("reprot", "'report'"),
        ("obsreve", "Did you mean 'observe'?"),
        ("corelate", "Did you mean 'index correlate'?"),
        ("rule", "Did you mean 'list rules'?"),
        ("waiver", "'waive --check'"),
    ],
)
def test_a_verb_that_is_mistyped_is_guessed(typed, meant):
    result = run(typed)
    assert result.exit_code == 2
    assert meant in result.stderr


def test_an_option_and_a_verb_below_a_verb_are_guessed():
    assert "Did you mean '--format'?" in run("report", "--fromat", "json").stderr
    assert "Did you mean 'rules'?" in run("list", "ruls").stderr


def test_a_machine_reads_only_what_was_asked_for():
    assert json.loads(run("rules", "--format", "json").stdout)

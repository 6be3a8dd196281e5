"""Checklists by the command line: filled from several recordings, answered by hand, and lists of one's own."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.api.checklists import NAMES
from appwitness.catalog import yaml_files
from appwitness.cli.verbs import main
from appwitness.support.errors import UserError
from tests.recordings.builder.case import write
from tests.recordings.builder.listed import VARIANTS, whole_runs
from tests.recordings.written import RECORDINGS

OWN = """\
id: our-list
title: {en: Our own list, zh: 自有清单}
source: {name: {en: Our handbook, zh: 内部手册}}
groups:
  - group: "1"
    name: {en: Before consent, zh: 同意之前}
    items:
      - item: "1.1"
        says: {en: Data leaves too early, zh: 过早发送}
        fails: [{rules: [sent-before-consent]}]
        plans: [silent, accept]
      - item: "1.2"
        says: {en: The page is hard to read, zh: 页面难以阅读}
        by_hand: {en: "Read the page.", zh: 阅读页面。}
"""


@pytest.fixture
def runs(tmp_path):
    write(whole_runs(), tmp_path)
    return sorted(tmp_path.glob("whole-*"))


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def filled(*words):
    done = run("report", *words, "--format", "json")
    assert done.exit_code in (0, 1), done.output
    return json.loads(done.stdout)


def items(tree):
    return {item["item"]: item for group in tree["groups"] for item in group["items"]}


def test_the_catalog_has_the_lists_that_are_offered():
    assert sorted(path.stem for path in yaml_files.files("checklists")) == sorted(NAMES)


def test_several_recordings_fill_one_list(runs, tmp_path):
    tree = filled("--checklist", "cn-191", *runs)
    assert {run["plan"] for run in tree["runs"]} == {"silent", "refuse", "accept", "withdraw"}
    assert {name for name, item in items(tree).items() if item["state"] == "nothing_seen"} >= {"3.1", "3.2", "5.1"}
    assert tree["counts"]["fail"] == 0
    one = filled("--checklist", "cn-191", runs[0])
    assert one["counts"]["nothing_seen"] == 0


@pytest.fixture(scope="module")
def read_once(tmp_path_factory):
    """The options for five recordings, which the first list reads into an index and the others find there."""
    folder = tmp_path_factory.mktemp("lists")
    cases = [*whole_runs(), VARIANTS["sdk-early-asked"]()]
    write(cases, folder)
    return [*(folder / case.name for case in cases), "--db", folder / "index.sqlite"]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_each_list_is_printed_in_both_languages(name, lang, read_once, tmp_path):
    page, told = tmp_path / "list.html", tmp_path / "list.txt"
    done = run(
        *("report", *read_once, "--checklist", name, "--lang", lang),
        *("--format", "html", "--output", page, "--format", "text", "--output", told),
    )
    assert done.exit_code == (0 if name == "masvs-privacy" else 1), done.output
    for text in (page.read_text("utf-8"), told.read_text("utf-8")):
        for word in {"en": ("nothing seen", "☐ pass"), "zh": ("未发现", "☐ 符合")}[lang]:
            assert word.lower() in text.lower()
        assert "{" not in text.split("</style>")[-1]
    assert "+8613800138000" not in page.read_text("utf-8") + told.read_text("utf-8")


def test_an_answer_by_hand_is_shown_with_who_and_when(runs):
    path = runs[0]
    for answer, by in (("pass", "Ann"), ("fail", "Li Na")):
        done = run("mark", "check", "cn-164:1.4.3", answer, "--note", "no mark", "--by", by, "--recording", path)
        assert done.exit_code == 0, done.output
    found = items(filled("--checklist", "cn-164", *runs))["1.4.3"]
    assert [(each["answer"], each["who"]) for each in found["answers"]] == [("fail", "Li Na"), ("pass", "Ann")]
    done = run("report", *runs, "--checklist", "cn-164")
    assert done.exit_code == 1
    text = " ".join(done.stdout.split())
    assert "Answered by hand: fail, Li Na" in text
    assert "Earlier answer, which no longer counts: pass, Ann" in text
    assert "no mark" in text


def test_an_item_that_only_one_list_has_needs_no_list(runs):
    assert run("mark", "check", "1.4.3", "pass", "--recording", runs[0]).exit_code == 0
    assert items(filled("--checklist", "cn-164", runs[0]))["1.4.3"]["answers"]
    done = run("mark", "check", "6", "pass", "--recording", runs[0])
    assert done.exit_code == 0
    assert items(filled("--checklist", "eu-audit", runs[0]))["6"]["answers"]


def test_what_is_no_item_is_not_answered(runs):
    before = (runs[0] / "phases.jsonl").read_bytes()
    for name in ("cn-164:9.9", "9.9", "3.2", "cn-164:", "cn-164:a b", "Ünfit:1"):
        done = run("mark", "check", name, "pass", "--recording", runs[0])
        assert done.exit_code == 2, name
    assert (runs[0] / "phases.jsonl").read_bytes() == before


def test_an_answer_after_the_run_changes_no_conclusion(tmp_path):
    path = shutil.copytree(RECORDINGS / "read-at-self-start-nearly", tmp_path / "run")
    before = run("report", path, "--format", "json")
    assert run("mark", "check", "cn-164:2.2.3", "pass", "--recording", path).exit_code == 0
    after = run("report", path, "--format", "json")
    assert json.loads(before.stdout)["findings"] == json.loads(after.stdout)["findings"]


def test_runs_of_other_apps_or_versions_are_refused(runs, tmp_path):
    for changed in ({"package": "com.example.other"}, {"version": "2.0"}):
        path = shutil.copytree(runs[0], tmp_path / "other", dirs_exist_ok=True)
        said = json.loads((path / "run.json").read_text("utf-8"))
        said["app"] |= changed
        said["id"] = "other"
        (path / "run.json").write_text(json.dumps(said), "utf-8")
        done = run("report", runs[1], path, "--checklist", "cn-164")
        assert done.exit_code == 2
        assert next(iter(changed.values())) in done.output
    assert run("report", runs[0], runs[0], "--checklist", "cn-164").exit_code == 2
    assert run("report", *runs).exit_code == 2
    assert run("report", runs[0], "--checklist", "cn-164", "--format", "sarif").exit_code == 2


def test_an_organisation_writes_its_own(runs, tmp_path):
    file = tmp_path / "our.yml"
    file.write_text(OWN, "utf-8")
    found = items(filled("--checklist", file, *runs))
    assert {name: item["state"] for name, item in found.items()} == {"1.1": "nothing_seen", "1.2": "by_hand"}
    assert run("mark", "check", "our-list:1.2", "pass", "--recording", runs[0]).exit_code == 0
    assert items(filled("--checklist", file, *runs))["1.2"]["answers"]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("sent-before-consent", "sent-too-early", 10, "unknown name"),
        ("[silent, accept]", "[silent]", 8, "2 plans or more"),
        ('item: "1.2"', 'item: "1.1"', None, "there twice"),
        ("says: {en: The page is hard to read, zh: 页面难以阅读}", "", None, "expected says"),
        ("by_hand:", "byhand:", 14, "byhand"),
    ],
)
def test_a_list_that_does_not_fit_is_named_with_its_line(old, new, line, says, runs, tmp_path):
    file = Path(tmp_path / "our.yml")
    file.write_text(OWN.replace(old, new), "utf-8")
    done = run("report", runs[0], "--checklist", file)
    assert done.exit_code == 2
    assert says in done.output
    assert f"our.yml:{line}" in done.output if line else "our.yml" in done.output


def test_there_is_no_such_list(runs):
    done = run("report", runs[0], "--checklist", "cn-165")
    assert done.exit_code == 2
    assert "cn-164" in done.output


def test_a_list_of_the_catalog_is_shown_to_begin_one_with(tmp_path, runs):
    done = run("checklist", "show", "cn-164")
    assert done.exit_code == 0
    file = tmp_path / "ours.yml"
    file.write_text(done.stdout.replace("id: cn-164", "id: ours"), "utf-8")
    assert items(filled("--checklist", file, *runs)).keys() == items(filled("--checklist", "cn-164", *runs)).keys()
    assert run("checklist", "show", "cn-165").exit_code == 2


def test_the_runs_of_a_list_take_the_frida_server_that_is_named(monkeypatch, tmp_path):
    (tmp_path / "server").write_bytes(b"\x7fELF")
    asked: list[object] = []

    def recorded(*_: object, **of_run: object):
        asked.append(of_run.get("frida_server"))
        raise UserError("a", "b")

    monkeypatch.setattr("appwitness.api.checklist_runs.recorded", recorded)
    for options in ([], ["--frida-server", str(tmp_path / "server")]):
        CliRunner().invoke(main, ["checklist", "run", "cn-164", "--device", "usb", "--app", "com.a", *options])
    assert asked == [None, tmp_path / "server"]

"""A mark of an assistant counts as one of an operator does, and whatever rests on it says whose it is."""

import shutil
from datetime import UTC, datetime

import appwitness
from appwitness.api import marking
from appwitness.recording import Recording, verify
from tests.captures import har
from tests.recordings.written import RECORDINGS

AT = datetime(2026, 3, 14, 9, 0, 0, 700_000, UTC)


def marked(folder, by):
    shutil.copytree(RECORDINGS / "sent-before-consent", folder)
    made = marking.mark_answer(folder, "refused", marking.MarkDetails(text="Disagree", at=AT, by=by))
    return made, appwitness.report(folder)


def test_reports_say_whose_it_was(tmp_path):
    made, report = marked(tmp_path / "run", "assistant")
    assert (made.line.by, made.line.signal) == ("assistant", "operator")
    (finding,) = [each for each in report.findings if each.rule == "sent-after-refusal"]
    assert "as marked by an assistant, a program" in finding.detail["en"]
    assert "助手程序标记" in finding.detail["zh"]
    assert "operator" not in finding.detail["en"]
    shown = appwitness.explain(tmp_path / "run", finding.id).text
    assert "noted by an assistant" in shown
    assert "the assistant's mark is wrong" in shown
    for format_ in ("html", "json"):
        assert "an assistant" in appwitness.render(report, format_)


def test_what_it_comes_to_is_what_an_operators_mark_comes_to(tmp_path):
    rules = [
        sorted((each.rule, each.level, each.confidence) for each in marked(tmp_path / by, by)[1].findings)
        for by in ("operator", "assistant")
    ]
    assert rules[0] == rules[1]


def test_it_may_be_added_after_the_end_of_a_run_as_any_mark(tmp_path):
    (tmp_path / "a.har").write_text(har(), "utf-8")
    made = appwitness.import_captures(tmp_path / "a.har", "com.example.shop", output=tmp_path / "new")
    marking.mark_answer(made.path, "given", marking.MarkDetails(by="assistant"))
    checked = verify(made.path)
    assert checked.ok
    assert checked.late.lines == {"consents.jsonl": 1}
    assert [each.by for each in Recording(made.path).events(appwitness.Consent)] == ["assistant"]

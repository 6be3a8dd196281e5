"""`appwitness report --format complaint` on a recording made by hand."""

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.recording import Recording
from tests.cli.test_compare_verb import NUMBERS, make


def run(*args: object):
    return CliRunner().invoke(main, ["report", *map(str, args)])


@pytest.fixture
def recording(tmp_path):
    path = make(tmp_path / "r", answers=[(5, "refused")], sends=[6])
    Recording.open(path).stamp(final=True)
    return path


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--law", "cn"], ("投诉举报书", "《中华人民共和国个人信息保护法》", "全部内容与封存一致", "【待填写：")),
        (["--law", "cn", "--lang", "en"], ("Complaint and report", "[TO FILL IN: ")),
        (["--law", "eu"], ("Article 77(1) GDPR", "GDPR", "stamped while it was made", "[TO FILL IN: ")),
        ([], ("Article 77(1) GDPR",)),
        (["--lang", "zh"], ("投诉举报书",)),
    ],
)
def test_a_letter_under_the_law_chosen(recording, options, says):
    result = run(recording, "--format", "complaint", *options)
    assert result.exit_code == 1, result.output
    for part in says:
        assert part in result.stdout, part
    assert "`sent-after-refusal`" in result.stdout
    assert NUMBERS[0] not in result.stdout


def test_a_changed_recording_is_not_called_sealed(recording):
    with (recording / "uploads.jsonl").open("r+b") as file:
        data = file.read().replace(b"login", b"logon")
        file.seek(0)
        file.write(data)
    assert "NOT what was stamped" in run(recording, "--format", "complaint", "--law", "eu").stdout


def test_a_page_and_a_template_of_ones_own(recording, tmp_path):
    own = tmp_path / "own.md"
    own.write_text("# {{ letter.run.app.package }}: {{ letter.facts|length }}\n", "utf-8")
    page = tmp_path / "letter.html"
    result = run(recording, "--format", "complaint-html", "--template", own, "--output", page)
    assert result.exit_code == 1
    assert "<h1>com.example.pages: " in page.read_text("utf-8")
    own.write_text("{% if %}", "utf-8")
    broken = run(recording, "--format", "complaint", "--template", own)
    assert broken.exit_code == 2
    assert "own.md:1" in broken.stderr
    assert run(recording, "--format", "sarif", "--template", own).exit_code == 2


def test_no_letter_where_there_is_nothing_to_complain_of(tmp_path):
    lawful = make(tmp_path / "ok", answers=[(5, "given")], sends=[6])
    result = run(lawful, "--format", "complaint", "--law", "cn")
    assert result.exit_code == 2
    assert "nothing to complain about" in result.stderr

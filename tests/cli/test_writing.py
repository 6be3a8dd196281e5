"""What `report` writes in one call, and which findings decide its exit code, on a recording made by hand."""

import json

import pytest

from tests.cli.test_cli import make_recording, run
from tests.recordings.written import RECORDINGS


@pytest.fixture(autouse=True)
def recording(tmp_path):
    make_recording(tmp_path / "r", consent="refused", gap=True)


def test_several_formats_each_to_its_file(tmp_path):
    result = run(
        "report", "r", "--format", "json", "--output", "r.json", "--format=html", "--output=r.html", "--format", "text"
    )
    assert result.exit_code == 1
    assert json.loads((tmp_path / "r.json").read_text())["recording"] == "run-r"
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert "sent" in result.stdout


def test_a_file_before_its_format_is_for_it_where_there_is_one_of_each(tmp_path):
    assert run("report", "r", "--output", "r.json", "--format", "json").stdout == ""
    assert json.loads((tmp_path / "r.json").read_text())["v"] == 1


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.html", "<!doctype html>"), ("a.json", "{"), ("a.sarif", "{"), ("a.xml", "<?xml"), ("a.txt", ""), ("a", "")],
)
def test_the_name_of_a_file_says_its_format(tmp_path, name, begins):
    assert run("report", "r", "--output", name).exit_code == 1
    written = (tmp_path / name).read_text()
    assert written.startswith(begins)
    assert begins or not written.startswith(("<", "{"))


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--format", "gitlab"), "Choose one of text, json"),
        (("--format", "json", "--format", "text"), "its own --output"),
        (("--format", "json", "--output"), "names no file"),
        (("--format", "text", "--output", "a.html"), "name the file a.txt"),
        (("--output", "a.SARIF", "--format", "json"), "name the file a.json"),
        (("--format", "junit", "--output", "a.json"), "name the file a.xml"),
        (("--json", "--output", "a.html"), "does not fit the name a.html"),
    ],
)  # fmt: skip
def test_wrong_usage_says_what_to_do(arguments, hint):
    result = run("report", "r", *arguments)
    assert result.exit_code == 2
    assert hint in result.output


def test_a_template_is_for_the_letters_among_them(tmp_path):
    (tmp_path / "own.md").write_text("mine")
    arguments = ("--format", "complaint", "--output", "letter.md", "--format", "json", "--output", "r.json")
    assert run("report", "r", *arguments, "--template", "own.md").exit_code == 1
    assert (tmp_path / "letter.md").read_text() == "mine"
    assert "has no template" in run("report", "r", "--format", "json", "--template", "own.md").output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--fail-on", "high"), 1),
        (("--fail-on", "never"), 0),
        (("--fail-on", "never", "--strict"), 3),
        (("--min-confidence", "proven"), 1),
    ],
)
def test_what_fails_a_build(arguments, code):
    assert run("report", "r", *arguments).exit_code == code


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("weakly-hashed", ("--fail-on", "low"), 1),
        ("weakly-hashed", ("--fail-on", "medium"), 0),
        ("read-never-sent", (), 1),
        ("read-never-sent", ("--min-confidence", "corroborated"), 0),
    ],
)
def test_findings_below_do_not_fail(name, arguments, code):
    assert run("report", RECORDINGS / name, *arguments).exit_code == code


@pytest.mark.parametrize(
    ("format_", "name"),
    [("sarif", "a.json"), ("complaint-html", "a.html"), ("complaint", "a.txt"), ("json", "a"), ("html", "a.page")],
)
def test_a_name_that_fits_a_format_or_says_none_is_taken(tmp_path, format_, name):
    assert run("report", "r", "--format", format_, "--output", name).exit_code == 1
    assert (tmp_path / name).stat().st_size


@pytest.mark.parametrize(
    "words",
    [
        ("report", "a folder that is not there"),
        ("explain", "r", "f99"),
        ("baseline", "check", "r"),
        ("import", "r/run.json"),
        ("report", "r", "--format", "text", "--output", "a.html"),
        ("index", "upgrade", "--db", "a/b/c.sqlite"),
    ],
)
def test_commands_in_errors_are_on_one_line_however_narrow_the_terminal(words, monkeypatch):
    """What stands in a line of an error on a wide terminal stands in one on a narrow one, so that it can be copied."""
    said = {}
    for columns in ("400", "30"):
        monkeypatch.setenv("COLUMNS", columns)
        result = run(*words)
        assert result.exit_code == 2
        said[columns] = result.stderr
    assert said["30"] == said["400"]

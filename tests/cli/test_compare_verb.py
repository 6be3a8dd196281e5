"""`appwitness compare` on recordings made by hand."""

import base64
import hashlib
import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from appwitness import events
from appwitness.cli import read_verbs
from appwitness.cli.verbs import main
from appwitness.findings import comparison_schema
from appwitness.recording import Recording
from appwitness.reports.comparison import FORMATS
from tests.recordings.builder.case import START, Case, recorded
from tests.recordings.builder.reads import NUMBER

NUMBERS = ("+8613800138000", "+8613912345678")


def make(
    path: Path, *, answers=(), sends=(), number=NUMBERS[0], package="com.example.pages", version="1.0", sealed=False
) -> Path:
    """A run that reads the number just before each time it sends it; `sealed`: in a form that nobody can undo."""
    plan = {"given": "accept", "refused": "refuse", "withdrawn": "withdraw"}.get(answers[-1][1] if answers else "")
    case = Case(path.name, "By hand.", plan=plan or "silent", app=package, persona=[("phone_number", number)])
    case.run["app"]["version"] = version
    for second, status in answers:
        case.tapped(second, status, status)
    kept = base64.b64encode(hashlib.blake2b(number.encode(), key=b"k").digest()).decode()
    for second in sends:
        case.read(second - 0.1, NUMBER, values=[("phone_number", number)])
        body = {"uid": kept if sealed else number, "n": f"nonce-{path.name}-{second}"}
        case.sent(second, "https://api.pages.test/login", body)
    recorded(case, path).close()
    return path


def run(*args: object):
    return CliRunner().invoke(main, ["compare", *map(str, args)])


def compared(*args: object):
    result = run(*args, "--format", "json")
    tree = json.loads(result.stdout)
    jsonschema.validate(tree, comparison_schema())
    return tree


def test_four_plans_of_one_app(tmp_path):
    runs = [
        make(tmp_path / "yes", answers=[(5, "given")], sends=[6]),
        make(tmp_path / "no", answers=[(5, "refused")], sends=[6]),
        make(tmp_path / "silent", sends=[]),
        make(tmp_path / "withdrawn", answers=[(5, "given"), (10, "withdrawn")], sends=[6, 12]),
    ]
    tree = compared(*runs)
    assert [each["answer"] for each in tree["runs"]] == ["yes", "no", "none", "withdrawn"]
    assert [(row["what"], row["patterns"]) for row in tree["rows"]] == [
        ("read", ["after_withdrawal", "after_refusal"]),
        ("sent", ["after_withdrawal", "after_refusal"]),
    ]
    assert NUMBERS[0] not in json.dumps(tree)
    assert compared(*runs, "--reveal")["rows"][0]["values"][0]["text"] == NUMBERS[0]


@pytest.mark.parametrize(("sends", "code"), [([6], 0), ([1], 1)])
def test_the_exit_code_is_the_worst_of_the_runs(tmp_path, sends, code):
    one = make(tmp_path / "one", answers=[(5, "given")], sends=sends)
    other = make(tmp_path / "other", answers=[(5, "refused")])
    assert run(one, other).exit_code == code
    Recording.open(other).append(events.Gap(at=START, where="proxy", subject="bank.test", why="tls_refused"))
    assert run(one, other, "--strict").exit_code == (code or 3)


def test_fields_that_change_with_the_persona(tmp_path):
    runs = [
        make(tmp_path / "a", sends=[6], sealed=True),
        make(tmp_path / "b", sends=[6], sealed=True, number=NUMBERS[1]),
        make(tmp_path / "c", sends=[7], sealed=True, number=NUMBERS[1]),
    ]
    (candidate,) = compared(*runs)["candidates"]
    assert (candidate["leaf"], candidate["confidence"], candidate["steady"]) == ("$.uid", "indicated", True)
    assert [one["ref"] for one in candidate["seen"]] == ["uploads.jsonl:1"] * 3
    plain = [
        make(tmp_path / "d", sends=[6]),
        make(tmp_path / "e", sends=[6], number=NUMBERS[1]),
        make(tmp_path / "f", sends=[6]),
    ]
    assert compared(*plain)["candidates"] == []


@pytest.mark.parametrize(("format_", "lang"), [*((each, "en") for each in FORMATS), ("text", "zh")])
def test_every_format_goes_to_a_file_too(tmp_path, format_, lang):
    runs = [make(tmp_path / "yes", answers=[(5, "given")], sends=[6]), make(tmp_path / "silent")]
    shown = run(*runs, "--format", format_, "--lang", lang)
    file = tmp_path / "out"
    written = run(*runs, "--format", format_, "--lang", lang, "--output", file)
    assert shown.exit_code == written.exit_code == 0
    assert file.read_text("utf-8") == shown.stdout
    assert NUMBERS[0] not in shown.stdout


def test_the_formats_offered_are_those_that_there_are():
    assert set(read_verbs.COMPARISON_FORMATS) == set(FORMATS)


def test_the_schema_of_the_json_can_be_had(tmp_path):
    result = CliRunner().invoke(main, ["list", "schema", "--of", "comparison"])
    assert json.loads(result.stdout) == comparison_schema()
    jsonschema.Draft202012Validator.check_schema(comparison_schema())


def test_another_version_is_said(tmp_path):
    result = run(make(tmp_path / "old", version="1.0"), make(tmp_path / "new", version="1.1"))
    assert result.exit_code == 0
    assert "different versions" in result.stdout


def test_only_runs_of_one_app_and_each_once(tmp_path):
    one = make(tmp_path / "one")
    copied = shutil.copytree(one, tmp_path / "copy")
    for args, says in (
        ([one], "Name two recordings"),
        ([one, make(tmp_path / "other", package="com.example.skies")], "com.example.skies"),
        ([one, copied], "same run"),
        ([one, tmp_path / "absent"], "absent"),
    ):
        result = run(*args)
        assert result.exit_code == 2, args
        assert says in result.stderr

"""Google Play's data safety form as the console exports it: what it declares, and that strangers' files are refused."""

import json
from pathlib import Path

import pytest

from appwitness.catalog import yaml_files
from appwitness.correlate.prior_knowledge import read_policy
from appwitness.judge.app_types import AppTypes
from appwitness.judge.data_types import DataTypes
from appwitness.judge.play_form import PlayForm
from appwitness.support.errors import FileError

TYPES = yaml_files.parse(yaml_files.HERE / "data_types.yml", DataTypes)
APPS = yaml_files.parse(yaml_files.HERE / "app_types.yml", AppTypes)
FORM = yaml_files.parse(yaml_files.HERE / "play_form.yml", PlayForm)
HEAD = (
    "Question ID (machine readable),Response ID (machine readable),Response value,Answer requirement,"
    "Human-friendly question label"
)


def row(question: str, response: str, value: str, label: str = "A label / of it") -> str:
    return f'{question},{response},{value},MULTIPLE_CHOICE,"{label}"'


def used(code: str, about: str, response: str, value: str = "true") -> str:
    return row(f"PSL_DATA_USAGE_RESPONSES:{code}:{about}", response, value)


FULL = [
    HEAD,
    row("PSL_DATA_COLLECTION_COLLECTS_PERSONAL_DATA", "", "true", 'Does your app collect "any"\nof it, or share it?'),
    row("PSL_DATA_TYPES_PERSONAL", "PSL_PHONE", "true"),
    row("PSL_DATA_TYPES_PERSONAL", "PSL_NAME", ""),
    row("PSL_DATA_TYPES_LOCATION", "PSL_PRECISE_LOCATION", "TRUE"),
    used("PSL_PHONE", "PSL_DATA_USAGE_COLLECTION_AND_SHARING", "PSL_DATA_USAGE_ONLY_COLLECTED"),
    used("PSL_PHONE", "DATA_USAGE_COLLECTION_PURPOSE", "PSL_ACCOUNT_MANAGEMENT"),
    used("PSL_PHONE", "DATA_USAGE_SHARING_PURPOSE", "PSL_ADVERTISING"),
    used("PSL_NAME", "DATA_USAGE_COLLECTION_PURPOSE", "PSL_ANALYTICS", ""),
]


def read(folder: Path, text: str | bytes):
    path = folder / "form.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_policy(path, TYPES, APPS)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("first", ["", "\ufeff"])
def test_what_is_ticked_is_declared_with_its_purposes(ends, first, tmp_path):
    policy = read(tmp_path, first + ends.join(FULL) + ends)
    assert "phone_number" in policy.codes
    assert "name" not in policy.codes
    assert {"location", "movement_track", "location_coarse"} <= policy.codes
    assert policy.purpose("phone_number") == "Account management (collected), Advertising or marketing (shared)"
    assert policy.declares("phone_number", "anybody.example")
    assert not policy.declares("name", "api.shop.test")


def test_who_collects_nothing_declares_nothing(tmp_path):
    text = "\n".join([HEAD, row("PSL_DATA_COLLECTION_COLLECTS_PERSONAL_DATA", "", "false"), *FULL[2:]])
    assert not read(tmp_path, text).codes


def test_each_type_of_the_form_that_we_have_kinds_of_names_them():
    named = {kind for code in FORM.types for kind in FORM.kinds(code, TYPES)}
    assert named == {each.code for each in TYPES.items} - {"minor_data"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no question of Google Play's data safety form"),
        ("a,b,c\n1,2,3\n", "no question of Google Play's data safety form"),
        ("\n".join([*FULL, row("PSL_DATA_TYPES_X", "PSL_BRAIN_WAVES", "true")]), "PSL_BRAIN_WAVES"),
        ("PSL_DATA_TYPES_PERSONAL,PSL_NAME,true\n" + "x" * 200_000, "not CSV"),
        (b"\xff\xfe\x00PSL_", ""),
    ],
)
def test_what_is_no_such_form_is_refused(text, says, tmp_path):
    with pytest.raises(FileError) as refused:
        read(tmp_path, text)
    assert says in refused.value.what
    assert "form.csv" in refused.value.what


def test_declared_and_observed_stand_side_by_side(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from appwitness.cli.verbs import main
    from tests.recordings.builder.case import write
    from tests.recordings.builder.listed import VARIANTS

    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    case = VARIANTS["sdk-sent-to-network"]()
    write([case], tmp_path)
    form = tmp_path / "form.csv"
    for rows, undeclared in ((FULL, set()), ([HEAD, FULL[4]], {"phone_number"})):
        form.write_text("\n".join(rows), "utf-8")
        words = ["report", tmp_path / case.name, "--policy", form, "--format", "json", "--db", tmp_path / "db.sqlite"]
        tree = json.loads(CliRunner().invoke(main, list(map(str, words))).stdout)
        rules = {(each["rule"], each["data"]) for each in tree["findings"] if each["rule"].startswith("undeclared")}
        assert rules == {("undeclared-data", data) for data in undeclared}
        shown = {
            (each["data"], each["recipient"], each["declared"], bool(each["observed"])) for each in tree["declared"]
        }
        assert ("phone_number", "log.adnet.test", not undeclared, True) in shown
        assert ("movement_track", None, True, False) in shown

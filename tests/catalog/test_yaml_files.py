"""YAML of strangers: whatever it is, it is read within bounds, or an error with its file and line."""

import hashlib
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appwitness.catalog import yaml_files
from appwitness.correlate.prior_knowledge import read_policy
from appwitness.devices.android.persona import profile
from appwitness.exchange import hook_logs
from appwitness.gate import allowed, baseline, waivers
from appwitness.judge.app_types import AppTypes
from appwitness.judge.data_types import DataTypes
from appwitness.judge.rules import Rule
from appwitness.support.errors import FileError, UserError

DATA = yaml_files.parse(yaml_files.HERE / "data_types.yml", DataTypes)
APP_TYPES = yaml_files.parse(yaml_files.HERE / "app_types.yml", AppTypes)
TODAY = date(2026, 11, 28)


def tree(tmp_path, text):
    path = tmp_path / "it.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return yaml_files.tree(path)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("a: 1:30", "1:30"),
        ("a: 190:20:30.15", "190:20:30.15"),
        ("a: " + "1:" * 9999 + "1", "1:" * 9999 + "1"),
        ("a: 12", 12),
        ("a: -0x1f", -31),
        ("a: 1_000", 1000),
        ("a: 0.5", 0.5),
        ("a: 2026-11-28", TODAY),
        ("a: yes", True),
        ("a: ~", None),
    ],
)
def test_what_is_a_number(tmp_path, text, means):
    assert tree(tmp_path, text) == {"a": means}


WIDE = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10) if n else 'x'}]" for n in range(12))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: " + "9" * 5000, 2),
        ("a: 1\nb: 9999999999999999999", 2),
        ("a: 0x" + "f" * 5000, 1),
        ("a: !!int 1:30", 1),
        ("a: !!int '" + "1:" * 9999 + "1'", 1),
        ("a: !!int ''", 1),
        ("a: !!float x", 1),
        ("a: 1\nb: .inf", 2),
        ("a: .nan", 1),
        ("a: 1.0e+999", 1),
        ("a: 1\nb: 2026-13-45", 2),
        ("a: !!timestamp x", 1),
        ("a: !!bool maybe", 1),
        ("a: 1\nb: !!python/object/apply:os.system [x]", 2),
        ("a: 1\nb: \x7f", 2),
        ("a: 1\nb: \ufffe", 2),
        ("a: 1\nb: '\ufeff'", 2),
        ("a: 1\nb: \x00", 2),
        ("a: 1\nb: \ud800", 2),
        ('a: "\\ud800"', 1),
        ("a: 1\nb: 2\na: 3", 3),
        ("a: &a [*a]", 1),
        ("a: *b", 1),
        (WIDE, None),
        ("[" * 200_000, None),
        ("? " * 5_000, None),
        ("a: " + "{a: " * 500 + "}" * 500, 1),
        ("? [a]\n: b", None),
        ("--- a\n--- b", None),
    ],
)
def test_what_is_refused_names_its_line(tmp_path, text, line):
    with pytest.raises(FileError) as raised:
        tree(tmp_path, text)
    assert line is None or raised.value.line == line


def test_a_key_that_puts_in_others_is_a_key_like_any_other(tmp_path):
    assert tree(tmp_path, "<<: {a: 1}") == {"<<": {"a": 1}}


def test_a_folder_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(yaml_files, "MOST_FILES", 2)
    for name in "abc":
        (tmp_path / f"{name}.yml").touch()
    with pytest.raises(FileError, match="more than 2 files"):
        list(yaml_files.files("rules", tmp_path))


@given(st.text(st.characters(codec=None, exclude_categories=())))
@example("\x7f")
@example("\ufffe\uffff\ufeff")
@example("\x85\u2028\u2029")
@example("\x00\x1b\U0001f600")
@example("\ud800")
def test_every_text_is_read_as_it_was_written_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "quoted.yml"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        with pytest.raises(UserError, match="half of a surrogate pair"):
            yaml_files.quoted({"a": text})
        return
    written = yaml_files.quoted({"a": text})
    assert "\n" not in written
    path.write_text(written, "utf-8", newline="")
    assert yaml_files.tree(path) == {"a": text}


READERS = {
    "rules": lambda path: yaml_files.parse(path, Rule, {"data": DATA.codes, "kinds": {"a"}, "presets": {"a"}}),
    "policy": lambda path: read_policy(path, DATA, APP_TYPES),
    "waivers": lambda path: waivers.read(path, TODAY),
    "baseline": baseline.read,
    "merge": baseline.merged,
    "flows": allowed.read,
    "persona": profile.load,
    "mapping": hook_logs.fields,
}
PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        (
            "version: 1\n|waivers:\n|  - |findings: |allowed: |match: {rule: r, recipient: x}\n|<<<<<<< a\n|=======\n|"
            ">>>>>>> b\n|&a |*a|<<: |!!set |!!omap |!!binary x|? |: |[|]|{|}|\n|  |!!int |2026-99-99|1:30|~|id: W-1\n|"
            "expires: |owner: a\n|\ufffe|\x7f|\x00|app: a\n|made:\n|" + "9" * 5000
        )
        .encode()
        .split(b"|")
    ),
)


@pytest.mark.parametrize("name", READERS)
@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_whatever_a_file_holds_is_read_or_an_error_of_that_file(tmp_path_factory, name, data):
    path = tmp_path_factory.getbasetemp() / f"{name}.yml"
    path.write_bytes(data)
    wrong = None
    try:
        READERS[name](path)
    except FileError as error:
        wrong = error
    assert wrong is None or wrong.path == path


def test_a_file_of_ours_is_parsed_again_only_when_its_text_or_the_known_names_are_others(tmp_path, monkeypatch):
    monkeypatch.setattr(yaml_files, "HERE", tmp_path)
    path = tmp_path / "types.yml"
    path.write_text("items: []\n")
    first = yaml_files.parse(path, DataTypes)
    assert yaml_files.parse(path, DataTypes) is first
    assert yaml_files.parse(path, DataTypes, {"data": ["name"]}) is not first
    path.write_text("items: []\nx: 1\n")
    with pytest.raises(FileError):
        yaml_files.parse(path, DataTypes)


def test_a_file_of_the_users_own_is_parsed_each_time(tmp_path):
    (tmp_path / "types.yml").write_text("items: []\n")
    read = [yaml_files.parse(tmp_path / "types.yml", DataTypes) for _ in range(2)]
    assert read[0] is not read[1]


@pytest.mark.parametrize("path", sorted(yaml_files.PACKAGE.rglob("*.yml")), ids=lambda path: path.name)
def test_what_the_build_loaded_is_what_the_file_says(path):
    text = yaml_files.text_of(path)
    assert (yaml_files.LOADED / f"{hashlib.sha256(text.encode()).hexdigest()}.pickle").exists()
    assert yaml_files.tree(path) == yaml_files.read(path, text)


def test_a_file_that_the_build_did_not_load_is_read(monkeypatch, tmp_path):
    monkeypatch.setattr(yaml_files, "LOADED", tmp_path)
    assert yaml_files.tree(yaml_files.HERE / "edition.yml")["edition"] >= 1

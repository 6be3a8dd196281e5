"""The kinds of personal data and their names."""

import pytest

from appwitness.catalog import yaml_files
from appwitness.judge.data_types import DataTypes
from appwitness.support.errors import FileError

PATH = next(yaml_files.files("data_types.yml"))
TYPES = yaml_files.parse(PATH, DataTypes)


def test_each_code_and_each_name_is_given_once():
    for names in (
        [kind.code for kind in TYPES.items],
        [kind.en for kind in TYPES.items],
        [kind.zh for kind in TYPES.items],
    ):
        assert sorted({name for name in names if names.count(name) > 1}) == []
    assert len(TYPES.codes) == len(TYPES.items)


@pytest.mark.parametrize(
    ("code", "en", "zh"),
    [
        ("device_contacts", "address book", "通讯录"),
        ("location", "location", "精准位置"),
        ("not_in_the_catalog", "not in the catalog", "not in the catalog"),
    ],
)
def test_the_name_of_a_kind(code, en, zh):
    assert (TYPES.label(code, "en"), TYPES.label(code, "zh")) == (en, zh)


def test_a_broken_entry_is_an_error_with_its_line(tmp_path):
    path = tmp_path / "data_types.yml"
    lines = PATH.read_text("utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.startswith("    pipl_sensitive"))
    lines[number - 1] = "    pipl_sensitive: perhaps"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(FileError, match="pipl_sensitive") as error:
        yaml_files.parse(path, DataTypes)
    assert error.value.line == number

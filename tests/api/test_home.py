"""Which index is meant: an option, the environment, or a file that the environment names."""

from pathlib import Path

import pytest

from appwitness.api.home import database
from appwitness.support.errors import UserError

SECRET = "postgresql://appwitness:secret@postgres/appwitness"


@pytest.fixture
def said(monkeypatch, tmp_path):
    """Set what the environment says; `FILE` stands for a file with the address of a database."""
    file = tmp_path / "db"
    file.write_text(f"{SECRET}\n")
    monkeypatch.setenv("APPWITNESS_HOME", "/data")
    monkeypatch.delenv("APPWITNESS_DB", raising=False)
    return lambda name, value: monkeypatch.setenv(name, value.replace("FILE", str(file)))


@pytest.mark.parametrize(
    ("name", "value", "option", "place"),
    [
        ("APPWITNESS_DB_FILE", "FILE", None, SECRET),
        ("APPWITNESS_DB", "sqlite:///a.sqlite", None, "sqlite:///a.sqlite"),
        ("APPWITNESS_DB", "a.sqlite", None, Path("a.sqlite")),
        ("APPWITNESS_DB_FILE", "FILE", "b.sqlite", Path("b.sqlite")),
        ("APPWITNESS_DB", "", None, Path("/data/appwitness.sqlite")),
    ],
)
def test_the_option_goes_before_the_environment(said, name, value, option, place):
    said(name, value)
    assert database(option) == place


def test_a_setting_and_its_file_are_not_both_set(said):
    said("APPWITNESS_DB_FILE", "FILE")
    said("APPWITNESS_DB", SECRET)
    with pytest.raises(UserError, match="are both set") as raised:
        database(None)
    assert "secret" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(said, tmp_path):
    said("APPWITNESS_DB_FILE", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"APPWITNESS_DB_FILE: .*none: No such file or directory"):
        database(None)

"""Catalog files: each error names the file and the line."""

import pytest
from pydantic import BaseModel

from appwitness.catalog import yaml_files
from appwitness.support.errors import FileError


class Page(BaseModel):
    id: str
    sizes: list[int]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("id: a\nsizes: [1, 2\n", 3, "not YAML"),
        ("id: a\nsizes:\n  - 1\n  - two\n", 4, "sizes.1"),
        ("id: a\n", 1, "sizes"),
        ("- a\n", 1, "the file"),
    ],
)
def test_an_error_names_the_line(tmp_path, text, line, says):
    path = tmp_path / "page.yml"
    path.write_text(text)
    with pytest.raises(FileError, match=says) as error:
        yaml_files.parse(path, Page)
    assert error.value.line == line
    assert f"page.yml:{line}" in str(error.value)


def test_a_folder_of_the_user_comes_after_ours(tmp_path):
    (tmp_path / "own.yml").write_text("id: own\n")
    assert list(yaml_files.files("rules", tmp_path))[-1] == tmp_path / "own.yml"


def test_a_missing_folder_says_so(tmp_path):
    with pytest.raises(FileError, match="no such file or folder"):
        list(yaml_files.files("rules", tmp_path / "absent"))

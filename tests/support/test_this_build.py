"""The version that is printed names the commit, of a checkout and of a wheel."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import hatch_build
from appwitness.cli.renamed_verbs import RENAMED
from appwitness.support import this_build
from tests.checkout import need_git

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout of one commit, whose package is at the place of ours."""
    need_git()
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@a", "commit", "-qm", "one"],
    ):
        (tmp_path / "file").write_text("1")
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "monitor/appwitness").mkdir(parents=True)
    monkeypatch.setattr(this_build, "PACKAGE", tmp_path / "monitor/appwitness")
    monkeypatch.setattr(this_build, "COMMIT", tmp_path / "monitor/appwitness/commit.txt")
    return tmp_path


def test_a_checkout_names_its_commit_and_whether_files_differ(checkout):
    head = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert this_build.commit() == hatch_build.commit_of(checkout) == head.stdout.strip()
    (checkout / "file").write_text("2")
    assert this_build.commit() == hatch_build.commit_of(checkout) == f"{head.stdout.strip()}-dirty"


def test_a_wheel_names_what_it_was_built_from(checkout):
    (checkout / ".git").rename(checkout / "no")
    assert this_build.commit() is None
    this_build.COMMIT.write_text("")
    assert this_build.commit() is None
    this_build.COMMIT.write_text("0123456789ab\n")
    assert this_build.commit() == "0123456789ab"


def test_the_version_is_one_line():
    said = subprocess.run([sys.executable, "-m", "appwitness", "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith(f"appwitness, version {this_build.version()}")
    assert said.stdout.count("\n") == 1


def test_what_names_our_version_names_that_of_pyproject():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    files = [ROOT / "CITATION.cff", *(ROOT / "docs").glob("*.md"), *(path for path in (ROOT / "docs/ci").iterdir())]
    named = [
        (path.name, each)
        for path in files
        if path.is_file()
        for each in re.findall(r"(?:^version: |appwitness-|download/v)(\d+\.\d+\.\d+)", path.read_text("utf-8"), re.M)
    ]
    assert len(named) > 6
    assert {each for _, each in named} == {version}
    releases = re.findall(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert releases[0] == "Unreleased"
    assert version in releases


def test_each_deprecated_name_stands_in_the_changelog():
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    (deprecated,) = re.findall(r"^### Deprecated\n(.*?)^##", changes, re.M | re.S)
    assert [old for old in RENAMED if len(old) == 1 and f"`{old[0]}`" not in deprecated] == []

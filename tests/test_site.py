"""The site builds strictly, a link that leads nowhere stops it, and the reference has all that the program has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml
from click.testing import CliRunner

from appwitness.api import reference
from appwitness.cli.front_page import VERBS
from appwitness.cli.verbs import main
from appwitness.devices.android.faults import fault
from appwitness.support import site
from docs.site import build, terminal
from tests.test_docs import ROOT

rules_pages = cache(build.rules)
"""Made once for both languages."""


def cast(folder: Path) -> Path:
    """A terminal on which a live view was drawn twice, as a run would record it."""
    live = [
        (3.0, "\x1b[?25l\x1b[1mone\x1b[0m 0:01\r\nnew"),
        (9.0, "\r\x1b[2K\x1b[1A\x1b[2Kone 0:02\r\nnewer"),
        (9.1, "\r\ndone\r\n"),
    ]
    path = folder / "demo.cast"
    path.write_text(terminal.cast("appwitness demo", live), "utf-8")
    return path


def test_a_terminal_is_recorded_without_its_pauses_and_read_as_it_ends(tmp_path):
    head, *events = map(json.loads, cast(tmp_path).read_text("utf-8").splitlines())
    assert (head["version"], head["title"]) == (2, "appwitness demo")
    times = [event[0] for event in events]
    assert times == sorted(times)
    assert times[-1] < 6
    assert terminal.plain(tmp_path / "demo.cast") == "$ appwitness demo\none 0:02\nnewer\ndone"


def test_what_a_terminal_answers_is_recorded_as_it_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(terminal, "PROGRAM", Path(sys.executable).with_name("appwitness"))
    answered = terminal.answer("appwitness --version", tmp_path)
    assert "".join(text for _, text in answered).startswith("appwitness, version ")


@pytest.mark.parametrize(("folder", "head"), [("", "Not a finding"), ("zh/", "不构成发现")])
def test_the_page_of_a_rule_says_what_it_objects_to_and_what_not(folder, head):
    made = rules_pages()
    for rule in reference.rules():
        page = made[f"{folder}reference/rules/{rule.id}.md"]
        lang = "zh" if folder else "en"
        assert page.startswith(f"# {rule.title[lang]}\n")
        assert f"## {head}\n" in page
        assert len(re.findall("^## ", page, re.MULTILINE)) >= 7
        assert f"rules/{rule.id}.md" in made[f"{folder}reference/rules.md"]


def test_the_pages_of_codes_are_there_in_chinese_too():
    made = build.faults()
    english = {name for name in made if not name.startswith("zh/")}
    assert {f"zh/{name}" for name in english} == set(made) - english
    for name in english:
        assert re.search("[一-鿿]", made[f"zh/{name}"].partition("**处理方法：**")[2] or made[f"zh/{name}"]), name


@pytest.mark.slow
def test_the_site_builds_and_has_a_page_for_each_verb_rule_and_code(tmp_path):
    cast(tmp_path)
    code = (
        "import pathlib, sys; from docs.site import build, terminal; terminal.CASTS = pathlib.Path(sys.argv[1]);"
        "build.build(pathlib.Path(sys.argv[2]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site/terminals.html").read_text("utf-8")
    assert "demo.cast" in page
    assert "newer\ndone" in page  # where no script runs
    assert (tmp_path / "site/demo.cast").exists()
    assert (tmp_path / "site/search/search_index.json").exists()
    for name in VERBS:
        assert f"appwitness {name}" in (tmp_path / f"site/reference/verbs/{name}.html").read_text("utf-8")
    for rule in reference.rules():
        assert (tmp_path / f"site/reference/rules/{rule.id}.html").exists()
        assert (tmp_path / f"site/zh/reference/rules/{rule.id}.html").exists()
    devices = ROOT / "monitor/appwitness/catalog/devices"
    codes = set(yaml.safe_load((devices / "faults.yml").read_text("utf-8"))["faults"])
    codes |= set(yaml.safe_load((devices / "doctor.yml").read_text("utf-8"))["warnings"])
    codes |= {each["code"] for each in yaml.safe_load((devices / "frida.yml").read_text("utf-8"))["errors"]}
    assert [code for code in codes if not (tmp_path / f"site/reference/doctor/{code}.html").exists()] == []
    address = (tmp_path / "site").as_uri() + "/"
    with patch.object(site, "ADDRESS", address):  # where errors lead once there is a site
        for lang in ("en", "zh"):
            pages = [site.fault_page(code, lang) for code in codes]
            pages += [site.rule_page(rule.id, lang) for rule in reference.rules()]
            assert [page for page in pages if not page or not Path(page.removeprefix("file://")).exists()] == []
    fetched = ('src="http', 'href="https://fonts', "@import")
    assert not [text for text in fetched if text in (tmp_path / "site/index.html").read_text("utf-8")]


@pytest.mark.parametrize(
    ("folder", "link", "there"),
    [
        ("docs", "../CHANGELOG.md", "changelog.md"),
        ("docs", "evidence.md#time", "evidence.md#time"),
        ("docs", "../monitor/appwitness/catalog/laws.yml", f"{build.REPOSITORY}monitor/appwitness/catalog/laws.yml"),
        ("docs", "ci/example", f"{build.REPOSITORY}docs/ci/example"),
        ("", "docs/web.md", "web.md"),
        ("", "docs/zh/reading-a-report.md", "zh/reading-a-report.md"),
        ("docs/zh", "../evidence.md#time", "../evidence.md#time"),
        ("docs/zh", "../../CHANGELOG.md", "../changelog.md"),
        ("", "docs/pictures/report.png", "pictures/report.png"),
        ("", "LICENSE", f"{build.REPOSITORY}LICENSE"),
        ("", "https://mitmproxy.org", "https://mitmproxy.org"),
        ("", "#questions", "#questions"),
    ],
)
def test_a_link_of_a_page_leads_to_the_same_on_the_site(folder, link, there):
    assert build.relinked(f"[a]({link})", folder) == f"[a]({there})"


def test_an_error_leads_to_its_page_once_there_is_a_site(monkeypatch):
    def fail(*_):
        raise fault("no-root", serial="a")

    monkeypatch.setattr("appwitness.api.diagnosing.diagnose", fail)
    said = CliRunner().invoke(main, ["doctor"]).output
    assert "http" not in said
    monkeypatch.setattr(site, "ADDRESS", "https://a.test/")
    assert "https://a.test/reference/doctor/no-root.html" in CliRunner().invoke(main, ["doctor"]).output

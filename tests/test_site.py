"""The site builds strictly, a link that leads nowhere stops it, and the reference has all that the program has."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from appwitness.api import reference
from appwitness.cli.verbs import VERBS
from docs.site import build
from tests.test_docs import ROOT


@pytest.mark.slow
def test_the_site_builds_and_has_a_page_for_each_verb_rule_and_code(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "docs.site.build", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in VERBS:
        assert f"appwitness {name}" in (tmp_path / f"site/reference/verbs/{name}.html").read_text("utf-8")
    for rule in reference.rules():
        assert (tmp_path / f"site/reference/rules/{rule.id}.html").exists()
    doctor = (tmp_path / "site/reference/doctor.html").read_text("utf-8")
    faults = yaml.safe_load((ROOT / "monitor/appwitness/catalog/devices/faults.yml").read_text("utf-8"))["faults"]
    assert [code for code in faults if f'id="{code}"' not in doctor] == []
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
        ("", "docs/pictures/report.png", "pictures/report.png"),
        ("", "LICENSE", f"{build.REPOSITORY}LICENSE"),
        ("", "https://mitmproxy.org", "https://mitmproxy.org"),
        ("", "#questions", "#questions"),
    ],
)
def test_a_link_of_a_page_leads_to_the_same_on_the_site(folder, link, there):
    assert build.relinked(f"[a]({link})", folder) == f"[a]({there})"

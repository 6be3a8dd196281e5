"""Reports and lists are written in the language of the user's locale, unless --lang says another."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from appwitness.cli.front_page import language
from appwitness.cli.verbs import main
from tests.recordings.written import RECORDINGS


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "de_DE.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en:zh"}, "en"),
    ],
)
def test_the_locale_says_the_language(monkeypatch, environment, lang):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == lang


@pytest.mark.parametrize(
    "verb", [("report", RECORDINGS / "sent-before-consent"), ("list", "rules", "sent-before-consent")]
)
def test_verbs_follow_it(monkeypatch, verb):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    said = {lang: CliRunner().invoke(main, [*map(str, verb), *lang]).stdout for lang in ((), ("--lang", "en"))}
    assert "同意" in said[()]
    assert "同意" not in said["--lang", "en"]

"""The pages speak the language of the browser, unless their address says another."""

from __future__ import annotations

import pytest

from appwitness.web.query import preferred
from tests.web.test_pages import browser, store  # noqa: F401


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de-DE,de;q=0.9,zh-TW;q=0.5", "zh"),
        ("en;q=0.2,zh;q=0.3", "zh"),
        ("zh;q=0,en", "en"),
        ("fr", "en"),
        ("zh;q=x,;;,*", "en"),
        ("zh" * 10_000, "en"),
    ],
)
def test_the_first_of_ours_that_is_accepted(accepted, lang):
    assert preferred(accepted) == lang


def test_pages_follow_the_browser_and_links_keep_what_was_chosen(store, known):  # noqa: F811
    asking = browser(store, known)
    of_browser = {"accept-language": "zh-CN,zh;q=0.9"}
    assert '<html lang="zh-CN">' in (chinese := asking.get("/rules", headers=of_browser).text)
    assert 'href="/rules?lang=en"' in chinese
    assert "lang=zh" not in chinese
    english = asking.get("/rules?lang=en", headers=of_browser).text
    assert '<html lang="en">' in english
    assert 'href="/?lang=en"' in english
    assert 'href="/rules?lang=zh"' in asking.get("/rules").text
    assert 'href="/rules"' in asking.get("/rules?lang=zh").text

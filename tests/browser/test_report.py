"""The HTML report of a recording in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.correlate import knowledge, report_on
from monitor.judge.compare import compare
from monitor.recording import Recording
from monitor.reports import comparison, gate, render
from monitor.store import Store
from tests.browser.seen import SIZES, overflow, violations
from tests.gate import test_page
from tests.reports import sample

RECORDINGS = Path(__file__).parents[1] / "recordings"


@pytest.fixture(scope="module")
def known():
    return knowledge()


def page_of(tmp_path: Path, known, case: str, lang: str = "en") -> Path:
    with Store(tmp_path / "index.sqlite") as store:
        report = report_on(Recording.open(RECORDINGS / case), store, known)
    file = tmp_path / f"{case}-{lang}.html"
    file.write_text(render(report, "html", lang=lang), "utf-8")
    return file


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_report_has_no_error_fits_its_window_and_can_be_read_by_all(visit, tmp_path, known, size, dark, lang):
    page = visit(page_of(tmp_path, known, "address-book-upload", lang), SIZES[size], dark)
    assert violations(page) == []
    assert overflow(page) == 0


def compared() -> str:
    other = sample.report(recording="r2", run=sample.run(id="r2", plan="accept"), flows=())
    return comparison.render(compare([sample.report(), other]), "html")


OTHERS = {
    "complaint": lambda: render(sample.report(laws=("cn",)), "complaint-html", lang="zh"),
    "comparison": compared,
    "gate": lambda: gate.render(test_page.told(), "html"),
}


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("name", OTHERS)
def test_the_other_pages(visit, tmp_path, name, size):
    file = tmp_path / "page.html"
    file.write_text(OTHERS[name](), "utf-8")
    page = visit(file, SIZES[size])
    assert violations(page) == []
    assert overflow(page) == 0

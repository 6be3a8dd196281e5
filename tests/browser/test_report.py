"""The HTML report of a recording in a real browser: whole at any size, said in its first screen, printed, filtered."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
import yaml

from appwitness.catalog import yaml_files
from appwitness.correlate import report_on
from appwitness.findings import Report
from appwitness.gate import reports
from appwitness.judge.compare import compare
from appwitness.recording import Recording
from appwitness.reports import comparison, render
from appwitness.reports.words import Words
from appwitness.store import Store
from tests.browser.seen import SIZES, first_screen, height, overflow, overflows, printed, violations
from tests.gate import test_page
from tests.recordings.builder.case import Case, sha256
from tests.recordings.builder.consents import DELIVERED, LOGIN, STORES
from tests.recordings.builder.reads import NUMBER, PHONE
from tests.recordings.written import RECORDINGS
from tests.reports import sample


@pytest.fixture(scope="module")
def report_of(tmp_path_factory, known):
    """The report of a recording of tests, made once."""

    @cache
    def made(case: str) -> Report:
        with Store(tmp_path_factory.mktemp("report") / "index.sqlite") as store:
            return report_on(Recording.open(RECORDINGS / case), store, known)

    return made


def page_of(tmp_path: Path, report: Report, lang: str = "en") -> Path:
    file = tmp_path / f"{lang}.html"
    file.write_text(render(report, "html", lang=lang), "utf-8")
    return file


QUICK = [("en", "desktop", False), ("zh", "phone", True)]
LOOKS = [
    pytest.param(lang, size, dark, marks=[] if (lang, size, dark) in QUICK else pytest.mark.slow)
    for lang in ("en", "zh")
    for size in SIZES
    for dark in (False, True)
]


@pytest.mark.parametrize(("lang", "size", "dark"), LOOKS)
def test_a_report_has_no_error_fits_its_window_and_can_be_read_by_all(visit, tmp_path, report_of, size, dark, lang):
    page = visit(page_of(tmp_path, report_of("address-book-upload"), lang), SIZES[size], dark)
    assert violations(page) == []
    assert overflows(page) == {}


def compared() -> str:
    other = sample.report(recording="r2", run=sample.run(id="r2", plan="accept"), flows=())
    return comparison.render(compare([sample.report(), other]), "html")


OTHERS = {
    "complaint": lambda: render(sample.report(laws=("cn",)), "complaint-html", lang="zh"),
    "comparison": compared,
    "gate": lambda: reports.render(test_page.told(), "html"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_pages(visit, tmp_path, name):
    file = tmp_path / "page.html"
    file.write_text(OTHERS[name](), "utf-8")
    page = visit(file)
    assert violations(page) == []
    assert overflows(page) == {}
    page.set_viewport_size(SIZES["phone"])
    assert violations(page) == []


TEN_SECONDS = [
    "address-book-upload",
    "sent-before-consent",
    "sent-after-withdrawal",
    "third-party-not-covered",
    "planted-value-without-access",
]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("case", TEN_SECONDS)
def test_the_first_screen_alone_says_what_went_to_whom_after_which_answer_and_how_sure_that_is(
    visit, tmp_path, report_of, case, lang
):
    """The ten-second test of docs/reading-a-report.md."""
    words = Words(lang)
    expected = json.loads((RECORDINGS / case / "expected.json").read_text("utf-8"))["findings"]
    worst = next(finding for finding in expected if finding["recipient"])
    report = report_of(case)
    flow = next(each for each in report.flows if each.recipient.host == worst["recipient"])
    seen = first_screen(visit(page_of(tmp_path, report, lang)))
    assert words.data(worst["data"]).lower() in seen.lower()
    assert worst["recipient"] in seen
    assert words(f"confidence_{worst['confidence']}") in seen
    assert words(f"consent_{flow.consent}") in seen
    assert words.count("gaps_link", len(report.gaps)) if report.gaps else words("gaps_link_none") in seen


def many(count: int) -> str:
    """A report of so many findings, each on a recipient or a kind of data of its own, over two levels."""
    base = sample.report()
    kinds = [item["code"] for item in yaml.safe_load((yaml_files.HERE / "data_types.yml").read_text("utf-8"))["items"]]
    flows, findings = [], []
    for number in range(count):
        host = f"h{number // 100}{'abcdefghij'[number % 100 // 50]}.example.test"
        recipient = base.flows[0].recipient.model_copy(update={"host": host})
        new = {"data": kinds[number % 50], "recipient": recipient}
        flows.append(base.flows[0].model_copy(update={"id": f"f{number}", "matches": (), **new}))
        level = "low" if number % 10 == 0 else "high"
        findings.append(base.findings[4].model_copy(update={"flows": (f"f{number}",), "level": level, **new}))
    return render(sample.report(flows=tuple(flows), findings=tuple(findings)), "html")


UNFOLD = "document.querySelectorAll('.shelf').forEach(shelf => { shelf.open = true; })"


def test_a_hundred_findings_stand_folded_by_recipient_and_are_filtered_without_a_script(visit, tmp_path):
    file = tmp_path / "many.html"
    file.write_text(many(100), "utf-8")
    page = visit(file)
    assert height(page) < 2.5 * SIZES["desktop"]["height"]
    page.locator(".shelf > summary").first.click()
    assert page.locator(".card:visible").count() == 25
    page.evaluate(UNFOLD)
    assert page.locator(".card:visible").count() == 50
    page.get_by_label("low (10)").check()
    assert page.locator(".card:visible").count() == 10
    assert page.locator(".card.level-low:visible").count() == 10
    page.get_by_label("all").first.check()
    assert page.locator(".card:visible").count() == 50


def test_what_is_folded_is_printed_with_its_evidence(visit, tmp_path):
    file = tmp_path / "many.html"
    file.write_text(many(60), "utf-8")
    page = visit(file)
    assert page.locator(".card:visible").count() == 0
    page.emulate_media(media="print")
    assert page.locator(".card:visible").count() == 60
    assert page.locator(".card .said:visible").count() == 60


def test_what_is_folded_can_be_read_when_it_is_unfolded(visit, tmp_path):
    file = tmp_path / "some.html"
    file.write_text(many(26), "utf-8")
    page = visit(file)
    page.evaluate(UNFOLD)
    assert page.locator(".card:visible").count() == 25
    assert violations(page) == []


def half_an_hour() -> Case:
    """A run of thirty minutes, in which the user agrees after one and withdraws after twenty: 90 uploads, 18 hosts."""
    case = Case("half-hour", "Thirty minutes.", plan="withdraw", ends=1800).launched()
    case.asked(20).tapped(60, "given", "Agree").tapped(1200, "withdrawn", "Withdraw consent").read(1, NUMBER, LOGIN)
    for number in range(90):
        when, host = 5 + number * 20, f"h{number % 18}.tracker{number % 18}.test"
        body = {"lat": 31.230416, "lon": 121.473701, "ph": sha256(PHONE)} if number % 3 else {"ph": PHONE}
        case.read(when, DELIVERED, STORES).sent(when + 1, f"https://{host}/v1/collect", body, by=LOGIN)
    return case


def test_half_an_hour_is_printed_with_the_lines_that_each_finding_rests_on(visit, tmp_path, known):
    """On A4, within its margins; each rule's finding with its id."""
    for name, data in half_an_hour().files().items():
        (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / name).write_bytes(data)
    with Store(tmp_path / "index.sqlite") as store:
        report = report_on(Recording.open(tmp_path / "run"), store, known)
    file = tmp_path / "half-an-hour.html"
    file.write_text(render(report, "html"), "utf-8")
    page = visit(file, {"width": 688, "height": 1000})
    page.emulate_media(media="print")
    assert overflow(page) == 0
    shown = set(page.evaluate(PRINTED))
    assert len(report.findings) > 50
    for finding in report.findings:
        assert {finding.id, *finding.evidence} <= shown, finding.rule


PRINTED = """() => [...document.querySelectorAll(".card code")]
    .filter(each => each.checkVisibility({contentVisibilityAuto: true})).map(each => each.textContent)"""


def test_two_thousand_uploads_stay_a_timeline(visit, tmp_path):
    upload = sample.report().uploads[1].event
    uploads = tuple(
        (f"uploads.jsonl:{number}", upload.model_copy(update={"at": sample.START + timedelta(seconds=number / 60)}))
        for number in range(1, 2001)
    )
    file = tmp_path / "uploads.html"
    file.write_text(render(sample.report(uploads=uploads), "html"), "utf-8")
    page = visit(file)
    marks = page.locator("svg .mark.sent:visible")
    boxes = [mark.bounding_box() for mark in marks.all()]
    assert 20 < len(boxes) < 200
    edges = sorted((box["y"], box["x"], box["x"] + box["width"]) for box in boxes if box and box["height"] > 16)
    assert all(y1 != y2 or end <= begin + 1 for (y1, _, end), (y2, begin, _) in itertools.pairwise(edges))


def test_a_mark_leads_to_its_card_and_the_card_back_by_keyboard_too(visit, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(render(sample.report(), "html"), "utf-8")
    page = visit(file)
    mark = page.locator("svg a#at-1")
    mark.focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#card-1")
    page.locator("#card-1 a.back").click()
    assert page.url.endswith("#at-1")
    page.locator("#card-1 .tag").first.click()
    rule = page.locator(page.url.replace(file.as_uri(), ""))
    assert rule.is_visible()


@pytest.mark.lab
def test_circle_fits_on_two_screens_six_sheets_and_a_quarter_of_a_megabyte(visit, tmp_path, circle, known):
    with Store(tmp_path / "index.sqlite") as store:
        file = page_of(tmp_path, report_on(Recording.open(circle.recording), store, known))
    page = visit(file)
    assert page.locator("article.card").count() == 2
    assert height(page) <= 2 * SIZES["desktop"]["height"]
    assert file.stat().st_size <= 250_000
    assert printed(page) <= 6
    assert page.locator(".dialog .touched").inner_text().startswith("Disagree")
    assert violations(page) == []
    assert overflow(visit(file, SIZES["phone"])) == 0

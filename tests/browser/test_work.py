"""From an empty index to a finding in a real browser: the demo, a file, the lab device; by mouse and by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from appwitness.api import devices
from appwitness.api.inbox import Inbox
from appwitness.api.live_runs import LiveRuns
from appwitness.recording import Recording, verify
from appwitness.store import Store
from appwitness.web.query import Work
from tests.browser.seen import SIZES, overflows, violations
from tests.web import serving
from tests.web.test_work_pages import CAPTURE

LONG_MS = 240_000
"""For what a run does, on a busy machine."""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("APPWITNESS_RECORDINGS", str(tmp_path / "recordings"))
    monkeypatch.setattr(devices, "listed", devices.embedded_ones)  # no adb is asked
    (tmp_path / "home").mkdir()
    return tmp_path


@pytest.fixture
def site(home, known):
    index = home / "home" / "appwitness.sqlite"
    with (
        LiveRuns([f"--db={index}"]) as runs,
        Store(index) as store,
        serving.serving(store, known, work=Work(runs, Inbox())) as site,
    ):
        yield f"{site}/?token={serving.TOKEN}"


def dropped_on(page: Page, file: str, name: str) -> None:
    """Drop a file on the area for files, as the mouse does."""
    data = page.evaluate_handle(
        "([text, name]) => { const data = new DataTransfer(); data.items.add(new File([text], name)); return data; }",
        [file, name],
    )
    area = page.locator("[data-drop]").first
    area.dispatch_event("dragover", {"dataTransfer": data})
    area.dispatch_event("drop", {"dataTransfer": data})


def test_a_dropped_har_becomes_a_finding(visit, site):
    page = visit(site)
    dropped_on(page, CAPTURE.decode(), "shop.har")
    page.wait_for_url("**/new/files/*")
    assert violations(page) == []
    page.get_by_label("App", exact=True).fill("shop.test")
    page.get_by_label("e-mail", exact=False).first.fill("ann@mail.example")
    page.get_by_role("button", name="Make the recording").click()
    page.wait_for_url("**/recordings/*")
    page.locator("#tabs a", has_text="Findings").click()
    page.locator("#rows tr:not(.group) a").first.click()
    expect(page.locator("#finding")).to_be_visible()
    expect(page.locator("mark").first).to_be_visible()
    assert violations(page) == []


def test_a_file_that_is_none_is_refused_in_its_place(visit, site):
    page = visit(site)
    dropped_on(page, "no capture", "shop.har")
    expect(page.locator("[data-drop] [role=status]")).to_contain_text("neither HAR")


@pytest.mark.lab
@pytest.mark.slow
def test_the_lab_device_is_observed_live_and_stopped(visit, site, home):
    page = visit(site)
    page.get_by_role("link", name="Choose a device").click()
    page.get_by_role("link", name="lab:circle").click()
    assert violations(page) == []
    page.get_by_label("Plan of the run").select_option("refuse")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/runs/*")
    expect(page.locator("#found-rows a").first).to_be_visible(timeout=LONG_MS)
    assert violations(page) == []
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#where")).to_contain_text("stopped", timeout=LONG_MS)
    page.locator("#found-rows a").first.click()
    expect(page.locator("#finding")).to_be_visible()
    (recording,) = (home / "recordings").iterdir()
    assert Recording.open(recording).run.ended
    assert verify(recording).ok


@pytest.mark.lab
@pytest.mark.slow
def test_the_demo_leads_to_a_finding(visit, site):
    page = visit(site)
    page.get_by_role("button", name="Run the demo").click()
    page.wait_for_url("**/runs")
    expect(page.locator("#rows tr")).to_have_count(5)
    link = page.get_by_role("link", name="Open the recording").first
    expect(link).to_be_visible(timeout=LONG_MS)
    expect(page.locator("#rows .begun-ended").first).to_be_visible(timeout=LONG_MS)
    link.click()
    page.locator("#verdict .strip a").first.click()
    expect(page.locator("#finding")).to_be_visible()
    page.close()  # the server ends only after its runs, and a page that is live would ask it again meanwhile


@pytest.mark.parametrize(("size", "lang"), [("desktop", "en"), ("phone", "zh")])
def test_pages_to_work_on_fit_and_can_be_read_by_all(visit, site, size, lang):
    for path in ("/", "/new", "/new/observe", "/new/observe?device=lab:circle", "/runs"):
        address = site.replace("/?", f"{path}?" if "?" not in path else f"{path}&") + f"&lang={lang}"
        page = visit(address, SIZES[size], dark=size == "phone")
        assert violations(page) == [], path
        assert overflows(page) == {}, path


def test_doors_are_opened_by_keyboard_alone(visit, site):
    page = visit(site)
    page.get_by_role("link", name="New", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/new")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Choose a device":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/new/observe")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "lab:circle":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**device=lab*")
    expect(page.get_by_role("button", name="Start")).to_be_visible()


def test_without_script_all_that_reads_works_and_files_say_what_to_do(visit, site):
    page = visit(site, java_script_enabled=False)
    expect(page.locator("noscript")).to_be_attached()
    page.get_by_role("link", name="Choose a device").click()
    page.get_by_role("link", name="lab:skies").click()
    expect(page.get_by_role("button", name="Start")).to_be_visible()

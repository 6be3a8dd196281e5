"""The pages of `appwitness web` in a real browser: readable by all, by keyboard alone, live, and without script."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from appwitness.correlate import correlate, follow
from appwitness.recording import Recording
from appwitness.store import Store
from appwitness.store.runs import Runs
from tests.browser.seen import SIZES, overflows, violations
from tests.recordings.written import RECORDINGS
from tests.web import serving

CASE = "address-book-upload"
SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory, known):
    """A run that uploads the address book, another of the same app, and one with hundreds of uploads."""
    folder = tmp_path_factory.mktemp("web")
    with Store(folder / "index.sqlite") as store:
        for case in (CASE, "sent-before-consent"):
            correlate(Recording.open(RECORDINGS / case), store, known)
        correlate(serving.many(folder / "many", 300, 30), store, known)
        serving.campaign(folder / "index.sqlite", "many")
        yield store


@pytest.fixture(scope="module")
def site(store, known, tmp_path_factory):
    with serving.serving(store, known, reveal=tmp_path_factory.mktemp("reveals")) as address:
        yield address


@pytest.fixture
def browse(visit, site):
    """`browse(path)` opens a page as whoever followed the printed address."""

    def browse(path="/", size="desktop", dark=False, **options):
        return visit(f"{site}{path}{'&' if '?' in path else '?'}token={serving.TOKEN}", SIZES[size], dark, **options)

    return browse


def run_of(store):
    return next(run.id for run in store.recordings() if run.id != "many")


PATHS = {
    "recordings": "/",
    "summary": "/recordings/{run}",
    "findings": "/recordings/{run}/findings",
    "uploads": "/recordings/{run}/uploads",
    "upload": "/recordings/{run}/uploads/1",
    "upload revealed": "/recordings/{run}/uploads/1?reveal=1",
    "upload explained": "/recordings/{run}/uploads/1?why=1",
    "reads": "/recordings/{run}/reads",
    "read": "/recordings/{run}/reads/1",
    "consent": "/recordings/{run}/consents",
    "gaps": "/recordings/{run}/gaps",
    "finding": "/recordings/{run}/findings/1",
    "finding of a read": "/recordings/{run}/findings/2",
    "screens": "/recordings/{run}/screens",
    "actions": "/recordings/{run}/actions",
    "letter": "/recordings/{run}/letter?law=cn",
    "gate": "/recordings/{run}/gate",
    "apps": "/apps",
    "search": "/search?host=d1",
    "apps behind a recipient": "/ranking?by=app&recipient=d0.test",
    "recipient": "/recipients/h0.d0.test",
    "ranking": "/ranking",
    "ranking of findings": "/ranking?by=finding&rule=sent-before-consent",
    "ranking of a campaign": "/ranking?by=app&campaign=night",
    "campaigns": "/fleet",
    "campaign": "/fleet/night",
    "runs of a campaign": "/fleet/night/runs",
    "rules": "/rules",
    "rule": "/rules/sent-before-consent",
    "many uploads": "/recordings/many/uploads",
}


SIZES_OF_TEXT = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = new Set();
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (walker.currentNode.data.trim() && element.checkVisibility()) found.add(getComputedStyle(element).fontSize);
    }
    return [...found];
}"""
CORNERS = """() => [...new Set([...document.body.querySelectorAll("*")].flatMap((element) =>
    getComputedStyle(element).borderRadius.split(" ")))].filter((corner) => !["0px", "50%"].includes(corner))"""
"""The layout has five sizes of text, and one scale of corners."""
KINDS_OF_PAGE = ("recordings", "summary", "uploads", "upload")
"""Of the rest, each has the layout and colours of one of these."""
OF_SAME_TEMPLATE = (
    *("upload explained", "finding of a read", "apps behind a recipient", "ranking of findings"),
    *("ranking of a campaign", "many uploads"),
)
SEEN = [
    *(pytest.param(name, "desktop", False, "en", marks=SLOW if name in OF_SAME_TEMPLATE else ()) for name in PATHS),
    *(pytest.param(name, "phone", True, "zh", marks=() if name in KINDS_OF_PAGE else SLOW) for name in PATHS),
]


@pytest.mark.parametrize(("name", "size", "dark", "lang"), SEEN)
def test_a_page_has_no_error_fits_its_window_and_can_be_read_by_all(browse, store, name, size, dark, lang):
    path = PATHS[name].format(run=run_of(store))
    page = browse(f"{path}{'&' if '?' in path else '?'}lang={lang}", size, dark)
    assert violations(page) == []
    assert len(page.evaluate(SIZES_OF_TEXT)) <= 5
    assert set(page.evaluate(CORNERS)) <= {"4px", "8px", "99px"}
    assert overflows(page) == {}


def test_from_the_list_to_the_bytes_of_an_upload_by_keyboard_alone(browse, store):
    page = browse(f"/?text={run_of(store)}")

    def reach(selector):
        """Tab on until what is meant has the focus."""
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} is not reached")

    def enter():
        with page.expect_navigation():
            page.keyboard.press("Enter")

    reach("#rows th a")
    enter()
    reach(".tabs a[href*='/uploads']")
    enter()
    reach("#rows th a")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    enter()
    reach(".steps a")
    enter()
    expect(page.locator(".dump .at").first).to_have_text("00000000")
    expect(page.locator(".steps a[aria-current]")).to_contain_text("as it left the device")


def test_a_stretch_of_the_timeline_is_chosen_by_drawing_over_it_and_its_marks_lead_on(browse):
    page = browse("/recordings/many")
    page.locator("#picture svg").scroll_into_view_if_needed()
    box = page.locator("#picture svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 25)
    page.evaluate("window.same = true")
    page.mouse.up()
    page.wait_for_url("**from=*")
    low, high = (float(page.locator(f"[name={name}]").input_value()) for name in ("from", "to"))
    assert 0 < low < high < 15
    expect(page.locator("#picture")).to_have_attribute("data-low", str(low))
    assert page.evaluate("window.same")
    page.locator("#picture svg a .mark.sent").first.click()
    expect(page.locator(".dump")).to_be_visible()


def test_a_stretch_of_the_timeline_is_dragged_along_and_shift_draws_a_smaller_one(browse):
    page = browse("/recordings/many")
    picture = page.locator("#picture")
    page.locator("[data-zoom] .scroll").focus()
    whole = picture.get_attribute("data-high")
    page.keyboard.press("+")
    expect(picture).not_to_have_attribute("data-high", whole or "")
    page.wait_for_function(SHOWN)
    low, high = (float(picture.get_attribute(f"data-{end}") or "nan") for end in ("low", "high"))
    drag(page, 0.6, 0.4)
    expect(picture).not_to_have_attribute("data-low", str(low))
    later = [float(picture.get_attribute(f"data-{end}") or "nan") for end in ("low", "high")]
    assert later[0] > low
    assert later[1] - later[0] == pytest.approx(high - low, abs=0.01)
    page.keyboard.down("Shift")
    drag(page, 0.4, 0.6)
    page.keyboard.up("Shift")
    expect(picture).not_to_have_attribute("data-high", str(later[1]))
    closer = [float(picture.get_attribute(f"data-{end}") or "nan") for end in ("low", "high")]
    assert later[0] < closer[0] < closer[1] < later[1]


def drag(page: Page, start: float, end: float) -> None:
    """Over the timeline, between these shares of its width; below its marks, which are links."""
    page.locator("#picture svg").scroll_into_view_if_needed()
    box = page.locator("#picture svg").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * start, box["y"] + box["height"] - 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, box["y"] + box["height"] - 4, steps=4)
    before = page.url
    page.mouse.up()
    page.wait_for_url(lambda url: url != before)
    page.wait_for_function(SHOWN)


SHOWN = """() => ["low", "high"].every((end, at) => +document.getElementById("picture").dataset[end]
    === +new URLSearchParams(location.search).get(["from", "to"][at]))"""


def test_the_timeline_moves_by_keys_and_links_and_the_list_beside_it_follows(browse):
    page = browse("/recordings/many")
    picture, moments = page.locator("#picture"), page.locator("#moments li")
    whole = picture.get_attribute("data-low"), picture.get_attribute("data-high")
    page.locator("[data-zoom] .scroll").focus()
    page.keyboard.press("+")
    expect(picture).not_to_have_attribute("data-high", whole[1])
    closer = picture.get_attribute("data-low")
    page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("data-low", closer)
    expect(page.locator("[data-zoom] .scroll")).to_be_focused()
    low, high = (float(picture.get_attribute(f"data-{end}") or "nan") for end in ("low", "high"))
    first = float(moments.first.inner_text().split()[0])
    assert low <= first <= high
    page.locator("#zoom a[data-key='ArrowRight']").click()
    expect(picture).not_to_have_attribute("data-low", str(low))
    expect(page.locator("#zoom a[data-key='ArrowRight']")).to_be_focused()
    page.locator("#zoom a[data-key='0']").click()
    expect(picture).to_have_attribute("data-low", whole[0])


def test_without_script_the_timeline_moves_by_its_links(browse):
    page = browse("/recordings/many", java_script_enabled=False)
    page.locator("#zoom a[data-key='+']").click()
    assert "from=" in page.url
    expect(page.locator("#picture svg")).to_be_visible()


def test_typing_filters_without_a_new_page(browse):
    page = browse("/recordings/many/uploads")
    page.evaluate("window.same = true")
    page.get_by_label("Host").fill("h10.d10")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#pager")).to_contain_text("1 row")
    page.get_by_label("Host").fill("")
    page.get_by_label("Only").select_option("findings")
    expect(page.locator("#pager")).to_contain_text("30 rows")
    assert page.evaluate("window.same")
    assert "only=findings" in page.url
    for link in ("a[href*='format=json']", "a[href*='lang=']", "thead a[href*='sort=']"):
        address = page.locator(link).first.get_attribute("href")
        assert address.count("only=findings") == 1, link
        assert "host=" not in address


def test_a_live_timeline_says_what_it_shows_by_now(browse):
    page = browse("/recordings/many")
    now = """() => {
        const [part, other] = [1, 2].map((low) => Object.assign(document.createElement("figure"), { id: "picture" }));
        part.dataset.low = 1;
        other.dataset.low = 2;
        take(part, other);
        return part.dataset.low;
    }"""
    assert page.evaluate(now) == "2"


def test_without_script_links_and_forms_do_the_same(browse, store):
    page = browse("/recordings/many/uploads", java_script_enabled=False)
    page.get_by_label("Host").fill("h10.d10")
    page.get_by_role("button", name="Filter").click()
    page.locator("#rows a").click()
    expect(page.locator(".dump")).to_be_visible()


def test_rows_come_without_a_reload_and_focus_stays(browse, store, known, tmp_path):
    recording = Recording.create(tmp_path / "live", serving.run("live", started=datetime.now(UTC)))
    stop = threading.Event()
    live = threading.Thread(target=follow, args=(recording, store, known, stop.is_set))
    with recording.sealing():
        live.start()
        try:
            recording.append(serving.upload(recording, 1, datetime.now(UTC), "a.test", carries=False))
            while store.held("live") is None:
                time.sleep(0.01)
            page = browse("/recordings/live/uploads")
            page.evaluate("window.same = true")
            expect(page.locator("#rows tr")).to_have_count(1)
            page.locator("#u1 a").focus()
            recording.append(serving.read(2, datetime.now(UTC)))
            recording.append(serving.upload(recording, 2, datetime.now(UTC), "b.test", carries=True))
            expect(page.locator("#u2")).to_contain_text("phone number")
            expect(page.locator("#rows tr").first).to_have_id("u2")
            expect(page.locator("#u1 a")).to_be_focused()
            assert page.evaluate("window.same")
            page.goto(page.url.replace("uploads", "consents"))
            page.get_by_role("button", name="refused").click()
            expect(page.locator("#band")).to_contain_text("refused")
        finally:
            stop.set()
            live.join()


def test_a_campaign_is_seen_to_go_on(browse, store):
    page = browse("/fleet/night")
    page.evaluate("window.same = true")
    expect(page.locator("#progress")).to_contain_text("1 running")
    with Runs(store.place) as runs:
        (running,) = (slot.run for slot in runs.devices() if slot.run)
        runs.recorded(running, "many-2", "R58")
    expect(page.locator("#progress")).to_contain_text("1 to judge")
    assert page.evaluate("window.same")


@pytest.mark.slow
def test_a_run_on_the_lab_device_is_seen_while_it_goes_on(visit, known, tmp_path):
    env = os.environ | {"APPWITNESS_HOME": str(tmp_path / "home"), "APPWITNESS_RECORDINGS": str(tmp_path)}
    observe = [sys.executable, "-m", "appwitness", "observe", "--device", "lab:circle", "--plan", "refuse"]
    (tmp_path / "home").mkdir()
    with Store(tmp_path / "home" / "appwitness.sqlite") as store, serving.serving(store, known) as site:
        page = visit(f"{site}/?token={serving.TOKEN}")
        page.evaluate("window.same = true")
        with subprocess.Popen(observe, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            link = page.locator("#rows a").first
            expect(link).to_have_text("com.example.circle", timeout=120_000)
            assert page.evaluate("window.same")
            link.click()
            page.locator(".tabs a", has_text="Uploads").click()
            page.evaluate("window.same = true")
            expect(page.locator("#where")).to_contain_text("recording")
            assert run.poll() is None
            expect(page.locator("#rows tr[class^=level]")).to_have_count(3, timeout=120_000)
            expect(page.locator("#where")).not_to_contain_text("recording", timeout=120_000)
            assert page.evaluate("window.same")
            run.wait()
        page.locator("#u1 a").click()
        expect(page.locator(".dump")).to_be_visible()
        page.goto("about:blank")

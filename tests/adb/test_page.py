"""A run on a stand-in device that is chosen, started and followed on the pages, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from appwitness.api.expected import load, shown
from appwitness.api.inbox import Inbox
from appwitness.api.live_runs import LiveRuns
from appwitness.correlate import knowledge
from appwitness.devices.android import adb
from appwitness.recording import Recording, verify
from appwitness.store import Store
from appwitness.web.query import Work
from tests.adb.rig import frida_server, lab_app
from tests.adb.rig.phone import Phone
from tests.adb.test_observe import left, report_of
from tests.browser.conftest import CHROMIUM
from tests.browser.seen import violations
from tests.web import serving

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `.ci/setup browser` installs it"),
]
LONG_MS = 400_000


def test_a_run_on_a_device_that_adb_knows(
    phone_of: Callable[..., Phone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "frida-server"
    program.write_bytes(frida_server.program())
    index = tmp_path / "home/appwitness.sqlite"
    index.parent.mkdir()
    phone = phone_of(api=34, su="kernelsu")
    with lab_app.furnish(phone, "circle", "accept") as app, sync_playwright() as playwright:
        hosts = [f"{host}:{address}:{port}" for host, (address, port) in app.hosts.items()]
        for name, value in {
            "APPWITNESS_HOME": str(index.parent),
            "APPWITNESS_RECORDINGS": str(tmp_path / "recordings"),
            "APPWITNESS_OBSERVE_FRIDA_SERVER": str(program),
            "APPWITNESS_OBSERVE_UPSTREAM_CA": str(app.upstream_ca),
            "APPWITNESS_OBSERVE_CONNECT_TO": " ".join(hosts),
        }.items():
            monkeypatch.setenv(name, value)
        adb.connect(phone.serial)
        before = left(phone)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with (
            LiveRuns([f"--db={index}"]) as runs,
            Store(index) as store,
            serving.serving(store, knowledge(), work=Work(runs, Inbox())) as site,
        ):
            page = browser.new_page()
            page.goto(f"{site}/?token={serving.TOKEN}")
            page.get_by_role("link", name="Choose a device").click()
            page.get_by_role("link", name=phone.serial).click()
            assert violations(page) == []
            page.locator("input[name=app]").fill(app.app.package)
            page.get_by_label("Plan of the run").select_option("accept")
            page.locator("input[name=by_hand]").check()
            page.get_by_role("button", name="Start").click()
            page.wait_for_url("**/runs/*")
            expect(page.locator("#found-rows a").first).to_be_visible(timeout=LONG_MS)
            expect(page.locator("#where")).to_contain_text("ended", timeout=LONG_MS)
            page.locator("#found-rows a").first.click()
            expect(page.locator("#finding")).to_be_visible()
            browser.close()
        after = left(phone)
    (recording,) = (tmp_path / "recordings").iterdir()
    assert shown(report_of(tmp_path, recording).findings) == load()["circle"]["accept"]
    after["settings"]["global"].pop("http_proxy", None)
    assert after == before
    assert all(change.undone for change in Recording.open(recording).run.changes)
    assert verify(recording).ok

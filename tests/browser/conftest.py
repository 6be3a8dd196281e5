"""A real Chromium that opens a page at a size, light or dark; what its console complains of fails the test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, ViewportSize, sync_playwright

from tests.browser.seen import SIZES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="no Chromium here: `.ci/setup browser` installs it"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after each file: while it is open, no test of the same thread can run an event loop of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_of_context(browser: Browser) -> Open:
    """One page for each kind of context: a new one would compile axe and the pages' scripts again."""
    pages: dict[str, Page] = {}

    def opened(**options) -> Page:
        kind = repr(options)
        if kind not in pages or pages[kind].is_closed():
            pages[kind] = browser.new_context(**options).new_page()
        return pages[kind]

    return opened


@pytest.fixture
def visit(page_of_context: Open) -> Iterator[Open]:
    """`visit(url or file, size=, dark=)` gives the page; more options are those of a context of Playwright."""
    complaints: list[str] = []
    pages: list[Page] = []

    def told(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text}")

    def failed(error: Error) -> None:
        complaints.append(str(error))

    def left(page: Page) -> Page:
        """The page, empty; of what leaving it cuts short, nothing is taken for a complaint."""
        if page in pages:
            pages.remove(page)
            page.remove_listener("console", told)
            page.remove_listener("pageerror", failed)
            if not page.is_closed():
                page.goto("about:blank")
        return page

    def visit(where: str | Path, size: ViewportSize = SIZES["desktop"], dark: bool = False, **options) -> Page:
        page = left(page_of_context(**options))
        pages.append(page)
        page.on("console", told)
        page.on("pageerror", failed)
        page.set_viewport_size(size)
        page.emulate_media(media="screen", color_scheme="dark" if dark else "light")
        page.goto(where.absolute().as_uri() if isinstance(where, Path) else where)
        return page

    yield visit
    for page in list(pages):
        left(page)
    assert complaints == []

"""What a reader sees of an open page: what axe objects to, what lies outside the window, how it is printed."""

from __future__ import annotations

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

SIZES = {
    "desktop": ViewportSize(width=1440, height=900),
    "tablet": ViewportSize(width=768, height=1024),
    "phone": ViewportSize(width=390, height=844),
}


def violations(page: Page) -> list[str]:
    """What axe objects to, contrast included: rule and the elements it is about."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


def overflows(page: Page) -> dict[str, int]:
    """At which sizes the page is wider than the window, and by how many pixels; the window keeps the last size."""
    wide = {}
    for name, size in SIZES.items():
        page.set_viewport_size(size)
        wide[name] = overflow(page)
    return {name: pixels for name, pixels in wide.items() if pixels}


def height(page: Page) -> int:
    """Of the whole page, in pixels."""
    pixels: int = page.evaluate("document.documentElement.scrollHeight")
    return pixels


def printed(page: Page) -> int:
    """How many sheets it prints on."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))


def first_screen(page: Page) -> str:
    """The text that stands in the window as it was opened, line by line; nothing of what is folded or below."""
    text: str = page.evaluate(VISIBLE)
    return text


VISIBLE = r"""() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (walker.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        const boxes = [...range.getClientRects()];
        const inside = boxes.some(box => box.height && box.bottom <= innerHeight && box.right <= innerWidth);
        if (inside && walker.currentNode.parentElement.checkVisibility()) found.push(walker.currentNode.data.trim());
    }
    return found.filter(text => text).join("\n");
}"""

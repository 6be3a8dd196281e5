"""Makes the pictures of README anew: `python -m tests.browser.pictures`, from a run of Circle on the lab device."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.text import Text

from tests.browser.conftest import CHROMIUM

HERE = Path(__file__).parents[2] / "docs/pictures"
COLOURS = 200
"""Of the palette: a page has few, and a picture is small so."""
TERMINAL = '<pre style="font:15px/1.35 DejaVu Sans Mono,monospace;padding:16px 20px;margin:0">{code}</pre>'


def appwitness(folder: Path, *words: str) -> str:
    """What a verb prints; it may end with 1, which means findings."""
    command = [sys.executable, "-m", "appwitness.cli", *words, "--db", str(folder / "index.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return done.stdout


def shot(browser: Browser, page: str, name: str, height: int, width: int = 1000) -> None:
    """A page as a picture of few colours."""
    opened = browser.new_page(viewport={"width": width, "height": height})
    opened.set_content(page)
    image = Image.open(io.BytesIO(opened.screenshot())).convert("RGB")
    HERE.mkdir(exist_ok=True)
    image.quantize(COLOURS).save(HERE / f"{name}.png", optimize=True)


def in_terminal(text: str) -> str:
    """What a terminal shows, as a page."""
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(Text.from_ansi(text), soft_wrap=True)
    return console.export_html(
        inline_styles=True,
        code_format=f"<body style='margin:0;background:{{background}};color:{{foreground}}'>{TERMINAL}",
    )


def main() -> None:
    """Run Circle, and photograph its page and its text."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        recording = str(folder / "circle")
        appwitness(folder, "observe", "--device", "lab:circle", "--plan", "refuse", "--output", recording)
        text = appwitness(folder, "report", recording, "--color", "always").replace(recording, "recordings/circle")
        page = appwitness(folder, "report", recording, "--format", "html")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shot(browser, page, "report", 660, width=1200)
        shot(browser, in_terminal(text), "terminal", 22 + 21 * len(text.splitlines()), width=780)


if __name__ == "__main__":
    main()

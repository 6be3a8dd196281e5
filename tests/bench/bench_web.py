"""How soon a page of `appwitness web` is there, filters, and shows a line that was just written, in a real Chromium.

Recorder and correlator are a process of their own, as `appwitness observe` is. From line to pixel is from the moment
when the whole line is in its file to the frame in which its row is drawn. The yardsticks are of the same browser: the
first paint of the same page from a folder, the time to hide its rows, to fetch a file of the server and draw a frame,
and a frame in which nothing moves.
"""

from __future__ import annotations

import functools
import http.server
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from appwitness.correlate import correlate, follow, knowledge
from appwitness.recording import Recording
from appwitness.store import Store
from tests.bench.figures import Figure, Given, NotMeasured
from tests.bench.running import CONTEXT, alone, ratio, talk
from tests.web import serving

UPLOADS, FINDINGS = 2_000, 500
TIMES = 5
LINES_A_SECOND = 200
SECONDS = 10
WATCH = """() => {
    const seen = (window.seen = {});
    new MutationObserver((changes) => {
        const ids = changes.flatMap((change) => [...change.addedNodes].map((node) => node.id));
        requestAnimationFrame(() => {
            for (const id of ids) seen[id] ??= performance.timeOrigin + performance.now();
        });
    }).observe(document.getElementById("rows"), { childList: true });
}"""
PAINTED = """() => new Promise((done) => new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.name === "first-contentful-paint") done(entry.startTime);
}).observe({ type: "paint", buffered: true }))"""
TYPED = """(text) => new Promise((done) => {
    const field = document.querySelector("[name=host]");
    const begun = performance.now();
    const rows = document.getElementById("rows");
    const watch = new MutationObserver(() => requestAnimationFrame(() => {
        watch.disconnect();
        done(performance.now() - begun);
    }));
    watch.observe(rows, { childList: true });
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
})"""

HIDDEN = """() => new Promise((done) => {
    const begun = performance.now();
    for (const row of document.getElementById("rows").children) row.hidden = !row.hidden;
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun)));
})"""
FETCHED = """async (times) => {
    const took = [];
    for (let i = 0; i < times; i++) {
        const begun = performance.now();
        await (await fetch(document.querySelector("link[rel=stylesheet]").href, { cache: "reload" })).text();
        await new Promise(requestAnimationFrame);
        took.push(performance.now() - begun);
    }
    return took;
}"""
STILL = """(count) => new Promise((done) => {
    const frames = [];
    let last = performance.now();
    const frame = (now) => {
        frames.push(now - last);
        last = now;
        if (frames.length < count) requestAnimationFrame(frame); else done(frames);
    };
    requestAnimationFrame(frame);
})"""
EVENTS = 5_000
MOVES = ["+", "ArrowRight", "ArrowRight", "+", "ArrowLeft", "-", "ArrowLeft", "0"] * 4
MOVED = """async (keys) => {
    const figure = document.querySelector("[data-zoom] .scroll"), picture = document.getElementById("picture");
    const frames = [];
    let last = performance.now(), on = true;
    const frame = (now) => {
        frames.push(now - last);
        last = now;
        if (on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    for (const key of keys) {
        const drawn = new Promise((done) => {
            const watch = new MutationObserver(() => { watch.disconnect(); done(); });
            watch.observe(picture, { childList: true });
            setTimeout(done, 3000);
        });
        figure.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        await drawn;
        await new Promise(requestAnimationFrame);
    }
    on = false;
    return frames;
}"""


def measure() -> Iterator[Given]:
    """Pages of a recording with 2,000 uploads and 500 findings; then one that is being made."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        yield NotMeasured(None, "there is no Chromium")
        return
    known = knowledge()
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "index.sqlite") as store:
        correlate(serving.many(Path(folder) / "many", UPLOADS, FINDINGS), store, known)
        with serving.serving(store, known) as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"{site}/?token={serving.TOKEN}")
            for name in ("summary", "findings", "uploads"):
                path = f"{site}/recordings/many" + ("" if name == "summary" else f"/{name}")
                page.goto(path)
                with _copied(page.content()) as copy:
                    rounds = [(_painted(page, path), _painted(page, copy)) for _ in range(TIMES)]
                yield ratio(f"first paint, {name}", "the same page from a folder", rounds)
            page.goto(f"{site}/recordings/many/uploads")
            texts = [f"h{number}" for number in range(1, 2 * TIMES)]
            yield ratio(
                "filter", "hiding the rows", [(_seconds(page, TYPED, text), _seconds(page, HIDDEN)) for text in texts]
            )
            yield from _moved(page, site, store, Path(folder))
            with _recording(Path(folder)) as written:
                page.goto(f"{site}/recordings/live/uploads")
                page.evaluate(WATCH)
                lines = written()
                time.sleep(2)
                seen = page.evaluate("window.seen")
                fetched = sorted(page.evaluate(FETCHED, 40))
            browser.close()
    late = sorted(seen[row] - at * 1000 for row, at in lines.items() if row in seen)
    talk(f"{len(lines)} uploads at {LINES_A_SECOND} lines/s, p50 {late[len(late) // 2]:.0f} ms, most {late[-1]:.0f} ms")
    yield ratio("line on disk to pixel, p95", "a fetch and a frame", [(_p95(late), _p95(fetched))])
    yield Figure("rows never drawn", len(lines) - len(late))


def _moved(page: Page, site: str, store: Store, folder: Path) -> Iterator[Given]:
    """Frames while the timeline of many events is moved by keys."""
    dense = serving.many(folder / "dense", EVENTS * 9 // 10, EVENTS // 10, "dense")
    correlate(dense, store, knowledge())
    page.goto(f"{site}/recordings/dense", timeout=180_000)
    frames = sorted(page.evaluate(MOVED, MOVES))
    talk(f"{len(frames)} frames in {len(MOVES)} moves, longest {frames[-1]:.0f} ms")
    still = sorted(page.evaluate(STILL, len(frames)))
    yield ratio("frame of a timeline of 5,000 events that moves, p95", "a still frame", [(_p95(frames), _p95(still))])


def _p95(in_order: list[float]) -> float:
    """Seconds, of milliseconds in order."""
    return in_order[len(in_order) * 95 // 100] / 1000


def _painted(page: Page, address: str) -> float:
    """Seconds to the first paint of what the page is about."""
    page.goto(address)
    return _seconds(page, PAINTED)


def _seconds(page: Page, script: str, argument: str | None = None) -> float:
    """What a script in the page gives in milliseconds."""
    took: float = page.evaluate(script, argument)
    return took / 1000


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


@contextmanager
def _copied(page: str) -> Iterator[str]:
    """The address of a copy of a page in a folder, behind a server that does nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "index.html").write_text(page, "utf-8")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder)) as standing:
            thread = threading.Thread(target=standing.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{standing.server_port}/"
            standing.shutdown()
            thread.join()


@contextmanager
def _recording(folder: Path) -> Iterator[Callable[[], dict[str, float]]]:
    """A run that another process records and correlates. What this gives has its lines written: row -> when."""
    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_record, args=(folder, there))
    process.start()
    here.recv()

    def written() -> dict[str, float]:
        here.send(None)
        lines: dict[str, float] = here.recv()
        return lines

    try:
        yield written
    finally:
        here.close()
        process.join()


def _record(folder: Path, parent: Connection) -> None:
    started = datetime.now(UTC)
    recording = Recording.create(folder / "live", serving.run("live", started=started))
    stop = threading.Event()
    with Store(folder / "index.sqlite") as store, recording.sealing():
        correlator = threading.Thread(target=follow, args=(recording, store, knowledge(), stop.is_set))
        correlator.start()
        recording.append(serving.upload(recording, 0, started, "a.test", carries=False))
        time.sleep(1)
        parent.send(None)
        parent.recv()
        lines = {}
        begun = time.monotonic()
        for number in range(1, LINES_A_SECOND * SECONDS // 2 + 1):
            time.sleep(max(0.0, begun + number * 2 / LINES_A_SECOND - time.monotonic()))
            now = datetime.now(UTC)
            recording.append(serving.read(number, now))
            made = serving.upload(recording, number, now, f"h{number % 9}.test", carries=number % 10 == 0)
            ref = recording.append(made)
            lines[f"u{ref.rpartition(':')[2]}"] = time.time()
        parent.send(lines)
        stop.set()
        correlator.join()


if __name__ == "__main__":
    sys.exit(alone("web", measure()))

"""Long recordings: whether a line costs the same at 10,000 and at 100,000 uploads as at 1,000, and what their reports
come to. Ten times as many accesses as uploads; see `long_recordings`.

`python -m tests.bench long` holds the figures against their goals; it takes tens of minutes.
`python -m tests.bench.long --table` prints the table of docs/performance.md, `--sizes 1000,10000` a part of it.
Seconds are those of one core, whatever else the machine did; each stage has a process of its own, whose peak memory
is told.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import resource
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from appwitness.correlate import correlate, knowledge, report_on
from appwitness.recording import Recording
from appwitness.recording.verification import verify
from appwitness.reports import render
from appwitness.reports.sarif import files_of
from appwitness.store import Store
from tests.bench import long_recordings
from tests.bench.bench_web import PAINTED
from tests.bench.figures import Figure, Given, NotMeasured
from tests.bench.long_recordings import DENSE, USUAL
from tests.bench.running import alone, apart, talk
from tests.web import serving

SIZES = (1_000, 10_000, 100_000)
"""Uploads."""
SMALL = 40
DENSE_UPLOADS = 10_000
PAGES = ("", "/findings", "/uploads", "/reads", "/gaps")
BEING_PREPARED = 202
OPENED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"


class Cost(NamedTuple):
    """What one stage took."""

    seconds: float
    """Of one core."""
    peak_mb: float
    """Memory of its process, the interpreter and our libraries included."""
    told: Mapping[str, float] = {}
    """What else was measured in it."""


class Stage(NamedTuple):
    """Something that is done with a recording, in the order of STAGES: each uses what those before it made."""

    name: str
    work: Callable[[Path], Mapping[str, float]]


def _correlated(place: Path) -> Mapping[str, float]:
    for file in place.parent.glob(f"{_index(place).name}*"):
        file.unlink()  # of a run before this one: what is judged already is not judged again
    with Store(_index(place)) as store:
        found = correlate(Recording.open(place), store, knowledge())
    return {"flows": len(found.flows), "findings": len(found.findings)}


def _reported(place: Path) -> Mapping[str, float]:
    with Store(_index(place)) as store:
        page = render(report_on(Recording.open(place), store, knowledge()), "html")
    _page(place).write_text(page, "utf-8")
    return {"HTML, MB": len(page.encode()) / 1e6}


def _for_code_hosts(place: Path) -> Mapping[str, float]:
    """The report as SARIF: its largest file, and what no file has."""
    with Store(_index(place)) as store:
        report = report_on(Recording.open(place), store, knowledge())
    files = [log for _, log in files_of(render(report, "sarif"), Path("x.sarif"))]
    results = [len(run["results"]) for log in files for run in json.loads(log)["runs"]]
    return {
        "files": len(files),
        "largest file, MB": max(len(log.encode()) for log in files) / 1e6,
        "most results": max(results),
        "results missing": len(report.findings) - sum(results),
    }


def _verified(place: Path) -> Mapping[str, float]:
    found = verify(place)
    assert found.ok, found.problems
    return {}


def _visited(place: Path) -> Mapping[str, float]:
    """Each page of a recording, as the first visitor of a new server and the next have it."""
    told: dict[str, float] = {}
    for visit, page, answered in _visits(place, PAGES):
        told[f"{visit} visit, s"] = max(told.get(f"{visit} visit, s", 0), answered)
        talk(f"{place.name}{page}, {visit} visit: {answered:.2f} s to an answer")
    return told


def _page_of_the_report(place: Path) -> Mapping[str, float]:
    """`/report`, as the first visitor of a new server and the next have it."""
    return {f"{visit} visit, s": answered for visit, _, answered in _visits(place, ("/report",))}


def _visits(place: Path, pages: tuple[str, ...]) -> Iterator[tuple[str, str, float]]:
    """Visit, page, and after how many seconds of one core it was answered: by the page, or by what is known until it
    is ready. Each page is waited for."""
    with Store(_index(place)) as store, serving.serving(store, knowledge()) as site:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        opener.open(f"{site}/?token={serving.TOKEN}").close()
        for visit, page in itertools.product(("first", "next"), pages):
            begun = time.process_time()
            ready = _answered(opener, f"{site}/recordings/{place.name}{page}")
            answered = time.process_time() - begun
            while not ready:
                time.sleep(0.2)
                ready = _answered(opener, f"{site}/recordings/{place.name}{page}")
            yield visit, page, answered


def _answered(opener: urllib.request.OpenerDirector, address: str) -> bool:
    """Whether the answer is the page, and not that it is being prepared."""
    with opener.open(address) as answer:
        answer.read()
        return bool(answer.status != BEING_PREPARED)


STAGES = (
    Stage("correlate", _correlated),
    Stage("report", _reported),
    Stage("SARIF", _for_code_hosts),
    Stage("verify", _verified),
    Stage("web", _visited),
    Stage("web /report", _page_of_the_report),
)


def _index(place: Path) -> Path:
    return place.with_suffix(".sqlite")


def _page(place: Path) -> Path:
    return place.with_suffix(".html")


def _measured(number: int, place: Path, small: Path) -> Iterator[Cost]:
    """One stage, by its number in STAGES; a small recording takes it first, so that what is read once is read."""
    STAGES[number].work(small)
    begun = time.process_time()
    told = STAGES[number].work(place)
    spent = time.process_time() - begun
    yield Cost(spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, told)


def costs(room: Path, uploads: int, stages: tuple[Stage, ...] = STAGES) -> Iterator[tuple[Stage, Cost]]:
    """Each stage of a new recording with so many uploads, below `room`."""
    place = long_recordings.write(room, uploads)
    yield from _costs(place, stages)
    shutil.rmtree(place)


def _costs(place: Path, stages: tuple[Stage, ...]) -> Iterator[tuple[Stage, Cost]]:
    small = place.parent / f"long-{SMALL}-{USUAL.carrying}"
    if not small.exists():
        long_recordings.write(place.parent, SMALL)
    for stage in stages:
        for cost in apart(_measured, STAGES.index(stage), place, small):
            more = "".join(f", {name}: {value:,.4g}" for name, value in cost.told.items())
            talk(f"{place.name}, {stage.name}: {cost.seconds:.2f} s, {cost.peak_mb:,.0f} MB at its peak{more}")
            yield stage, cost


def measure() -> Iterator[Given]:
    """Time a line at each size beside the smallest, memory and sizes at the largest, and a dense recording."""
    first: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        for size in SIZES:
            for stage, cost in costs(room, size):
                a_line = cost.seconds / size
                if size == SIZES[0]:
                    first[stage.name] = a_line
                else:
                    yield Figure(f"{stage.name}, a line of {size:,} uploads", a_line / first[stage.name])
                if size == SIZES[-1]:
                    yield Figure(f"{stage.name}, peak memory", cost.peak_mb)
                    yield from _sizes(stage, cost)
        yield from _opened(room)
        dense = long_recordings.write(room, DENSE_UPLOADS, DENSE)
        for stage, cost in _costs(dense, STAGES[:3]):
            for figure in _sizes(stage, cost):
                yield figure._replace(name=f"dense: {figure.name}")


def _sizes(stage: Stage, cost: Cost) -> Iterator[Figure]:
    match stage.name:
        case "report":
            yield Figure("HTML report, size", cost.told["HTML, MB"])
        case "SARIF":
            yield Figure("SARIF, largest file", cost.told["largest file, MB"])
            yield Figure("SARIF, results of a run", cost.told["most results"])
            yield Figure("SARIF, results missing", cost.told["results missing"])
        case "web":
            yield Figure("pages, first visit", cost.told["first visit, s"])
            yield Figure("pages, next visit", cost.told["next visit, s"])
        case "web /report":
            yield Figure("/report, first visit", cost.told["first visit, s"])
            yield Figure("/report, next visit", cost.told["next visit, s"])
        case _:
            pass


def _opened(room: Path) -> Iterator[Given]:
    """How long a browser takes to open the largest report that was made."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        yield NotMeasured("HTML report, opened", "there is no Chromium")
        return
    from playwright.sync_api import sync_playwright

    (page_file,) = room.glob(f"long-{SIZES[-1]}-*.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(page_file.as_uri(), timeout=120_000)
        opened: float = page.evaluate(OPENED)
        painted: float = page.evaluate(PAINTED)
        talk(f"{page_file.name}: painted after {painted / 1000:.2f} s, opened after {opened:.2f} s of wall clock")
        yield Figure("HTML report, opened", opened)
        browser.close()


def table(sizes: tuple[int, ...]) -> Iterator[str]:
    """The growth table, as Markdown."""
    made: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            for stage, cost in costs(Path(folder), size):
                made.setdefault(stage.name, []).append(cost)
    yield f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, Python {platform.python_version()}."
    yield "Seconds of one core/peak MB, for so many uploads:\n"
    yield f"|stage|{'|'.join(f'{size:,}' for size in sizes)}|"
    yield "|---" * (1 + len(sizes)) + "|"
    for name, each in made.items():
        yield f"|{name}|{'|'.join(f'{cost.seconds:.2f}/{cost.peak_mb:.0f}' for cost in each)}|"


def _machine() -> str:
    text = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


def main() -> int:
    """The figures, or with `--table` the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.long", description="Long recordings.")
    parser.add_argument("--table", action="store_true", help="the growth table as Markdown")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="uploads, for --table")
    options = parser.parse_args()
    if not options.table:
        return alone("long", measure())
    for line in table(tuple(map(int, options.sizes.split(",")))):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

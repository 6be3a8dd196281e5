"""The cost of everyday verbs: `appwitness --help`, and the report of a small recording, from the start of the process
to its end, in this environment as it is; and what the pytest plugin adds to the collection of 500 tests.

CPU time is user and system together. A verb's figure is how many times as much it takes as `python -c pass`: the least
of several rounds of each, by turns. The plugin's is the share that it adds to the time of collecting.
"""

from __future__ import annotations

import compileall
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import appwitness
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, talk
from tests.recordings.written import RECORDINGS

ROUNDS = 7
ADDED = """
import contextlib, gc, io, statistics, sys, time
import pytest

def importing():
    for name in [name for name in sys.modules if name.partition(".")[0] == "appwitness"]:
        del sys.modules[name]
    begun = time.process_time()
    import appwitness.pytest_plugin
    return time.process_time() - begun

imported = min(importing() for _ in range(7))

def collecting(*options):
    gc.collect()
    gc.freeze()  # pytest collects garbage at its end: what is left of earlier rounds is not to be looked through
    begun = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        assert pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *options, sys.argv[1]]) == 0
    return time.process_time() - begun

rounds = [(collecting(), collecting("-p", "no:appwitness")) for _ in range(40)]
added = imported + statistics.median(ours - bare for ours, bare in rounds)
print(added, statistics.median(bare for _, bare in rounds))
"""
REPORT = ("-m", "appwitness", "report", str(RECORDINGS / "sent-before-consent"), "--db")


def spent(*arguments: str) -> float:
    """CPU seconds of one process of Python."""
    before = cpu()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=False)
    return cpu() - before


def cpu() -> float:
    """CPU seconds of all ended children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def times_as_much(processes: Sequence[Sequence[str]]) -> float:
    """The least CPU time of these processes, in that of a Python which does nothing."""
    rounds = [(spent(*arguments), spent("-c", "pass")) for arguments in processes]
    least, nothing = min(verb for verb, _ in rounds), min(bare for _, bare in rounds)
    talk(f"{' '.join(processes[0][1:3])}: {least:.3f} s, python -c pass: {nothing:.3f} s")
    return least / nothing


def added_by_plugin(folder: Path) -> float:
    """What the plugin adds to the CPU time of collecting, as a share of it: its import, at its quickest, and the median
    of what collecting takes more with it, by turns in one process."""
    (folder / "test_many.py").write_text("".join(f"def test_{number}(): pass\n" for number in range(500)))
    done = subprocess.run([sys.executable, "-c", ADDED, str(folder)], capture_output=True, text=True, check=True)
    added, bare = map(float, done.stdout.split())
    talk(f"collecting 500 tests: {bare:.3f} s; the plugin adds {1000 * added:.1f} ms")
    return added / bare


def measure() -> Iterator[Given]:
    """The figures, of the package as it is when it is installed: compiled, whatever PYTHONDONTWRITEBYTECODE says."""
    compileall.compile_dir(Path(appwitness.__file__).parent, quiet=1)
    yield Figure("--help, CPU", times_as_much([("-m", "appwitness", "--help")] * ROUNDS))
    with tempfile.TemporaryDirectory() as folder:
        reports = [(*REPORT, f"{folder}/{number}.sqlite") for number in range(ROUNDS)]
        yield Figure("pytest plugin, added to collection, CPU", added_by_plugin(Path(folder)))
        yield Figure("report, first time, CPU", times_as_much(reports))
        yield Figure("report, index current, CPU", times_as_much(reports))


if __name__ == "__main__":
    sys.exit(alone("startup", measure()))

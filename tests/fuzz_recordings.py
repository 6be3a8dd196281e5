"""Mutated recordings: no crash, no hang, bounded memory, nothing outside the folder read or written.

Each mutant is a recording of tests/recordings with one to four changes to its lines, run.json, stamps, bodies or the
folder itself: links, pipes, sockets, folders in the place of files, names that are none. All of them are opened, read
line by line and verified; one in SAMPLE is also correlated, reported twice (as JSON, and in another format and language
each time), marked and forgotten. What may come out is a result or a UserError. A mutant comes again by its number and
the seed, in all formats: `--only NUMBER`.
"""

from __future__ import annotations

import argparse
import copy
import errno
import json
import os
import random
import shutil
import socket
import stat
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from appwitness import events
from appwitness.care import to_forget
from appwitness.correlate import report_on
from appwitness.correlate.prior_knowledge import Knowledge, knowledge
from appwitness.events import FILES
from appwitness.recording import Recording, verify
from appwitness.reports import FORMATS, render
from appwitness.store import Store
from appwitness.support.errors import UserError
from tests import watched
from tests.recordings.written import RECORDINGS
from tests.watched import Limits, limit_memory

SAMPLE = 100
"""One mutant in so many goes all the way to reports."""
HANG_S = 60.0
MEMORY_BYTES = 2 << 30
OUTSIDE = "OUTSIDE-7391"
"""What files outside say; nothing that comes out of a mutant may."""
RAW = "@@raw@@"
LARGE = 17 << 20

PERSON = (events.Value(type="phone_number", text="+8613800138000"),)
"""Forgotten before all else is."""

Files = dict[str, bytes]
Tree = Any

NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63, -(2**63) - 1, 2**64, 10**400, 1e308, -1e308, 1e18,
    float("nan"), float("inf"), float("-inf"), RAW, "", " ", "\0", "\ud800", "\U0001f600", "\u202e",
    "\x1b[31m\x07", "\r\n", "a" * 70_000, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "1969-12-31T23:59:59Z",
    "2026-03-14T09:00:00.000001Z", "2026-03-14", "../../../etc/passwd", "/etc/passwd", "..", ".", "bodies",
    "run.json", "con:x", "<script>alert(1)</script>", "]]>", "{{ 7*7 }}", "%s%n", "{0.__class__}",
    "|`*_[x](y)", "accesses.jsonl:1", "consents.jsonl:1", "consents.jsonl:0", "consents.jsonl:-1",
    "consents.jsonl:" + "9" * 30, "x:y:z", "f" * 64, "F" * 64, "f" * 64 + "\n", "127.0.0.1", "::1",
    "::ffff:1.2.3.4", "256.1.1.1", "http://[", "https://[::1", "//", "http://a:99999/", "http://\ud800/",
    "xn--", "a." * 500, "given", "operator", "user", "app", "http", "location", "91,181",
    "31.230416,121.473701", "nan,inf", "1e400,0", "consent", "access", [], {}, [[]], [None], [[1, 2, 3]],
    {"": {}}, {"b64": "%%%"}, {"b64": "A"}, {"body": "f" * 64, "size": -1}, {"ip": "x", "port": 70_000},
    {"ip": "", "port": 0},
)  # fmt: skip
"""What stands where something else was."""


def corpus(most: int | None = None) -> list[Files]:
    """The recordings, stamped: name -> content; at most this many."""
    made = []
    for path in sorted(RECORDINGS.glob("*/run.json"))[:most]:
        with tempfile.TemporaryDirectory(dir=memory()) as folder:
            place = Path(shutil.copytree(path.parent, Path(folder) / "r"))
            for extra in place.glob("*.y*ml"):
                extra.unlink()
            (place / "expected.json").unlink(missing_ok=True)
            with Recording.open(place) as recording:
                recording.stamp()
                recording.stamp(final=True)
            made.append(
                {str(file.relative_to(place)): file.read_bytes() for file in place.rglob("*") if file.is_file()}
            )
    return made


def memory() -> str | None:
    """A folder that is memory, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


# Changes to content.


def _paths(tree: Tree, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    if isinstance(tree, dict | list) and len(at) < 20:
        for key, held in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from _paths(held, (*at, key))


def _nasty(dice: random.Random) -> Any:
    choice = dice.randrange(12)
    if choice == 0:
        deep: Any = 1
        for _ in range(dice.choice((10, 150, 250, 900))):
            deep = [deep] if dice.random() < 0.5 else {"a": deep}
        return deep
    if choice == 1:
        return "".join(
            chr(dice.choice((dice.randrange(0xD800), dice.randrange(128)))) for _ in range(dice.randrange(40))
        )
    if choice == 2:
        return copy.deepcopy([dice.choice(NASTY) for _ in range(dice.randrange(20))])
    return copy.deepcopy(dice.choice(NASTY))  # it may be changed in its place afterwards


def _json(line: bytes, dice: random.Random) -> bytes:
    """A line with something else in one or two of its places."""
    try:
        tree = json.loads(line)
    except (ValueError, RecursionError):
        return _bytes(line, dice)
    for _ in range(dice.randint(1, 2)):
        path = dice.choice(list(_paths(tree)))
        if not path:
            if isinstance(tree, dict):
                tree[dice.choice(("v", "at", "count", "until", "corrects", "retracts", "ended", "x", "", "hooks"))] = (
                    _nasty(dice)
                )
            continue
        inner = tree
        for key in path[:-1]:
            inner = inner[key]
        what = dice.randrange(8)
        if what == 0 and isinstance(inner, dict):
            del inner[path[-1]]
        elif what == 1 and isinstance(inner, dict):
            inner[str(_nasty(dice))[:300]] = inner.pop(path[-1])
        elif what == 2 and isinstance(inner[path[-1]], str) and inner[path[-1]]:
            text = inner[path[-1]]
            at = dice.randrange(len(text))
            inner[path[-1]] = text[:at] + str(dice.choice(NASTY))[:300] + text[at + dice.randrange(3) :]
        else:
            inner[path[-1]] = _nasty(dice)
    with suppress(RecursionError):
        text = json.dumps(tree, ensure_ascii=dice.random() < 0.7)
        return text.encode("utf-8", "surrogatepass").replace(f'"{RAW}"'.encode(), b"1" + b"0" * 5000)
    return line


def _bytes(data: bytes, dice: random.Random) -> bytes:
    """Bytes with some of them others, more or fewer."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(changed) + 1)
        match dice.randrange(5):
            case 0:
                changed[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                del changed[at : at + dice.choice((1, 2, 10, 100))]
            case 2:
                changed[at:at] = dice.choice(
                    (b"\n", b"\0", b'"', b"{", b"[" * 300, b"\xff\xfe", b"\\ud800", b"}\n{", b"\r")
                )
            case 3:
                changed[at:at] = changed[: dice.randrange(200)]
            case _:
                changed[at : at + 8] = bytes(dice.randrange(256) for _ in range(8))
    return bytes(changed)


def _lines(files: Files, dice: random.Random) -> None:
    """One line of one file is another, doubled, elsewhere, gone, unfinished, or very long."""
    names = [name for name in files if name.endswith(".jsonl")]
    name = dice.choice(names) if dice.random() < 0.85 else dice.choice(list(FILES.values()))
    lines = files.get(name, b"").splitlines(keepends=True)
    if not lines:
        other = dice.choice(names)
        files[name] = files[other]
        return
    at = dice.randrange(len(lines))
    match dice.randrange(12):
        case 0 | 1 | 2 | 3 | 4:
            lines[at] = _json(lines[at], dice) + b"\n"
        case 5:
            lines[at] = _bytes(lines[at], dice)
        case 6:
            lines.insert(at, lines[dice.randrange(len(lines))])
        case 7:
            del lines[at]
        case 8:
            lines[at:] = [lines[at][: dice.randrange(len(lines[at]))]]
        case 9:
            dice.shuffle(lines)
        case 10 if dice.random() < 0.02:
            lines[at] = b'{"text":"' + dice.choice((b"a", b"[", b"{}", b"0,")) * (LARGE // 2) + b'"}\n'
        case _:
            lines.append(_json(lines[at], dice) + (b"\n" if dice.random() < 0.8 else b""))
    files[name] = b"".join(lines)


def _run(files: Files, dice: random.Random) -> None:
    """Something else in run.json."""
    if dice.random() < 0.85:
        files["run.json"] = _json(files["run.json"], dice) + b"\n"
    elif dice.random() < 0.99:
        files["run.json"] = _bytes(files["run.json"], dice)
    else:
        files["run.json"] = b" " * LARGE + files["run.json"]


def _body(files: Files, dice: random.Random) -> None:
    """A body is another, gone, or too many."""
    names = [name for name in files if name.startswith("bodies/")]
    if names and dice.random() < 0.7:
        name = dice.choice(names)
        files[name] = _bytes(files[name], dice)
        if dice.random() < 0.3:
            del files[name]
    else:
        files[f"bodies/{dice.choice(('0' * 64, 'x' * 255, '.part', '.1-2-3.part', 'F' * 64))}"] = b"anything"


CONTENT = (_lines, _lines, _lines, _lines, _run, _run, _body)


# Changes to the folder.


def _link(place: Path, outside: Path, dice: random.Random) -> None:
    place.symlink_to(
        dice.choice((outside / "secret.jsonl", outside, place.parent / "nowhere", Path("/dev/zero"), place))
    )


def _pipe(place: Path, _outside: Path, _dice: random.Random) -> None:
    os.mkfifo(place)


def _folder(place: Path, _outside: Path, _dice: random.Random) -> None:
    place.mkdir()


def _socket(place: Path, _outside: Path, _dice: random.Random) -> None:
    with socket.socket(socket.AF_UNIX) as one, suppress(OSError):  # its name may be too long
        one.bind(f"/proc/self/fd/{_dirfd(place.parent)}/{place.name}")


def _dirfd(folder: Path) -> int:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    _open.append(fd)
    return fd


_open: list[int] = []


def _hard_link(place: Path, outside: Path, _dice: random.Random) -> None:
    os.link(outside / "kept.jsonl", place)


def _sparse(place: Path, _outside: Path, dice: random.Random) -> None:
    with place.open("wb") as file:
        file.truncate(LARGE if dice.random() < 0.02 else 1 << 20)


def _closed(place: Path, _outside: Path, _dice: random.Random) -> None:
    place.write_bytes(b"{}\n")
    place.chmod(0)


KINDS: tuple[Callable[[Path, Path, random.Random], None], ...] = (
    _link, _link, _pipe, _folder, _socket, _hard_link, _sparse, _closed,
)  # fmt: skip
ODD = (
    "x" * 255,
    "\n",
    "\x1b[2J",
    "a\\b",
    "-rf",
    "run.json ",
    "Accesses.jsonl",
    "seal.jsonl.part",
    ".run.json.1.2",
    "é\udcff",
)


def _layout(folder: Path, outside: Path, dice: random.Random) -> None:
    """Something in the place of a file, of a body or of their folder; a file that is missing or one too many."""
    present = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    place = dice.choice(
        [folder / name for name in (*FILES.values(), "run.json", "seal.jsonl", "bodies")]
        + present
        + [folder / "bodies"]
    )
    what = dice.randrange(10)
    if what == 0:
        with suppress(OSError):
            (folder / dice.choice(ODD)).write_bytes(b"odd")
        return
    if place.is_dir() and not place.is_symlink():
        if dice.random() < 0.3:
            place.rename(outside.parent / "moved")
            place.symlink_to(outside.parent / "moved")
            return
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    if what > 1:
        with suppress(FileNotFoundError, NotADirectoryError):
            dice.choice(KINDS)(place, outside, dice)
    while _open:
        os.close(_open.pop())


# One mutant.


def mutant(samples: list[Files], seed: int, number: int, folder: Path, outside: Path) -> None:
    """Write the mutant of that number to a new folder."""
    dice = random.Random(f"{seed}/{number}")
    files = dict(dice.choice(samples))
    layout = dice.random() < 0.25
    for _ in range(dice.randint(0 if layout else 1, 3)):
        dice.choice(CONTENT)(files, dice)
    folder.mkdir()
    (folder / "bodies").mkdir()
    _write(folder, files)
    if dice.random() < 0.4:  # with stamps that agree with it
        (folder / "seal.jsonl").unlink(missing_ok=True)
        with suppress(UserError), Recording(folder) as recording:
            recording.stamp(final=dice.random() < 0.5)
    for _ in range(dice.randint(1, 2) if layout else 0):
        _layout(folder, outside, dice)


def _write(folder: Path, files: Files) -> None:
    """(Twice as fast as by Path, and most of what making a mutant takes.)"""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for name, content in files.items():
        with suppress(OSError):  # a name that is too long
            file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600, dir_fd=fd)
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(file, rest) :]
            os.close(file)
    os.close(fd)


def room(place: Path) -> Path:
    """A folder with what must not be read or written."""
    outside = place / "outside"
    outside.mkdir()
    line = events.Access(
        at=datetime(2026, 3, 14, tzinfo=UTC),
        source=OUTSIDE,
        data="phone_number",
        values=(events.Value(type="phone_number", text=OUTSIDE),),
        outcome="returned",
    )
    (outside / "secret.jsonl").write_text(events.dump(line) + "\n")
    (outside / "kept.jsonl").write_text("{}\n")
    return outside


def state(outside: Path) -> list[tuple[str, int, bytes]]:
    """What is outside, to compare."""
    found = []
    for folder, folders, files in os.walk(outside):
        for name in (*folders, *files):
            path = f"{folder}/{name}"
            mode = os.lstat(path).st_mode
            found.append((name, mode, Path(path).read_bytes() if stat.S_ISREG(mode) else b""))
    return sorted(found)


class Desk:
    """An index in a place of its own, as new for each recording: making one takes as long as reading 20 mutants."""

    def __init__(self, folder: Path, known: Knowledge) -> None:
        self.known = known
        self._path = folder / "index.sqlite"
        self._store = Store(self._path)
        self._store.close()
        self._blank = self._path.read_bytes()

    def reported(self, recording: Recording, shown: Iterable[tuple[str, str]]) -> Iterator[str]:
        """Correlate a recording, report on it once more from the index, and render that in formats and languages."""
        for path in self._path.parent.glob(f"{self._path.name}*"):
            path.unlink()
        self._path.write_bytes(self._blank)
        try:
            report_on(recording, self._store, self.known)  # correlated
            made = report_on(recording, self._store, self.known)  # from the index, if that is current
        finally:
            self._store.close()  # reopened when it is needed again
        for format_, lang in shown:
            with suppress(UserError):
                text = render(made, format_, lang=lang, reveal=format_ == "json")
                text.encode()
                if format_ in ("json", "sarif"):
                    json.loads(text, parse_constant=_no_number)
                yield text


ALL = tuple((format_, lang) for format_ in FORMATS for lang in ("en", "zh"))


def tried(folder: Path, desk: Desk | None = None, shown: Iterable[tuple[str, str]] = ALL) -> str:
    """Read and verify a recording, report on it where there is a desk, and mark it; what went wrong, or nothing."""
    said: list[str] = []
    try:
        checked = verify(folder)
        said += [problem.what for problem in checked.problems]
        with Recording.open(folder) as recording:
            for kind in FILES:
                with suppress(UserError):
                    for read in recording.read(kind, finished=True):
                        said.append(read.error or "")
                        if OUTSIDE.encode() in read.raw:
                            return "a line from outside was read"
                        if isinstance(read.event, events.Upload) and read.event.body:
                            recording.body_view(read.event.body)
            if desk:
                said += desk.reported(recording, shown)
                with suppress(UserError):
                    recording.note(events.Phase(at=datetime.now(UTC), state="mark", text="fuzz"))
                verify(folder)
                for values in (PERSON, ()):
                    with suppress(UserError):
                        to_forget(recording, values).forget()
                        said += desk.reported(recording, [("json", "en")])
                    verify(folder)
    except UserError as error:
        said.append(str(error))
    except MemoryError:
        return "MemoryError"
    except OSError as error:
        return "" if error.errno == errno.EACCES else "".join(traceback.format_exception(error)[-6:])
    except Exception as error:
        return "".join(traceback.format_exception(error)[-6:])
    return "something from outside came out" if any(OUTSIDE in text for text in said) else ""


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


# Many of them.


@contextmanager
def trial(seed: int, sample: int) -> Iterator[Callable[[int], str]]:
    """What tries a mutant of a seed by its number; one in `sample` goes all the way to reports."""
    limit_memory(2 * MEMORY_BYTES)
    samples, known = corpus(), knowledge()
    with tempfile.TemporaryDirectory(dir=memory()) as place, tempfile.TemporaryDirectory(dir=memory()) as own:
        desk = Desk(Path(own), known)
        outside = room(Path(place))
        before = state(outside)
        folder, moved = Path(place) / "r", Path(place) / "moved"

        def trying(at: int) -> str:
            mutant(samples, seed, at, folder, outside)
            held = state(moved) if moved.exists() else []
            full = at // sample if at % sample == 0 else None
            wrong = tried(folder) if full is None else tried(folder, desk, (("json", "en"), ALL[full % len(ALL)]))
            if state(outside) != before or (state(moved) if moved.exists() else []) != held:
                wrong = "something outside was written"
                shutil.rmtree(outside)
                room(Path(place))
            if not {"outside", "r"} <= {entry.name for entry in os.scandir(place)} <= {"outside", "r", "moved"}:
                wrong = wrong or "a file was made beside the recording"
            for one in (folder, moved):
                shutil.rmtree(one, ignore_errors=True)
            return wrong

        yield trying


def run(
    count: int, seed: int, jobs: int, tell: Callable[[str], None] = print, *, first: int = 0, sample: int = SAMPLE
) -> int:
    """Try so many mutants, from number `first` on; how many went wrong."""
    return watched.run(partial(trial, seed, sample), count, jobs, Limits(HANG_S, MEMORY_BYTES), tell, first=first)


def again(seed: int, number: int, keep: Path) -> str:
    """One mutant again, all the way; its folder is kept."""
    keep.mkdir(parents=True)
    outside = room(keep)
    mutant(corpus(), seed, number, keep / "r", outside)
    with tempfile.TemporaryDirectory(dir=memory()) as own:
        return tried(keep / "r", Desk(Path(own), knowledge()))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_recordings", description=__doc__)
    parser.add_argument("--recordings", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first one: to go on where a run was left")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="one in so many goes all the way to reports")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="try one again; stays in ./fuzz-recording")
    given = parser.parse_args()
    if given.only is not None:
        wrong = again(given.seed, given.only, Path("fuzz-recording"))
        print(wrong or "nothing is wrong with it now")
        sys.exit(bool(wrong))
    sys.exit(bool(run(given.recordings, given.seed, given.jobs, first=given.first, sample=given.sample)))


if __name__ == "__main__":
    main()

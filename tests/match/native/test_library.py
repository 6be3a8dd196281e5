"""The compiled part: it is there or somebody is told, it is of this version, and hostile input breaks nothing in it."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appwitness.match.decode.walk import pieces
from appwitness.match.finding import ValueIndex
from appwitness.match.native import library, sieve, tables
from appwitness.match.places import binary
from appwitness.support.errors import UserError
from hatch_build import FLAGS, platform_tag
from tests.bench.bench_matching import document, values
from tests.match.encoders import ENCODERS, dumps
from tests.recordings.written import RECORDINGS

ROOT = Path(__file__).parents[3]
NATIVE = ROOT / "monitor/appwitness/match/native"


def test_both_sides_have_the_same_constants():
    shared = dict(re.findall(r"\b([A-Z_]+) = (-?\d+)", (NATIVE / "shared.h").read_text()))
    ours = {name: value for module in (library, tables, sieve, binary) for name, value in vars(module).items()}
    assert {name: ours.get(name) for name in shared} == {name: int(value) for name, value in shared.items()}


compiled = pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")


def build(tree: Path, *flags: str, compiler: str = "cc") -> Path:
    """Compile the sources in a folder, quickly; the file."""
    made = tree / "libsearch.so"
    sources = map(str, sorted(tree.rglob("*.c")))
    subprocess.run([compiler, *FLAGS, "-O0", "-U_FORTIFY_SOURCE", *flags, "-o", made, *sources, "-lm"], check=True)
    return made


@pytest.fixture
def sources(tmp_path):
    """A copy of the sources."""
    return shutil.copytree(NATIVE, tmp_path / "native", ignore=shutil.ignore_patterns("*.py", "*.so", "__pycache__"))


@compiled
def test_a_library_of_another_version_is_refused(sources):
    header = sources / "shared.h"
    header.write_text(re.sub(r"SEARCH_ABI = \d+", "SEARCH_ABI = 1000", header.read_text()))
    with pytest.raises(UserError, match="from another version of appwitness"):
        library.load(str(build(sources)))


@compiled
def test_a_library_that_lacks_a_function_is_refused(tmp_path):
    (tmp_path / "other.c").write_text("int other(void) { return 1; }")
    with pytest.raises(UserError, match="from another version of appwitness"):
        library.load(str(build(tmp_path, "-fvisibility=default")))


def test_without_it_the_command_line_says_what_to_do(tmp_path):
    left_out = shutil.ignore_patterns("libsearch.so", "java", "lab.jar", "__pycache__")
    shutil.copytree(ROOT / "monitor/appwitness", tmp_path / "appwitness", ignore=left_out)
    run = subprocess.run(
        [sys.executable, "-m", "appwitness", "report", str(RECORDINGS / "sent-before-consent")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "APPWITNESS_HOME": str(tmp_path / "home")},
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("error: The compiled part of the search cannot be loaded: ")
    assert "make setup" in run.stderr.splitlines()[1]
    assert len(run.stderr.splitlines()) == 2


def test_without_a_compiler_the_build_says_what_to_do(sources, tmp_path):
    shutil.copytree(sources, tmp_path / "monitor/appwitness/match/native")
    code = "import hatch_build, pathlib, sys; hatch_build.build_search(pathlib.Path(sys.argv[1]))"
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "CC": "no-compiler-of-that-name"},
    )
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.startswith("No C compiler for the search: install one")


@pytest.mark.parametrize(
    ("symbols", "tag"),
    [
        (b"\0GLIBC_2.2.5\0GLIBC_2.29\0GLIBC_2.14\0", "manylinux_2_29_x86_64"),
        (b"\0GLIBC_2.2.5\0", "manylinux_2_17_x86_64"),
        (b"no names of glibc, as with musl", "linux_x86_64"),
    ],
)
def test_a_wheel_is_for_the_systems_that_have_every_symbol(symbols, tag, monkeypatch):
    monkeypatch.setattr("sysconfig.get_platform", lambda: "linux-x86_64")
    assert platform_tag(symbols) == tag


ENDS = (b'""', b'[""]', b'{"a":""}', b'{"":""', b'["', b"[1]", b'{"a":"b"}')
"""Behind these nothing may be read."""


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_bodies_break_nothing(seed):
    """`make test-checked` runs it with the checks of the compiler in the library."""
    chance = random.Random(seed)
    known, index = values(120), ValueIndex()
    for value in known:
        index.add(value.text, value)
    whole = document(6_000, known[:8])
    for end in ENDS:
        read(index, end)
    for _ in range(int(os.environ.get("MUTATED_BODIES", "400"))):
        body = encoded(chance, known) if chance.random() < 0.5 else bytearray(whole)
        for _ in range(chance.randrange(8)):
            mutate(chance, body)
        read(index, bytes(body) or b"{")


def encoded(chance, known):
    data = chance.choice(known).text.encode()
    for name in chance.choices(sorted(ENCODERS), k=3):
        if not ENCODERS[name].text_only or pieces.as_text(data) is not None:
            data = ENCODERS[name].encode(data)[:5_000]
    if pieces.as_text(data) is None:
        data = ENCODERS["base64"].encode(data)
    return bytearray(dumps({"a": [data.decode(), {"b": data.decode()}]}))


def mutate(chance, body):
    at = chance.randrange(len(body) + 1)
    match chance.randrange(4):
        case 0:
            body[at : at + 1] = chance.randbytes(1)
        case 1:
            del body[at : at + chance.randrange(40)]
        case 2:
            body[at:at] = chance.randbytes(chance.randrange(12))
        case _:
            body[at:at] = body[at : at + chance.randrange(200)]


def read(index, body):
    """Everything that the compiled part does with a body."""
    index.narrow.read_page(body, 0)
    for text in (False, True):
        index.narrow.stretch(body, text=text)
    texts, raw, *_ = index.narrow.kept
    for one in (texts, raw):
        list(one.find(body.lower()))
    list(index.finders[-1].packed.latitudes(body))

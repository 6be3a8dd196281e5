"""Tests of the compiled part on hostile input: built with the checks of the compiler, it reads mutated bodies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "monitor/match/native").glob("*/*.c"))
FLAGS = ("-O1", "-g", "-shared", "-fPIC", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
READ = """
import random, sys
from monitor.match.decode.walk import pieces
from monitor.match.native import library
library.LIBRARY = sys.argv[1]
library.library = library._load(sys.argv[1])
assert library.library is not None
from monitor.match.variants import entering
from monitor.match.native import tables, sieve
from monitor.match.places import binary
entering.library = tables.library = binary.library = sieve.library = library.library
from monitor.match import decode
from monitor.match.finding import Index
from tests.bench.bench_matching import document, values
from tests.match.encoders import ENCODERS, dumps

chance = random.Random(int(sys.argv[2]))
known, index = values(120), Index()
for value in known:
    index.add(value.text, value)
index.narrow.least = 0
whole = document(6_000, known[:8])
for end in (b'""', b'[""]', b'{"a":""}', b'{"":""', b'["', b"[1]", b'{"a":"b"}'):  # nothing stands behind it to be read
    index.narrow._read(end, 0)
for _ in range(int(sys.argv[3])):
    if chance.random() < 0.5:
        data = chance.choice(known).text.encode()
        for name in chance.choices(sorted(ENCODERS), k=3):
            if not ENCODERS[name].text_only or pieces.as_text(data) is not None:
                data = ENCODERS[name].encode(data)[:5_000]
        if pieces.as_text(data) is None:
            data = ENCODERS["base64"].encode(data)
        body = bytearray(dumps({"a": [data.decode(), {"b": data.decode()}]}))
    else:
        body = bytearray(whole)
    for _ in range(chance.randrange(8)):
        at = chance.randrange(len(body))
        match chance.randrange(4):
            case 0: body[at] = chance.randrange(256)
            case 1: del body[at : at + chance.randrange(40)]
            case 2: body[at:at] = chance.randbytes(chance.randrange(12))
            case _: body[at:at] = body[at : at + chance.randrange(200)]
        body = body or bytearray(b"{")
    index.narrow._read(bytes(body), 0)
    for text in (False, True):
        index.narrow.stretch(bytes(body), text=text)
    for one in (index._texts, index._raw):
        list(one.find(bytes(body).lower()))
    list(index._places._packed._latitudes(bytes(body)))
print("read")
"""


@pytest.fixture(scope="module")
def compiler():
    """The path of the C compiler."""
    found = shutil.which(os.environ.get("CC", "cc"))
    if found is None:
        pytest.skip("no C compiler here")
    return found


@pytest.fixture(scope="module")
def checked(compiler, tmp_path_factory):
    """The library with the checks, and what must be loaded before it."""
    made = tmp_path_factory.mktemp("checked") / "libsearch.so"
    built = subprocess.run([compiler, *FLAGS, "-o", made, *SOURCES, "-lm"], capture_output=True, text=True, check=False)
    if built.returncode:
        pytest.skip(f"the compiler has no such checks: {built.stderr[:200]}")
    asked = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    return made, asked.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_bodies_break_nothing(checked, seed):
    library, before = checked
    environment = {**os.environ, "LD_PRELOAD": before, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONPATH": str(ROOT)}
    environment["PYTHONMALLOC"] = "malloc"  # Python's own puts small bodies side by side, where nothing is checked
    many = os.environ.get("MUTATED_BODIES", "400")
    run = subprocess.run(
        [sys.executable, "-c", READ, str(library), str(seed), many],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr[:3000]
    assert run.stdout == "read\n"


def test_without_the_compiled_part_all_is_found():
    code = """
from monitor.match.finding import Index
from monitor.match.variants import entering
from monitor.match.native import tables, sieve
from monitor.match.places import binary
entering.library = tables.library = binary.library = sieve.library = None
from monitor.match import decode
from tests.bench.bench_matching import document, values
known, index = values(64), Index()
for value in known:
    index.add(value.text, value)
decoded = decode.leaves_of(document(20_000, known[:8]), narrow=index.narrow)
print({value.text for value in known[:8]} <= {hit.value.text for hit in index.find(decoded.leaves)})
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.stdout == "True\n", run.stderr[-2000:]

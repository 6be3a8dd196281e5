"""Every verb with arguments that nobody should give: one clear message, an exit code of the table, no traceback."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from appwitness.api.home import home
from appwitness.cli.verbs import EXIT_CODES, main
from tests.cli.test_cli import make_recording

ODD = [
    "",
    " ",
    "\x1b[2J\x07",
    "\u202egnp",
    "\udcff",
    "-1",
    "nan",
    "1e400",
    "9" * 400,
    "[bold",
    "[/]",
    "../..",
    "é" * 300,
]
"""Given where a text or a number is asked for."""
PLACES = ["", "/dev/null/x", "/", "\udcff", "x" * 300, "\x1b]0;owned\x07", "/proc/1/mem"]
"""Given where a file or a folder is."""


def verbs(group: click.Group = main, path: tuple[str, ...] = ()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from verbs(command, (*path, name))
        else:
            yield (*path, name), command


VERBS = dict(verbs())
NEEDS = {
    ("observe",): ["--device", "lab:nosuch"],
    ("demo",): ["--app", "nosuch"],
    ("web",): ["--port", "BUSY"],
    ("import",): ["HAR", "--app", "com.example.pages", "--output", "NEW"],
    ("mark", "consent"): ["given"],
    ("mark", "retract"): ["consents.jsonl:1"],
    ("mark", "note"): ["words"],
}
"""What keeps a verb from starting something long, or what it cannot do without."""


@pytest.fixture
def told(tmp_path):
    """Runs a verb; what it exited with, and what it said on stderr."""
    with make_recording(tmp_path / "recording") as recording:
        recording.stamp(final=True)
    (tmp_path / "empty.har").write_text('{"log":{"entries":[]}}')
    busy = socket.create_server(("127.0.0.1", 0))
    names = {
        "BUSY": str(busy.getsockname()[1]), "HAR": str(tmp_path / "empty.har"), "NEW": str(tmp_path / "imported"),
    }  # fmt: skip

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, [names.get(each, each) for each in arguments])
        return result.exit_code, result.stderr

    yield run
    busy.close()


def cases():
    """Every value for an option where it comes first; two of them for each other verb that has the same."""
    told: dict[tuple[str, str | None], int] = {}
    for path, command in VERBS.items():
        yield path, "--no-such-option", ()
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.is_flag:
                values = PLACES if isinstance(parameter.type, click.Path) else ODD
                again = told[parameter.opts[0], parameter.help] = told.get((parameter.opts[0], parameter.help), -1) + 1
                yield (
                    path,
                    parameter.opts[0],
                    [values[(again + by) % len(values)] for by in (0, 5)] if again else values,
                )
            elif isinstance(parameter, click.Argument):
                yield path, parameter.name, PLACES if isinstance(parameter.type, click.Path) else ODD


@pytest.mark.slow
@pytest.mark.parametrize(("path", "name", "values"), list(cases()), ids=lambda each: str(each)[:30])
def test_odd_arguments(told, path, name, values):
    needed = NEEDS.get(path, [])
    for value in values or [None]:
        if name.startswith("-"):
            at = needed.index(name) if name in needed else None
            rest = needed if at is None else needed[:at] + needed[at + 2 :]
            if path == ("web",) and name == "--port" and value in (" ", ""):
                continue
            given = [*rest, *(["recording"] if any(p.name == "recording" for p in VERBS[path].params
                     if isinstance(p, click.Argument)) else []), name, *([] if value is None else [value])]  # fmt: skip
        else:
            given = [*needed[1:], value] if needed and path[0] in ("import", "mark") else [*needed, value]
        code, said = told(*path, *given)
        assert code in EXIT_CODES, given
        assert code != 70, (given, said, [f.read_text() for f in home().glob("appwitness-error-*")])
        assert "Traceback" not in said
        assert not any(each in said for each in "\x1b\x07\x9b\u202e"), given
        if code == 2:
            assert said.strip(), given


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "recording", "--output", "/nope/x"),
        ("report", "recording", "--lang", "xx"),
        ("report", "nowhere"),
        ("report", "recording", "--db", "."),
        ("report", "recording", "--db", "nosuch://x/y"),
        ("export", "recording", "--output", "/nope/x"),
        ("web", "--port", "BUSY"),
        ("web", "--port", "70000"),
        ("web", "--port", "-1"),
        ("web", "--port", "http"),
        ("observe", "--port", "BUSY"),
        ("observe", "--port", "70000"),
        ("observe", "--listen", "no.such.address.invalid"),
        ("observe", "--device", "lab:nosuch"),
        ("observe", "--device", "nosuch"),
        ("observe", "--device", ""),
        ("observe", "--seconds", "nan"),
        ("observe", "--seconds", "-1"),
        ("observe", "--max-size", "lots"),
        ("observe", "--mode", "teleport"),
        ("observe", "--output", "/dev/null/x"),
        ("demo", "--app", "nosuch"),
        ("nosuch",),
        ("list", "rules", "nosuch"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_everywhere(told, arguments):
    code, said = told(*arguments)
    assert code == 2, said
    assert said.strip()
    assert "Traceback" not in said


def test_a_fault_of_ours_is_70_with_one_line_and_a_private_file(monkeypatch, tmp_path, told):
    secret = "+8613800138000"

    def broken(*_, **__):
        numbers = [secret]  # a local of the frame
        raise AssertionError(f"on purpose {len(numbers)}")

    monkeypatch.setattr("appwitness.cli.verbs.VerbJudging.report", broken)
    code, said = told("report", "recording")
    assert code == 70
    [line] = said.strip().splitlines()
    [file] = (tmp_path / "home").glob("appwitness-error-*.txt")
    assert str(file) in line
    assert "report it" in line
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert "on purpose" in text
    assert secret not in text


APPWITNESS = [sys.executable, "-m", "appwitness"]
ROOT = Path(__file__).parent.parent.parent


def test_nobody_reads_the_output(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as out:
        done = subprocess.run(
            [*APPWITNESS, "list", "schema"], stdout=out, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT
        )
    assert (done.returncode, done.stderr) == (130, "")


@pytest.mark.parametrize("library", ["_pydantic_core", "markupsafe"])
def test_an_early_interrupt_is_130_and_one_word(library, tmp_path):
    env = {**os.environ, "APPWITNESS_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*APPWITNESS, "web", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=env,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  shells start jobs without
    )
    with process:
        # Before our first line, while Python itself starts, an interrupt is Python's affair.
        while library not in Path(f"/proc/{process.pid}/maps").read_text():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode in (0, 130), said  # 0: the pages were there already
    assert "Traceback" not in said


@pytest.mark.parametrize("umask", ["0", *(pytest.param(mask, marks=pytest.mark.slow) for mask in ("0777", "022"))])
def test_all_that_is_written_is_the_users_own(tmp_path, umask):
    """Under the umask of a shell, whatever it is; an --output that was there for all to read, too."""
    with make_recording(tmp_path / "kept" / "recording") as recording:
        recording.stamp(final=True)
    open_to_all = tmp_path / "report.html"
    open_to_all.touch()
    open_to_all.chmod(0o666)
    env = {**os.environ, "APPWITNESS_HOME": str(tmp_path / "home"), "APPWITNESS_RECORDINGS": str(tmp_path / "runs")}
    run = f"umask {umask}; exec {sys.executable} -m appwitness"
    for verb in (
        f"report {recording.path} --format html --output {open_to_all}",
        f"report {recording.path} --format sarif --output {tmp_path}/report.sarif",
        f"export {recording.path} --output {tmp_path}/out.har",
        f"import {tmp_path}/out.har --app com.example.pages",
    ):
        done = subprocess.run(
            ["sh", "-c", f"{run} {verb}"], env=env, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
    written = [path for path in tmp_path.rglob("*") if path != tmp_path]
    assert len([path for path in written if path.is_file()]) > 10
    for path in written:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path

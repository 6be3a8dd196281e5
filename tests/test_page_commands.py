"""Every command that a page shows is one that the program takes; those that need no device are run, in the order of the
page, in a folder that has what the page speaks of."""

from __future__ import annotations

import re
import shlex
import shutil
from contextlib import nullcontext
from pathlib import Path

import click
import pyrage
import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.recording import Recording
from tests.captures import har
from tests.recordings.written import RECORDINGS

ROOT = Path(__file__).parent.parent
PAGES = [*(ROOT / name for name in ("README.md", "README.zh.md", "AGENTS.md")), *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = {
    r"--device (?:emulator|SERIAL)|^pair|^undo": "no phone here: tests/adb runs it on a stand-in for Android",
    r"--device lab|^demo": "starts Frida and a JVM: tests/lab runs it",
    r"^fleet (?:run|host)": "goes on until all runs are made: tests/fleet runs it",
    r"--watch|^web|^mcp": "ends when it is ended: tests/fleet, tests/browser and tests/mcp run it",
    r"s3://": "needs a bucket: tests/fleet runs it on one",
    r"^fleet export": "needs a campaign that was judged: tests/fleet runs it",
    r"^fleet letters": "needs a campaign that was judged: tests/fleet runs it",
    r"--tsa-cert": "needs a time-stamp of an authority: tests/recording runs it",
}
"""What begins so, or has this in it, is only read -> why."""


def commands_of(page: Path) -> list[list[str]]:
    """The words after `appwitness` of each command in a block of code, in the order of the page."""
    text = re.sub(r"\\\n\s*", " ", page.read_text("utf-8"))
    found = []
    for row in re.findall(r"^    (.*)$", text, re.MULTILINE):
        if at := re.match(r"(?:\w+=\S+ )*(?:\.venv/bin/)?appwitness +([a-z].*)", row):
            words = shlex.split(at[1], comments=True)
            ends = [words.index(each) for each in ("|", ">", "&&") if each in words]
            found.append(words[: min(ends, default=len(words))])
    return found


SHOWN = [(page, words) for page in PAGES for words in commands_of(page)]


def test_pages_show_commands():
    assert len(SHOWN) > 70


@pytest.mark.parametrize(
    ("page", "words"), SHOWN, ids=[f"{page.stem}-{number}-{words[0]}" for number, (page, words) in enumerate(SHOWN)]
)
def test_it_is_a_command_of_the_program(page: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _param, _context: Path(str(value)))
    monkeypatch.setattr("appwitness.cli.verbs.fetched", lambda place: nullcontext(Path(place)))
    words = [meant(each) for each in words]
    command: click.Command = main
    context = click.Context(main, info_name="appwitness")
    left = list(words)
    while isinstance(command, click.Group):
        name, found, left = command.resolve_command(context, left)
        assert found is not None, page
        assert name is not None
        command = found
        context = command.make_context(name, list(left), parent=context)
        if isinstance(command, click.Group):
            left = [*context._protected_args, *context.args]  # noqa: SLF001


IDENTITY = pyrage.x25519.Identity.from_str("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
MEANT = {"age1...": str(IDENTITY.to_public()), "NAME": "android.telephony.TelephonyManager.getLine1Number"}
"""What stands for something of the reader's -> such a thing."""


def meant(word: str) -> str:
    return MEANT.get(word, word)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the pages name, but for recordings."""
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    texts = {
        "capture.har": har("https://api.test/?p=%2B8613800138000"),
        "apps.csv": "app\nlab:circle\n",
        "identity.txt": f"{IDENTITY}\n",
        "own.md": "{{ letter.law }}",
        "FILE": blocks("docs/hook-logs.md", "yaml")[0],
        "LOG": blocks("docs/hook-logs.md", "json")[0],
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def again(place: Path) -> None:
    """The recordings that pages name, as they were made."""
    shutil.rmtree(place / "recordings", ignore_errors=True)
    source = next(path.parent for path in RECORDINGS.glob("sent-after-withdrawal/run.json"))
    for name in ("recordings/refuse", "recordings/accept", "recordings/RUN", "RECORDING"):
        shutil.copytree(source, place / name, dirs_exist_ok=True)
        run = place / name / "run.json"
        run.write_text(run.read_text("utf-8").replace('"sent-after-withdrawal"', f'"{Path(name).name}"', 1), "utf-8")
        (place / name / "seal.jsonl").unlink(missing_ok=True)
        Recording(place / name).stamp(final=True)


def done(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words), input="yes\n")
    return result.exit_code, result.output


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_needs_no_device_runs(page: Path, place: Path) -> None:
    for words in commands_of(page):
        line = " ".join(words)
        if any(re.search(pattern, line) for pattern in NOT_RUN):
            continue
        if words[0] != "mark":
            again(place)
        if "shop.zip.age" in line:
            packed = ("pack", "RECORDING", "--encrypt-to", meant("age1..."), "--output", "recordings/shop.zip.age")
            assert done(*packed)[0] == 0
        if words[:2] == ["baseline", "merge"]:
            both = Path("appwitness-baseline.yml").read_text("utf-8")
            Path("appwitness-baseline.yml").write_text(f"<<<<<<< ours\n{both}=======\n{both}>>>>>>> theirs\n", "utf-8")
        named = [
            each for word in words for each in (sorted(map(str, Path().glob(word))) if "*" in word else [meant(word)])
        ]
        code, said = done(*named)
        assert code in (0, 1), (line, said)


def test_each_reason_not_to_run_is_needed():
    lines = [" ".join(words) for _, words in SHOWN]
    assert [each for each in NOT_RUN if not any(re.search(each, line) for line in lines)] == []

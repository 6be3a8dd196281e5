"""What a verb imports: only what it needs, so that it answers at once."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import appwitness.cli
from appwitness.cli.front_page import GROUPS, VERBS, page
from appwitness.cli.verbs import main
from tests.recordings.written import RECORDINGS

HEAVY = ("frida", "sqlalchemy", "mitmproxy", "pydantic", "rich", "jinja2", "starlette", "uvicorn", "yaml", "adbutils")


def imported(*arguments):
    """The top-level packages in memory when the verb ends."""
    program = f"""
import sys
from appwitness.cli.verbs import main
try:
    main({arguments!r})
except SystemExit as end:
    assert end.code in (0, None), end.code
print(*{{name.partition(".")[0] for name in sys.modules}}, file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(ended.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["report", "--help"]])
def test_help_needs_nothing_but_click(arguments):
    loaded = imported(*arguments)
    assert "click" in loaded
    assert not loaded & (set(HEAVY) - ({"rich"} if arguments[0] == "report" else set()))


def test_help_in_chinese_needs_no_more(monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    monkeypatch.delenv("LANGUAGE", raising=False)
    assert not imported("--help") & set(HEAVY)


def test_a_report_needs_neither_a_device_nor_a_browser(tmp_path):
    """It is a recording without findings, for exit code 0."""
    loaded = imported("report", str(RECORDINGS / "clean-untouched"), "--db", str(tmp_path / "db"))
    assert "sqlalchemy" in loaded
    assert not loaded & {"frida", "mitmproxy", "jinja2", "starlette", "uvicorn", "adbutils", "uiautomator2"}


def test_every_verb_is_in_the_table_and_fits_its_line():
    for path in Path(appwitness.cli.__file__).parent.glob("*.py"):
        if path.stem != "__main__":
            importlib.import_module(f"appwitness.cli.{path.stem}")
    assert set(main.commands) == set(VERBS)
    for verb, (module, says) in VERBS.items():
        assert main.commands[verb].callback.__module__ == f"appwitness.cli.{module}"
        assert f"  {verb:9}  {says}\n" in page()


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_of_the_program_needs_not_even_click(option):
    program = "import sys; from appwitness.cli.__main__ import main; main(); print(*sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", program, option], capture_output=True, text=True, check=True)
    assert not set(ended.stderr.split()) & {"click", "typing", "re", "enum", "signal"}
    assert ended.stdout == page() == CliRunner().invoke(main, [option]).stdout


def test_help_whose_reader_is_gone_ends_as_any_verb_does():
    with subprocess.Popen([sys.executable, "-m", "appwitness", "--help"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait() == 130


def test_help_is_one_screen_in_five_groups():
    shown = CliRunner().invoke(main, ["--help"], terminal_width=80).stdout
    assert 24 <= len(shown.splitlines()) <= 42
    assert max(map(len, shown.splitlines())) <= 80
    assert [line.rstrip(":") for line in shown.splitlines() if line.endswith(":")] == list(GROUPS)
    assert len(GROUPS) == 5
    assert sum(map(len, GROUPS.values())) == len(VERBS)


def test_observe_shows_ten_options_first_and_the_others_in_groups():
    shown = CliRunner().invoke(main, ["observe", "--help"], terminal_width=80).stdout
    first, *groups = re.split(r"\n\n(?=[A-Z][\w ]+:\n)", shown)[1:]
    assert len(re.findall(r"^  -", first, re.MULTILINE)) == 10
    assert len(shown.partition("\n\nApp:")[0].splitlines()) <= 42
    options = {name for param in main.commands["observe"].params for name in param.opts}
    assert all(option in shown for option in options)
    assert [group.partition(":")[0] for group in groups] == [
        *("App", "Device and screen", "Hooks and runs", "Traffic", "Recording"),
        *("Which findings fail", "Index", "Judging", "Other options"),
    ]

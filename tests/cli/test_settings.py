import os
from typing import Any

import click
import pytest
from click.testing import CliRunner

from appwitness.cli import settings
from appwitness.cli.front_page import VERBS
from appwitness.cli.verbs import main
from appwitness.support.errors import UserError
from tests.recordings.written import RECORDINGS

RECORDING = RECORDINGS / "sent-before-consent"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The current folder, to write settings into."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path


def run(*arguments, env=None):
    result = CliRunner().invoke(main, [*map(str, arguments)], env=env)
    assert "Traceback" not in result.output
    return result


def report(*arguments, env=None):
    return run("report", RECORDING, "--db", "index.sqlite", *arguments, env=env)


def leaves(command, names=()):
    """Every verb that does something, with its names."""
    if isinstance(command, click.Group):
        for name in VERBS if not names else command.commands:
            yield from leaves(command.get_command(click.Context(command), name), (*names, name))
    else:
        yield names, command


OPTIONS = sorted(
    {(names, name) for names, command in leaves(main) for name, _ in settings.options(command)},
)


def is_chinese(result):
    return "发送至" in result.output


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(here):
    assert not is_chinese(report())
    (here / "appwitness.toml").write_text('lang = "zh"\n')
    assert is_chinese(report())
    assert not is_chinese(report(env={"APPWITNESS_REPORT_LANG": "en"}))
    assert is_chinese(report("--lang", "zh", env={"APPWITNESS_REPORT_LANG": "en"}))


def test_the_environment_names_options_as_the_command_line_does(here):
    variable = "APPWITNESS_OBSERVE_CONNECT_TO"
    wrong = run("observe", "--device", "lab:circle", env={variable: "api.example.com"})
    assert "'api.example.com' is not HOST:ADDRESS:PORT" in wrong.output
    shown = run("config", "observe", env={variable: "api.example.com:127.0.0.1:80"}).output
    (row,) = [line for line in shown.splitlines() if line.startswith("--connect-to ")]
    assert row.endswith(f"environment {variable}")


def test_the_table_of_a_verb_goes_before_what_is_set_for_all(here):
    (here / "appwitness.toml").write_text('lang = "zh"\n[report]\nlang = "en"\n')
    assert not is_chinese(report())


@pytest.mark.parametrize("name", ["appwitness.toml", "pyproject.toml"])
def test_the_nearest_file_above_the_current_folder_holds(here, name, monkeypatch):
    header = "[tool.appwitness]\n" if name == "pyproject.toml" else ""
    (here / name).write_text(f'{header}lang = "zh"\n')
    below = here / "a/b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert (found := settings.find())
    assert found.path == here / name
    (here / "a/appwitness.toml").write_text('lang = "en"\n')
    assert (found := settings.find())
    assert found.path == here / "a/appwitness.toml"


@pytest.mark.parametrize("text", ["[project]\nname = 'x'\n", "no TOML at all", "[tool.other]\nappwitness = 1\n"])
def test_a_pyproject_that_is_not_about_us_is_passed_over(here, text):
    (here / "pyproject.toml").write_text(text)
    if "appwitness" in text or "TOML" not in text:
        assert settings.find() is None
    (here / "pyproject.toml").write_text(text.replace("appwitness", "other"))
    assert report().exit_code == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('langauge = "zh"', "appwitness.toml:1: langauge is neither an option"),
        ('lang = "en"\n\n[report]\nlangauge = "zh"', "appwitness.toml:4: appwitness report has no option --langauge"),
        ("[reprot]\nverbose = true", "appwitness.toml:1: reprot is neither an option"),
        ('plan = "refuse"', "appwitness.toml:1: plan can only be set for one verb at a time"),
        ('[report]\nplan = "refuse"', "appwitness.toml:2: appwitness report has no option --plan"),
        ('lang = "fr"', "appwitness.toml:1: lang: 'fr' is not one of"),
        ("lang = 1979-05-27", "appwitness.toml:1: lang has to be a string or a number, not"),
        ('lang = ["en"]', "appwitness.toml:1: lang has to be a string or a number, not"),
        ("[report]\nverbose = 'no'", "appwitness.toml:2: verbose has to be true or false, not"),
        ("[report]\nfirst-party = [[1]]", "appwitness.toml:2: first-party has to be a list, not"),
        ("lang = ", "appwitness.toml is not TOML"),
        ("a = " + "[" * 20_000, "appwitness.toml is not TOML: nested too deeply"),
        ("#" * 200_000, "appwitness.toml is larger than"),
        ("\ud800", "appwitness.toml is not TOML"),
        ("[report]\nrules = 3", "appwitness.toml:2: rules"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(here, text, says):
    (here / "appwitness.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    result = report()
    assert result.exit_code == 2
    assert says in result.output.replace("\n", " ")


def test_a_file_sets_no_option_but_those_that_are_named(here):
    """Whoever adds an option decides in settings.py whether the file of a stranger's repository may set it."""
    tried = 0
    for verb, option in OPTIONS:
        if option in settings.FOR_ALL | settings.FOR_ONE:
            continue
        table: dict[str, Any] = {option: "x"}
        for name in reversed(verb):
            table = {name: table}
        found = settings.FileSettings(here / "appwitness.toml", table, "")
        command = main.get_command(click.Context(main), verb[0])
        assert command
        with pytest.raises(UserError, match=f"--{option} cannot be set in a file"):
            found.defaults(verb[0], command)
        tried += 1
    assert tried > 50


@pytest.mark.parametrize(
    "option",
    [
        *("reveal", "db", "output", "template"),  # shows values, sends them elsewhere, overwrites a file, is a program
        *("tsa", "clear-data", "allow"),
        *("apk", "frida-server", "frida-gadget", "mode", "listen", "connect-to", "upstream-ca"),
    ],
)
def test_what_could_harm_is_not_among_them(option):
    assert option in {name for _, name in OPTIONS}
    assert option not in settings.FOR_ALL | settings.FOR_ONE


def test_each_option_that_may_be_set_is_there():
    assert {name for _, name in OPTIONS} >= settings.FOR_ALL | settings.FOR_ONE
    assert not settings.FOR_ALL & settings.FOR_ONE


def test_values_stay_masked_whatever_a_file_says(here):
    (here / "appwitness.toml").write_text("[report]\nreveal = true\n")
    result = report()
    assert (result.exit_code, "--reveal cannot be set in a file" in result.output.replace("\n", " ")) == (2, True)
    (here / "appwitness.toml").write_text("reveal = true\n")
    assert report().exit_code == 2


@pytest.mark.parametrize("path", ["/etc", "..", "a/../../x", "link"])
def test_no_path_leads_out_of_the_folder_of_the_file(here, path):
    (here / "link").symlink_to("/etc")
    (here / "appwitness.toml").write_text(f'rules = "{path}"\n')
    result = report()
    assert result.exit_code == 2
    assert "rules points outside the folder of this file" in result.output.replace("\n", " ")


def test_a_path_is_relative_to_the_file(here, monkeypatch):
    (here / "own").mkdir()
    (here / "below").mkdir()
    (here / "appwitness.toml").write_text('rules = "own"\n')
    monkeypatch.chdir(here / "below")
    assert report().exit_code == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_above_that_somebody_else_has_put_there_does_not_count(here, monkeypatch):
    path, below = here / "appwitness.toml", here / "mine"
    path.write_text('lang = "zh"\n')
    below.mkdir()
    os.chown(path, 54321, -1)
    monkeypatch.chdir(below)
    assert settings.find() is None
    os.chown(below, 54321, -1)  # a checkout that is another user's as a whole, as in a container
    assert (found := settings.find())
    assert found.path == path


def test_a_folder_that_is_gone_and_a_file_that_is_none_set_nothing(here, monkeypatch):
    (here / "gone").mkdir()
    os.mkfifo(here / "appwitness.toml")
    assert settings.find() is None
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()
    assert settings.find() is None


def test_nothing_in_a_file_acts_on_the_terminal(here):
    (here / "appwitness.toml").write_text('"a\\u001b[2J" = 1\n')
    assert "\x1b[2J" not in report().output


def test_it_is_said_that_a_file_holds_unless_quiet(here):
    (here / "appwitness.toml").write_text('law = "cn"\n')
    assert f"options of {here / 'appwitness.toml'} are in effect" in report().output.replace("\n", "")
    assert "in effect" not in report("--quiet").stderr


@pytest.mark.parametrize("text", ["quiet = true\n", "[report]\nquiet = true\n"])
def test_a_file_that_says_quiet_does_not_hide_that_it_holds(here, text):
    (here / "appwitness.toml").write_text(text)
    assert f"options of {here / 'appwitness.toml'} are in effect" in report().output.replace("\n", "")


@pytest.mark.parametrize("name", ["appwitness.toml", "pyproject.toml"])
def test_a_file_of_settings_elsewhere_is_not_followed(here, name):
    inner = here / "theirs"
    inner.mkdir()
    (here / "other.toml").write_text('lang = "zh"\n[tool.appwitness]\nlang = "zh"\n')
    (inner / name).symlink_to("../other.toml")
    if name == "pyproject.toml":
        assert settings.find(inner) is None
    else:
        with pytest.raises(UserError, match="points outside the folder"):
            settings.find(inner)


def test_config_says_what_holds_and_from_where(here):
    (here / "appwitness.toml").write_text('lang = "zh"\n[report]\nverbose = true\n')
    env = {"APPWITNESS_REPORT_DB": "postgresql://me:secret@host/index"}
    shown = run("config", env=env).output
    assert "secret" not in shown
    assert [line.split() for line in shown.splitlines()[2:4]] == [
        ["--lang", "zh", f"{here}/appwitness.toml:1"],
        ["report", "--verbose", "true", f"{here}/appwitness.toml:3"],
    ]
    rows = {line.split()[0]: line.split()[1:] for line in run("config", "report", env=env).output.splitlines()}
    assert rows["--lang"] == ["zh", f"{here}/appwitness.toml:1"]
    assert rows["--db"] == ["postgresql://***@host/index", "environment", "APPWITNESS_REPORT_DB"]
    assert rows["--reveal"] == ["false", "default"]
    assert run("config", "reprot").exit_code == 2
    assert run("config", "baseline").exit_code == 2
    assert run("config", "baseline", "write").exit_code == 0


def test_config_finds_every_error_of_a_file(here):
    (here / "appwitness.toml").write_text("[gate]\nplan = 'x'\n")
    assert "has no option --plan" in run("config").output.replace("\n", " ")


@pytest.mark.parametrize(
    ("options", "env", "coloured"),
    [
        ((), {}, False),  # no terminal
        (("--color", "always"), {}, True),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        ((), {"NO_COLOR": "1"}, False),
    ],
)
def test_colours_are_where_the_user_wants_them(options, env, coloured):
    assert ("\x1b[" in report(*options, env=env).output) == coloured

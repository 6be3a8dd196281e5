"""AGENTS.md: what it names is there."""

import re
import shlex
from pathlib import Path

import click

from appwitness.cli.verbs import EXIT_CODES, main
from appwitness.mcp.assistant_tools import ACTING, READING, AssistantTools

TEXT = (Path(__file__).parents[1] / "AGENTS.md").read_text("utf-8")


def test_each_command_exists_and_takes_what_it_is_given():
    commands = re.findall(r"^    (appwitness .*?)(?:\s+#.*)?$", TEXT, re.MULTILINE)
    commands += [each for each in re.findall(r"`(appwitness [a-z][^`]*)`", TEXT) if each != "appwitness mcp"]
    assert len(commands) >= 10
    for words in map(shlex.split, commands):
        command: click.Command = main
        context, rest = click.Context(main, info_name="appwitness"), words[1:]
        while isinstance(command, click.Group) and rest:
            name, rest = rest[0], rest[1:]
            found = command.get_command(context, name)
            assert found is not None, words
            command = found
        options = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
        assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= options, words


def test_its_exit_codes_are_those_of_the_program():
    assert {int(code): what for code, what in re.findall(r"^\| (\d+) \| (.*) \|$", TEXT, re.MULTILINE)} == EXIT_CODES


def test_its_tools_are_those_of_the_server():
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", TEXT, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert named == {*READING, *ACTING}
    assert all(getattr(AssistantTools, name).__doc__ for name in named)


def test_its_resources_are_those_of_the_server():
    source = (Path(__file__).parents[1] / "monitor/appwitness/mcp/mcp_server.py").read_text("utf-8")
    assert set(re.findall(r"appwitness://[\w/{}.]+", TEXT)) == set(re.findall(r'"(appwitness://[^"]+)"', source))

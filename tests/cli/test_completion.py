"""What Tab offers: values beside verbs and options, in three shells, without a word on the terminal."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from appwitness.api import completing
from appwitness.cli.verbs import main

PROGRAM = [
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'appwitness'; from appwitness.cli.verbs import main; main()",
]


@pytest.fixture(autouse=True)
def no_adb_server(monkeypatch):
    """Nobody listens there."""
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")


def offered(*words: str) -> list[str]:
    *before, last = words
    return [item.value for item in ShellComplete(main, {}, "appwitness", "_X").get_completions(before, last)]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("observe", "--device", "lab:ci"), ["lab:circle"]),
        (("doctor", "--device", "lab:ci"), ["lab:circle"]),
        (("observe", "--plan", "re"), ["refuse"]),
        (("demo", "--app", "ci"), ["circle"]),
        (("fleet", "plan", "--plans", "accept,re"), ["accept,refuse"]),
        (("fleet", "run", "--devices", "lab:circle,lab:sk"), ["lab:circle,lab:skies"]),
        (("fleet", "ranking", "--rule", "sent-bef"), ["sent-before-consent"]),
        (("list", "rules", "sent-bef"), ["sent-before-consent"]),
        (("rules", "sent-bef"), ["sent-before-consent"]),
        (("list", "sources", "android.telephony.TelephonyManager.getLine1NumberF"), [
            "android.telephony.TelephonyManager.getLine1NumberForDisplay"
        ]),
        (("list", "laws", "--type", "F2"), [f"F2{digit}" for digit in range(9)]),
        (("list", "laws", "--law", "cn,e"), ["cn,eu"]),
        (("mark", "consent", "given", "--data", "phone"), ["phone_number"]),
        (("import", "--value", "phone"), ["phone_number="]),
        (("forget", "--value", "phone"), ["phone_number="]),
        (("report", "--app-type", "3"), ["3", *(str(number) for number in range(30, 40))]),
        (("report", "--law", "no-such"), []),
        (("observe", "--app", ""), []),
        (("ind",), ["index"]),
        (("corr",), []),
    ],
)  # fmt: skip
def test_values_are_offered(words, values):
    assert offered(*words) == values


def test_where_something_fails_nothing_is_offered(monkeypatch):
    monkeypatch.setattr(completing, "rules", lambda: 1 / 0)
    assert offered("list", "rules", "sent") == []


def asked(shell: str, what: str, **env: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | env | {"_APPWITNESS_COMPLETE": f"{shell}_{what}", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(PROGRAM, env=env, capture_output=True, text=True, check=False)


@cache
def script_of(shell: str) -> str:
    """What a shell is given to read at its start."""
    return asked(shell, "source").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_given_a_value(shell):
    assert "_APPWITNESS_COMPLETE" in script_of(shell)
    words = "appwitness list rules sent-bef"
    done = asked(shell, "complete", COMP_WORDS=words, COMP_CWORD="sent-bef" if shell == "fish" else "3")
    assert "sent-before-consent" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        (["observe", "--device", "=", "lab", ":", "ci"], "circle"),
        (["observe", "--plan", "=", "re"], "refuse"),
        (["import", "--value", "phone"], "phone_number="),
    ],
)
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_puts_the_rest_behind_the_colon(words, rest, tmp_path):
    """As bash calls it, which takes words apart at : and =."""
    source = tmp_path / "source"
    source.write_text(script_of("bash"))
    (tmp_path / "appwitness").write_text(
        f"#!{sys.executable}\nimport sys\nsys.argv[0] = 'appwitness'\nfrom appwitness.cli.verbs import main\nmain()\n"
    )
    (tmp_path / "appwitness").chmod(0o755)
    script = (
        f"source {source}; COMP_WORDS=(appwitness {' '.join(words)}); COMP_CWORD={len(words)}; "
        '_appwitness_completion appwitness; echo "${COMPREPLY[@]}"'
    )
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == (rest, "")


def test_every_option_that_names_one_of_these_completes_it():
    """Whoever adds an option for a device, a law or a type of app has it completed."""

    def leaves(command):
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                yield from leaves(command.get_command(context, name))
        else:
            yield command

    tried = 0
    for verb in leaves(main):
        for param in verb.params:
            if param.name in ("device", "laws", "app_type") and not isinstance(param.type, click.Choice):
                assert param.shell_complete(click.Context(verb), ""), (verb.name, param.name)
                tried += 1
    assert tried > 10

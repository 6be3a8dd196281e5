"""What the prose names is there: verbs, exit codes, paths, rules, make targets."""

import re
import textwrap
import tomllib
from pathlib import Path

import click
import pytest

from appwitness.agent.sources import load
from appwitness.api import expected
from appwitness.api.demo import DEMO
from appwitness.cli import settings
from appwitness.cli.front_page import VERBS
from appwitness.cli.verbs import EXIT_CODES, main
from appwitness.correlate import knowledge
from tests.bench.__main__ import modules as benchmarks

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
README_ZH = (ROOT / "README.zh.md").read_text("utf-8")
REFERENCE = (ROOT / "docs/reference.md").read_text("utf-8")
PROSE = "\n".join(
    path.read_text("utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "README.zh.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("**/*.md")),
    )
)
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def test_the_table_of_exit_codes_is_that_of_the_program():
    table = re.findall(r"^\| (\d+) \| (.*) \|$", REFERENCE, re.MULTILINE)
    assert {int(code): meaning for code, meaning in table} == EXIT_CODES


def verbs_of_the_program():
    context = click.Context(main)
    return {name: main.get_command(context, name) for name in VERBS}


def test_the_verbs_are_those_of_the_program():
    assert set(re.findall(r"^\| `appwitness ([\w-]+)`", REFERENCE, re.MULTILINE)) == set(VERBS)


def test_the_number_of_sources_is_the_one_that_runs_count():
    known = len({source.name for source in load()})
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    said = re.findall(r"([\d,]+) (?:APIs|sources)(?: are known| of \d+ kinds|, from)", f"{PROSE}\n{changes}")
    assert len(said) >= 3
    assert set(said) == {f"{known:,}"}


def test_links_lead_to_files_and_headings_that_exist():
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")):
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
            name, _, anchor = target.partition("#")
            if ":" in name:
                continue
            file = path.parent / name if name else path
            assert file.exists(), (path, target)
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE) if anchor else []
            anchors = {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings}
            assert not anchor or anchor in anchors, (path, target)


def test_the_file_of_options_that_is_shown_holds():
    (shown,) = re.findall(r"(?<=\n\n)    lang = .*?(?=\n\n\S)", REFERENCE, re.DOTALL)
    text = textwrap.dedent(shown)
    found = settings.FileSettings(ROOT / "appwitness.toml", tomllib.loads(text), text)
    settings.check(found, VERBS)
    for name, verb in verbs_of_the_program().items():
        assert found.defaults(name, verb) is not None
    assert found.defaults("observe", main.commands["observe"])["seconds"] == 120


def test_pictures_are_small():
    pictures = set(re.findall(r"docs/pictures/[\w-]+\.png", README))
    assert pictures
    assert all((ROOT / picture).stat().st_size <= 100_000 for picture in pictures)


def test_make_targets_exist():
    for target in re.findall(r"(?:`|^    )make ([a-z][a-z0-9-]*)", PROSE, re.MULTILINE):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_benchmarks_exist():
    shown = re.findall(r"python -m tests\.bench((?: [a-z]+)+)", README)
    assert {name for names in shown for name in names.split()} <= benchmarks().keys()


def test_paths_exist():
    named = set(re.findall(r"[`(]((?:monitor|addons|hooks|tests|docs|\.ci)/[\w./-]+)[`)]", PROSE))
    assert named
    assert not [path for path in named if not (ROOT / path).exists()]


def test_options_that_the_prose_shows_exist():
    verbs = list(verbs_of_the_program().values())
    verbs += [sub for verb in verbs if isinstance(verb, click.Group) for sub in verb.commands.values()]
    options = {option for verb in verbs for param in verb.params for option in (*param.opts, *param.secondary_opts)}
    others = re.sub(
        r"(?:ARM64=|python -m tests\.\w+|/pytest |mypy |docker \w+ |bundletool |apksigner |debootstrap ).*",
        "",
        PROSE.replace("\\\n", ""),
    )
    plugin = (ROOT / "monitor/appwitness/pytest_plugin.py").read_text("utf-8")
    options |= set(re.findall(r'"(--appwitness-[a-z-]+)"', plugin))
    shown = set(re.findall(r"(?<![-\w])(--[a-z]+(?:-[a-z]+)*)", others)) - {"--set", "--help"}
    assert shown <= options


@pytest.mark.parametrize(
    ("readme", "answers"),
    [
        (README, {"accept": "yes", "refuse": "no", "withdraw": "yes, then no"}),
        (README_ZH, {"accept": "同意", "refuse": "不同意", "withdraw": "先同意，后撤回"}),
    ],
    ids=["en", "zh"],
)
def test_the_table_of_sample_apps_is_what_the_demo_expects(readme, answers):
    said = "|".join(answers.values())
    rows = re.findall(rf"^\| ([A-Z][a-z]+) \|.*\| ({said}) \| (.*) \|$", readme, re.MULTILINE)
    shown = {name.lower(): (answer, set(re.findall(r"`([\w-]+)`", rules))) for name, answer, rules in rows}
    assert shown == {
        name: (answers[plan], {one.rule for one in expected.load()[name][plan] if one.level in ("high", "medium")})
        for name, plan in DEMO
    }
    assert set().union(*(rules for _, rules in shown.values())) <= {rule.id for rule in knowledge().rules}


def test_every_verb_explains_itself():
    for name, command in verbs_of_the_program().items():
        assert command.help, name
        for param in command.params:
            if param.param_type_name == "option":
                assert getattr(param, "help", None), (name, param.name)

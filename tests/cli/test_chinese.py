"""Where the locale is Chinese, help, errors and what verbs print are Chinese; machines read English in any locale."""

from __future__ import annotations

import json
import os
import re
import string
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from appwitness.cli.local_words import paragraphs, width
from appwitness.cli.terminal import columns
from appwitness.cli.verbs import main
from appwitness.devices.android.faults import entries, fault
from appwitness.support.spoken import AND, Spoken, listed, say
from tests import translations
from tests.captures import har
from tests.observed import CHINESE
from tests.recordings.written import RECORDINGS

ENGLISH = re.compile(r"(?<![\w/.`'=-])[A-Za-z]+(?: [a-z]+){2,}(?![\w/`'=-])")
"""Three words of English and more, one after the other."""
SAME = {
    "{abi}": "a list of architectures",
    "{rom}": "filled with a text that is Chinese",
    "{power}": "filled with a text that is Chinese",
    "{parts}": "names and versions of packages",
    "{remedy}": "filled with a text that is Chinese",
    "名称": "a head in Chinese",
}
"""Texts that are the same in both languages, and why."""


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.fixture
def chinese(monkeypatch):
    for name, value in CHINESE.items():
        monkeypatch.setenv(name, value)


def ran(*words, **options):
    """The program in a process of its own, as a user in China starts it."""
    command = [sys.executable, "-m", "appwitness", *map(str, words)]
    return subprocess.run(command, env=os.environ | CHINESE, capture_output=True, text=True, check=False, **options)


def without_names(text):
    """A text without commands, options, paths and quoted texts."""
    return re.sub(r"`[^`]*`|“[^”]*”|(?<!\S)--?\S+|\S*[/.:]\S*|appwitness [a-z ]+", "", text)


@pytest.mark.parametrize(
    "texts",
    [
        translations.of_verbs,
        translations.of_faults,
        translations.of_checks,
        translations.of_code,
        translations.of_click,
    ],
    ids=["help", "faults", "doctor", "code", "click"],
)
def test_every_text_has_its_chinese_with_the_same_fields(texts):
    there = translations.translated()
    for text in dict.fromkeys(filter(None, texts())):
        said = there.get(text, "")
        english = text[-1] if isinstance(text, tuple) else text
        assert said, f"no Chinese: {english!r}; `python -m tests.translations` puts it into zh.po"
        assert fields(said) == fields(english), said
        assert said != english or english in SAME, f"not Chinese: {said}"


def test_texts_in_code_that_have_their_chinese_have_the_same_fields():
    for text, said in translations.translated().items():
        english = text[-1] if isinstance(text, tuple) else text
        assert not said or fields(said) == fields(english), said


def test_no_text_for_people_is_put_together_where_it_cannot_be_translated():
    assert list(translations.put_together()) == []


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("names", [names for names, _ in translations.commands()], ids=" ".join)
def test_help_of_every_verb_is_chinese_and_fits_the_screen(names):
    shown = CliRunner().invoke(main, [*names, "--help"], terminal_width=80).stdout
    usage, _, rest = shown.partition("\n")
    assert usage.startswith("用法：")
    assert not ENGLISH.findall(without_names(rest)), shown
    assert max(width(line) for line in shown.splitlines() if "[" not in line) <= 80
    assert "：\n" in shown
    assert not re.search(r"^\s*[，。；：、）”]", shown, re.MULTILINE), "a line begins with punctuation"


def test_a_fault_is_chinese_with_its_fields_and_english_for_programs():
    error = fault("device-lost", serial="emulator-5554")
    assert say(error.what, "zh") == "emulator-5554 已断开。"
    assert say(error.next_step, "zh") == "请确认数据线牢固或网络畅通，然后重试。"
    left = fault("changes-left", serial="emulator-5554", count=2)
    assert "`appwitness undo --device emulator-5554`" in say(left.next_step, "zh")
    assert json.dumps([error.what]) == '["emulator-5554 is no longer there."]'
    for code, entry in entries().items():
        made = fault(code, **dict.fromkeys(entry.fields, "{x}"))
        assert re.search("[一-鿿]", say(made.what, "zh")), code
        assert say(made.what, "en") == str(made.what)


@pytest.mark.usefixtures("chinese")
def test_what_devices_can_do_is_chinese_and_their_names_are_as_they_are(capsys):
    columns(("device", "hooks"), [("yes", Spoken("all apps after adb root"))])
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["设备", "钩子"]
    assert row == "yes   所有应用（须先 adb root）"


def test_a_text_in_a_text_is_said_in_the_same_language():
    both = listed([Spoken("{number} {what}", number=3, what=Spoken("contacts")), Spoken("none")], AND)
    assert both == "3 contacts and none"
    assert say(both, "zh") == "3 个联系人和无"
    assert say("nobody translated this", "zh") == "nobody translated this"


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    "words",
    [
        ["reprot"],
        ["gate", "--fail-on", "x"],
        ["gate"],
        ["verify"],
        ["report", "--no-such-option"],
        ["doctor", "--wait", "x"],
        ["verify", "nowhere"],
    ],
    ids=" ".join,
)
def test_errors_of_the_command_line_are_chinese(words, tmp_path):
    said = CliRunner().invoke(main, words)
    assert said.exit_code == 2
    assert re.search("[一-鿿]", said.output)
    assert not ENGLISH.findall(without_names(said.output)), said.output


def test_the_same_process_speaks_english_again(monkeypatch, chinese):
    assert "用法" in CliRunner().invoke(main, ["key", "--help"]).stdout
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert "Usage:" in CliRunner().invoke(main, ["key", "--help"]).stdout
    assert "No such option" in CliRunner().invoke(main, ["key", "--x"]).output


def test_paragraphs_are_one_line_each():
    assert paragraphs("One\n    line.\n\n    Two.") == ["One line.", "Two."]
    assert isinstance(main, click.Group)


@pytest.mark.usefixtures("chinese")
def test_doctor_verify_and_import_speak_chinese(tmp_path):
    """On the lab device; an import that is whole, that somebody added to and that is cut off; and what cannot be."""

    def ran(*words):
        return CliRunner().invoke(main, list(map(str, words)))

    capture, run = tmp_path / "capture.har", tmp_path / "run"
    capture.write_text(har("https://collect.adnet.test/v1?phone=%2B8613800138000"), "utf-8")
    value = "--value=phone_number=+8613800138000"
    told = [
        (0, "正常", ran("doctor", "--device", "lab:circle")),
        (0, "上传 1", ran("import", capture, "--app", "com.example.shop", value, "--output", run)),
        (0, "完好", ran("verify", run)),
    ]
    with (run / "uploads.jsonl").open("a", encoding="utf-8") as lines:
        lines.write("{}\n")
    told.append((5, "没有封存覆盖它", ran("verify", run)))
    (run / "uploads.jsonl").write_text("", "utf-8")
    told.append((5, "称共有 1 行", ran("verify", run)))
    told.append((5, "从未封存", ran("verify", RECORDINGS / "sent-before-consent")))
    told.append((2, "不是空的", ran("import", capture, "--app", "com.example.shop", value, "--output", run)))
    told.append((2, "请写明", ran("import", capture)))
    told.append((2, "既不是 HAR", ran("import", __file__, "--app", "a.b")))
    for code, says, each in told:
        said = each.output
        assert says in said
        assert each.exit_code == code, said
        assert not ENGLISH.findall(without_names(said)), said


@pytest.mark.lab
@pytest.mark.usefixtures("chinese")
def test_observe_speaks_chinese_and_its_json_english(tmp_path, circle):
    assert "正在观测" in circle.said
    assert "用户同意之前" in circle.said
    assert not ENGLISH.findall(without_names(circle.said)), circle.said
    words = ("observe", "--device", "lab:circle", "--json", "--seconds", "1", "--output", str(tmp_path / "other"))
    told = CliRunner().invoke(main, words)
    stages = [each["what"] for each in map(json.loads, told.stdout.splitlines()) if each["event"] == "stage"]
    assert stages
    assert all(map(str.isascii, stages))


@pytest.mark.usefixtures("chinese")
def test_what_programs_read_is_english():
    told = json.loads(CliRunner().invoke(main, ["doctor", "--device", "lab:circle", "--json"]).stdout)
    assert all(each["message"].isascii() for each in told["results"])

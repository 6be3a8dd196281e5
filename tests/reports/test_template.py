"""A template from somebody else: no way from it to code or files, and an end to what it takes; what it may use."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from appwitness.events import AppIdentity
from appwitness.reports import html, render
from appwitness.reports.complaint import own
from appwitness.reports.complaint.letter import Letter, plain_data
from appwitness.reports.words import Words
from appwitness.support.errors import FileError
from tests.reports import sample

DOCS = Path(__file__).parents[2] / "docs/templates.md"


def letter() -> Letter:
    return Letter(sample.report(), Words("en"), "eu", reveal=False)


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "borrowed.md"
    file.write_text(text, "utf-8")
    return render(sample.report(), "complaint", template=file)


ATTACKS = {
    "class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "class by item": "{{ ''['__class__'] }}",
    "class by filter": "{{ ''|attr('__class__') }}",
    "class by map": "{{ (['']|map(attribute='__class__')|first).__mro__ }}",
    "class by groupby": "{{ ([letter]|groupby('__class__')|first)[0].__mro__ }}",
    "class by a joined name": "{{ letter['__cl' ~ 'ass__'] }}",
    "format": "{{ '{0.__class__}'.format(letter) }}",
    "format map": "{{ '{a.__class__}'.format_map({'a': letter}) }}",
    "format by name": "{{ ''['format']('{0.__class__}', letter) }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "joiner": "{{ joiner.__init__.__globals__ }}",
    "namespace": "{{ namespace.__init__.__globals__ }}",
    "lipsum": "{{ lipsum.__globals__['os'].system('id') }}",
    "dict": "{{ dict.mro() }}",
    "self": "{{ self.__init__.__globals__ }}",
    "self's context": "{{ self._TemplateReference__context }}",
    "undefined": "{{ unknown.__init__.__globals__ }}",
    "request": "{{ request.application.__globals__ }}",
    "config": "{{ config.items() }}",
    "words": "{{ t.__globals__ }}",
    "words' function": "{{ t.__func__.__globals__ }}",
    "words' object": "{{ t.__self__ }}",
    "moment": "{{ letter.moment.__globals__ }}",
    "macro": "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}",
    "macro's function": "{% macro m() %}{% endmacro %}{{ m._func }}",
    "loop": "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "imported": "{% import 'complaint/parts.en.md' as parts with context %}{{ parts.__init__.__globals__ }}",
    "imported stream": "{% import 'complaint/parts.en.md' as parts with context %}{{ parts._body_stream }}",
    "pydantic": "{{ letter.run.model_construct() }}",
    "pydantic copy": "{{ letter.report.run.model_copy() }}",
    "pydantic fields": "{{ letter.run.model_fields }}",
    "path": "{{ letter.report.path.write_text('x') }}",
    "list method": "{{ letter.facts.append(1) }}",
    "dict method": "{{ letter.update({'a': 1}) }}",
    "include": "{% include '/etc/passwd' %}",
    "include above": "{% include '../report.html' %}",
    "include of another template": "{% include 'report.html' %}",
    "extends": "{% extends '/etc/passwd' %}",
    "import": "{% import '/etc/passwd' as x %}",
    "from": "{% from '/etc/passwd' import x %}",
    "do": "{% do letter.clear() %}",
    "debug": "{% debug %}",
    "safe": "{{ letter.law|safe }}",
    "many": "{% for i in range(10**9) %}x{% endfor %}",
    "long": "{{ 'a' * 10**9 }}",
    "longer": "{{ 'a' * 10**12 }}",
    "power": "{{ 10**(10**9) }}",
    "padding": "{{ '%1000000000d'|format(1) }}",
    "large": "{% for i in range(90000) %}{{ 'x' * 1000 }}{% endfor %}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "itself": "{% import 'complaint/parts.en.md' as parts %}{% include self %}",
    "nested brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "nested loops": "{% for x in [1] %}" * 60 + "{% endfor %}" * 60,
}


@pytest.mark.slow
@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_no_attack_comes_through(tmp_path, monkeypatch, text):
    monkeypatch.setattr(own, "SECONDS", 3)
    with pytest.raises(FileError, match=r"borrowed\.md") as error:
        written(tmp_path, text)
    assert len(str(error.value)) < 1000


def test_loops_in_loops_end(tmp_path, monkeypatch):
    monkeypatch.setattr(own, "SECONDS", 1)
    with pytest.raises(FileError, match="needs more than 1 s"):
        written(tmp_path, "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}")


ESCAPED = """
import json, os, socket, subprocess, sys
from appwitness.reports.complaint import own
own.confine()
got = []
for name, what in {
    "read": lambda: open("/etc/passwd"),
    "write": lambda: open(sys.argv[1], "w"),
    "shell": lambda: subprocess.run(["sh", "-c", "echo x > " + sys.argv[1]], check=True),
    "system": lambda: os.system("echo x > " + sys.argv[1]) and 1 / 0,
    "network": lambda: socket.socket(),
}.items():
    try:
        what()
    except (OSError, ZeroDivisionError):
        continue
    got.append(name)
os.write(1, json.dumps(got).encode())
"""


def test_where_it_is_rendered_nothing_can_be_opened_even_by_code(tmp_path):
    """Should the sandbox fail: what follows runs in the place of a template."""
    target = tmp_path / "target"
    done = subprocess.run([sys.executable, "-c", ESCAPED, str(target)], capture_output=True, check=True)
    assert json.loads(done.stdout) == []
    assert not target.exists()


def test_the_limits_are_those_of_the_child_alone(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert written(tmp_path, "{{ letter.law }}") == "eu"
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(type(key) is str and plain(held) for key, held in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    return value is None or type(value) in (str, int, float, bool)


def test_a_template_gets_plain_data_only():
    fields = letter().fields()
    assert plain(fields)
    assert json.loads(json.dumps(fields)) == fields
    assert plain_data(AppIdentity(package="x"))["package"] == "x"
    with pytest.raises(TypeError, match="PosixPath"):
        plain_data({"path": Path("/")})
    with pytest.raises(TypeError, match="Words"):
        plain_data(Words("en"))


GOOD = {
    "{{ letter.run.app.package|code }}": "`com.example.circle`",
    "{{ letter.moment(letter.run.started) }}": letter().moment(sample.report().run.started),
    "{% for fact in letter.facts[:2] %}{{ loop.index }}{{ fact.number }}{% endfor %}": "1122",
    "{{ letter.facts[0].values|length }}": str(len(letter().facts[0]["values"])),
    "{% for name, version in letter.run.versions|dictsort %}{{ name }} {% endfor %}": " ".join(
        [*sorted(sample.report().run.versions), ""]
    ),
    "{% import 'complaint/parts.en.md' as parts with context %}{{ parts.blank('x') }}": "**[TO FILL IN: x]**",
    "{{ t('flows') }}": "Flows",
    "{{ letter.law|upper }}": "EU",
}


def test_what_a_letter_needs_it_has(tmp_path):
    assert written(tmp_path, " | ".join(GOOD)) == " | ".join(GOOD.values())


def test_the_docs_name_every_field_and_filter():
    told = DOCS.read_text("utf-8")
    fields = letter().fields()
    names = [*fields, *fields["facts"][0], *fields["proofs"][0], *fields["grounds"][0], *html.FILTERS, "code", "moment"]
    assert [name for name in names if f"`{name}`" not in told] == []


def test_a_template_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(own, "TEMPLATE_BYTES", 100)
    with pytest.raises(Exception, match="is larger than"):
        written(tmp_path, "x" * 101)

"""Nothing that an app, a server or a file put into a recording comes out of any face unless values are revealed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from appwitness.api.browsing import Browsing
from appwitness.care import shared
from appwitness.cli.verbs import main
from appwitness.correlate import correlate
from appwitness.gate.reports import FORMATS as GATE_FORMATS
from appwitness.reports import FORMATS
from appwitness.reports.comparison import FORMATS as COMPARISONS
from appwitness.store import Store
from appwitness.web.query import Site
from appwitness.web.routes import PAGES, app
from tests.care import sieve
from tests.web.serving import TOKEN, visitor


class Sifted(NamedTuple):
    """Two recordings of one app with the same kind of texts in them, their index, and what must not come out."""

    first: Path
    second: Path
    database: Path
    secrets: dict[str, str]


@pytest.fixture(scope="module", params=["secrets", "spellings"])
def sifted(request, known, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sieve")
    say = sieve.Secrets() if request.param == "secrets" else sieve.Spelt()
    index = folder / "index.sqlite"
    with Store(index) as store:
        for name, plan in (("first", "refuse"), ("second", "accept")):
            correlate(sieve.made(folder / name, say, name, plan), store, known)
    secrets = dict(say.of) if isinstance(say, sieve.Secrets) else {}
    secrets |= {text: type_ for type_, text in sieve.PLANTED} | {
        "13817425936": "the phone number",
        "Zdrojewska": "name",
    }
    return Sifted(folder / "first", folder / "second", index, secrets)


def checked(output: str, sifted: Sifted) -> None:
    assert {sifted.secrets[secret] for secret in sieve.told(output, sifted.secrets)} == set()


@pytest.fixture(autouse=True)
def own_home(sifted, tmp_path, monkeypatch):
    """A home, and the index in which both recordings are."""
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("APPWITNESS_DB", str(sifted.database))
    monkeypatch.setenv("APPWITNESS_RECORDINGS", str(tmp_path / "recordings"))
    monkeypatch.chdir(tmp_path)


def ran(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code in (0, 1, 2, 3, 5), (result.output, result.exception)
    return result


def test_the_oracle_reads_what_it_should(sifted):
    for file in sifted.first.glob("*.json*"):
        text = file.read_text("utf-8")
        if sifted.secrets.keys() - {text for _, text in sieve.PLANTED}:
            assert sieve.told(text, sifted.secrets), file
    for spell in sieve.SPELLINGS:
        assert sieve.told(spell(sieve.PHONE), [sieve.PHONE]), spell(sieve.PHONE)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("format_", FORMATS)
def test_reports(sifted, format_, lang):
    said = ran("report", sifted.first, "--format", format_, "--lang", lang, *(["--verbose"] * (format_ == "text")))
    assert said.exit_code != 2, said.output
    checked(said.output, sifted)


@pytest.mark.parametrize("format_", COMPARISONS)
def test_comparisons(sifted, format_):
    said = ran("compare", sifted.first, sifted.second, "--format", format_)
    assert said.exit_code != 2, said.output
    checked(said.output, sifted)


@pytest.mark.parametrize("format_", GATE_FORMATS)
@pytest.mark.parametrize("verb", ["gate", "diff"])
def test_gates(sifted, verb, format_):
    said = ran(verb, sifted.first, *([sifted.second] if verb == "diff" else []), "--format", format_)
    assert said.exit_code != 2, said.output
    checked(said.output, sifted)


def test_explanations(sifted):
    report = json.loads(ran("report", sifted.first, "--format", "json").stdout)
    assert report["flows"]
    for flow in report["flows"][:4]:
        for options in ((), ("--json",), ("--lang", "zh")):
            checked(ran("explain", sifted.first, flow["id"], *options).output, sifted)
    checked(ran("explain", sifted.first, "f999").output, sifted)
    for finding in report["findings"][:6]:
        which = finding.get("fingerprints", {}).get("v2", "v2:0123456789ab")
        for options in ((), ("--json",)):
            checked(ran("explain", sifted.first, which, *options).output, sifted)


@pytest.mark.parametrize(
    "arguments",
    [
        ("mark", "list", "--recording"),
        ("verify",),
        ("export",),
        ("index", "correlate"),
        ("forget", "--dry-run"),
    ],
    ids=" ".join,
)
def test_other_verbs(sifted, arguments):
    checked(ran(*arguments, sifted.first).output, sifted)


@pytest.mark.parametrize("table", ["runs", "findings", "flows", "recipients"])
def test_exports_of_a_fleet(sifted, table):
    checked(ran("fleet", "export", table, "--db", sifted.database).output, sifted)


@pytest.mark.parametrize("by", ["recipient", "sdk", "data", "rule", "finding", "app"])
def test_rankings(sifted, by):
    for format_ in ("text", "json"):
        checked(ran("fleet", "ranking", "--by", by, "--format", format_, "--db", sifted.database).output, sifted)


@pytest.mark.parametrize("path", [path for path in PAGES if "campaign" not in path and "har" not in path])
def test_pages(sifted, known, path):
    with Store(sifted.database) as store:
        browsing = Browsing(store, known)
        pages = visitor(app(Site(browsing, TOKEN)))
        path = path.replace("{recording}", "first").replace("{number:line}", "1")
        path = path.replace("{host}", "adnet.test").replace("{rule}", "sent-before-consent")
        for query in ("", "?format=json", "?lang=zh", "?why=1&run=first&run=second&leaf=1&step=0"):
            answer = pages.get(path + query)
            assert answer.status_code in (200, 404), answer.text
            checked(answer.text, sifted)


def test_shared_copies(sifted, tmp_path):
    copy = shared(sifted.first, tmp_path / "copy").path
    for file in copy.rglob("*"):
        if file.is_file():
            checked(file.read_text("utf-8", "replace"), sifted)

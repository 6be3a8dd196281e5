"""What other tools get of a campaign: tables that run nothing and show no value, the same in each format; letters."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile

import duckdb
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from appwitness.api.checklists import checklist
from appwitness.cli.verbs import main
from appwitness.correlate import correlate, knowledge
from appwitness.events import Run
from appwitness.fleet.exporting import LetterOptions, write_csv, write_letters, write_parquet
from appwitness.fleet.objects import objects
from appwitness.recording import Recording, packing
from appwitness.store import Store
from appwitness.store.campaign_tables import TABLES, CampaignTable, table
from appwitness.store.fleet_tables import Planned, RunRow, Waiting
from appwitness.store.runs import Runs
from tests.recordings.written import RECORDINGS
from tests.store.test_ranking import found, keep, sent


def fill(place: str) -> None:
    """An index with two campaigns, and runs of one."""
    with Store(place) as store:
        for number, campaign in enumerate(("night", "night", "day")):
            flows = [sent("ads.test"), sent(f"+86138000{number}1234")]
            keep(store, f"r{number}", flows, [found("read-before-consent")], app=f"com.a{number}", campaign=campaign)
        keep(store, "unjudged", [sent()], judged=None)
    with Runs(place) as runs:
        runs.plan([Planned("night-a0-accept", "night", "a0", "=cmd|' /C calc'!A0", "accept", "")])
        run = runs.take(Waiting("night", ""), "host-1", "phone", 60)
        assert run
        runs.recorded(run.id, f"{run.id}-a1", "phone")


@pytest.fixture
def index(tmp_path):
    fill(str(tmp_path / "i.sqlite"))
    return str(tmp_path / "i.sqlite")


def as_csv(place, name, campaign=None, **options):
    text = io.StringIO(newline="")
    count = write_csv(table(place, name, campaign), text, **options)
    rows = list(csv.DictReader(io.StringIO(text.getvalue(), newline="")))
    assert len(rows) == count
    return rows


def test_tables_have_a_row_each_of_what_was_judged(index):
    assert {row["recording"] for row in as_csv(index, "findings")} == {"r0", "r1", "r2"}
    assert {row["recording"] for row in as_csv(index, "flows", "night")} == {"r0", "r1"}
    assert len(as_csv(index, "flows", "night")) == 4
    assert as_csv(index, "flows", "no such") == []
    [first, *_] = as_csv(index, "recipients", "night")
    assert (first["recipient"], first["apps"], first["runs"], first["flows"]) == ("ads.test", "2", "2", "2")


def test_they_are_the_same_on_postgresql(index, empty_database):
    fill(empty_database)
    for name in TABLES:
        rows = [as_csv(place, name) for place in (index, empty_database)]
        for row in rows[0] + rows[1]:
            for when in ("leased_at", "recorded_at"):
                row.pop(when, None)
        assert sorted(map(str, rows[0])) == sorted(map(str, rows[1]))


def test_runs_say_who_made_them_and_when(index):
    [run] = as_csv(index, "runs", "night")
    assert (run["state"], run["machine"], run["device"], run["recording"]) == (
        *("recorded", "host-1", "phone", "night-a0-accept-a1"),
    )
    assert run["recorded_at"].endswith("Z")
    assert run["judged_at"] == ""


def test_a_spreadsheet_runs_nothing(index):
    [run] = as_csv(index, "runs")
    assert run["package"] == "'=cmd|' /C calc'!A0"
    texts = [f"{sign}1+1" for sign in "=+-@\t\r"]
    out = io.StringIO(newline="")
    write_csv(CampaignTable({"a": str, "b": int}, iter([(text, -1) for text in texts])), out)
    rows = list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1:]
    assert rows == [[f"'{text}", "-1"] for text in texts]


def test_numbers_in_names_of_recipients_are_masked(index):
    shown = {row["recipient"] for row in as_csv(index, "recipients", reveal=True)}
    assert "'+8613800001234" in shown
    hidden = str([as_csv(index, name) for name in TABLES])
    assert "86138000" not in hidden
    assert "ads.test" in hidden


@pytest.mark.parametrize("name", TABLES)
def test_parquet_has_the_same(index, tmp_path, name):
    rows = as_csv(index, name)
    assert write_parquet(table(index, name), tmp_path / "t.parquet") == len(rows)
    assert oct((tmp_path / "t.parquet").stat().st_mode)[-3:] == "600"
    assert [path.name for path in tmp_path.iterdir() if "parquet" in path.name or path.is_dir()] == ["t.parquet"]
    read = duckdb.read_parquet(str(tmp_path / "t.parquet"))
    assert read.columns == list(table(index, name).columns)
    for row, there in zip(rows, read.fetchall(), strict=True):
        assert [value.removeprefix("'") for value in row.values()] == [
            "" if value is None else str(value) for value in there
        ]


def test_parquet_keeps_odd_texts_and_tells_none_from_empty(tmp_path):
    rows = [("a\r\nb", 1, True), ('"x", y', None, False), ("", 0, None), (None, -(1 << 60), None), ("NULL", 1, True)]
    write_parquet(CampaignTable({"text": str, "number": int, "flag": bool}, iter(rows)), tmp_path / "t.parquet")
    assert duckdb.read_parquet(str(tmp_path / "t.parquet")).fetchall() == rows


def test_a_letter_for_each_recording_with_findings_by_app(server, tmp_path):
    kept, known = objects(server.place()), knowledge()
    with Store(tmp_path / "index.sqlite") as store:
        for name in ("address-book-upload", "clean-bank", "sent-before-consent"):
            packing.write(RECORDINGS / name, tmp_path / f"{name}.zip")
            kept.put(name, tmp_path / f"{name}.zip")
            kept.complete(name)
            with kept.fetched(name) as here:
                correlate(Recording.open(here), store, known)
        findings = table(tmp_path / "index.sqlite", "findings")
        assert write_letters(store, known, findings, tmp_path / "letters.zip", LetterOptions("en")) == 2
    with zipfile.ZipFile(tmp_path / "letters.zip") as letters:
        names = letters.namelist()
        assert names == ["com.example.shop/address-book-upload.md", "com.example.shop/sent-before-consent.md"]
        text = letters.read(names[1]).decode()
    assert text.startswith("# Complaint under Article 77")
    assert "Personal values are masked" in text
    run = Run.model_validate_json((RECORDINGS / "sent-before-consent" / "run.json").read_bytes())
    assert run.app.package in text


@pytest.fixture
def judged(tmp_path):
    """An index with runs that a fleet made of two apps: two of the one, and one of the other; one was never made."""
    place = str(tmp_path / "index.sqlite")
    with Store(place) as store, Runs(place) as runs:
        for name in ("address-book-upload", "sent-before-consent", "clean-bank"):
            recording = Recording.open(RECORDINGS / name)
            correlate(recording, store, knowledge())
            package = recording.run.app.package
            runs.plan([Planned(name, "spring", package, package, "accept", "")])
            run = runs.take(Waiting("spring", ""), "host-1", "phone", 60)
            assert run
            runs.recorded(run.id, recording.run.id, "phone")
            judging = runs.to_judge(60)
            assert judging
            runs.judged(judging.lease, 1, recording.run.id)
        runs.plan([Planned("later", "spring", "com.later", "com.later", "accept", "")])
    return place


def test_a_checklist_for_each_app_filled_from_all_its_runs(judged, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = CliRunner().invoke(
        main, ["fleet", "checklists", "eu-audit", "--campaign", "spring", "--output", "l.zip", "--db", judged, "--json"]
    )
    assert written.exit_code == 0, written.output
    assert json.loads(written.stdout)["checklists"] == 2
    with zipfile.ZipFile("l.zip") as lists:
        names = lists.namelist()
        read = {name.partition("/")[0]: json.loads(lists.read(name)) for name in names if name.endswith(".json")}
        page = lists.read(next(name for name in names if name.startswith("com.example.shop") and "html" in name))
    assert [run["recording"] for run in read["com.example.shop"]["runs"]] == [
        "address-book-upload",
        "sent-before-consent",
    ]
    assert sorted(len(filled["runs"]) for filled in read.values()) == [1, 2]
    assert b"+86" not in page


def test_a_checklist_plans_its_runs(tmp_path):
    (tmp_path / "apps.csv").write_text("app\ncom.example.shop\n")
    place = str(tmp_path / "i.sqlite")

    def plan(campaign, *options):
        arguments = ["fleet", "plan", str(tmp_path / "apps.csv"), "--campaign", campaign, "--db", place, *options]
        return CliRunner().invoke(main, arguments)

    assert plan("list", "--checklist", "eu-audit").exit_code == 0
    assert plan("short", "--checklist", "eu-audit", "--seconds", "5").exit_code == 0
    needed = {*checklist("eu-audit", knowledge()).plans}
    with Runs(place) as runs, runs.reading() as connection:
        for campaign, seconds in (("list", 70), ("short", 5)):
            columns = select(RunRow.plan, RunRow.options).where(RunRow.campaign == campaign)
            planned = {row.plan: row.options for row in connection.execute(columns)}
            assert planned.keys() == needed
            assert {float(json.loads(options)["seconds"]) for options in planned.values()} == {seconds}
    both = plan("both", "--checklist", "eu-audit", "--plans", "accept")
    assert both.exit_code == 2
    assert "--plans both say which plans" in both.output


def test_letters_whose_names_would_be_the_same_have_each_their_own(tmp_path):
    runs = ["night:1", "night?1", "NIGHT_1", "night_2"]
    with Store(tmp_path / "index.sqlite") as store:
        for number, run in enumerate(runs):
            folder = tmp_path / str(number)
            shutil.copytree(RECORDINGS / "sent-before-consent", folder)
            told = json.loads((folder / "run.json").read_bytes()) | {"id": run}
            (folder / "run.json").write_text(json.dumps(told), "utf-8")
            correlate(Recording.open(folder), store, knowledge())
        findings = table(tmp_path / "index.sqlite", "findings")
        assert write_letters(store, knowledge(), findings, tmp_path / "letters.zip", LetterOptions("en")) == len(runs)
    with zipfile.ZipFile(tmp_path / "letters.zip") as letters:
        names = [name.casefold() for name in letters.namelist()]
    assert len(set(names)) == len(runs)
    assert sum(name.endswith("/night_2.md") for name in names) == 1


def test_the_verbs(tmp_path):
    index = ["--db", str(tmp_path / "index.sqlite")]

    def run(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["fleet", *map(str, arguments), *index])
        return done.exit_code, done.stdout

    assert (
        CliRunner().invoke(main, ["index", "correlate", str(RECORDINGS / "address-book-upload"), *index]).exit_code == 1
    )
    code, said = run("export", "flows")
    assert (code, len(said.splitlines())) == (0, 2)
    assert run("export", "flows", "--output", tmp_path / "f.csv") == (0, "")
    assert (tmp_path / "f.csv").read_text() == said
    assert run("export", "runs", "--format", "parquet")[0] == 2
    assert run("export", "runs", "--format", "parquet", "--output", tmp_path / "no" / "r.parquet")[0] == 2
    assert run("letters", "--output", tmp_path / "letters.zip") == (0, "")
    assert run("letters", "--output", tmp_path / "letters.zip")[0] == 2

"""The commands by which a reader checks a find do what they say, run over the recording's own files."""

import subprocess
from pathlib import Path

import pytest

from appwitness.correlate import knowledge, report_on
from appwitness.findings.mask import masked
from appwitness.recording import Recording
from appwitness.reports.page.by_hand import decoding
from appwitness.reports.words import Words
from appwitness.store import Store
from tests.recordings.builder.case import Case, write
from tests.recordings.builder.reads import NUMBER, POSITION

BY = "com.example.shop.Api.post(Api.java:9)"
EN = Words("en")


def told() -> Case:
    """One upload for each way in which a value may stand in it."""
    return (
        Case("by-hand", "Values in many wrappings.")
        .agreed()
        .read(3, NUMBER)
        .read(3.1, POSITION)
        .sent(4, "https://json.shop.test/a", {"user": {"first name": "A", "phones": [NUMBER.values[0][1]]}}, by=BY)
        .sent(5, "https://gzip.shop.test/a", {"n": [{"phone": NUMBER.values[0][1]}, 7]}, how="gzip", by=BY)
        .sent(6, "https://form.shop.test/a", {"q": "a b", "phone": NUMBER.values[0][1]}, how="form", by=BY)
        .sent(7, "https://base64.shop.test/a", {"phone": NUMBER.values[0][1]}, how="base64", by=BY)
        .sent(8, "https://query.shop.test/a?x=1&lat=31.2304&lon=121.4737", by=BY)
        .sent(9, "https://odd.shop.test/a", {'it\'s; "$(touch evil)" `x`': NUMBER.values[0][1]}, by=BY)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    write([told()], folder)
    return folder / "by-hand"


@pytest.fixture(scope="module")
def report(folder, tmp_path_factory):
    with Store(tmp_path_factory.mktemp("index") / "index.sqlite") as store:
        return report_on(Recording.open(folder), store, knowledge())


def run(command: str, folder: Path) -> str:
    return subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=True).stdout


HOSTS = ["json", "gzip", "form", "base64", "query", "odd"]


@pytest.mark.parametrize("host", HOSTS)
def test_the_command_prints_the_field_in_which_the_value_was_found(report, folder, host):
    flow = next(each for each in report.flows if each.recipient.host == f"{host}.shop.test")
    for context in report.contexts[flow.id]:
        command = decoding(flow, context.stages, report.evidence[flow.upload])
        assert command is not None
        assert flow.matches[context.match].found in run(command, folder)
    assert not (folder / "evil").exists()


def test_every_value_stands_with_its_neighbours_and_the_steps_to_it(report):
    flow = next(each for each in report.flows if each.recipient.host == "gzip.shop.test")
    (context,) = report.contexts[flow.id]
    assert [(stage.step, stage.path) for stage in context.stages] == [
        ("", "$"),
        ("gzip", "$"),
        ("json", "$.n[0].phone"),
    ]
    assert [(field.path, field.here) for field in context.fields] == [("$.n[0].phone", True), ("$.n[1]", False)]
    assert context.stretches == ()


def test_the_bytes_that_are_shown_are_those_of_the_body(report, folder):
    flow = next(each for each in report.flows if each.recipient.host == "json.shop.test")
    (context,) = report.contexts[flow.id]
    body = (folder / "bodies" / report.evidence[flow.upload].body).read_bytes()
    shown = b"".join(stretch.data for stretch in context.stretches)
    assert body[context.offset : context.offset + len(shown)] == shown
    (found,) = [stretch.data for stretch in context.stretches if stretch.what == "found"]
    assert found.decode() == flow.matches[context.match].found


def test_masked_no_value_is_left_in_fields_or_bytes(report):
    shown = masked(report)
    values = {value.text for value in report.run.persona} | {NUMBER.values[0][1], "31.2304", "121.4737"}
    for contexts in shown.contexts.values():
        for context in contexts:
            texts = [field.text for field in context.fields]
            texts.append(
                b"".join(each.data for each in context.stretches if not each.hidden).decode("utf-8", "replace")
            )
            assert not [value for value in values for text in texts if value in text]
            assert all(each.hidden for each in context.stretches if each.what != "structure")

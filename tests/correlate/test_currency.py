"""Tests of when a report may come from the index: never from lines, bodies, rules or a persona that are others now."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from appwitness.api.browsing import Browsing
from appwitness.api.erasing import Forgetting
from appwitness.correlate import correlate, follow, indexed_report, is_current, knowledge, report, report_on
from appwitness.correlate import prior_knowledge as knowledge_module
from appwitness.correlate.walk import Walk
from appwitness.events import Access, Run, Value
from appwitness.recording import Recording
from appwitness.store import Store
from appwitness.store.lists import Lists
from appwitness.support.errors import UserError
from tests.correlate.test_correlate import START, access, upload, wait_for

OTHER = "+4930901820001"
POLICY = "first_party: [example.org]\n"


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "index.sqlite") as opened:
        yield opened


def made(folder: Path, number: str = "+8613800138000", **run) -> Recording:
    """A recording with one read and one upload of a number."""
    fields = {
        "id": "r",
        "app": {"package": "com.example.pages"},
        "device": {"serial": "lab", "kind": "lab"},
        "clock_offset_ms": 0,
    }
    started = run.pop("started", START)
    recording = Recording.create(folder, Run.model_validate({**fields, "plan": "refuse", "started": started, **run}))
    recording.append(access(0))
    recording.append(read(number))
    body = recording.put_body(json.dumps({"phone": number}).encode())
    recording.append(upload(recording, 2, body=body))
    recording.stamp()
    return recording


def read(number: str) -> Access:
    return access(1).model_copy(update={"values": (Value(type="phone_number", text=number),)})


def edit(path: Path, change) -> None:
    path.write_bytes(change(path.read_bytes()))


def swapped(data: bytes) -> bytes:
    """The same number of bytes, with another number in it."""
    assert b"+8613800138000" in data
    return data.replace(b"+8613800138000", b"+4930901820001")


def body_of(recording: Recording) -> Path:
    return next((recording.path / "bodies").iterdir())


def same_bytes_again(recording: Recording) -> None:
    """A body in whose place others of its size are put, with its own times."""
    path = body_of(recording)
    before = path.stat()
    edit(path, swapped)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def without_last_line(data: bytes) -> bytes:
    return b"".join(data.splitlines(keepends=True)[:-1])


def replaced(recording: Recording) -> None:
    shutil.rmtree(recording.path)
    made(recording.path, OTHER)


CHANGES = {
    "a line in the middle edited": lambda one: edit(one.path / "accesses.jsonl", swapped),
    "a file rewritten to the same length": lambda one: edit(one.path / "uploads.jsonl", lambda data: data[::-1]),
    "a file cut by one line": lambda one: edit(one.path / "accesses.jsonl", without_last_line),
    "a file cut and written anew": lambda one: edit(
        one.path / "accesses.jsonl", lambda data: without_last_line(data) + swapped(data.splitlines(keepends=True)[-1])
    ),
    "a file emptied": lambda one: edit(one.path / "uploads.jsonl", lambda _: b""),
    "a file gone": lambda one: (one.path / "uploads.jsonl").unlink(),
    "a line more": lambda one: one.append(access(3)),
    "a line that is unfinished": lambda one: edit(one.path / "accesses.jsonl", lambda data: data + b'{"v":1'),
    "a body replaced": lambda one: edit(body_of(one), swapped),
    "a body replaced with its times": same_bytes_again,
    "a body gone": lambda one: body_of(one).unlink(),
    "the persona changed": lambda one: one.update_run(persona=(Value(type="email", text="a@b.example"),)),
    "the type of app changed": lambda one: one.update_run(app_type=3),
    "the clock corrected": lambda one: one.update_run(clock_offset_ms=5000),
    "another start": lambda one: edit(one.path / "run.json", lambda data: data.replace(b"2026", b"2025")),
    "another app": lambda one: edit(one.path / "run.json", lambda data: data.replace(b"pages", b"books")),
    "imported again to the same folder": replaced,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_not_reported_from_the_index(tmp_path, store, change):
    recording = made(tmp_path / "r")
    known = knowledge()
    report_on(recording, store, known)
    assert is_current(recording, store, known)
    CHANGES[change](recording)
    opened = Recording.open(recording.path)
    assert not is_current(opened, store, known)
    told = report_on(opened, store, known)
    assert is_current(opened, store, known)
    with Store(":memory:") as fresh:
        assert told.model_copy(update={"recording": "r"}) == report_on(opened, fresh, known)


def test_what_has_not_changed_is_not_judged_again(tmp_path, store, monkeypatch):
    recording = made(tmp_path / "r")
    known = knowledge()
    outcome = correlate(recording, store, known)
    assert outcome.findings
    monkeypatch.setattr(Walk, "recall", lambda *_: pytest.fail("it was judged again"))
    assert correlate(Recording.open(recording.path), store, known) == replace(outcome, new_lines=0)


def test_nothing_changed_is_current_however_the_folder_is_named(tmp_path, store, monkeypatch):
    recording = made(tmp_path / "r")
    known = knowledge()
    told = report_on(recording, store, known)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("r")
    for name in ("r", "./r/", "link"):
        opened = Recording.open(Path(name))
        assert is_current(opened, store, known)
        assert report_on(opened, store, known) == told.model_copy(update={"path": str(Path(name))})


@pytest.mark.parametrize("other", ["a copy", "a copy that is longer", "another with its id", "another run of its id"])
def test_two_recordings_with_one_id_never_get_the_findings_of_the_other(tmp_path, store, other):
    first = made(tmp_path / "a")
    if other.startswith("a copy"):
        shutil.copytree(first.path, tmp_path / "b")
        second = Recording.open(tmp_path / "b")
        if "longer" in other:
            second.append(read(OTHER))
    else:
        second = made(tmp_path / "b", OTHER, started=START.replace(year=2025) if "run" in other else START)
    known = knowledge()
    for _ in range(2):
        for recording in (first, second):
            told = report_on(recording, store, known)
            with Store(":memory:") as fresh:
                assert told.model_copy(update={"recording": "r"}) == report_on(recording, fresh, known)


@pytest.mark.parametrize("where", ["beside it", "in its place"])
@pytest.mark.parametrize("campaign", [None, "spring"])
def test_another_recording_with_an_id_stands_beside_the_first_and_is_told(tmp_path, store, where, campaign, caplog):
    first = made(tmp_path / "a", campaign=campaign)
    correlate(first, store, knowledge())
    kept, flows = store.held("r"), store.flows("r")
    if where == "in its place":
        shutil.rmtree(first.path)
    second = made(tmp_path / ("a" if where == "in its place" else "b"), OTHER, campaign=campaign)
    name = correlate(second, store, knowledge()).recording
    assert name.startswith("r~")
    assert [(each.id, each.judged) for each in listed(store)] == [("r", True), (name, True)]
    assert (store.held("r"), store.flows("r")) == (kept, flows)
    assert {match.value for flow in store.flows(name) for match in flow.matches} == {OTHER}
    assert name in caplog.text
    assert correlate(Recording.open(second.path), store, knowledge()).recording == name
    with Store(":memory:") as fresh:  # the same name whichever of the two is read in again
        correlate(made(tmp_path / "c"), fresh, knowledge())
        assert correlate(second, fresh, knowledge()).recording == name
    pages = Browsing(store, knowledge())
    assert pages.may_be_marked("r") == (where == "beside it")
    assert pages.may_be_marked(name)
    if where == "in its place":
        with pytest.raises(UserError, match="not the one that was read"):
            pages.checked_report("r")
    else:
        compared = pages.compared(["r", name]).comparison
        assert [each.recording for each in compared.runs] == ["r", name]
        assert ["r", name] in [[one.recording for one in row.seen] for row in compared.rows if row.what == "read"]
    Forgetting(recordings=(second.path,)).forget(db=str(tmp_path / "index.sqlite"))
    assert [each.id for each in listed(store)] == ["r"]


def listed(store: Store) -> list[SimpleNamespace]:
    rows = Lists(store).recordings({}).rows
    return [SimpleNamespace(id=each.name, judged=each.judged) for each in sorted(rows, key=lambda each: each.name)]


def test_a_recording_that_grows_is_stamped_or_is_copied_keeps_its_name(tmp_path, store):
    recording = Recording.create(tmp_path / "a", made(tmp_path / "like").run)
    assert correlate(recording, store, knowledge()).recording == "r"
    recording.append(access(0))
    recording.stamp()
    recording.append(read(OTHER))
    assert correlate(recording, store, knowledge()).recording == "r"
    assert store.held("r").head
    shutil.copytree(recording.path, tmp_path / "b")
    assert correlate(Recording.open(tmp_path / "b"), store, knowledge()).recording == "r"
    (tmp_path / "b" / "seal.jsonl").unlink()
    assert correlate(Recording.open(tmp_path / "b"), store, knowledge()).recording == "r"  # altered where it was
    assert len(listed(store)) == 1


def policy(folder: Path) -> Path:
    path = folder / "policy.yml"
    path.write_text(POLICY)
    return path


def own_rules(folder: Path, moved: str = "") -> Path:
    """A folder with two rules of a user's own, and a comment at the end of the first or the beginning of the second."""
    ours = Path(knowledge_module.__file__).parents[1] / "catalog/rules"
    folder = folder / "rules"
    folder.mkdir(exist_ok=True)
    first, second = ((ours / f"read-{name}.yml").read_text() for name in ("after-refusal", "before-consent"))
    note = "# a comment\n"
    (folder / "read-after-refusal.yml").write_text(first if moved else first + note)
    (folder / "read-before-consent.yml").write_text(note + second if moved else second)
    return folder


OPTIONS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "a policy": lambda folder: {"policy": policy(folder)},
    "a rule of one's own": lambda folder: {"rules": own_rules(folder)},
    "a type of app": lambda _: {"app_type": 3},
    "a territory": lambda _: {"territory": "CN"},
    "laws": lambda _: {"laws": ("eu",)},
    "a domain of the maker": lambda _: {"first_party": ("example.org",)},
}


@pytest.mark.parametrize("option", OPTIONS)
def test_what_was_judged_with_an_option_is_not_reported_without_it(tmp_path, store, option):
    recording = made(tmp_path / "r")
    plain, chosen = knowledge(), knowledge(**OPTIONS[option](tmp_path))
    for known, other in ((chosen, plain), (plain, chosen)):
        told = report_on(recording, store, known)
        assert is_current(recording, store, known)
        assert not is_current(recording, store, other)
        with Store(":memory:") as fresh:
            assert told == report_on(recording, fresh, known)


def test_text_that_moves_from_one_rule_file_to_the_next_makes_other_rules(tmp_path):
    before = knowledge(rules=own_rules(tmp_path)).digest
    assert knowledge(rules=own_rules(tmp_path, "moved")).digest != before


@pytest.mark.parametrize("part", ["compiled part", "library", "code"])
def test_another_version_of_what_matches_is_not_current(tmp_path, store, monkeypatch, part):
    recording = made(tmp_path / "r")
    report_on(recording, store, knowledge())
    match part:
        case "compiled part":
            monkeypatch.setattr(knowledge_module, "LIBRARY", __file__)
        case "library":
            real = knowledge_module.version_of
            monkeypatch.setattr(
                knowledge_module, "version_of", lambda library: "99" if library.name == "zstandard" else real(library)
            )
        case _:
            real_digest = knowledge_module.sha256_of
            monkeypatch.setattr(
                knowledge_module, "sha256_of", lambda path: "0" if path.name == "choosing.py" else real_digest(path)
            )
    knowledge_module.versions.cache_clear()
    try:
        assert not is_current(recording, store, knowledge())
    finally:
        monkeypatch.undo()
        knowledge_module.versions.cache_clear()
    assert is_current(recording, store, knowledge())


def test_a_file_that_is_rewritten_while_it_is_followed_is_read_anew_at_the_end(tmp_path, store):
    recording = made(tmp_path / "r")
    done = threading.Event()
    thread = threading.Thread(target=follow, args=(recording, store, knowledge(), done.is_set))
    thread.start()
    try:
        assert wait_for(lambda: len(list(store.read("r", "upload"))) == 1)
        edit(recording.path / "accesses.jsonl", swapped)
    finally:
        done.set()
        thread.join()
    assert report(store, "r", knowledge()).flows == ()
    assert is_current(recording, store, knowledge())


@pytest.mark.parametrize("change", ["a line in the middle edited", "imported again to the same folder"])
def test_what_is_shown_of_the_index_alone_is_of_this_recording(tmp_path, store, change):
    recording = made(tmp_path / "r")
    correlate(recording, store, knowledge())
    shown = indexed_report(store, "r", knowledge())
    assert shown.verified is not None
    assert shown.verified.outcome == "intact_up_to"
    recording.append(access(3))  # being made: what was read is still its beginning
    assert indexed_report(store, "r", knowledge()).flows == shown.flows
    CHANGES[change](recording)
    with pytest.raises(UserError, match="appwitness index correlate"):
        indexed_report(store, "r", knowledge())
    shutil.rmtree(recording.path)
    assert indexed_report(store, "r", knowledge()) == shown.model_copy(update={"verified": None, "contexts": {}})


def test_following_goes_on_from_what_the_index_has(tmp_path, store):
    recording = made(tmp_path / "r")
    correlate(recording, store, knowledge())
    before = store.held("r")
    recording.append(read(OTHER))
    assert correlate(recording, store, knowledge()).new_lines == 1
    assert before is not None
    assert store.held("r").prefixes["access"][0].line == before.prefixes["access"][0].line + 1


def test_whoever_is_slower_never_deletes_what_the_faster_read(tmp_path, store):
    first = made(tmp_path / "a")
    shutil.copytree(first.path, tmp_path / "b")
    second = Recording.open(tmp_path / "b")
    correlate(first, store, knowledge())
    stale = store.held("r")
    correlate(second, store, knowledge())
    held = store.held("r")
    assert not store.restart("r", first.run, str(first.path), stale)
    assert store.held("r") == held

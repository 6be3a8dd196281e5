"""The operator's signature: what somebody who has the whole folder, and not the key, can do, and what `verify` says."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appwitness import events
from appwitness.api.home import signer
from appwitness.cli.verbs import main
from appwitness.recording import Recording, signing, verify
from appwitness.recording.seal import SEAL
from appwitness.support.errors import FileError, UserError
from tests.captures import har
from tests.recording.test_recording import AT, RUN, gap, upload

APP = RUN.app.model_copy(update={"apk_sha256": "a" * 64})


def made(path: Path, signer=None, name="run-1") -> Path:
    """A finished run with several stamps and a body."""
    run = RUN.model_copy(update={"id": name, "app": APP, "versions": {"appwitness": "0.2"}, "case": "12 O 3/26"})
    recording = Recording.create(path, run, signer=signer)
    shutil.copy(path / "run.json", path.with_suffix(".began"))
    recording.append_all([gap(f"{name} {number}") for number in range(4)])
    recording.stamp()
    recording.append(upload(recording.put_body(b"of the app"), 10))
    recording.stamp()
    recording.append(gap("the last"))
    recording.update_run(ended=AT + timedelta(minutes=1))
    recording.stamp(final=True)
    recording.close()
    return path


@pytest.fixture
def operator(tmp_path):
    return signing.new(tmp_path / "key")


@pytest.fixture
def other(tmp_path):
    return signing.new(tmp_path / "other")


@pytest.fixture
def signed(tmp_path, operator):
    return made(tmp_path / "r", operator)


def lines(path: Path, change) -> None:
    rows = (path / "gaps.jsonl").read_text().splitlines(keepends=True)
    change(rows)
    (path / "gaps.jsonl").write_text("".join(rows))


def resealed(path: Path, signer=None) -> None:
    """As whoever has the program and the folder would do it."""
    (path / SEAL).write_bytes(b"")
    Recording.open(path, signer=signer).stamp(final=True)


def edit(rows):
    rows[1] = rows[1].replace("run-1 1", "run-1 7")


def run_json(path: Path, **changes) -> None:
    tree = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**tree, **changes}, indent=1) + "\n")


class Attack(NamedTuple):
    """What is done to the folder, and what is said of it with the operator's key and without."""

    do: Callable[[Path, Any], object]
    problem: str
    """With --key."""
    outcome: str = "altered"
    """Without."""


def cut_tail(path, _other):
    stamps = (path / SEAL).read_bytes().splitlines(keepends=True)
    kept = [json.loads(each) for each in stamps[:3]]
    (path / SEAL).write_bytes(b"".join(stamps[:3]))
    for name, held in kept[-1]["files"].items():
        data = (path / name).read_bytes()
        (path / name).write_bytes(data[: held["bytes"]])
    shutil.copy(path.with_suffix(".began"), path / "run.json")  # of whoever watched the run being made


def rewritten(path, other, signer=None):
    lines(path, edit)
    resealed(path, signer)


def another_app(path, _other):
    run_json(path, app={**json.loads((path / "run.json").read_text())["app"], "apk_sha256": "b" * 64})


def swapped_app_and_resealed(path, other):
    another_app(path, other)
    resealed(path)


def appended_stamp(path, other):
    with (path / "gaps.jsonl").open("a") as file:
        file.write(events.dump(gap("added")) + "\n")
    Recording.open(path, signer=other).stamp(final=True)


def unsigned_mark(path, _other):
    mark = events.Consent(at=AT, signal="operator", status="given", by="operator")
    Recording.open(path).note(mark)


def clock_back(path, _other):
    Recording.open(path, clock=lambda: AT - timedelta(days=30)).stamp(final=True)


ATTACKS = {
    "a line is edited": Attack(lambda path, _: lines(path, edit), "gaps.jsonl:2 differs"),
    "lines are reordered": Attack(
        lambda path, _: lines(path, lambda rows: rows.insert(0, rows.pop(1))), "gaps.jsonl:1 differs"
    ),
    "the end is cut off with its stamps": Attack(cut_tail, "no signed stamp ends the run", "intact_up_to"),
    "all is rewritten and stamped again": Attack(rewritten, "seal.jsonl:1 is not signed", "intact"),
    "all is rewritten and signed with another key": Attack(
        lambda path, other: rewritten(path, other, other), "which is not a trusted key", "intact"
    ),
    "the app's digest is swapped": Attack(another_app, "another app.apk_sha256 than seal.jsonl:1 says"),
    "the app's digest is swapped and all stamped again": Attack(
        swapped_app_and_resealed, "seal.jsonl:1 is not signed", "intact"
    ),
    "another case number is put in": Attack(
        lambda path, _: run_json(path, case="12 O 4/26"), "another case than seal.jsonl:1 says"
    ),
    "an old run is given another name": Attack(
        lambda path, _: run_json(path, id="run-2"), "another id than seal.jsonl:1 says"
    ),
    "a line is added and stamped by somebody else": Attack(appended_stamp, "is not a mark of a person"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(signed, operator, other, name):
    attack = ATTACKS[name]
    trusted = {signing.fingerprint(operator.public)}
    assert verify(signed, trusted).outcome == "intact"
    attack.do(signed, other)
    told = verify(signed, trusted)
    said = [f"{each.file}{f':{each.line}' if each.line else ''} {each.what}" for each in told.problems]
    assert not told.ok
    assert any(attack.problem in each for each in said), said
    assert verify(signed).outcome == attack.outcome


def test_a_mark_without_the_key_is_no_damage_and_nobody_vouches_for_it(signed, operator, other):
    trusted = {signing.fingerprint(operator.public)}
    before = verify(signed, trusted)
    mark = events.Consent(at=AT, signal="operator", status="given", by="operator")
    for key in (None, other):
        Recording.open(signed, signer=key).note(mark)
    Recording.open(signed, signer=operator).note(mark)  # who signs later has not signed what came before
    told = verify(signed, trusted)
    assert (told.outcome, told.ok, told.problems) == ("intact_up_to", False, ())
    assert (told.sealed, told.last, told.unsealed) == (before.sealed, before.last, {"consents.jsonl": 3})
    assert not told.covers("consents.jsonl:1")
    assert [each.what.partition(":")[0] for each in told.remarks] == ["is not signed"]
    assert verify(signed).outcome == "intact"


def test_a_hole_that_nobody_signed_is_damage(signed, operator):
    Recording.open(signed).forget({"gap": {1}}, before="intact")
    assert verify(signed).outcome == "intact"
    told = verify(signed, {signing.fingerprint(operator.public)})
    assert (told.outcome, told.problems[0].what) == ("altered", "is not signed")


def test_a_signature_is_checked_when_it_is_made(tmp_path, operator):
    class Broken:
        public = operator.public

        def sign(self, data: bytes) -> bytes:
            return bytes(operator.sign(data)[:-1]) + b"?"

    with pytest.raises(UserError, match="does not match what it signed"):
        made(tmp_path / "broken", Broken())


def test_stamps_of_another_run_by_the_same_key_do_not_fit(tmp_path, signed, operator):
    old = made(tmp_path / "old", operator, "run-0")
    (signed / SEAL).write_bytes((old / SEAL).read_bytes())
    assert not verify(signed, {signing.fingerprint(operator.public)}).ok


def test_a_signature_of_another_stamp_does_not_fit(signed):
    rows = (signed / SEAL).read_text().splitlines(keepends=True)
    one, two = (row.partition(',"signature":')[2].partition(',"digest"')[0] for row in rows[:2])
    assert one != two
    text = rows[0].partition(',"signature":')[0] + f',"signature":{two}'
    rows[0] = f'{text},"digest":"{hashlib.sha256(text.encode()).hexdigest()}"}}\n'
    (signed / SEAL).write_text("".join(rows))
    assert any("a signature that does not match it" in each.what for each in verify(signed).problems)


def test_two_runs_begin_with_nonces_of_their_own_and_copies_with_the_same(tmp_path, signed, operator):
    other = made(tmp_path / "again", operator)
    shutil.copytree(signed, tmp_path / "copy")
    assert verify(signed).nonce == verify(tmp_path / "copy").nonce
    assert verify(other).nonce not in {None, verify(signed).nonce}


def test_a_clock_that_was_set_back_is_remarked(signed, operator):
    clock_back(signed, None)
    assert any("clock was set back" in each.what for each in verify(signed).remarks)


def test_a_run_that_was_killed_is_trusted_as_far_as_it_reached_and_not_called_whole(tmp_path, operator):
    recording = Recording.create(tmp_path / "r", RUN, signer=operator)
    recording.append(gap())
    recording.stamp()
    told = verify(tmp_path / "r", {signing.fingerprint(operator.public)})
    assert [each.what for each in told.problems] == [
        "is missing: no signed stamp ends the run, so its end may have been cut off"
    ]
    assert (told.signed, told.stamps) == (2, 2)


def test_a_signature_can_be_checked_by_hand(signed, operator):
    """As docs/evidence.md describes it, with cryptography alone."""
    raw = (signed / SEAL).read_bytes().splitlines()[0]
    stamp = json.loads(raw)
    text = raw[: raw.index(b',"signature"')]
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(stamp["signature"]["key"]))
    key.verify(base64.b64decode(stamp["signature"]["value"]), b"appwitness stamp\n" + text)
    assert stamp["binds"]["apk_sha256"] == "a" * 64


def test_what_was_not_known_at_the_start_may_be_learned(tmp_path, operator):
    recording = Recording.create(tmp_path / "r", RUN, signer=operator)
    recording.update_run(app=APP, ended=AT)
    recording.stamp(final=True)
    assert verify(tmp_path / "r", {signing.fingerprint(operator.public)}).outcome == "intact"


# keys


def appwitness(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_a_key_is_made_once_private_and_exported(home, tmp_path):
    assert "Make one: appwitness key new" in appwitness("key", "show", code=2)
    fingerprint = appwitness("key", "new").splitlines()[-1]
    assert (home / "key").stat().st_mode & 0o777 == 0o600
    assert fingerprint in appwitness("key", "show")
    assert "There is a key already" in appwitness("key", "new", code=2)
    appwitness("key", "export", "--name", "op@example.com", "--output", "op.pub")
    assert (tmp_path / "op.pub").read_text().endswith(" op@example.com\n")
    assert signing.trusted((tmp_path / "op.pub").read_text(), tmp_path) == {fingerprint: "op@example.com"}


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no OpenSSH here")
def test_openssh_reads_the_public_key_the_same(home, tmp_path):
    fingerprint = appwitness("key", "new").splitlines()[-1]
    appwitness("key", "export", "--output", "op.pub")
    said = subprocess.run(["ssh-keygen", "-l", "-f", "op.pub"], check=True, capture_output=True, text=True).stdout
    assert fingerprint in said


def test_verify_with_the_key_with_another_and_with_a_list(home, tmp_path):
    appwitness("key", "new")
    appwitness("key", "export", "--output", "op.pub", "--name", "op@example.com")
    made(tmp_path / "r", signer())
    (tmp_path / "x.pub").write_text(signing.line(signing.new(tmp_path / "x").public) + "\n")
    (tmp_path / "all").write_text("# ours\n\n" + (tmp_path / "x.pub").read_text() + (tmp_path / "op.pub").read_text())
    assert "op@example.com" in appwitness("verify", "r", "--key", "op.pub")
    appwitness("verify", "r", "--trust", "all")
    assert "which is not a trusted key" in appwitness("verify", "r", "--key", "x.pub", code=5)
    assert "give the operator's key with --key" in appwitness("verify", "r")
    made(tmp_path / "unsigned")
    assert "not signed: anyone who has the folder" in appwitness("verify", "unsigned")
    assert "seal.jsonl:1 is not signed" in appwitness("verify", "unsigned", "--key", "op.pub", code=5)
    told = json.loads(appwitness("verify", "r", "--format", "json"))
    assert told["signed"] == told["stamps"]
    assert len(told["keys"]) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [("ssh-rsa AAAA x", 1), ("# a\nssh-ed25519 AAAA", 2), ("ssh-ed25519 ????", 1), ("", None), ("\x00\x1b[2J", 1)],
)
def test_a_file_that_is_no_list_of_keys_is_named_with_the_line(tmp_path, text, line):
    with pytest.raises(FileError) as error:
        signing.trusted(text, tmp_path / "keys")
    assert error.value.line == line


def test_a_key_that_others_can_read_or_that_is_none_is_refused(home, tmp_path):
    appwitness("key", "new")
    (home / "key").chmod(0o640)
    assert "can be read by others" in appwitness("key", "show", code=2)
    (home / "key").chmod(0o600)
    (home / "key").write_text("-----BEGIN PRIVATE KEY-----\n")
    assert "is not an Ed25519 key" in appwitness("key", "show", code=2)


def test_marks_are_signed_too(home, tmp_path):
    appwitness("key", "new")
    made(tmp_path / "r", signer())
    appwitness("mark", "note", "seen by me", "--recording", "r")
    told = verify(tmp_path / "r")
    assert (told.signed, told.outcome) == (told.stamps, "intact")


def test_imports_are_signed_too(home, tmp_path):
    appwitness("key", "new")
    appwitness("key", "export", "--output", "op.pub")
    (tmp_path / "a.har").write_text(har())
    case = ("--case", "12 O 3/26", "--operator", "Lin Yue", "--place", "Bonn", "--equipment", "Pixel 6")
    appwitness("import", "a.har", "--app", "com.example.circle", "--output", "r", *case)
    appwitness("verify", "r", "--key", "op.pub")
    bound = json.loads((tmp_path / "r" / SEAL).read_bytes().splitlines()[0])["binds"]
    assert [bound[name] for name in ("case", "operator", "place", "equipment")] == list(case[1::2])


def test_source_of_the_app_and_image_of_the_device_are_bound_and_told(home, tmp_path):
    (tmp_path / "a.har").write_text(har())
    source = (
        "--app-store",
        "Google Play",
        "--app-account",
        "tester@example.org",
        "--app-link",
        "https://play.example/x",
    )
    image = ("--image-link", "https://images.example/a.zip", "--image-sha256", "ab" * 32)
    appwitness("import", "a.har", "--app", "com.example.circle", "--output", "r", *source, *image)
    bound = json.loads((tmp_path / "r" / SEAL).read_bytes().splitlines()[0])["binds"]
    run = json.loads((tmp_path / "r/run.json").read_text("utf-8"))
    for said in (bound, run):
        assert said["obtained"] == {
            "store": "Google Play", "account": "tester@example.org", "link": "https://play.example/x", "at": None
        }  # fmt: skip
        assert said["image"] == {"link": image[1], "sha256": image[3]}
    told = " ".join(appwitness("report", "r", "--db", "db.sqlite").split())
    assert "Google Play, tester@example.org" in told
    assert image[1] in told
    run["obtained"]["account"] = "somebody@example.org"
    (tmp_path / "r/run.json").write_text(json.dumps(run), "utf-8")
    assert "obtained" in appwitness("verify", "r", code=5)
    said = appwitness("import", "a.har", "--app", "x.y", "--output", "s", "--image-sha256", "abc", code=2)
    assert "64 hexadecimal digits" in said


@pytest.fixture
def agent(tmp_path, monkeypatch):
    """A real ssh agent with one key."""
    if shutil.which("ssh-agent") is None:
        pytest.skip("no OpenSSH here")
    place = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL) as running:
        while not place.exists():
            assert running.poll() is None
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "op@example.com", "-f", tmp_path / "id"], check=True
        )
        subprocess.run(["ssh-add", "-q", tmp_path / "id"], check=True)
        yield running
        running.terminate()


def test_a_key_of_the_ssh_agent_signs(home, tmp_path, agent):
    assert "It has: op@example.com" in appwitness("key", "new", "--agent", "nobody", code=2)
    appwitness("key", "new", "--agent", "op@example.com")
    made(tmp_path / "r", signer())
    assert "op@example.com" in appwitness("verify", "r", "--key", tmp_path / "id.pub")


def test_an_agent_that_goes_away_stops_a_run_before_it_begins_and_not_later(home, tmp_path, agent):
    appwitness("key", "new", "--agent", "op@example.com")
    recording = Recording.create(tmp_path / "r", RUN, signer=signer())
    agent.terminate()
    agent.wait()
    recording.append(gap())
    recording.update_run(ended=AT)
    assert (verify(tmp_path / "r").signed, verify(tmp_path / "r").outcome) == (1, "intact")
    with pytest.raises(UserError, match="ssh agent"):
        Recording.create(tmp_path / "another", RUN, signer=signer())

"""What was forgotten is explained by the seal, and nothing else may be missing."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from unittest.mock import Mock

import pytest

from appwitness.events import BadLine, Phase, Value, dump, forgotten, parse, tombstone
from appwitness.recording import Recording, seal, signing, verify
from appwitness.recording.seal import SEAL
from appwitness.support.errors import UserError
from tests.recording.test_recording import AT, RUN, gap
from tests.recording.test_signing import made, operator  # noqa: F401 a fixture

MARK = Phase(at=AT, state="mark", text="a mark", by="operator")
BODY = hashlib.sha256(b"of the app").hexdigest()


@pytest.fixture
def signed(tmp_path, operator):  # noqa: F811
    return made(tmp_path / "r", operator)


def forget(path: Path, lines_, bodies=(), signer=None, **more) -> None:
    with Recording.open(path, signer=signer) as recording:
        recording.forget(lines_, bodies, before=verify(path).before, **more)


def by_hand(path: Path, number: int, name: str = "gaps.jsonl") -> None:
    """Put a tombstone in the place of a line, as anybody can."""
    kind = json.loads((path / name).read_bytes().splitlines()[0])["kind"]

    def put(rows):
        rows[number - 1] = tombstone(kind, hashlib.sha256(rows[number - 1]).hexdigest()) + b"\n"

    lines_of(path, name, put)


def lines_of(path: Path, name: str, change: Callable[[list[bytes]], object]) -> None:
    rows = (path / name).read_bytes().splitlines(keepends=True)
    change(rows)
    (path / name).write_bytes(b"".join(rows))


def test_what_was_forgotten_is_gone_and_the_seal_explains_it(signed, operator):  # noqa: F811
    trusted = {signing.fingerprint(operator.public)}
    forget(signed, {"upload": {1}, "gap": {2, 3}}, {BODY}, operator, reason="a request of the person")
    told = verify(signed, trusted)
    assert (told.outcome, told.problems, told.remarks) == ("intact", (), ())
    ((line, stamp, what),) = told.forgotten
    assert stamp.signature
    assert line == told.stamps
    assert what.lines == {"uploads.jsonl": 1, "gaps.jsonl": 2}
    assert (what.bodies, what.before, what.reason) == (1, "intact", "a request of the person")
    assert list((signed / "bodies").iterdir()) == []
    everything = b"".join(path.read_bytes() for path in signed.glob("*.jsonl"))
    assert b"run-1 1" not in everything
    assert b"run-1 2" not in everything
    assert b"run-1 0" in everything


def test_a_mark_may_be_forgotten_and_others_follow(signed, operator):  # noqa: F811
    trusted = {signing.fingerprint(operator.public)}
    with Recording.open(signed, signer=operator) as recording:  # it keeps its files open
        recording.note(MARK)
        forget(signed, {"phase": {1}, "gap": {1}}, signer=operator)
        forget(signed, {"gap": {2}}, signer=operator)
        assert recording.note(MARK) == "phases.jsonl:2"
    told = verify(signed, trusted)
    assert (told.outcome, told.problems) == ("intact", ())


def test_a_run_that_was_killed_may_be_forgotten_with_its_unfinished_line(tmp_path, operator):  # noqa: F811
    recording = Recording.create(tmp_path / "r", RUN, signer=operator)
    recording.append_all([gap("one"), gap("two")])
    recording.close()
    with (tmp_path / "r/gaps.jsonl").open("ab") as file:
        file.write(b'{"v":1,"kind":"gap","subject":"thr')
    forget(tmp_path / "r", {"gap": {1, 2, 3}}, signer=operator)
    told = verify(tmp_path / "r")
    assert (told.outcome, told.problems, told.sealed["gaps.jsonl"]) == ("intact_up_to", (), 2)
    assert (tmp_path / "r/gaps.jsonl").read_bytes().count(b"\n") == 2


def test_a_recording_of_before_lists_the_beginning_of_each_digest(signed):
    """As stamps had it: 16 digits of each line."""
    resealed_as_before(signed)
    assert verify(signed).outcome == "intact"
    forget(signed, {"gap": {2}})
    assert (verify(signed).outcome, verify(signed).problems) == ("intact", ())
    lines_of(signed, "gaps.jsonl", lambda rows: rows.__setitem__(1, tombstone("gap", "0" * 64) + b"\n"))
    assert "gaps.jsonl:2 differs" in said(signed)


def resealed_as_before(path: Path) -> None:
    rows, previous = [], None
    for row in (path / SEAL).read_bytes().splitlines():
        fields = json.loads(row)
        fields.pop("digest")
        fields.pop("signature", None)
        fields["previous"] = previous
        for held in fields["files"].values():
            digests = held.pop("digests")
            held["added"] = "".join(digests[at : at + 16] for at in range(0, len(digests), 64))
        text = json.dumps(fields, separators=(",", ":")).encode()[:-1]
        rows.append(text + f',"digest":"{hashlib.sha256(text).hexdigest()}"}}\n'.encode())
        previous = seal.link(rows[-1])
    (path / SEAL).write_bytes(b"".join(rows))


def test_a_stamp_lists_so_many_lines_and_the_next_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(seal, "MOST_LINES", 3)
    recording = Recording.create(tmp_path / "r", RUN)
    recording.append_all([gap(str(number)) for number in range(8)])
    recording.update_run(ended=AT)
    told = verify(tmp_path / "r")
    assert (told.outcome, told.stamps, told.sealed["gaps.jsonl"]) == ("intact", 4, 8)
    assert [len(json.loads(row)["files"]["gaps.jsonl"]["digests"]) // 64 for row in rows(tmp_path / "r")] == [
        0,
        3,
        3,
        2,
    ]


def rows(path: Path) -> list[bytes]:
    return (path / SEAL).read_bytes().splitlines()


def said(path: Path, trusted=None) -> str:
    return "; ".join(
        f"{each.file}{f':{each.line}' if each.line else ''} {each.what}" for each in verify(path, trusted).problems
    )


def forget_all(path: Path) -> None:
    with Recording.open(path) as recording:
        run = recording.run.model_copy(update={"notes": ("forgotten",)})
        recording.forget({"upload": {1}, "gap": {2}}, {BODY}, run, before=verify(path).before)


@pytest.mark.parametrize(
    ("step", "still"),
    [
        ("tombstones.Holed.put", "uploads.jsonl still has what seal.jsonl:6 says was forgotten"),
        ("folder.remove", "run.json still has what seal.jsonl:6 says was forgotten"),
        ("folder.Recording._replace_run", "run.json still has what seal.jsonl:6 says was forgotten"),
    ],
)
def test_forgetting_that_was_stopped_is_named_and_ends_when_it_is_done_once_more(tmp_path, monkeypatch, step, still):
    path = made(tmp_path / "r")
    with monkeypatch.context() as patch:
        patch.setattr(f"appwitness.recording.{step}", Mock(side_effect=KeyboardInterrupt))  # as if killed there
        with pytest.raises(KeyboardInterrupt):
            forget_all(path)
    assert still in said(path)
    told = verify(path)
    assert not told.ok
    assert told.before == "intact"
    forget_all(path)
    assert (verify(path).outcome, verify(path).problems, verify(path).remarks) == ("intact", (), ())
    assert list((path / "bodies").iterdir()) == []


class Attack(NamedTuple):
    do: Callable[[Path], object]
    problem: str
    signed_problem: str | None = None
    """With the operator's key; None: the same."""


def restored(path: Path) -> None:
    """The forgotten lines are put back from a copy that somebody kept."""
    shutil.copy(path.with_name("kept") / "gaps.jsonl", path)


def unsigned(path: Path) -> None:
    forget(path, {"gap": {4}})


def record_removed(path: Path) -> None:
    lines_of(path, SEAL, list.pop)


def counted(path: Path) -> None:
    """More is forgotten by hand, and the record is said to be of that."""
    by_hand(path, 4)
    lines_of(path, SEAL, lambda rows: rows.__setitem__(-1, rows[-1].replace(b'"gaps.jsonl":2}', b'"gaps.jsonl":3}')))


def more_forgotten(path):
    by_hand(path, 4)
    forget(path, {"gap": {1}})


ATTACKS = {
    "a body is removed by hand": Attack(lambda path: (path / "bodies" / BODY).unlink(), "is missing; uploads.jsonl:1"),
    "a line is replaced by a tombstone by hand": Attack(
        lambda path: by_hand(path, 4), "gaps.jsonl has tombstones for other lines than seal.jsonl:6 says"
    ),
    "the same in another file": Attack(lambda path: by_hand(path, 1, "uploads.jsonl"), "uploads.jsonl:1 differs"),
    "the same, and the record is changed": Attack(counted, "is not a stamp, or changed"),
    "the same, and more is forgotten by the operator": Attack(
        more_forgotten,
        "seal.jsonl:7 says that the recording already differed from its stamps",
        "seal.jsonl:7 is not signed",
    ),
    "a tombstone is changed": Attack(
        lambda path: lines_of(path, "gaps.jsonl", lambda rows: rows.__setitem__(1, tombstone("gap", "1" * 64) + b"\n")),
        "gaps.jsonl:2 differs",
    ),
    "a tombstone is dropped": Attack(
        lambda path: lines_of(path, "gaps.jsonl", lambda rows: rows.pop(1)), "gaps.jsonl:2 differs"
    ),
    "a line that is still there is edited": Attack(
        lambda path: lines_of(path, "gaps.jsonl", lambda rows: rows.__setitem__(0, rows[0].replace(b"0", b"1", 1))),
        "gaps.jsonl:1 differs",
    ),
    "forgotten lines are put back": Attack(restored, "gaps.jsonl still has what seal.jsonl:6 says was forgotten"),
    "the record of it is removed": Attack(record_removed, "gaps.jsonl:2 differs"),
    "lines are forgotten without the key": Attack(unsigned, "", "seal.jsonl:7 is not signed"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(signed, operator, name):  # noqa: F811
    attack, trusted = ATTACKS[name], {signing.fingerprint(operator.public)}
    shutil.copytree(signed, signed.with_name("kept"))
    forget(signed, {"gap": {2, 3}}, signer=operator)
    assert verify(signed, trusted).outcome == "intact"
    attack.do(signed)
    assert verify(signed).ok is not bool(attack.problem)
    assert attack.problem in said(signed)
    assert (attack.signed_problem or attack.problem) in said(signed, trusted)
    assert not verify(signed, trusted).ok


def test_a_key_that_cannot_be_used_forgets_nothing(signed, operator):  # noqa: F811
    before = {path.name: path.read_bytes() for path in signed.iterdir() if path.is_file()}

    class Gone:
        public = operator.public

        def sign(self, _):
            raise UserError("gone", "")

    with pytest.raises(UserError):
        forget(signed, {"gap": {2}}, {BODY}, Gone())
    assert {path.name: path.read_bytes() for path in signed.iterdir() if path.is_file()} == before
    assert (signed / "bodies" / BODY).exists()


@pytest.mark.parametrize("digest", ["a" * 64, None])
def test_a_tombstone_is_read_as_one_and_as_no_line(digest):
    line = tombstone("access", digest)
    assert forgotten(line) == forgotten(line + b"\n") == (digest or "")
    with pytest.raises(BadLine):
        parse(line)


@pytest.mark.parametrize("line", [b"", b"{}", tombstone("access", "a" * 63), tombstone("gap", "b" * 64) + b" "])
def test_what_is_no_tombstone(line):
    assert forgotten(line) is None


def test_digests_of_stamps_do_not_tell_what_was_forgotten(tmp_path):
    """Whoever guesses the value, and has all that is left, cannot see that the guess is right."""
    persona = (Value(type="phone_number", text="+8613800138000"),)
    path = tmp_path / "r"
    with Recording.create(path, RUN.model_copy(update={"persona": persona})) as recording:
        recording.append(gap("+8613800138000"))
        recording.update_run(ended=AT)
        guess = recording.run
        recording.forget({"gap": {1}}, (), recording.run.model_copy(update={"persona": ()}), before="intact")
    left = (path / SEAL).read_text() + (path / "gaps.jsonl").read_text()
    now = (path / "run.json").read_text()
    salt = json.loads(now)["salt"]
    for text in (
        guess.model_dump_json(indent=1) + "\n",
        f'{guess.model_dump_json(indent=1)[:-2]},\n "salt": "{salt}"\n}}\n',
        f"{dump(gap('+8613800138000'))}\n",
    ):
        assert hashlib.sha256(text.encode()).hexdigest() not in left
    assert hashlib.sha256(now.encode()).hexdigest() in left

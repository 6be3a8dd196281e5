"""A bundle, checked as a stranger does: unpacked, by its own program, with nothing of appwitness."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from appwitness.api.home import signer
from appwitness.events import Access, tombstone
from appwitness.exchange import bundle, bundled
from appwitness.recording import Recording
from tests.recording.authority import Authority, served
from tests.recording.test_recording import RUN
from tests.recording.test_signing import appwitness, home
from tests.recording.test_timestamps import made, with_certificates
from tests.recordings.written import RECORDINGS

__all__ = ["home"]

PROGRAM = Path(bundled.__file__ or "").parent / "verify.py"
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")


def test_the_program_is_short():
    assert len(PROGRAM.read_text().splitlines()) <= 210


ALONE = """import runpy, sys
del sys.argv[0]
sys.path.append(sys.argv.pop(1))
runpy.run_path(sys.argv[0], run_name="__main__")"""
"""Runs a program with the standard library and one more folder."""


def ran(*command: object) -> tuple[int, str]:
    done = subprocess.run([str(each) for each in command], check=False, capture_output=True, text=True)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


class Given:
    """An unpacked bundle, and what a stranger got by another way."""

    def __init__(self, place: Path, folder: Path, authority: Authority) -> None:
        self.place, self.folder, self.authority = place, folder, authority

    def verify(self, *options: object) -> tuple[int, str]:
        command = [sys.executable, "-I", "-S", "-c", ALONE, self.folder / "verify.py", self._libraries, *options]
        return ran(*command)

    @property
    def _libraries(self) -> Path:
        """A folder with cryptography and what it needs, and nothing else of ours."""
        only = self.place / "only"
        if not only.exists():
            only.mkdir()
            for name in ("cryptography", "cffi", "_cffi_backend"):
                if (found := find_spec(name)) and found.origin:
                    path = Path(found.origin)
                    path = path.parent if path.name == "__init__.py" else path
                    (only / path.name).symlink_to(path)
        return only

    def trusting(self) -> tuple[int, str]:
        return self.verify("--key", self.place / "op.pub", "--tsa-cert", self.authority.ca)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    place = tmp_path_factory.mktemp("bundle")
    authority = Authority(place / "authority")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APPWITNESS_HOME", str(place / "home"))
        patch.chdir(place)
        appwitness("key", "new")
        appwitness("key", "export", "--output", "op.pub")
        with served(authority.answer) as url:
            made(place / "r", url, signer=signer())
        said = appwitness("bundle", "r", "--output", "b.zip", "--db", place / "db.sqlite")
    assert "it contains personal data" in said
    assert (place / "b.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(place / "b.zip") as archive:
        archive.extractall(place / "b")
    return Given(place, place / "b", authority)


@pytest.fixture
def given(untouched, home, tmp_path):
    shutil.copytree(untouched.place, tmp_path, dirs_exist_ok=True)
    return Given(tmp_path, tmp_path / "b", untouched.authority)


def test_a_bundle_has_everything_and_verifies_by_itself(given):
    assert {each.name for each in given.folder.iterdir()} == {
        *("recording", "report.html", "operator.pub", "tools.json", "SHA256SUMS", "README.txt", "verify.py")
    }
    code, said = given.trusting()
    assert code == 0, said
    assert said.count("says 'CN=Time of test'") == 2
    assert said.endswith("stamps\n")
    assert "NOT CHECKED" not in said
    code, said = given.verify()
    assert (code, said.count("NOT CHECKED")) == (0, 2)
    appwitness("verify", given.folder / "recording", "--key", "op.pub", "--tsa-cert", given.authority.ca)
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=given.folder, check=True)


def test_report_and_letters_are_masked_unless_somebody_wants_otherwise(home, tmp_path):
    shutil.copytree(RECORDINGS / "sent-after-refusal", tmp_path / "r")
    with Recording.open(tmp_path / "r") as recording:
        recording.stamp(final=True)
        values = {value.text for access in recording.events(Access) for value in access.values}
    for name, reveal, law in (("masked", (), ()), ("shown", ("--reveal",), ("--law", "eu"))):
        appwitness("bundle", "r", "--output", f"{name}.zip", "--db", "db.sqlite", *reveal, *law)
        with zipfile.ZipFile(tmp_path / f"{name}.zip") as archive:
            there = set(archive.namelist())
            letter = archive.read("complaint-eu.md").decode()
            page = archive.read("report.html").decode()
        assert ("complaint-cn.md" in there) == (not law)
        assert "Article 77(1) GDPR" in letter
        assert any(value in text for value in values for text in (letter, page)) == bool(reveal)


def test_the_tools_are_named_with_the_digest_of_each_of_their_files():
    said = json.loads(bundle.tools())
    assert said["appwitness"] == metadata.version("appwitness")
    assert said["packages"]["cryptography"] == metadata.version("cryptography")
    for name, path in (
        ("appwitness/exchange/bundled/verify.py", PROGRAM),
        ("appwitness/addons/uploads.py", Path("addons/uploads.py")),
        ("appwitness/agent/agent.js", Path("monitor/appwitness/agent/agent.js")),
    ):
        assert said["files"][name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_appwitness_reads_it_as_it_is_and_says_what_differs(given):
    trusting = ("--key", "op.pub", "--tsa-cert", given.authority.ca)
    said = appwitness("verify", "b.zip", *trusting)
    assert "intact" in said
    assert "SHA256SUMS lists the files of the bundle" in said
    assert "b.zip" in appwitness("report", "b.zip", "--db", "db.sqlite")
    (given.folder / "report.html").write_text("another")
    (given.folder / "more.txt").write_text("more")
    edit(given.folder / "recording")
    (given.place / "b.zip").unlink()
    with zipfile.ZipFile(given.place / "b.zip", "w") as archive:
        for path in sorted(each for each in given.folder.rglob("*") if each.is_file()):
            archive.write(path, path.relative_to(given.folder))
    said = appwitness("verify", "b.zip", *trusting, code=5)
    for name in ("more.txt", "report.html", "recording/gaps.jsonl"):
        assert f"{name} is not what SHA256SUMS says" in said
    assert "gaps.jsonl:2 differs" in said
    assert "damaged" in said


def resummed(folder: Path) -> None:
    """As whoever changed a bundle would do it."""
    files = sorted(each for each in folder.rglob("*") if each.is_file() and each.name != "SHA256SUMS")
    names = [str(each.relative_to(folder)) for each in files]
    done = subprocess.run(["sha256sum", "--", *names], cwd=folder, check=True, capture_output=True)
    (folder / "SHA256SUMS").write_bytes(done.stdout)


def edit(run: Path) -> None:
    (run / "gaps.jsonl").write_text((run / "gaps.jsonl").read_text().replace("run-1 1", "run-1 7"))


def stamped_again(run: Path) -> None:
    edit(run)
    (run / "seal.jsonl").write_bytes(b"")
    Recording.open(run).stamp(final=True)


def signed_again(run: Path) -> None:
    edit(run)
    (run / "seal.jsonl").write_bytes(b"")
    Recording.open(run, signer=signer()).stamp(final=True)


def flipped(run: Path) -> None:
    token = min((run / "tokens").iterdir())
    data = bytearray(token.read_bytes())
    data[-1] ^= 1
    token.write_bytes(data)


def forged(run: Path) -> None:
    shutil.rmtree(run / "tokens")
    other = Authority(run.parent.parent / "forger")
    with served(other.answer) as url:
        appwitness("timestamp", run, "--tsa", url)


def cut(run: Path) -> None:
    stamps = (run / "seal.jsonl").read_bytes().splitlines(keepends=True)
    (run / "seal.jsonl").write_bytes(b"".join(stamps[:2]))


ATTACKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a line is edited": (edit, "gaps.jsonl is not what seal.jsonl:"),
    "a line is added": (lambda run: (run / "gaps.jsonl").open("a").write("{}\n"), "that no stamp covers"),
    "a file is removed": (lambda run: (run / "gaps.jsonl").unlink(), "gaps.jsonl is not what seal.jsonl:"),
    "run.json is changed": (
        lambda run: (run / "run.json").write_text((run / "run.json").read_text().replace("run-1", "run-2")),
        "run.json is not what was stamped",
    ),
    "all is stamped again": (stamped_again, "is not signed by the key"),
    "all is signed again with the key": (signed_again, "is over a stamp that is not there"),
    "the end is cut off": (cut, "is over a stamp that is not there"),
    "a token is changed": (flipped, "is not a token of a trusted authority"),
    "the tokens are of another authority": (forged, "is not a token of a trusted authority"),
    "a token is truncated": (
        lambda run: min((run / "tokens").iterdir()).write_bytes(b"\x30\x82\x04"),
        "is not a token of a trusted authority",
    ),
    "the tokens are removed": (
        lambda run: shutil.rmtree(run / "tokens"),
        "no trusted authority's time is over the end",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(given, name):
    attack, says = ATTACKS[name]
    attack(given.folder / "recording")
    assert "is not what SHA256SUMS says" in given.verify()[1]
    resummed(given.folder)
    code, said = given.trusting()
    assert code == 1
    assert says in said, said


def test_what_was_forgotten_is_explained_and_nothing_else_may_be_missing(given):
    run = given.folder / "recording"
    with Recording.open(run, signer=signer()) as recording:
        recording.forget({"gap": {2}}, before="intact", reason="a request")
        recording.forget({"gap": {4}}, before="intact")
    resummed(given.folder)
    code, said = given.trusting()
    assert code == 0, said
    assert said.count("forgotten on purpose") == 2
    assert "a request" in said
    whole = (run / "gaps.jsonl").read_bytes().splitlines(keepends=True)
    for number, line in ((1, tombstone("gap", "0" * 64)), (0, tombstone("gap", hashlib.sha256(whole[0]).hexdigest()))):
        rows = [*whole]
        rows[number] = line + b"\n"
        (run / "gaps.jsonl").write_bytes(b"".join(rows))
        resummed(given.folder)
        code, said = given.trusting()
        assert code == 1, said
        assert "WRONG: gaps.jsonl" in said


def test_the_program_checks_tokens_by_rsa_too_and_what_their_certificate_is_for(given):
    run = given.folder / "recording"
    shutil.rmtree(run / "tokens")
    authority = Authority(given.place / "rsa", rsa.generate_private_key(65537, 2048))
    with served(authority.answer) as url:
        appwitness("timestamp", run, "--tsa", url)
    resummed(given.folder)
    code, said = given.verify("--tsa-cert", authority.ca)
    assert (code, said.count("says 'CN=Time of test'")) == (0, 2), said
    for token in (run / "tokens").iterdir():
        other = authority.given(authority.key, authority.serial, ExtendedKeyUsageOID.SERVER_AUTH)
        token.write_bytes(with_certificates(token.read_bytes(), [other.public_bytes(Encoding.DER)]))
    assert "not one for time stamps" in given.verify("--tsa-cert", authority.ca)[1]


@pytest.mark.slow
def test_it_verifies_in_an_empty_debian_without_network(given):
    name = os.environ.get("APPWITNESS_DEBIAN")
    if not name or os.geteuid() != 0:
        pytest.skip(
            "as root, with a Debian of python3-cryptography alone in the folder APPWITNESS_DEBIAN (CONTRIBUTING.md)"
        )
    inside = ("unshare", "--net", "chroot", name, "python3")
    none = subprocess.run([*inside, "-c", "import appwitness"], check=False, capture_output=True, text=True)
    assert "No module named 'appwitness'" in none.stderr
    with tempfile.TemporaryDirectory(dir=Path(name, "tmp")) as folder:
        shutil.copytree(given.folder, Path(folder, "b"))
        for path in (given.place / "op.pub", given.authority.ca):
            shutil.copy(path, folder)
        at = Path("/tmp", Path(folder).name)
        options = ("--key", at / "op.pub", "--tsa-cert", at / given.authority.ca.name)
        code, said = ran(*inside, at / "b/verify.py", *options)
        assert code == 0, said
        assert said.count("says 'CN=Time of test'") == 2
        edit(Path(folder, "b/recording"))
        assert ran(*inside, at / "b/verify.py", *options)[0] == 1


def test_what_is_not_whole_is_not_packed_and_nothing_is_written_over(home, tmp_path):
    Recording.create(tmp_path / "r", RUN).close()
    options = ("--db", tmp_path / "db.sqlite")
    assert "its run has not ended" in appwitness("bundle", "r", "--output", "b.zip", *options, code=5)
    with Recording.open(tmp_path / "r") as recording:
        recording.update_run(ended=RUN.started)
    (tmp_path / "b.zip").write_text("mine")
    assert "cannot be made" in appwitness("bundle", "r", "--output", "b.zip", *options, code=2)
    assert (tmp_path / "b.zip").read_text() == "mine"

"""The data that ages is replaced by a signed file alone: never by an older one, by more than data, or by less of it."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import struct
import subprocess
from datetime import date
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appwitness.agent.frida_device import VERSION
from appwitness.api import catalog_updates
from appwitness.catalog import editions, yaml_files
from appwitness.cli.verbs import main
from appwitness.correlate import knowledge
from appwitness.recording import signing
from appwitness.support.errors import FileError, UserError
from tests.recordings.written import RECORDINGS

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"1")
RECIPIENTS = (yaml_files.HERE / "recipients.yml").read_text("utf-8")
LAWS = (yaml_files.HERE / "laws.yml").read_text("utf-8")
NEW = RECIPIENTS.replace("recipients:\n", "recipients:\n  - {name: Newcomer, role: ads, hosts: [newcomer.test]}\n", 1)
BUILD = f"frida-server-{VERSION}-android-arm64.xz"


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def armoured(data: bytes, key: Ed25519PrivateKey = KEY, space: str = "appwitness-catalog") -> str:
    """As `ssh-keygen -Y sign` writes it (PROTOCOL.sshsig)."""
    what = string(space.encode()) + string(b"") + string(b"sha512")
    made = key.sign(b"SSHSIG" + what + string(hashlib.sha512(data).digest()))
    public = string(b"ssh-ed25519") + string(key.public_key().public_bytes_raw())
    blob = b"SSHSIG" + struct.pack(">I", 1) + string(public) + what + string(string(b"ssh-ed25519") + string(made))
    return f"-----BEGIN SSH SIGNATURE-----\n{base64.encodebytes(blob).decode()}-----END SSH SIGNATURE-----\n"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pub"
    path.write_text(signing.line(KEY.public_key().public_bytes_raw(), "maintainers") + "\n")
    return path


@pytest.fixture
def made(tmp_path: Path):
    """Writes an update and its signature."""

    def write(by: Ed25519PrivateKey = KEY, space: str = "appwitness-catalog", **changes: object) -> Path:
        tree = {"layout": 1, "edition": 2, "date": date(2027, 1, 15), "source": "appwitness", **changes}
        path = tmp_path / f"catalog-{tree['edition']}.yml"
        path.write_text(yaml.safe_dump({"files": {"recipients.yml": NEW}, **tree}, allow_unicode=True, sort_keys=False))
        path.with_name(f"{path.name}.sig").write_text(armoured(path.read_bytes(), by, space))
        return path

    return write


def test_a_signed_file_is_taken_and_named_wherever_the_catalog_is(made, key, tmp_path):
    place = next(path.parent for path in RECORDINGS.glob("sent-before-consent/run.json"))
    before = knowledge()
    edition = catalog_updates.update(made(), [key])
    after = knowledge()
    assert after.recipients.of_host("api.newcomer.test") is not None
    assert before.recipients.of_host("api.newcomer.test") is None
    assert after.digest != before.digest  # recordings are judged again
    assert (after.edition, after.laws) == (edition, before.laws)
    told = CliRunner().invoke(main, ["report", str(place), "--json", "--fail-on", "never"])
    fingerprint = signing.fingerprint(KEY.public_key().public_bytes_raw())
    catalog = {"edition": 2, "date": "2027-01-15", "source": "appwitness", "key": fingerprint}
    assert json.loads(told.stdout)["catalog"] == catalog
    formats = ("text", "text --verbose", "html", "junit", "sarif", "complaint", "text --lang zh", "complaint --lang zh")
    for options in (each.split() for each in formats):
        said = CliRunner().invoke(main, ["report", str(place), "--fail-on", "never", "--format", *options]).stdout
        assert "2027-01-15" in said.replace("\\", ""), options
    shown = CliRunner().invoke(main, ["catalog", "show"]).stdout
    assert f"edition 2 of 2027-01-15, signed by {fingerprint}, from appwitness" in " ".join(shown.split())
    assert catalog_updates.update(made(), [key]) == edition  # again: nothing to do


def test_what_ssh_keygen_signs_is_taken(made, tmp_path):
    if not shutil.which("ssh-keygen"):
        pytest.skip("no ssh-keygen here")
    path = made()
    path.with_name(f"{path.name}.sig").unlink()
    for command in (
        ["-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "own"],
        ["-Y", "sign", "-q", "-n", "appwitness-catalog", "-f", tmp_path / "own", path],
    ):
        subprocess.run(["ssh-keygen", *command], check=True, capture_output=True)
    assert catalog_updates.update(path, [tmp_path / "own.pub"]).edition == 2


def test_without_a_key_that_is_trusted_nothing_is_taken(made):
    assert "ssh-ed25519" not in editions.KEYS.read_text("utf-8").replace("`ssh-ed25519`", "")
    with pytest.raises(UserError, match="trusts no key") as raised:
        catalog_updates.update(made())
    assert "--key FILE" in raised.value.next_step


def beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sig")


def longer(path: Path) -> Path:
    path.write_bytes(path.read_bytes() + b"\n# one more\n")
    return path


SIGNATURES = {
    "of another key": (lambda made: made(by=OTHER), "is not a trusted key"),
    "for something else": (lambda made: made(space="file"), "not a signature for appwitness-catalog"),
    "of other bytes": (lambda made: longer(made()), "does not match the file"),
    "of no kind": (lambda made: beside(path := made()).write_text("yes") and path, "not a signature"),
    "absent": (lambda made: alone(made()), "is not beside it"),
    "half": (lambda made: _cut(made()), "not a signature"),
}  # fmt: skip


def alone(path: Path) -> Path:
    beside(path).unlink()
    return path


def _cut(path: Path) -> Path:
    """A signature of which half is there."""
    sig = beside(path)
    lines = sig.read_text().splitlines()
    sig.write_text("\n".join([*lines[:2], lines[-1]]) + "\n")
    return path


@pytest.mark.parametrize(("make", "says"), SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_that_is_not_ours_is_refused(made, key, make, says):
    path = make(made)
    with pytest.raises(UserError, match=says):
        catalog_updates.update(path, [key])
    assert editions.in_effect() == editions.of_package()


def without(text: str, start: str) -> str:
    """Without the first line that begins so."""
    lines = text.splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.strip().startswith(start))
    return "".join(lines[:at] + lines[at + 1 :])


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "no newer": ({"edition": 1}, "no newer than edition 1"),
    "of an earlier day": ({"date": date(2026, 1, 1)}, "no newer than"),
    "of another layout": ({"layout": 2}, "another version of appwitness"),
    "outside, up": ({"files": {"../../key": "a"}}, "may not replace '../../key'"),
    "outside, absolute": ({"files": {"/etc/passwd": "a"}}, "may not replace '/etc/passwd'"),
    "a rule": ({"files": {"rules/sent-before-consent.yml": ""}}, "may not replace 'rules/sent-before-consent.yml'"),
    "code": ({"files": {"editions.py": "import os"}}, "may not replace 'editions.py'"),
    "words of consent": ({"files": {"consent.yml": "a"}}, "may not replace 'consent.yml'"),
    "its own keys": ({"files": {"update_keys.txt": "a"}}, "may not replace 'update_keys.txt'"),
    "no YAML": ({"files": {"recipients.yml": "recipients: ["}}, "recipients.yml:2: not YAML"),
    "an unknown field": ({"files": {"recipients.yml": f"{NEW}\nrun: a\n"}}, "run: Extra inputs"),
    "fewer recipients": ({"files": {"recipients.yml": without(NEW, "- {name: 友盟")}}, "leaves out .*: com.umeng"),
    "a domain of nobody": ({"files": {"recipients.yml": NEW.replace("umsns.com", "a.test")}}, "leaves out .*umsns.com"),
    "no finding types": ({"files": {"laws.yml": without(LAWS, "- {id: F04")}}, "F04"),
    "fewer dialogs": (
        {"files": {"devices/dialogs.yml": without(
            (yaml_files.HERE / "devices/dialogs.yml").read_text("utf-8"), "- permission_deny_button_2")}},
        "leaves out entries that are there: permission.buttons.deny: permission_deny_button_2",
    ),
    "no digest": ({"files": {"devices/frida_builds.yml": f"builds: {{{BUILD}: abc}}\n"}}, "should match pattern"),
    "nothing": ({"files": {}}, "at least 1 item"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "says"), REFUSED.values(), ids=REFUSED)
def test_a_signed_file_that_does_more_than_it_may_is_refused_and_nothing_changes(made, key, changes, says, tmp_path):
    path = made(**changes)
    with pytest.raises(FileError, match=says):
        catalog_updates.update(path, [key])
    assert editions.in_effect() == editions.of_package()
    assert not (tmp_path / "home").exists()


def test_too_large_a_file_is_not_read(made, key, monkeypatch):
    path = made()
    monkeypatch.setattr(yaml_files, "LARGEST", path.stat().st_size - 1)
    with pytest.raises(FileError, match="larger"):
        catalog_updates.update(path, [key])


def test_none_is_followed_by_an_earlier_one(made, key):
    builds = f"builds:\n  {BUILD}: {'a' * 64}\n"
    catalog_updates.update(made(edition=3, files={"devices/frida_builds.yml": builds}), [key])
    with pytest.raises(FileError, match=r"edition 2 of 2027-01-15, no newer than edition 3"):
        catalog_updates.update(made(edition=2), [key])
    other = {"devices/frida_builds.yml": builds.replace("a" * 64, "b" * 64)}
    with pytest.raises(FileError, match="leaves out entries that are there: frida-server"):  # a digest stays what it is
        catalog_updates.update(made(edition=4, files=other), [key])


def test_what_is_known_is_of_one_edition_whatever_is_taken_meanwhile(made, key, monkeypatch):
    first = catalog_updates.update(made(), [key])
    read = editions.in_effect

    def then_another():
        found = read()
        monkeypatch.setattr(editions, "in_effect", read)
        catalog_updates.update(made(edition=3, files={"laws.yml": f"{LAWS}\n# later\n"}), [key])
        return found

    monkeypatch.setattr(editions, "in_effect", then_another)
    known = knowledge()
    assert known.edition == first
    assert known.recipients.of_host("newcomer.test") is not None
    later = knowledge()
    assert later.edition is not None
    assert later.edition.edition == 3
    assert later.recipients.of_host("newcomer.test") is not None  # what the second did not replace stays


def test_a_package_that_is_as_new_goes_before_what_was_taken(made, key, monkeypatch):
    catalog_updates.update(made(), [key])
    later = editions.Edition(layout=1, edition=2, date=date(2027, 2, 1))
    monkeypatch.setattr(editions, "of_package", lambda: later)
    assert editions.in_effect() == later
    assert editions.file("recipients.yml") == yaml_files.HERE / "recipients.yml"


def test_what_was_taken_and_changed_since_is_not_used(made, key):
    edition = catalog_updates.update(made(), [key])
    longer(editions.kept(edition) / "recipients.yml")
    told = CliRunner().invoke(main, ["list", "rules", "--json"])
    assert told.exit_code == 2
    assert "it is not what the update installed" in told.stderr
    assert "appwitness catalog update FILE" in " ".join(told.stderr.split())

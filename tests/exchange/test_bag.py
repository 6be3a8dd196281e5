"""A bundle as a bag: opened by BagIt's own validator, described as CASE's own validator wants it."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import bagit
import pytest

from appwitness.events import Run
from appwitness.exchange.case_description import BundledFile, description
from appwitness.recording import Recording
from tests.recording.test_signing import appwitness
from tests.recordings.written import RECORDINGS


@pytest.fixture(scope="module")
def bag(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("bag")
    shutil.copytree(RECORDINGS / "sent-after-refusal", place / "r")
    with Recording.open(place / "r") as recording:
        recording.stamp(final=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APPWITNESS_HOME", str(place / "home"))
        appwitness(
            "bundle", place / "r", "--output", place / "case-7.zip", "--format", "bagit", "--db", place / "db.sqlite"
        )
    with zipfile.ZipFile(place / "case-7.zip") as archive:
        archive.extractall(place)
    return Path(place, "case-7")


def case_validates(path: Path) -> str:
    """Empty where it conforms; else what CASE's validator says."""
    done = subprocess.run(
        [Path(sys.executable).parent / "case_validate", path], check=False, capture_output=True, text=True
    )
    return "" if done.returncode == 0 and "Conforms: True" in done.stdout else done.stdout + done.stderr


def test_bagit_accepts_it_and_it_still_checks_itself(bag):
    opened = bagit.Bag(str(bag))
    assert opened.is_valid()
    assert opened.info["External-Identifier"] == "sent-after-refusal"
    assert opened.info["Contact-Name"] == "by hand"
    assert {path.name for path in bag.iterdir()} == {
        *("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "data")
    }
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=bag / "data", check=True)
    done = subprocess.run([sys.executable, bag / "data/verify.py"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    appwitness("verify", bag / "data/recording")


def test_the_description_names_every_file_of_the_payload_with_its_digest(bag):
    graph = json.loads((bag / "data/case.jsonld").read_text("utf-8"))["@graph"]
    named = {}
    for node in graph:
        facets = {facet["@type"]: facet for facet in node.get("uco-core:hasFacet", ())}
        if about := facets.get("uco-observable:FileFacet"):
            (hashed,) = facets["uco-observable:ContentDataFacet"]["uco-observable:hash"]
            named[about["uco-observable:filePath"]] = hashed["uco-types:hashValue"]["@value"]
    listed = dict(line.split("  ")[::-1] for line in (bag / "data/SHA256SUMS").read_text("utf-8").splitlines())
    assert named == {name: digest for name, digest in listed.items() if name != "case.jsonld"}


def tampered(bag: Path) -> Iterator[Path]:
    """Changes, each undone before the next."""
    for name in ("data/recording/accesses.jsonl", "data/report.html", "data/case.jsonld", "bag-info.txt"):
        path = bag / name
        kept = path.read_bytes()
        path.write_bytes(kept.replace(b"e", b"f", 1))
        yield path
        path.unlink()
        yield path
        path.write_bytes(kept)
    (bag / "data/more.txt").write_text("more")
    yield bag / "data/more.txt"
    (bag / "data/more.txt").unlink()


def test_tampering_is_named(bag):
    for path in tampered(bag):
        with pytest.raises(bagit.BagValidationError) as wrong:
            bagit.Bag(str(bag)).validate()
        assert path.name in str(wrong.value)


@pytest.mark.slow
def test_case_accepts_the_description(bag):
    assert not case_validates(bag / "data/case.jsonld")


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"case": "DP-2026-17", "operator": "李娜 \u202e\n", "ended": "2026-03-14T09:01:00.000000Z"},
        {
            "app": {
                "package": "com.example.shop", "version": "1.0",
                "apk_sha256": "ab" * 32, "certificate_sha256": "cd" * 32,
            },
            "device": {"serial": "x", "model": "Pixel 7", "release": "14", "kind": "phone"},
            "versions": {"appwitness": "0.1.0", "frida": "17.1", "mitmproxy": None, "rules": "sha256:1"},
        },
        {
            "obtained": {
                "store": "Google Play", "account": "a@example.com", "link": "https://x.test/a", "at": "2026-03-01",
            },
            "image": {"link": "https://x.test/image.zip", "sha256": "ef" * 32},
        },
    ],
)  # fmt: skip
def test_a_run_with_much_or_little_known_conforms(more, tmp_path):
    run = Run.model_validate(
        {
            "v": 1, "id": "run-1", "app": {"package": "com.example.shop"}, "device": {"serial": "x", "kind": "lab"},
            "started": "2026-03-14T09:00:00.000000Z",
        } | more
    )  # fmt: skip
    path = tmp_path / "case.jsonld"
    path.write_bytes(description(run, [BundledFile("recording/run.json", 12, "00" * 32)]))
    assert not case_validates(path)
    assert path.read_bytes() == description(run, [BundledFile("recording/run.json", 12, "00" * 32)])

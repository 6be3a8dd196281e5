"""The signer of an APK is the one that Android takes, at each API level; forged parts of the file change nothing."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import struct
import subprocess
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7

from appwitness.devices.android.app import apk, signers
from appwitness.devices.android.faults import DeviceFault
from tests.adb.rig import make_apk
from tests.real_apks import real_apk

V2, V3, V31, PADDING = 0x7109871A, 0xF05368C0, 0x1B93AD61, 0x42726577
NEWEST = (1 << 31) - 1


def prefixed(data):
    return struct.pack("<I", len(data)) + data


def scheme(number, *who, least=28, most=NEWEST):
    """A part of a signing block: id, and one signer for each name."""
    listed = b""
    for name in who:
        levels = b"" if number == V2 else struct.pack("<II", least, most)
        data = prefixed(b"") + prefixed(prefixed(make_apk.certificate(name))) + levels + prefixed(b"")
        listed += prefixed(prefixed(data) + levels + prefixed(b"") + prefixed(b""))
    return number, prefixed(listed)


def with_block(path, *parts, sizes=(0, 0), comment=b""):
    """An APK with these parts in its signing block; `sizes`: by how much the sizes before and behind it are wrong."""
    data = make_apk.apk(path, signer=None).read_bytes()
    end = data.rindex(b"PK\x05\x06")
    (start,) = struct.unpack_from("<I", data, end + 16)
    pairs = b"".join(struct.pack("<QI", 4 + len(part), number) + part for number, part in parts)
    size = len(pairs) + 24
    head, foot = (struct.pack("<Q", size + wrong) for wrong in sizes)
    block = head + pairs + foot + b"APK Sig Block 42"
    made = bytearray(data[:start] + block + data[start:] + comment)
    struct.pack_into("<I", made, end + len(block) + 16, start + len(block))
    struct.pack_into("<H", made, end + len(block) + 20, len(comment))
    path.write_bytes(made)
    return path


def told(path, api):
    signer = apk.read(path).signer(api)
    names = {make_apk.fingerprint(name): name for name in ("old", "new", "circle", "forger")}
    return (signer.scheme, names.get(signer.sha256, signer.sha256)) if signer else None


ROTATED = [scheme(V2, "old"), scheme(V3, "old", most=32), scheme(V31, "new", least=33)]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([scheme(V2, "old")], {23: None, 24: ("v2", "old"), 36: ("v2", "old")}),
        ([scheme(V2, "old"), scheme(V3, "new")], {24: ("v2", "old"), 27: ("v2", "old"), 28: ("v3", "new")}),
        (ROTATED, {27: ("v2", "old"), 28: ("v3", "old"), 32: ("v3", "old"), 33: ("v3.1", "new"), 0: ("v3.1", "new")}),
        (ROTATED[::-1], {28: ("v3", "old"), 36: ("v3.1", "new")}),
        (
            [scheme(V3, "old", most=34), scheme(V31, "new", least=35)],
            {33: ("v3", "old"), 34: ("v3", "old"), 35: ("v3.1", "new")},
        ),
        ([(PADDING, b"\0" * 90), scheme(V2, "old"), (0x1234, b"")], {24: ("v2", "old")}),
        ([scheme(V2, "old"), scheme(V2, "forger")], {24: ("v2", "old")}),
        ([scheme(V3, "old"), scheme(V3, "forger"), scheme(V2, "forger")], {28: ("v3", "old")}),
        ([scheme(V2, "old", "new")], {24: ("v2", "old")}),
        ([(V2, b"\xff" * 8)], {24: None}),
        ([], {24: None}),
    ],
)
def test_the_scheme_that_a_device_knows_counts_and_the_first_part_of_an_id(tmp_path, parts, expected):
    path = with_block(tmp_path / "a.apk", *parts)
    assert {api: told(path, api) for api in expected} == expected


@pytest.mark.parametrize("sizes", [(8, 0), (0, 8), (1 << 40, 1 << 40), (-8, -8)])
def test_a_block_with_wrong_sizes_is_none(tmp_path, sizes):
    assert told(with_block(tmp_path / "a.apk", scheme(V2, "old"), sizes=sizes), 30) is None


def end_record(start, comment=0, entries=1, length=46):
    return b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, entries, entries, length, start, comment)


@pytest.mark.parametrize(
    "comment",
    [b"", b"plain", end_record(9, comment=3), b"x" * 30 + end_record(0, 7) + b"yy", b"PK\x05\x06"],
)
def test_an_end_record_in_the_comment_changes_neither_signer_nor_files(tmp_path, comment):
    path = with_block(tmp_path / "a.apk", scheme(V2, "old"), comment=comment)
    assert told(path, 30) == ("v2", "old")
    assert apk.read(path).package == "com.example.circle"


def test_an_end_record_that_android_takes_for_the_real_one_is_taken_here(tmp_path):
    with pytest.raises(DeviceFault, match="not an APK that can be read"):
        apk.read(with_block(tmp_path / "a.apk", scheme(V2, "old"), comment=end_record(9)))


def test_bytes_behind_the_end_are_refused_as_android_does(tmp_path):
    path = with_block(tmp_path / "a.apk", scheme(V2, "old"))
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(DeviceFault, match="not a ZIP file, or its end is missing"):
        apk.read(path)


# the bag of the v1 signature


@functools.cache
def key_and_certificate(name, serial):
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
    builder = builder.serial_number(serial).not_valid_before(start).not_valid_after(start + timedelta(days=99))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return key, builder.sign(key, hashes.SHA256())


def bag(name, *others, serial=1):
    """A detached signature: the certificates of others stand in it, too."""
    key, own = key_and_certificate(name, serial)
    made = pkcs7.PKCS7SignatureBuilder().set_data(b"x").add_signer(own, key, hashes.SHA256())
    for other in others:
        made = made.add_certificate(key_and_certificate(*other)[1])
    return made.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature])


def der(name, serial=1):
    return key_and_certificate(name, serial)[1].public_bytes(serialization.Encoding.DER)


def reordered(data, first, second):
    """Two certificates of one length change places."""
    assert len(first) == len(second)
    return data.replace(first, b"\0" * len(first)).replace(second, first).replace(b"\0" * len(first), second)


def test_the_signers_certificate_is_found_among_others():
    own, other = der("aa", 1), der("bb", 1)
    made = bag("aa", ("bb", 1))
    assert own in made
    assert other in made
    assert signers.of_bag(made) == own
    if len(own) == len(other):
        assert signers.of_bag(reordered(made, own, other)) == own


def test_certificates_of_one_issuer_are_told_apart_by_their_number():
    assert signers.of_bag(bag("aa", ("aa", 2), serial=1)) == der("aa", 1)
    assert signers.of_bag(bag("aa", ("aa", 1), serial=2)) == der("aa", 2)


def open_lengths(data):
    """The same bag with open lengths around its content, as some tools write it (BER)."""
    outer = list(signers.elements(next(signers.elements(data)).inside))
    signed = next(signers.elements(outer[1].inside)).inside
    return b"\x30\x80" + outer[0].whole + b"\xa0\x80\x30\x80" + signed + b"\0\0" * 3


def test_open_lengths_and_certificates_that_are_no_der(tmp_path):
    own = der("aa")
    made = bag("aa")
    assert signers.of_bag(open_lengths(made)) == own
    odd = own.replace(b"\x01\x01\xff", b"\x01\x01\x01")  # TRUE as BER may write it
    assert odd != own
    files = {"META-INF/CERT.RSA": made.replace(own, odd), "META-INF/CERT.SF": b""}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = apk.read(make_apk.apk(tmp_path / "a.apk", signer=None, files=files))
    assert (found.signed_by, found.certificate_sha256) == ("v1", hashlib.sha256(odd).hexdigest())


@pytest.mark.parametrize("cut", [0, 1, 2, 10, 100, 400])
def test_a_damaged_bag_has_no_signer(tmp_path, capfd, cut):
    files = {"META-INF/CERT.RSA": bag("aa")[:cut], "META-INF/CERT.SF": b""}
    assert apk.read(make_apk.apk(tmp_path / "a.apk", signer=None, files=files)).signer() is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("data", [b"\x30\x80" * 50_000, b"\x30\x80" + b"\x30\x80\0\0" * 50_000, b"\xa0\x80" * 9])
def test_a_hostile_bag_is_refused_in_bounds(data):
    with pytest.raises(ValueError, match="signature"):
        signers.of_bag(data)


# by a reader of others


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1")  # programs of a second
        yield made_keys(tmp_path_factory)


def made_keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for program in ("apksigner", "keytool"):
        if not shutil.which(program):
            pytest.skip(f"there is no {program} here (Debian: apksigner, default-jdk-headless)")
    for name in ("old", "new"):
        words = ["-genkeypair", "-storetype", "PKCS12", "-storepass", "android", "-keyalg", "EC", "-alias", "k"]
        where = ["-keystore", f"{name}.p12", "-dname", f"CN={name}"]
        subprocess.run(["keytool", *words, *where], cwd=folder, check=True, capture_output=True)
    store = ["--ks", "old.p12", "--ks-pass", "pass:android"]
    newer = ["--ks", "new.p12", "--ks-pass", "pass:android"]
    rotate = ["apksigner", "rotate", "--out", "lineage", "--old-signer", *store, "--new-signer", *newer]
    subprocess.run(rotate, cwd=folder, check=True, capture_output=True)
    return folder, store, ["--next-signer", *newer, "--lineage", "lineage"]


@pytest.mark.parametrize(
    ("options", "rotated", "levels"),
    [
        ([], False, (24, 33)),
        ([], True, (28, 33)),
        (["--rotation-min-sdk-version", "28"], True, (24, 28)),
        (["--v3-signing-enabled", "false"], False, (28,)),
    ],
)
def test_apksig_says_the_same(keys, tmp_path, options, rotated, levels):
    folder, store, next_signer = keys
    path = tmp_path / "a.apk"
    more = next_signer if rotated else []
    command = ["apksigner", "sign", *store, *more, *options, "--out", path, real_apk("Settings")]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    for api in levels:
        only = ["--min-sdk-version", str(api), "--max-sdk-version", str(api)]
        said = subprocess.run(
            ["apksigner", "verify", "--print-certs", *only, path], capture_output=True, text=True, check=True
        ).stdout
        (digest, *_) = re.findall(r"certificate SHA-256 digest: (\w+)", said)
        signer = apk.read(path).signer(api)
        assert signer is not None
        assert signer.sha256 == digest, said


def test_a_real_app_signed_by_its_maker():
    found = apk.read(Path(real_apk("ApiDemos")))
    assert [each.scheme for each in found.signers] == ["v2", "v1"]
    assert found.signers[0].sha256 == found.signers[1].sha256

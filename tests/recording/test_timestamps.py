"""Time-stamp tokens of a real authority: what they expose, and what `verify` says of each."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from appwitness.recording import Recording, signing, timestamps, verify
from appwitness.recording import authority as asking
from appwitness.recording.seal import SEAL
from appwitness.support.errors import FileError, UserError
from tests.recording.authority import Authority, served
from tests.recording.test_recording import RUN, gap
from tests.recording.test_signing import APP, appwitness, cut_tail, edit, home, lines, unsigned_mark

__all__ = ["home"]

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")


def never(url, error):
    raise error


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def url(authority):
    with served(authority.answer) as url:
        yield url


@pytest.fixture(scope="module")
def trusted(authority):
    return timestamps.authorities(authority.ca.read_bytes(), authority.ca)


def made(path: Path, url: str, name: str = "run-1", signer: signing.Signer | None = None, clock=None) -> Path:
    """A finished run, with tokens of its beginning and its end."""
    clock = clock or (lambda: datetime.now(UTC))
    with Recording.create(
        path, RUN.model_copy(update={"id": name, "app": APP}), signer=signer, clock=clock
    ) as recording:
        shutil.copy(path / "run.json", path.with_suffix(".began"))
        timestamps.anchor(recording, [url], never)
        for number in range(4):
            recording.append(gap(f"{name} {number}"))
            recording.stamp()
        recording.append(gap(f"{name} the last"))
        recording.update_run(ended=clock())
        recording.stamp(final=True)
        timestamps.anchor(recording, [url], never)
    return path


def said(result) -> list[str]:
    return [f"{each.file}{f':{each.line}' if each.line else ''} {each.what}" for each in result.problems]


def test_tokens_say_when_the_first_and_the_last_stamp_were_there(tmp_path, url, trusted):
    before = datetime.now(UTC).replace(microsecond=0)
    told = verify(made(tmp_path / "r", url), None, trusted)
    assert (told.outcome, said(told), told.remarks) == ("intact", [], ())
    assert [each.stamp for each in told.tokens] == [1, told.stamps]
    assert all(each.trusted and each.by == "CN=Time of test" for each in told.tokens)
    assert all(before <= each.at <= datetime.now(UTC) for each in told.tokens if each.at)
    assert not any(each.trusted for each in verify(tmp_path / "r").tokens)


def rewritten(path: Path, signer: signing.Signer | None = None) -> None:
    lines(path, edit)
    (path / SEAL).write_bytes(b"")
    Recording.open(path, signer=signer).stamp(final=True)


def forged(path: Path) -> None:
    """As somebody makes it who has another authority."""
    other = Authority(path.parent / "forger")
    shutil.rmtree(path / "tokens")
    with Recording.open(path) as recording, served(other.answer) as url:
        timestamps.anchor(recording, [url], never)


def flipped(path: Path) -> None:
    """The time in a token is changed, the signature left."""
    token = max((path / "tokens").iterdir())
    data = token.read_bytes()
    year = str(datetime.now(UTC).year).encode()
    token.write_bytes(data.replace(year, b"2001", 1))


def lost(path: Path) -> None:
    cut_tail(path, None)
    max((path / "tokens").iterdir(), key=lambda each: int(each.name.partition("-")[0])).unlink()


NOT_THERE = "is over a stamp that is not in seal.jsonl"


class Attack(NamedTuple):
    """What is done to the folder, and what is said with the authority's certificate and without."""

    do: Callable[[Path], object]
    problem: str
    outcome: str = "altered"


ATTACKS = {
    "the end is cut off with its stamps": Attack(lambda path: cut_tail(path, None), NOT_THERE),
    "the end is cut off with its stamps and its token": Attack(lost, "its end may have been cut off", "intact_up_to"),
    "all is rewritten and stamped again": Attack(rewritten, NOT_THERE),
    "the tokens are removed": Attack(
        lambda path: shutil.rmtree(path / "tokens"), "seal.jsonl:1 has no time-stamp token", "intact"
    ),
    "the tokens are of another authority": Attack(forged, "is not signed by a trusted authority", "intact"),
    "the time in a token is changed": Attack(flipped, "is not signed by a trusted authority", "intact"),
    "a token is no token": Attack(
        lambda path: min((path / "tokens").iterdir()).write_bytes(b"x"), "is no time-stamp token"
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(tmp_path, url, trusted, name):
    path = made(tmp_path / "r", url)
    ATTACKS[name].do(path)
    told = verify(path, None, trusted)
    assert any(ATTACKS[name].problem in each for each in said(told)), said(told)
    assert verify(path).outcome == ATTACKS[name].outcome


def test_whoever_has_the_key_later_cannot_sign_anew_in_time(tmp_path, url, trusted):
    operator = signing.new(tmp_path / "key")
    keys = {signing.fingerprint(operator.public)}
    path = made(tmp_path / "r", url, signer=operator)
    assert verify(path, keys, trusted).ok
    rewritten(path, operator)
    assert any(NOT_THERE in each for each in said(verify(path, keys, trusted)))
    shutil.rmtree(path / "tokens")
    assert verify(path, keys).ok
    assert not verify(path, keys, trusted).ok


def test_tokens_of_another_recording_do_not_fit(tmp_path, url, trusted):
    path, old = made(tmp_path / "r", url), made(tmp_path / "old", url, "run-0")
    shutil.rmtree(path / "tokens")
    shutil.copytree(old / "tokens", path / "tokens")
    assert sum(NOT_THERE in each for each in said(verify(path, None, trusted))) == 2


@pytest.mark.parametrize(
    ("days", "remark"), [(-30, "was requested later, or the run's clock was set back"), (30, "which is impossible")]
)
def test_a_clock_that_was_wrong_is_remarked(tmp_path, url, trusted, days, remark):
    path = made(tmp_path / "r", url, clock=lambda: datetime.now(UTC) + timedelta(days=days))
    told = verify(path, None, trusted)
    assert told.outcome == "intact"
    assert sum(remark in each.what for each in told.remarks) == 2, told.remarks


def test_tokens_over_earlier_stamps_fit_when_lines_were_forgotten(tmp_path, url, trusted):
    path = made(tmp_path / "r", url)
    with Recording.open(path) as recording:
        recording.forget({"gap": {1, 3}}, before="intact")
        told = verify(path, None, trusted)
        assert (told.outcome, said(told), told.remarks) == ("intact", [], ())
        assert all(each.trusted for each in told.tokens)
        timestamps.anchor(recording, [url], never)
    assert verify(path, None, trusted).tokens[-1].stamp == told.stamps


def test_a_mark_that_came_later_leaves_the_tokens_as_they_are_and_may_have_its_own(tmp_path, url, trusted):
    path = made(tmp_path / "r", url)
    unsigned_mark(path, None)
    assert verify(path, None, trusted).outcome == "intact"
    with Recording.open(path) as recording:
        assert len(timestamps.anchor(recording, [url], never)) == 1
        assert timestamps.anchor(recording, [url], never) == []
    assert [each.stamp for each in verify(path, None, trusted).tokens][-1] == verify(path).stamps


def test_without_network_the_run_goes_on_and_tokens_are_asked_for_later(home, tmp_path, url, authority):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    failed = []
    with Recording.create(tmp_path / "r", RUN) as recording:
        assert timestamps.anchor(recording, [nobody], lambda url, error: failed.append(str(error))) == []
        recording.update_run(ended=datetime.now(UTC))
    assert f"{nobody} could not be asked" in failed[0]
    assert "no time-stamp token" in appwitness("verify", "r")
    assert "has no time-stamp token" in appwitness("verify", "r", "--tsa-cert", authority.ca, code=5)
    assert "could not be asked" in appwitness("timestamp", "r", "--tsa", nobody, code=2)
    assert appwitness("timestamp", "r", "--tsa", url).count("written: tokens/") == 2
    assert "not checked against a trusted authority" in appwitness("verify", "r")
    told = appwitness("verify", "r", "--tsa-cert", authority.ca)
    assert "says CN=Time of test\n" in told
    (first, _) = json.loads(appwitness("verify", "r", "--format", "json", "--tsa-cert", authority.ca))["tokens"]
    assert (first["stamp"], first["trusted"], first["by"]) == (1, True, "CN=Time of test")


@pytest.mark.lab
def test_a_run_asks_at_its_beginning_and_its_end_and_says_once_who_does_not_answer(home, tmp_path, url, trusted):
    run = ("observe", "--device", "lab:circle", "--plan", "refuse", "--seconds", "4", "--db", tmp_path / "db.sqlite")
    said = appwitness(*run, "--output", "a", "--tsa", "http://127.0.0.1:1/", "--tsa", url, code=1)
    assert said.count("http://127.0.0.1:1/ could not be asked") == 1
    checked = verify(tmp_path / "a", None, trusted)
    assert (checked.outcome, [each.stamp for each in checked.tokens]) == ("intact", [1, checked.stamps])
    asked = Recording.open(tmp_path / "a").run.requests or ()
    assert [(each.what, each.to) for each in asked] == [
        ("time_stamp", to) for to in ("127.0.0.1:1", urlsplit(url).netloc)
    ]
    said = appwitness(*run, "--output", "b", "--tsa", "file:///etc/passwd", code=2)
    assert "is not the address of a time-stamp authority" in said


def test_a_token_can_be_checked_by_hand(tmp_path, url, authority):
    """As docs/evidence.md describes it, with openssl alone."""
    path = made(tmp_path / "r", url)
    (tmp_path / "stamp").write_bytes((path / SEAL).read_bytes().splitlines(keepends=True)[0])
    (token,) = (path / "tokens").glob("1-*")
    command = ["openssl", "ts", "-verify", "-data", tmp_path / "stamp", "-in", token, "-CAfile", authority.ca]
    assert b"Verification: OK" in subprocess.run(command, check=True, capture_output=True).stdout


# hostile authorities and files


@pytest.mark.parametrize(
    ("answer", "status", "headers", "why"),
    [
        (b"", 200, {}, "gave no token"),
        (b"<html>", 200, {}, "gave no token"),
        (b"0" * 1_000_000, 200, {}, "answer is too large"),
        (b"", 500, {}, "it answered 500"),
        (b"", 302, {"Location": "file:///etc/passwd"}, "it answered 302"),
        (b"", 307, {"Location": "http://127.0.0.1:1/"}, "it answered 307"),
        (bytes.fromhex("30053003020102"), 200, {}, "gave no token"),  # rejected
    ],
)
def test_an_authority_that_gives_no_token(answer, status, headers, why):
    with served(lambda _: answer, status, **headers) as url, pytest.raises(timestamps.NoToken, match=why):
        timestamps.ask(url, b"stamp")


def test_a_token_over_something_else_is_not_taken(authority):
    kept = []

    def replay(request):
        kept.append(authority.answer(request))
        return kept[0]

    with served(replay) as url:
        timestamps.ask(url, b"stamp")
        with pytest.raises(timestamps.NoToken, match="over something else"):
            timestamps.ask(url, b"stamp")


def test_an_authority_over_tls_is_asked_where_its_certificate_is_good(tmp_path, authority, monkeypatch):
    ca, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    with served(authority.answer, tls=tls) as url:
        with pytest.raises(timestamps.NoToken, match="certificate verify failed"):
            timestamps.ask(url, b"stamp")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        timestamps.ask(url, b"stamp")


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_an_authority_that_never_ends_is_left(monkeypatch, head):
    """It sends a byte again and again, so that no single one is late."""
    monkeypatch.setattr(asking, "ANSWER_S", 0.3)

    def drip(server):
        with suppress(OSError), server.accept()[0] as connection:
            connection.sendall(head)
            while True:
                connection.sendall(b"x")
                time.sleep(0.01)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=[server])
        thread.start()
        with pytest.raises(timestamps.NoToken):
            timestamps.ask(f"http://127.0.0.1:{server.getsockname()[1]}/", b"stamp")
        thread.join(20)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "ftp://a/",
            "http://",
            "https://u:p@a/",
            "http://a/ b",
            "http://a:x/",
            "a",
            "",
            "http://a/\n",
        )
    ],
)
def test_what_is_no_address_of_an_authority(url):
    with pytest.raises(UserError, match="is not the address"):
        timestamps.address(url)


@pytest.mark.parametrize("data", [b"", b"-----BEGIN CERTIFICATE-----\nx\n", b"x" * 99])
def test_a_file_without_a_certificate(tmp_path, data):
    with pytest.raises(FileError, match="contains no certificate"):
        timestamps.authorities(data, tmp_path)


def test_what_is_in_the_place_of_a_token_is_told_and_never_opened(tmp_path, url, trusted):
    path = made(tmp_path / "r", url)
    os.mkfifo(path / "tokens" / "7-pipe.tsr")
    (path / "tokens" / "8-link.tsr").symlink_to("/etc/passwd")
    (path / "tokens" / "9-large.tsr").write_bytes(b"0" * 1_000_000)
    (path / "tokens" / "note").write_text("")
    told = verify(path, None, trusted)
    assert [each.file for each in told.problems] == [f"tokens/{name}.tsr" for name in ("7-pipe", "8-link", "9-large")]
    assert [each.file for each in told.remarks] == ["tokens/note"]


@pytest.mark.parametrize("backwards", [False, True])
def test_certificates_may_be_in_any_order(tmp_path, url, authority, trusted, backwards):
    path = made(tmp_path / "r", url)
    both = [
        each.public_bytes(Encoding.DER)
        for each in (*trusted, *timestamps.authorities(authority.leaf.read_bytes(), path))
    ]
    for token in (path / "tokens").iterdir():
        token.write_bytes(with_certificates(token.read_bytes(), sorted(both, reverse=backwards)))
    assert verify(path, None, trusted).outcome == "intact"


def test_a_token_whose_signer_may_be_either_of_two_certificates_is_none(tmp_path, url, trusted, authority):
    """One with a purpose that its issuer never gave could otherwise be taken for the real one, of the same number."""
    path = made(tmp_path / "r", url)
    ca, leaf = (
        each.public_bytes(Encoding.DER)
        for each in (*trusted, *timestamps.authorities(authority.leaf.read_bytes(), path))
    )
    twin = leaf[:-1] + bytes([leaf[-1] ^ 1])
    for token in (path / "tokens").iterdir():
        token.write_bytes(with_certificates(token.read_bytes(), [ca, leaf, twin]))
    assert sum("is no time-stamp token" in each for each in said(verify(path, None, trusted))) == 2


def test_a_certificate_that_the_authority_gave_for_something_else_signs_no_time(tmp_path, authority, trusted):
    """One for a server: its holder makes tokens with a certificate of his own, and puts the given one in its place."""
    other = Authority(tmp_path / "forger")
    for purpose, good in ((ExtendedKeyUsageOID.SERVER_AUTH, False), (ExtendedKeyUsageOID.TIME_STAMPING, True)):
        given = authority.given(other.key, other.serial, purpose)
        path = tmp_path / purpose.dotted_string
        with served(other.answer) as url:
            made(path, url)
        for token in (path / "tokens").iterdir():
            token.write_bytes(with_certificates(token.read_bytes(), [given.public_bytes(Encoding.DER)]))
        assert verify(path, None, trusted).ok is good, said(verify(path, None, trusted))


def with_certificates(data: bytes, certificates: list[bytes]) -> bytes:
    """An answer with others in it: answer, token, content, signed data, its fields."""

    def whole(tag: int, content: bytes) -> bytes:
        return bytes([tag, 0x82, *len(content).to_bytes(2)]) + content

    def parts(element: bytes) -> list[bytes]:
        return [element[start:end] for start, end in timestamps.inside(element, 0, len(element))]

    status, token = parts(data)
    kind, content = parts(token)
    (signed,) = parts(content)
    version, algorithms, said, _, signers = parts(signed)
    signed = whole(0x30, b"".join([version, algorithms, said, whole(0xA0, b"".join(certificates)), signers]))
    return whole(0x30, status + whole(0x30, kind + whole(0xA0, signed)))


def test_a_token_with_any_byte_changed_is_never_trusted_for_another_time(tmp_path, url, trusted):
    path = made(tmp_path / "r", url)
    token = min((path / "tokens").iterdir())
    data, chance = token.read_bytes(), random.Random(7)
    at = verify(path).tokens[0].at
    for _ in range(100):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(data))] = chance.randrange(256)
        token.write_bytes(changed[: chance.choice([len(data), chance.randrange(len(data))])])
        first = next((each for each in verify(path, None, trusted).tokens if each.file.endswith(token.name)), None)
        assert first is None or (first.stamp, first.at) == (1, at)

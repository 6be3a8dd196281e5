"""An object store of one's own: moto's server, which speaks S3 over HTTP on loopback."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

_NUMBERS = itertools.count()


class Server:
    """Buckets that last as long as the process; it can be away for a while."""

    def __init__(self) -> None:
        self._port = 0
        self.start()

    def start(self) -> None:
        """Answer, at the same address as before."""
        self._server = ThreadedMotoServer("127.0.0.1", self._port, verbose=False)
        self._server.start()
        _, self._port = self._server.get_host_and_port()

    def stop(self) -> None:
        """Answer no more."""
        self._server.stop()

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL has to say."""
        return f"http://127.0.0.1:{self._port}"

    def place(self) -> str:
        """A new bucket, and a prefix in it."""
        bucket = f"bucket{next(_NUMBERS)}"
        self._client().create_bucket(Bucket=bucket)
        return f"s3://{bucket}/night/1"

    def keys(self, place: str) -> list[str]:
        """What is in a place."""
        bucket, prefix = place.removeprefix("s3://").split("/", 1)
        listed = self._client().list_objects_v2(Bucket=bucket).get("Contents", [])
        return sorted(each["Key"].removeprefix(f"{prefix}/") for each in listed)

    def read(self, place: str, key: str) -> bytes:
        """What an object holds."""
        data: bytes = self._object(place, key)["Body"].read()
        return data

    def write(self, place: str, key: str, data: bytes) -> None:
        """Put an object there."""
        bucket, prefix = place.removeprefix("s3://").split("/", 1)
        self._client().put_object(Bucket=bucket, Key=f"{prefix}/{key}", Body=data)

    def etag(self, place: str, key: str) -> str:
        """The mark of an object's version."""
        return str(self._object(place, key)["ETag"])

    def _object(self, place: str, key: str):
        bucket, prefix = place.removeprefix("s3://").split("/", 1)
        return self._client().get_object(Bucket=bucket, Key=f"{prefix}/{key}")

    def _client(self):
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", **keys)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """One that answers."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The same, named by the environment, as a user would."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
    return running

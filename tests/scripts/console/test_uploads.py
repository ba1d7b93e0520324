"""Uploads go through the page's server to S3 without being kept."""

import asyncio
import contextlib
import http.client
import os
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from urllib.parse import quote, urlsplit

import pytest

from scripts.console.server import Body, Console
from scripts.lib import wait
from tests.scripts.console.conftest import Small

pytestmark = pytest.mark.e2e

BIG = 20 * 1024**2  # bytes; it goes to S3 in parts


def begin(console: Console, key: str, length: int) -> http.client.HTTPConnection:
    """Send the head of an upload."""
    url = urlsplit(console.address)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    connection.putrequest("POST", f"{url.path}images?key={quote(key, safe='')}")
    connection.putheader("Origin", f"http://{url.netloc}")
    connection.putheader("Content-Type", "image/jpeg")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    return connection


@pytest.mark.parametrize("size", [0, 3, BIG])
@pytest.mark.parametrize("key", ["holiday/Küste & more?.jpg"])
def test_an_upload_arrives_byte_by_byte(own: Console, small: Small, key: str, size: int) -> None:
    content = os.urandom(size)
    connection = begin(own, key, size)
    connection.send(content)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()

    stored = small.clients.s3.get_object(Bucket=small.deployment.source_bucket, Key=key)
    assert stored["Body"].read() == content
    assert stored["ContentType"] == "image/jpeg"
    [item] = own.live.items.values()
    assert (item.key, item.version, item.group) == (key, stored["VersionId"], "waiting")


@pytest.mark.parametrize("sent", [1000, BIG - 1])
def test_an_upload_that_breaks_off_stores_nothing(own: Console, small: Small, sent: int) -> None:
    s3, bucket = small.clients.s3, small.deployment.source_bucket
    connection = begin(own, "a.jpg", BIG)
    connection.send(os.urandom(sent))
    connection.close()

    whole = begin(own, "b.jpg", 3)
    whole.send(b"abc")
    assert whole.getresponse().status == 200
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["b.jpg"]
    wait.until(
        "parts to be deleted",
        lambda: not s3.list_multipart_uploads(Bucket=bucket).get("Uploads"),
    )


async def nothing() -> AsyncIterator[bytes]:
    """Yield nothing, for ever."""
    await asyncio.Event().wait()
    yield b""


@pytest.mark.filterwarnings("ignore:coroutine 'Body._next' was never awaited")
@pytest.mark.parametrize("ends_first", [True, False])
def test_reading_an_upload_does_not_wait_for_a_loop_that_has_stopped(
    ends_first: bool,
) -> None:
    with contextlib.closing(asyncio.new_event_loop()) as stopped, ThreadPoolExecutor() as threads:
        body = Body(nothing(), stopped)
        if ends_first:
            body.end()
        reading = threads.submit(body.read, 1)
        pending = wait.until("the read to begin", lambda: body._pending)
        if not ends_first:
            body.end()
        try:
            with pytest.raises(CancelledError):
                reading.result(60)
        finally:
            pending.cancel()


def test_what_s3_answers_is_passed_on(own: Console, small: Small) -> None:
    small.clients.s3.delete_bucket(Bucket=small.deployment.source_bucket)
    connection = begin(own, "a.jpg", 3)
    connection.send(b"abc")
    answer = connection.getresponse()
    assert answer.status == 502
    assert b"AWS refused PutObject" in answer.read()


@pytest.mark.parametrize("key", ["", "a" * 1025, "ü" * 513])
def test_a_key_that_s3_would_refuse_is_refused(own: Console, small: Small, key: str) -> None:
    connection = begin(own, key, 3)
    connection.send(b"abc")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (400, b"A key has from 1 to 1024 bytes.")
    listed = small.clients.s3.list_objects_v2(Bucket=small.deployment.source_bucket)
    assert "Contents" not in listed

"""S3 breaks off in the middle of an object, over a real connection."""

import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate

import boto3
import pytest

from image_converter import clients
from image_converter.errors import PermanentError
from image_converter.handlers import get_file_type, resize_image
from tests.support.images import jpeg

IMAGE = jpeg(200, 200)
ACCEPT_SECONDS = 30


@dataclass
class HalfAnObject:
    """A server that answers every GET with half of what it has announced."""

    listening: socket.socket
    reset: bool
    requests: list[bytes] = field(default_factory=list)

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:  # closed: the test is over
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65_536)
        self.requests.append(request.split(b"\r\n")[0])
        head = (
            f"HTTP/1.1 {'206 Partial Content' if b'range:' in request.lower() else '200 OK'}\r\n"
            f'Content-Length: {len(IMAGE)}\r\nETag: "e"\r\nx-amz-version-id: v\r\n'
            f"Last-Modified: {formatdate(usegmt=True)}\r\n\r\n"
        )
        if request.startswith(b"HEAD"):
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(head.encode() + IMAGE[: len(IMAGE) // 2])
        if self.reset:  # no orderly end: the peer gets a reset
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


@pytest.fixture(params=[True, False], ids=["reset", "closed"])
def server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HalfAnObject]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        half = HalfAnObject(listening, reset=request.param)
        thread = threading.Thread(target=half.serve)
        thread.start()
        s3 = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
            config=clients._CONFIG,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - nobody's
        )
        monkeypatch.setattr(clients, "s3", lambda: s3)
        monkeypatch.setenv("DESTINATION_BUCKET", "d")
        monkeypatch.setenv("MAX_IMAGE_BYTES", "1000000")
        monkeypatch.setenv("MAX_IMAGE_PIXELS", "1000000")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        yield half
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(ACCEPT_SECONDS)


@pytest.mark.parametrize("function", [get_file_type, resize_image])
def test_half_an_object_is_an_error_that_may_pass_and_never_an_image(
    server: HalfAnObject, function: object
) -> None:
    event = {"s3": {"bucket": {"name": "b"}, "object": {"key": "a.jpg", "versionId": "v"}}}
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whichever the SDK has for it
        function.handler(event, None)  # type: ignore[attr-defined]
    assert not isinstance(raised.value, PermanentError)
    assert not [request for request in server.requests if request.startswith(b"PUT")]

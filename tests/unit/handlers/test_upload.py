"""The upload API stores a JPEG or signs a form for one, and refuses anything else with a reason."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_converter import clients
from image_converter.errors import InvalidSettings
from image_converter.handlers.upload import handler
from tests.support.fake_cloud import SOURCE, Cloud, recorded
from tests.support.faults import refuse
from tests.support.images import jpeg

CONTENT = "content-length-range"


def request(
    body: bytes | str | None = None, *, name: str | None = "photo.jpg", **http: str
) -> dict[str, Any]:
    """Return the recorded request with another body and name, and `http` method or path."""
    event: dict[str, Any] = recorded("http_api_v2")
    event["requestContext"]["http"].update(http)
    event["rawPath"] = event["requestContext"]["http"]["path"]
    if name is None:
        del event["queryStringParameters"]
    else:
        event["queryStringParameters"] = {"name": name}
    if isinstance(body, bytes):
        event.update(body=base64.b64encode(body).decode(), isBase64Encoded=True)
    elif isinstance(body, str):
        event.update(body=body, isBase64Encoded=False)
    else:
        del event["body"]
    return event


def refusal(event: dict[str, Any]) -> tuple[int, str]:
    """Return status and sentence of a request that is answered with an error."""
    answer = handler(event, None)
    assert answer["headers"]["content-type"] == "application/json"
    content = json.loads(answer["body"])
    assert content.keys() == {"message"}
    return answer["statusCode"], content["message"]


# All characters with Unicode's property Bidi_Control.
_DIRECTION_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

NAMES = [
    "photo.jpg",
    "holiday/2024/photo.jpg",
    "a b+c%2B.jpg",
    "Straße 猫.jpg",
    "photo",
    "photo.txt",
    "...jpg",
    "a..b.jpg",
    "x" * 1020,
]


@pytest.mark.parametrize("name", NAMES)
def test_a_jpeg_is_stored_under_its_name(cloud: Cloud, name: str) -> None:
    answer = handler(request(jpeg(), name=name), None)
    assert answer["statusCode"] == 202
    assert answer["headers"] == {"content-type": "application/json"}
    stored = cloud.s3.head_object(Bucket=SOURCE, Key=name)
    assert json.loads(answer["body"]) == {
        "bucket": SOURCE,
        "key": name,
        "versionId": stored["VersionId"],
    }
    assert stored["ContentType"] == "image/jpeg"
    assert cloud.content(SOURCE, name) == jpeg()


def test_an_upload_of_a_name_that_is_there_is_a_new_version(cloud: Cloud) -> None:
    first = json.loads(handler(request(jpeg()), None)["body"])
    second = json.loads(handler(request(jpeg(seed=1)), None)["body"])
    assert cloud.content(SOURCE, "photo.jpg", first["versionId"]) == jpeg()
    assert cloud.content(SOURCE, "photo.jpg", second["versionId"]) == jpeg(seed=1)


def test_a_stage_s_name_before_the_path_is_not_part_of_it(cloud: Cloud) -> None:
    event = request(jpeg(), path="/prod/upload")
    event["requestContext"]["stage"] = "prod"
    assert handler(event, None)["statusCode"] == 202
    assert cloud.keys(SOURCE) == {"photo.jpg"}


@pytest.mark.usefixtures("cloud")
class TestRefusals:
    @pytest.fixture(autouse=True)
    def _nothing_is_stored(self, cloud: Cloud) -> Any:
        yield
        assert cloud.version_count(SOURCE) == 0

    @pytest.mark.parametrize("path", ["/", "/uploads", "/upload/", "/upload/photo.jpg", "/UPLOAD"])
    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_another_path(self, path: str, method: str) -> None:
        status, sentence = refusal(request(jpeg(), path=path, method=method))
        assert status == 404
        assert "POST /upload" in sentence

    def test_another_stage_s_path(self) -> None:
        event = request(jpeg(), path="/test/upload")
        event["requestContext"]["stage"] = "prod"
        assert refusal(event)[0] == 404

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
    def test_another_method(self, method: str) -> None:
        answer = handler(request(jpeg(), method=method), None)
        assert answer["statusCode"] == 405
        assert answer["headers"]["Allow"] == "POST"

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [
            (None, "'name' is missing"),
            ("", "'name' is missing"),
            ("/etc/passwd", "slash"),
            ("a//b.jpg", "slash"),
            ("a/", "slash"),
            ("../a.jpg", "slash"),
            ("a/../b.jpg", "slash"),
            ("./a.jpg", "slash"),
            ("a\nb.jpg", "control"),
            ("a\0.jpg", "control"),
            ("a\x7f.jpg", "control"),
            ("a\u2028b.jpg", "control"),
            ("a\u202egpj.exe", "control"),
            ("a\ud800.jpg", "control"),
            *((f"a{mark}b.jpg", "control") for mark in _DIRECTION_MARKS),
            ("a\\b.jpg", "\\"),
            ("a${filename}", "${filename}"),
            ("x" * 1021, "longer than 1,020 bytes"),
            ("ü" * 511, "longer than 1,020 bytes"),
        ],
    )
    def test_a_name_that_makes_no_key(self, name: str | None, sentence: str) -> None:
        status, message = refusal(request(jpeg(), name=name))
        assert status == 400
        assert sentence in message
        assert "POST /upload?name=photo.jpg" in message

    def test_a_name_that_is_too_long_for_a_rendition(self, monkeypatch: pytest.MonkeyPatch) -> None:
        entries = [
            {"name": "png", "format": "png"},
            {"name": "thumb", "format": "webp", "key": "{dir}small/{stem}-{name}.{ext}"},
        ]
        monkeypatch.setenv("RENDITIONS", json.dumps(entries))
        longest = 1024 - len("small/-thumb.webp")
        status, message = refusal(request(jpeg(), name="x" * (longest + 1)))
        assert status == 400
        assert message == (
            "the name is too long for rendition 'thumb', whose key would have more than 1,024 "
            "bytes: choose a shorter one"
        )
        form = request(name="x" * longest, path="/upload-url")
        assert handler(form, None)["statusCode"] == 200

    @pytest.mark.parametrize("body", [None, b"", ""])
    def test_no_body(self, body: bytes | str | None) -> None:
        status, message = refusal(request(body))
        assert (status, "empty" in message) == (400, True)

    @pytest.mark.parametrize("body", ["/9j/4AA", "/9j/4AA*", "ü", "====", "/9j/ 4AA="])
    def test_a_body_that_is_not_base64(self, body: str) -> None:
        event = request(body)
        event["isBase64Encoded"] = True
        status, message = refusal(event)
        assert (status, "base64" in message) == (400, True)

    @pytest.mark.parametrize(
        "body", [b"just words", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8", "text", b"%PDF-1.7"]
    )
    def test_a_body_that_is_not_a_jpeg(self, body: bytes | str) -> None:
        status, message = refusal(request(body))
        assert (status, "FF D8 FF" in message) == (415, True)

    def test_a_body_of_more_bytes_than_the_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MAX_UPLOAD_BYTES", str(len(jpeg()) - 1))
        status, message = refusal(request(jpeg()))
        assert status == 413
        assert f"{len(jpeg()):,} bytes" in message
        assert f"{len(jpeg()) - 1:,}" in message
        assert "POST /upload-url" in message

    @pytest.mark.parametrize(
        "variable", ["SOURCE_BUCKET", "MAX_UPLOAD_BYTES", "MAX_FORM_BYTES", "FORM_SECONDS"]
    )
    def test_without_its_settings_it_fails(
        self, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        monkeypatch.delenv(variable)
        with pytest.raises(InvalidSettings, match=variable):
            handler(request(jpeg()), None)

    def test_what_s3_refuses_is_not_a_success(self) -> None:
        refuse(clients.s3(), "PutObject", "SlowDown", 503)
        with pytest.raises(ClientError, match="SlowDown"):
            handler(request(jpeg()), None)


@pytest.mark.usefixtures("cloud")
def test_a_body_of_exactly_the_limit_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_UPLOAD_BYTES", str(len(jpeg())))
    assert handler(request(jpeg()), None)["statusCode"] == 202


@pytest.mark.usefixtures("cloud")
class TestForms:
    def ask(self, name: str | None = "holiday/photo.jpg", **http: str) -> tuple[int, Any]:
        event = request(name=name, **{"path": "/upload-url", **http})
        event["body"] = ""
        answer = handler(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    def policy(self, form: Any) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(base64.b64decode(form["fields"]["policy"]))
        return decoded

    def test_a_form_is_bound_to_bucket_key_type_size_and_time(self) -> None:
        before = datetime.now(UTC)
        status, form = self.ask()
        after = datetime.now(UTC)

        assert status == 200
        assert form.keys() == {"url", "fields", "expires"}
        policy = self.policy(form)
        conditions = policy["conditions"]
        assert {"bucket": SOURCE} in conditions
        assert {"key": "holiday/photo.jpg"} in conditions
        assert {"Content-Type": "image/jpeg"} in conditions
        assert ["content-length-range", 1, 2000000] in conditions
        assert not [
            condition
            for condition in conditions
            if isinstance(condition, list) and condition[0] != CONTENT
        ]
        assert form["expires"] == policy["expiration"]
        seconds = timedelta(seconds=300)
        expires = datetime.fromisoformat(form["expires"])
        assert before + seconds - timedelta(seconds=1) <= expires <= after + seconds

    def test_it_is_signed_by_version_4_and_kept_nowhere(self) -> None:
        form = self.ask()[1]
        assert form["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
        event = request(path="/upload-url")
        assert handler(event, None)["headers"]["cache-control"] == "no-store"

    def test_the_log_does_not_carry_the_form(self, capsys: pytest.CaptureFixture[str]) -> None:
        form = self.ask()[1]
        log = capsys.readouterr().out
        assert "form given" in log
        assert form["fields"]["x-amz-signature"] not in log
        assert form["fields"]["policy"] not in log

    @pytest.mark.parametrize(
        "name", [None, "../a.jpg", "/a.jpg", "a\nb", "${filename}", "x" * 1021]
    )
    def test_names_are_checked_before_anything_is_signed(self, name: str | None) -> None:
        status, answer = self.ask(name)
        assert status == 400
        assert answer.keys() == {"message"}

    def test_another_method(self) -> None:
        assert self.ask(method="GET")[0] == 405

    def test_nothing_is_stored(self, cloud: Cloud) -> None:
        self.ask()
        assert cloud.version_count(SOURCE) == 0

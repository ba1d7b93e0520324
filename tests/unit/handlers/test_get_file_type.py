"""The type is read from the first bytes of the right version, whatever the object's name."""

import pytest
from botocore.exceptions import IncompleteReadError

from image_converter import clients
from image_converter.errors import InvalidRecord, SourceChanged, SourceNotFound, UnknownType
from image_converter.handlers.get_file_type import handler
from tests.support.awkward_keys import AWKWARD_KEYS
from tests.support.fake_cloud import SOURCE, Cloud, recorded
from tests.support.faults import observe, refuse, replace_header
from tests.support.images import jpeg

TYPES = {
    "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "gif": b"GIF89a\x01\0\x01\0",
    "webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "bmp": b"BM\x46\0\0\0",
    "tiff": b"II*\0\x08\0\0\0",
    "pdf": b"%PDF-1.7\n",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0",
    "avif": b"\0\0\0\x1cftypavif\0\0\0\0",
    "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0",
    "jxl": b"\0\0\0\x0cJXL \r\n\x87\n",
    "jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
    "psd": b"8BPS\0\x01",
    "zip": b"PK\x03\x04",
    "svg": b"<svg xmlns=",
}


@pytest.mark.parametrize("name", ["photo.jpg", "photo.txt", "photo", "photo.png", "PHOTO.JPEG"])
def test_a_jpeg_is_one_whatever_its_name_says(cloud: Cloud, name: str) -> None:
    assert handler(cloud.upload(name, jpeg()), None) == "jpg"


@pytest.mark.parametrize("marker", [0xC0, 0xC4, 0xDB, 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE])
def test_a_jpeg_may_start_with_any_marker(cloud: Cloud, marker: int) -> None:
    assert handler(cloud.upload("a", bytes([0xFF, 0xD8, 0xFF, marker])), None) == "jpg"


@pytest.mark.parametrize(("file_type", "content"), TYPES.items(), ids=TYPES)
def test_the_type_is_read_from_the_bytes(cloud: Cloud, file_type: str, content: bytes) -> None:
    assert handler(cloud.upload("called.jpg", content), None) == file_type


@pytest.mark.parametrize(
    ("key", "file_type"),
    [
        ("notes.TXT", "txt"),
        ("notes.tar.xyz", "xyz"),
        ("notes", None),
        ("dir.txt/notes", None),
        ("notes.jpg/", None),
        ("jpg", None),
        ("notes.jpg.txt", "txt"),
    ],
)
def test_the_extension_names_types_that_the_bytes_do_not(
    cloud: Cloud, key: str, file_type: str | None
) -> None:
    assert handler(cloud.upload(key, b"just words"), None) == file_type


# What stands ahead of a JPEG that a mail program, an editor or a web form has damaged, and more.
UNKNOWN = {
    "words": b"just words",
    "a byte order mark": b"\xef\xbb\xbf" + jpeg(),
    "a line break": b"\r\n" + jpeg(),
    "a MIME header": b"Content-Type: image/jpeg\r\n\r\n" + jpeg(),
    "half a start": b"\xff",
    "an end": b"\xff\xd9",
    "zeros": bytes(100),
}


@pytest.mark.parametrize("content", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("key", ["a.jpg", "a.JPEG", "x/a.jpe", "a.Jfif", ".jpg"])
def test_what_is_named_like_a_jpeg_is_of_a_known_type_or_fails(
    cloud: Cloud, key: str, content: bytes
) -> None:
    with pytest.raises(UnknownType, match="named like a JPEG"):
        handler(cloud.upload(key, content), None)


@pytest.mark.parametrize("key", ["a", "a.txt", "a.jpg"])
@pytest.mark.parametrize("content", [b"\xff\xd8", b"\xff\xd8\0\0", b"\xff\xd8" + bytes(100)])
def test_what_starts_like_a_jpeg_is_one_or_fails(cloud: Cloud, key: str, content: bytes) -> None:
    with pytest.raises(UnknownType, match="FF D8"):
        handler(cloud.upload(key, content), None)


@pytest.mark.parametrize("key", ["a.jpg", "a.txt", "a", "a/b", "a.png"])
def test_an_empty_object_fails(cloud: Cloud, key: str) -> None:
    with pytest.raises(UnknownType, match=f"'{key}' is empty"):
        handler(cloud.upload(key, b""), None)


@pytest.mark.parametrize("key", ["folder/", "a/b.jpg/", "/"])
def test_a_folder_has_no_type(cloud: Cloud, key: str) -> None:
    assert handler(cloud.upload(key, b""), None) is None


@pytest.mark.parametrize("key", AWKWARD_KEYS.values(), ids=AWKWARD_KEYS)
def test_the_key_is_taken_as_it_is(cloud: Cloud, key: str) -> None:
    assert handler(cloud.upload(key, jpeg()), None) == "jpg"


def test_only_the_first_bytes_are_read(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", jpeg(400, 400))
    requests = observe(clients.s3(), "GetObject")
    handler(record, None)
    assert [request["headers"]["Range"] for request in requests] == ["bytes=0-11"]


@pytest.mark.parametrize("answered", ["bytes=0-0", "bytes=0-10"])
def test_fewer_bytes_than_the_object_has_are_an_error(cloud: Cloud, answered: str) -> None:
    """What is taken for another file than a JPEG is deleted."""
    record = cloud.upload("a.pdf", jpeg())
    replace_header(clients.s3(), "GetObject", "Range", answered)
    with pytest.raises(IncompleteReadError):
        handler(record, None)


def test_the_version_that_the_record_names_is_read(cloud: Cloud) -> None:
    earlier = cloud.upload("a", jpeg())
    later = cloud.upload("a", b"%PDF-1.7")
    assert (handler(earlier, None), handler(later, None)) == ("jpg", "pdf")


def test_a_deleted_object_s_version_can_still_be_read(cloud: Cloud) -> None:
    record = cloud.upload("a", jpeg())
    cloud.s3.delete_object(Bucket=SOURCE, Key="a")
    assert handler(record, None) == "jpg"


def test_a_record_without_version_takes_the_current_object(cloud: Cloud) -> None:
    cloud.upload("a", b"%PDF-1.7")
    cloud.upload("a", jpeg())
    event = {"s3": {"bucket": {"name": SOURCE}, "object": {"key": "a"}}}
    assert handler(event, None) == "jpg"


@pytest.mark.usefixtures("cloud")
def test_an_object_that_was_never_there() -> None:
    event = {"s3": {"bucket": {"name": SOURCE}, "object": {"key": "no/such.jpg"}}}
    with pytest.raises(SourceNotFound, match=f"'s3://{SOURCE}/no/such.jpg' does not exist"):
        handler(event, None)


def test_an_object_that_was_deleted_before_its_turn(cloud: Cloud) -> None:
    record = cloud.upload("a", jpeg())
    cloud.s3.delete_object(Bucket=SOURCE, Key="a")
    del record["s3"]["object"]["versionId"]
    with pytest.raises(SourceNotFound):
        handler(record, None)


def test_a_version_that_is_gone(cloud: Cloud) -> None:
    record = cloud.upload("a", jpeg())
    version = record["s3"]["object"]["versionId"]
    cloud.s3.delete_object(Bucket=SOURCE, Key="a", VersionId=version)
    cloud.upload("a", jpeg(seed=1))
    with pytest.raises(SourceNotFound, match=version):
        handler(record, None)


def test_a_delete_marker(cloud: Cloud) -> None:
    record = cloud.upload("a", jpeg())
    marker = cloud.s3.delete_object(Bucket=SOURCE, Key="a")["VersionId"]
    record["s3"]["object"].update(versionId=marker, eTag="")
    with pytest.raises(SourceNotFound):
        handler(record, None)


def test_a_bucket_that_is_not_there(cloud: Cloud) -> None:
    record = cloud.upload("a", jpeg())
    record["s3"]["bucket"]["name"] = "no-such-bucket"
    with pytest.raises(SourceNotFound, match="s3://no-such-bucket/a"):
        handler(record, None)


def test_the_article_s_input_with_another_object_of_that_key(cloud: Cloud) -> None:
    cloud.upload("1.jpg", jpeg())
    record = recorded("article_input")
    record["s3"]["bucket"]["name"] = SOURCE
    with pytest.raises(SourceChanged, match=r"d93c7bc95f0e90dff6fc89098ccfe36b.*without eTag"):
        handler(record, None)


@pytest.mark.parametrize("bucket", ["a", "Not A Bucket", "b/../c", ""])
def test_a_bucket_name_that_cannot_be_one(cloud: Cloud, bucket: str) -> None:
    record = cloud.upload("a", jpeg())
    record["s3"]["bucket"]["name"] = bucket
    with pytest.raises((InvalidRecord, SourceNotFound)):
        handler(record, None)


@pytest.mark.parametrize("code", ["InvalidArgument", "InvalidBucketName", "KeyTooLongError"])
def test_what_s3_calls_malformed_is_permanent(cloud: Cloud, code: str) -> None:
    record = cloud.upload("a", jpeg())
    refuse(clients.s3(), "GetObject", code, 400)
    with pytest.raises(InvalidRecord, match=code):
        handler(record, None)


@pytest.mark.parametrize("event", [{}, {"s3": {}}, {"Records": []}])
def test_an_input_that_is_not_a_record(event: dict[str, object]) -> None:
    with pytest.raises(InvalidRecord):
        handler(event, None)

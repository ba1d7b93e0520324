"""Forms that upload an image to the source bucket directly, larger than API and Lambda allow.

Source:
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.signers import generate_presigned_post

from image_converter import clients

CONTENT_TYPE = "image/jpeg"


def upload_form(bucket: str, key: str, max_bytes: int, seconds: int) -> dict[str, Any]:
    """Return where to POST an image as multipart/form-data, and the fields that go before `file`.

    The signed policy binds the form to this bucket, this key, this content type, a size and a time.
    It cannot bind the bytes: only the pipeline sees whether they are a JPEG, as with any object.

    Args:
        bucket: the source bucket.
        key: the key that the image will have.
        max_bytes: the largest image that S3 accepts by this form; it refuses an empty one.
        seconds: how long S3 accepts uploads by this form.

    Returns:
        `url`, `fields`, and `expires`, ISO 8601 in UTC.
    """
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    # botocore's own function, which the client has as a method: the method's type lacks the fields.
    form: dict[str, Any] = generate_presigned_post(
        clients.s3(),
        Bucket=bucket,
        Key=key,
        Fields={"Content-Type": CONTENT_TYPE},
        Conditions=[{"Content-Type": CONTENT_TYPE}, ["content-length-range", 1, max_bytes]],
        ExpiresIn=seconds,
    )
    return {
        "url": form["url"],
        "fields": form["fields"],
        "expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }

"""Versions without an id of their own, which moto leaves out, as AWS answers with them.

Where a bucket's versioning is suspended, a write replaces the version called "null" and leaves the
others, answers say `x-amz-version-id: null`, and a delete puts a marker called "null" in its place.
moto 5.2.5 takes such a bucket for one that never had versions.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectsfromVersioningSuspendedBuckets.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.s3.models import FakeBucket, S3Backend


@contextmanager
def kept() -> Iterator[None]:
    """Have moto's S3 keep and name them for the time of the context."""
    versioned = property(lambda bucket: bucket.versioning_status in ("Enabled", "Suspended"))
    with (
        patch.object(FakeBucket, "is_versioned", versioned),
        patch.object(S3Backend, "put_object", _replacing(S3Backend.put_object)),
        patch.object(S3Backend, "_set_delete_marker", _replacing(S3Backend._set_delete_marker)),
    ):
        yield


def _replacing(write: Any) -> Any:
    """Have what is written in a suspended bucket take the place of the version called "null"."""

    def replace(
        backend: S3Backend, bucket_name: str, key_name: str, *args: Any, **more: Any
    ) -> Any:
        written = write(backend, bucket_name, key_name, *args, **more)
        bucket = backend.get_bucket(bucket_name)
        if bucket.versioning_status == "Suspended":
            earlier = [
                version for version in bucket.keys.getlist(key_name) if version is not written
            ]
            written._version_id = "null"
            kept = [version for version in earlier if version.version_id != "null"]
            bucket.keys.setlist(key_name, [*kept, written])
        return written

    return replace

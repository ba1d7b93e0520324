"""A source bucket that does not notify, to put objects into it that a backfill has to find."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scripts.lib.aws import Clients


@contextmanager
def off(clients: Clients, bucket: str) -> Iterator[None]:
    """Have S3 notify nobody of what is put into a bucket meanwhile."""
    s3 = clients.s3
    before: Any = s3.get_bucket_notification_configuration(Bucket=bucket)
    before.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=before)

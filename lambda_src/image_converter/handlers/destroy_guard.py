"""Keeps `terraform destroy` from taking apart a stack that still holds images.

S3 refuses to delete a bucket that is not empty, but by then Terraform has removed the bucket's
versioning, policy, encryption and public access block. So Terraform calls this function before it
destroys anything else, and stops there if the function fails.
"""

from typing import Any

from botocore.exceptions import ClientError

from image_converter import clients, layer, log, s3_errors
from image_converter.errors import DestroyRefused

clients.warm_up(clients.s3)

_ABOUT_TO_DESTROY = "delete"


def handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Refuse the destruction of a stack with images, or with a protected table.

    Args:
        event: `buckets`, their names; `forceDestroy` and `tableDeletionProtection`, Terraform's
            variables; and `tf.action`, which Terraform's provider adds: create, update or delete.
        context: Lambda's context; not used.

    Returns:
        `status`, which Terraform's state keeps.

    Raises:
        DestroyRefused: something would be lost, or Terraform would stop half-way.
    """
    layer.check()
    if event["tf"]["action"] != _ABOUT_TO_DESTROY:
        return {"status": "On guard"}
    if event["tableDeletionProtection"]:
        raise _refused(
            "the table is protected. Run `terraform apply -var table_deletion_protection=false`"
        )
    if event["forceDestroy"]:
        return {"status": "Destroyed with whatever is in it"}
    for bucket in event["buckets"]:
        if _holds_anything(bucket):
            raise _refused(
                f"bucket {bucket} still holds images, or versions of deleted ones. To delete them "
                "with it, run `image-converter destroy --force`, or `terraform apply -var "
                "force_destroy=true`"
            )
    return {"status": "Destroyed empty"}


def _holds_anything(bucket: str) -> bool:
    """Return whether S3 would refuse to delete the bucket: a delete marker is enough."""
    try:
        listing = clients.s3().list_object_versions(Bucket=bucket, MaxKeys=1)
    except ClientError as error:
        if s3_errors.error_code(error) not in s3_errors.NO_BUCKET:
            raise
        return False
    return bool(listing.get("Versions") or listing.get("DeleteMarkers"))


def _refused(why: str) -> DestroyRefused:
    log.warning("destroy refused", cause=why)
    return DestroyRefused(f"Nothing was destroyed: {why} and destroy again.")

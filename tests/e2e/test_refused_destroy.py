"""A destroy that stops at a bucket with images has not touched the key that alone reads them."""

import json
import subprocess
from pathlib import Path

import pytest

from scripts import terraform_cli
from scripts.aws_clients import Clients
from scripts.local_aws import LocalAws

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

_NAME = "refused-destroy"


def _configuration(folder: Path) -> None:
    """Write the key and the source bucket as the root module makes them, and no more."""
    modules = terraform_cli.REPOSITORY / "terraform" / "modules"
    bucket = f"{_NAME}-source"
    root = {
        "module": {
            "key": {
                "source": str(modules / "key"),
                "name": _NAME,
                "log_group_arns": [],
                "notifying_bucket_arn": f"arn:aws:s3:::{bucket}",
            },
            "bucket": {
                "source": str(modules / "bucket"),
                "name": bucket,
                "kms_key": {"arn": "${module.key.arn}"},
                "noncurrent_version_expiration_days": 1,
            },
        }
    }
    folder.mkdir()
    (folder / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")


def test_images_stay_readable(local_aws: LocalAws, tmp_path: Path) -> None:
    folder = tmp_path / "root"
    _configuration(folder)
    environment = terraform_cli.environment(local_aws.env)
    terraform_cli.init(folder, environment)
    clients = Clients(local_aws.env)

    def terraform(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [terraform_cli.terraform_binary(), f"-chdir={folder}", *arguments, "-auto-approve"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    # Only what an object needs: the provider waits long for the rest of a bucket to come and go.
    encryption = "module.bucket.aws_s3_bucket_server_side_encryption_configuration.this"
    applied = terraform("apply", f"-target={encryption}")
    assert applied.returncode == 0, applied.stderr
    put = clients.s3.put_object(Bucket=f"{_NAME}-source", Key="a.jpg", Body=b"the only copy")
    refused = terraform("destroy")

    assert "BucketNotEmpty" in refused.stderr
    key = clients.kms.describe_key(KeyId=put["SSEKMSKeyId"])["KeyMetadata"]
    assert key["KeyState"] == "Enabled"

    clients.s3.delete_object(Bucket=f"{_NAME}-source", Key="a.jpg")
    assert terraform("destroy").returncode == 0

"""A destroy that would lose images touches nothing; one that fails half-way loses nothing."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.commands import destroy
from scripts.lib import terraform_cli
from scripts.lib.aws import Clients
from scripts.lib.paths import REPOSITORY
from scripts.lib.terraform_cli import TerraformError
from scripts.local_aws import LocalAws
from tests.conftest import Deployment
from tests.support import images
from tests.support.terraform_changes import changes, plan, resources

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

_NAME = "refused-destroy"
_BUCKET = f"{_NAME}-source"


@pytest.fixture
def guarded(deployment: Deployment) -> Iterator[Deployment]:
    """The deployment, whose owner has not agreed to lose images, with one that was deleted."""
    s3, bucket = deployment.clients.s3, deployment.outputs["destination_bucket"]
    deployment.stack.use_variables()
    deployment.stack.apply(refresh=False)
    s3.put_object(Bucket=bucket, Key="a.png", Body=images.jpeg())
    s3.delete_object(Bucket=bucket, Key="a.png")
    yield deployment
    deployment.stack.use_variables(force_destroy=True)
    deployment.stack.apply(refresh=False)


def test_the_command_finds_both_buckets_in_the_state(deployment: Deployment) -> None:
    buckets, _ = destroy._holdings(json.loads(deployment.stack.output("show", "-json")))
    wanted = {deployment.outputs["source_bucket"], deployment.outputs["destination_bucket"]}
    assert set(buckets) == wanted


@pytest.mark.ends_deployment
def test_a_refused_destroy_touches_nothing(guarded: Deployment) -> None:
    clients, before = guarded.clients, resources(guarded.stack)

    with pytest.raises(
        TerraformError, match=r"Nothing was destroyed: bucket .+ still holds images"
    ):
        guarded.stack.destroy(refresh=False)

    assert resources(guarded.stack) == before
    assert [change for change in plan(guarded.stack) if " output." not in change] == []
    for bucket in (guarded.outputs["source_bucket"], guarded.outputs["destination_bucket"]):
        assert clients.s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        policy = json.loads(clients.s3.get_bucket_policy(Bucket=bucket)["Policy"])
        assert "ThisAccountOnly" in {statement["Sid"] for statement in policy["Statement"]}
        encryption = clients.s3.get_bucket_encryption(Bucket=bucket)
        [rule] = encryption["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": guarded.outputs["kms_key_arn"],
        }
        blocked = clients.s3.get_public_access_block(Bucket=bucket)
        assert all(blocked["PublicAccessBlockConfiguration"].values())
    table = clients.dynamodb.describe_table(TableName=guarded.outputs["table_name"])["Table"]
    assert table["TableStatus"] == "ACTIVE"


@pytest.mark.ends_deployment
def test_buckets_that_are_replaced_are_looked_into_first(deployment: Deployment) -> None:
    names = {"destination": "refused-destroy-another"}
    deployment.stack.use_variables(force_destroy=True, bucket_names=names)
    try:
        planned = changes(deployment.stack.planned("-refresh=false"))
    finally:
        deployment.stack.use_variables(force_destroy=True)

    assert "delete/create aws_lambda_invocation.destroy_guard" in planned


def _configuration(folder: Path) -> None:
    """Write the key, the table and the source bucket as the root module makes them, and no more."""
    modules = REPOSITORY / "terraform" / "modules"
    root = {
        "module": {
            "key": {
                "source": str(modules / "key"),
                "name": _NAME,
                "log_group_arns": [],
                "notifier": {"service": "s3.amazonaws.com", "arn": f"arn:aws:s3:::{_BUCKET}"},
            },
            "table": {
                "source": str(modules / "table"),
                "name": _NAME,
                "kms_key_arn": "${module.key.arn}",
            },
            "source_bucket": {
                "source": str(modules / "bucket"),
                "count": 1,
                "name": _BUCKET,
                "kms_key": {"arn": "${module.key.arn}"},
                "outlived_by": ["${module.table.arn}"],
                "noncurrent_version_expiration_days": 1,
            },
        }
    }
    folder.mkdir()
    (folder / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")


def test_images_that_come_after_the_guard_has_looked_stay_readable(
    local_aws: LocalAws, terraform_env: dict[str, str], tmp_path: Path
) -> None:
    """S3 refuses to delete the bucket; key and table go after it, and so are still there."""
    folder = tmp_path / "root"
    _configuration(folder)
    environment = terraform_cli.environment(terraform_env)
    terraform_cli.init(folder, environment)
    clients = Clients(local_aws.env)

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def terraform(*arguments: str) -> subprocess.CompletedProcess[str]:
        binary = str(terraform_cli.terraform_binary())
        return run(binary, f"-chdir={folder}", *arguments, "-auto-approve")

    def make_destroy(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run(
            *(sys.executable, "-m", "scripts.commands.cli", "destroy"),
            *("--directory", str(folder), *arguments),
        )

    # Only what an object needs: the provider waits long for the rest of a bucket to come and go.
    module = "module.source_bucket[0].aws_s3_bucket"
    applied = terraform("apply", f"-target={module}_server_side_encryption_configuration.this")
    assert applied.returncode == 0, applied.stderr
    put = clients.s3.put_object(Bucket=_BUCKET, Key="a.jpg", Body=b"the only copy")

    checked = make_destroy()
    assert checked.returncode == 1
    assert "(1 versions)" in checked.stderr
    assert f"Nothing was destroyed: s3://{_BUCKET} still holds images" in checked.stderr
    assert clients.s3.get_bucket_encryption(Bucket=_BUCKET)

    refused = terraform("destroy")
    assert "BucketNotEmpty" in refused.stderr
    key = clients.kms.describe_key(KeyId=put["SSEKMSKeyId"])["KeyMetadata"]
    assert key["KeyState"] == "Enabled"
    table = clients.dynamodb.describe_table(TableName=_NAME)["Table"]
    assert table["TableStatus"] == "ACTIVE"

    enabled: Any = {"Status": "Enabled"}
    clients.s3.put_bucket_versioning(Bucket=_BUCKET, VersioningConfiguration=enabled)
    clients.s3.put_object(Bucket=_BUCKET, Key="a.jpg", Body=b"another")
    clients.s3.delete_object(Bucket=_BUCKET, Key="a.jpg")
    forced = make_destroy("--force")
    assert forced.returncode == 0, forced.stdout + forced.stderr
    assert f"deleting the content of s3://{_BUCKET} 3" in forced.stdout
    assert _BUCKET not in {bucket["Name"] for bucket in clients.s3.list_buckets()["Buckets"]}

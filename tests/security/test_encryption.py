"""Whatever encryption an upload requests: only what the stack's key encrypts is accepted.

The statements are judged by the local AWS's evaluator of policies, and uploads by the local AWS.
"""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext

from tests.conftest import Deployment
from tests.security.users import user_of_s3

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

_KIND = "x-amz-server-side-encryption"
_KEY_ID = f"{_KIND}-aws-kms-key-id"
_CALLERS = f"{_KIND}-customer-algorithm"

# Headers, KEY standing for the ARN of the stack's key and ID for its id, and whether they pass.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
UPLOAD_REQUESTS: dict[str, tuple[dict[str, str], bool]] = {
    "nothing": ({}, True),
    "our key by its ARN": ({_KIND: "aws:kms", _KEY_ID: "KEY"}, True),
    "our key alone, without the kind": ({_KEY_ID: "KEY"}, True),
    # AWS does not say whether conditions see an id and an alias as they were sent or as an ARN.
    "our key by its id": ({_KIND: "aws:kms", _KEY_ID: "ID"}, False),
    "our key by its alias": ({_KIND: "aws:kms", _KEY_ID: "alias/image-converter"}, False),
    "S3's own keys": ({_KIND: "AES256"}, False),
    "the account's key for S3": ({_KIND: "aws:kms"}, False),
    "another key": ({_KIND: "aws:kms", _KEY_ID: "arn:aws:kms:us-east-1:1:key/other"}, False),
    "another key, without the kind": ({_KEY_ID: "arn:aws:kms:us-east-1:1:key/other"}, False),
    "two layers with our key": ({_KIND: "aws:kms:dsse", _KEY_ID: "KEY"}, False),
    "two layers": ({_KIND: "aws:kms:dsse"}, False),
    "a key of the caller's": ({_CALLERS: "AES256"}, False),
}


def _headers(upload_request: str, deployment: Deployment) -> dict[str, str]:
    arn = deployment.outputs["kms_key_arn"]
    meant = {"KEY": arn, "ID": arn.rsplit("/", 1)[1]}
    return {
        name: meant.get(value, value) for name, value in UPLOAD_REQUESTS[upload_request][0].items()
    }


@pytest.mark.parametrize("bucket", ["source", "destination"])
@pytest.mark.parametrize("upload_request", UPLOAD_REQUESTS)
def test_the_policy_lets_in_what_the_key_encrypts(
    bucket: str, upload_request: str, deployment: Deployment
) -> None:
    name = deployment.outputs[f"{bucket}_bucket"]
    policy: Any = json.loads(deployment.clients.s3.get_bucket_policy(Bucket=name)["Policy"])
    account = deployment.clients.sts.get_caller_identity()["Account"]
    # One of the two roles that may write to the destination, so that nothing else denies it.
    role = f"arn:aws:iam::{account}:role/image-converter-copy-file-us-east-1"
    headers = _headers(upload_request, deployment)
    context = EvalContext(
        principal_arn=role,
        principal_type="AssumedRole",
        principal_account=account,
        action="s3:PutObject",
        resource_arn=f"arn:aws:s3:::{name}/photo.jpg",
        region="us-east-1",
        secure_transport=True,
        service_context={
            "aws:principalisawsservice": "false",
            **{f"s3:{header}": value for header, value in headers.items()},
        },
    )
    verdict = iam_evaluator.evaluate_resource_policy(policy, context)
    assert (verdict.decision != "Deny") == UPLOAD_REQUESTS[upload_request][1], verdict


@pytest.mark.parametrize(
    "upload_request",
    [name for name, (headers, _) in UPLOAD_REQUESTS.items() if _KIND in headers or not headers],
)
def test_uploads_are_let_in_or_refused(upload_request: str, deployment: Deployment) -> None:
    headers = _headers(upload_request, deployment)
    parameters: Any = {
        parameter: headers[header]
        for parameter, header in (("ServerSideEncryption", _KIND), ("SSEKMSKeyId", _KEY_ID))
        if header in headers
    }
    upload = {"Bucket": deployment.outputs["source_bucket"], "Key": "asked.txt", "Body": b"text"}
    with user_of_s3(deployment.clients, dict(deployment.aws.env)) as user:
        if UPLOAD_REQUESTS[upload_request][1]:
            user.s3.put_object(**upload, **parameters)
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                user.s3.put_object(**upload, **parameters)


def test_an_upload_in_parts_may_name_the_key(deployment: Deployment) -> None:
    place: Any = {"Bucket": deployment.outputs["source_bucket"], "Key": "parts.txt"}
    key = deployment.outputs["kms_key_arn"]
    with user_of_s3(deployment.clients, dict(deployment.aws.env)) as user:
        with pytest.raises(ClientError, match="AccessDenied"):
            user.s3.create_multipart_upload(**place, ServerSideEncryption="aws:kms")
        begun = user.s3.create_multipart_upload(
            **place, ServerSideEncryption="aws:kms", SSEKMSKeyId=key
        )
        part = user.s3.upload_part(
            **place, UploadId=begun["UploadId"], PartNumber=1, Body=b"in one part"
        )
        done: Any = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
        user.s3.complete_multipart_upload(**place, UploadId=begun["UploadId"], MultipartUpload=done)

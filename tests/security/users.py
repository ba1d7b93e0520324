"""Users of the account, or of another one, who are not the pipeline."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.lib.aws import Clients
from tests.support import resources


@contextmanager
def user_of_s3(clients: Clients, env: dict[str, str], **more: str) -> Iterator[Clients]:
    """Yield clients of a user who may do everything with S3 that IAM can give."""
    iam = clients.iam
    keys = resources.user(iam, "everything")
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="everything", PolicyName="all", PolicyDocument=document)
    try:
        yield Clients({**env, **keys, **more})
    finally:
        iam.delete_user_policy(UserName="everything", PolicyName="all")
        iam.delete_access_key(UserName="everything", AccessKeyId=keys["AWS_ACCESS_KEY_ID"])
        iam.delete_user(UserName="everything")

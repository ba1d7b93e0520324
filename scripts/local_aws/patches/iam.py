"""IAM: one root user, and conditions of policies that see the values that they see on AWS."""

import os
import re

from ministack.core import iam_evaluator
from ministack.services import sts


def install() -> None:
    """Put in what concerns callers and policies."""
    _know_one_root_user()
    _complete_condition_keys()


def _know_one_root_user() -> None:
    """Take the access key of this start for the root user's, and no other.

    The emulator also takes ``test``, every account number, and no key beside any Authorization
    header. A request without both is nobody's, which it treats as AWS does where it finds no key.
    """

    def is_root_access_key(access_key_id: str) -> bool:
        if not access_key_id:
            return bool(iam_evaluator._anonymous.get())
        return access_key_id == os.environ["AWS_ACCESS_KEY_ID"]

    iam_evaluator.is_root_access_key = is_root_access_key
    sts.is_root_access_key = is_root_access_key


def _complete_condition_keys() -> None:
    """Complete the keys that conditions of policies ask for.

    Requests count as made over TLS: the emulator speaks plain HTTP on the loopback interface, and a
    bucket policy that demands TLS would lock everyone out. Conditions know a role by its own ARN,
    not by its session's, and know that the caller is not a service of AWS's.
    """
    resolve = iam_evaluator._resolve_condition_key
    fixed = {"aws:securetransport": "true", "aws:principalisawsservice": "false"}

    def resolve_condition_key(key: str, ctx: object) -> object:
        name = key.lower()
        value = fixed.get(name) or resolve(key, ctx)
        return _without_session(str(value)) if name == "aws:principalarn" else value

    iam_evaluator._resolve_condition_key = resolve_condition_key


def _without_session(arn: str) -> str:
    """Return the ARN of a session's role; of any other principal, its own.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    return re.sub(r":sts::(\d+):assumed-role/([^/]+)/.*", r":iam::\1:role/\2", arn)

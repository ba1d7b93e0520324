"""IAM: root users sign as everyone does, and conditions of policies see what they see on AWS."""

import json
import re
from contextvars import ContextVar

from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam, sts

from scripts.local_aws.patches.answers import Call, Json
from scripts.local_aws.patches.around import around

_ENCRYPTION = "x-amz-server-side-encryption"
# What conditions see of every request. Requests count as made over TLS: the emulator speaks plain
# HTTP on the loopback interface, and a bucket policy that demands TLS would lock everyone out.
_OF_EVERY_REQUEST = {"aws:securetransport": "true", "aws:principalisawsservice": "false"}

# Whether the caller, whose signature has been checked, is only looked up for an API's event.
_NAMING_CALLER: ContextVar[bool] = ContextVar("naming_caller", default=False)


@around(iam_evaluator.is_root_access_key, sts)
def is_root_access_key(is_root: Call, access_key_id: str) -> bool:
    """Take an unsigned request for the root user's only if nobody signs it at all.

    The emulator does not check signatures of keys that it considers a root user's: the configured
    one, ``test``, every account number (that account's root user), and a missing key next to any
    Authorization header. A request with neither is anonymous; this rule recognises that, too.
    """
    return bool(is_root(access_key_id) if access_key_id else iam_evaluator._anonymous.get())


@around(iam_evaluator._is_root_key)
def goes_unchecked(is_root: Call, access_key_id: str) -> bool:
    """Check the signature of a root user, too, with the secret of this start."""
    return _NAMING_CALLER.get() and bool(is_root(access_key_id))


@around(iam_evaluator.resolve_caller_identity)
def resolve_caller_identity(identity: Call, access_key_id: str) -> object:
    """Name the root user as the caller where the signature has been checked."""
    token = _NAMING_CALLER.set(True)
    try:
        return identity(access_key_id)
    finally:
        _NAMING_CALLER.reset(token)


@around(iam_evaluator._resolve_condition_key)
def resolve_condition_key(resolve: Call, key: str, ctx: object) -> object:
    """Know a role by its own ARN, not by its session's, and that no service is the caller."""
    name = key.lower()
    value = _OF_EVERY_REQUEST.get(name) or resolve(key, ctx)
    return _role_of(str(value)) if name == "aws:principalarn" else value


def _role_of(arn: str) -> str:
    """Return the ARN of a session's role, with its path; of any other principal, its own.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    session = re.search(r":assumed-role/([^/]+)/", arn)
    role = iam._roles.get(session[1]) if session else None
    return str(role["Arn"]) if role else arn


@around(iam_actions._s3_object_context)
def s3_object_context(
    original: Call, iam_action: str, query_params: Json, path: str, headers: Json
) -> Json:
    """Let conditions see which key an upload asks for; the emulator shows the kind of encryption.

    The parts of a multipart upload carry no such headers: the request that began it does.
    """
    context: Json = original(iam_action, query_params, path, headers)
    if iam_action == "s3:PutObject":
        context.pop(f"s3:{_ENCRYPTION}", None)
        if not query_params.get("uploadId"):
            suffixes = ("", "-aws-kms-key-id", "-customer-algorithm")
            names = [f"{_ENCRYPTION}{suffix}" for suffix in suffixes]
            context |= {f"s3:{name}": headers[name] for name in names if headers.get(name)}
    return context


@around(iam_actions.request_tag_context)
def request_tag_context(
    original: Call, service: str, iam_action: str, body: bytes, params: Json
) -> Json:
    """Let conditions see what the events of a request name as their source.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    context: Json = original(service, iam_action, body, params)
    if iam_action == "events:PutEvents":
        sources = {entry["Source"] for entry in json.loads(body)["Entries"]}
        context["events:source"] = sources.pop() if len(sources) == 1 else sorted(sources)
    return context


@around(iam_evaluator._fnmatch_compile)
def fnmatch_compile(original: Call, pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """Have a policy's ``*`` stand for any characters; a key may have newlines, too.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    compiled: re.Pattern[str] = original(pattern, ignore_case)
    return re.compile(compiled.pattern, compiled.flags | re.DOTALL)

"""IAM: root users sign as everyone does, and conditions of policies see what they see on AWS."""

import json
import re
from contextvars import ContextVar
from functools import cache
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam, sts

# Whether the caller, whose signature has been checked, is only looked up for an API's event.
_NAMING_CALLER: ContextVar[bool] = ContextVar("naming_caller", default=False)


def install() -> None:
    """Put in what concerns callers and policies."""
    _check_root_users_signatures()
    _complete_condition_keys()
    _complete_encryption_keys()
    _complete_event_keys()
    _match_newlines()


def _check_root_users_signatures() -> None:
    """Accept a request as the root user's only if it is signed with the secret of this start.

    The emulator does not check signatures of keys that it considers a root user's: the configured
    one, ``test``, every account number (that account's root user), and a missing key next to any
    Authorization header. A request with neither is anonymous; this rule recognises that, too.
    """
    is_root, identity = iam_evaluator.is_root_access_key, iam_evaluator.resolve_caller_identity

    def is_root_access_key(access_key_id: str) -> bool:
        return bool(is_root(access_key_id) if access_key_id else iam_evaluator._anonymous.get())

    def goes_unchecked(access_key_id: str) -> bool:
        return _NAMING_CALLER.get() and is_root_access_key(access_key_id)

    def resolve_caller_identity(access_key_id: str) -> object:
        token = _NAMING_CALLER.set(True)
        try:
            return identity(access_key_id)
        finally:
            _NAMING_CALLER.reset(token)

    iam_evaluator.is_root_access_key = sts.is_root_access_key = is_root_access_key
    iam_evaluator._is_root_key = goes_unchecked
    iam_evaluator.resolve_caller_identity = resolve_caller_identity


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
        return _role_of(str(value)) if name == "aws:principalarn" else value

    iam_evaluator._resolve_condition_key = resolve_condition_key


def _complete_encryption_keys() -> None:
    """Let conditions see which key an upload asks for; the emulator shows the kind of encryption.

    The parts of a multipart upload carry no such headers: the request that began it does.
    """
    known_context = iam_actions._s3_object_context
    kind = "x-amz-server-side-encryption"

    def object_context(
        iam_action: str, query_params: dict[str, Any], path: str, headers: dict[str, str]
    ) -> dict[str, Any]:
        context: dict[str, Any] = known_context(iam_action, query_params, path, headers)
        if iam_action == "s3:PutObject":
            context.pop(f"s3:{kind}", None)
            if not query_params.get("uploadId"):
                names = (kind, f"{kind}-aws-kms-key-id", f"{kind}-customer-algorithm")
                context |= {f"s3:{name}": headers[name] for name in names if headers.get(name)}
        return context

    iam_actions._s3_object_context = object_context


def _complete_event_keys() -> None:
    """Tell conditions what the events of a request name as their source.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    original = iam_actions.request_tag_context

    def request_context(
        service: str, iam_action: str, body: bytes, params: dict[str, Any]
    ) -> dict[str, Any]:
        context: dict[str, Any] = original(service, iam_action, body, params)
        if iam_action == "events:PutEvents":
            sources = {entry["Source"] for entry in json.loads(body)["Entries"]}
            context["events:source"] = sources.pop() if len(sources) == 1 else sorted(sources)
        return context

    iam_actions.request_tag_context = request_context


def _role_of(arn: str) -> str:
    """Return the ARN of a session's role, with its path; of any other principal, its own.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    session = re.search(r":assumed-role/([^/]+)/", arn)
    role = iam._roles.get(session[1]) if session else None
    return str(role["Arn"]) if role else arn


def _match_newlines() -> None:
    """Have a policy's ``*`` stand for any characters; a key may have newlines, too.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    compile_without = iam_evaluator._fnmatch_compile

    @cache
    def compile_with_newlines(pattern: str, ignore_case: bool) -> re.Pattern[str]:
        compiled = compile_without(pattern, ignore_case)
        return re.compile(compiled.pattern, compiled.flags | re.DOTALL)

    iam_evaluator._fnmatch_compile = compile_with_newlines

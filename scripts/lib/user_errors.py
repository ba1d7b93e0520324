"""What goes wrong between a person and AWS, as sentences that say what to do."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from scripts.lib import terminal

_ADVICE = (
    (
        (
            exceptions.NoCredentialsError,
            exceptions.PartialCredentialsError,
            exceptions.CredentialRetrievalError,
        ),
        (
            "There are no AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY; for the local AWS, paste what `make local-up` prints."
        ),
    ),
    (
        (
            exceptions.UnauthorizedSSOTokenError,
            exceptions.SSOTokenLoadError,
            exceptions.TokenRetrievalError,
        ),
        "The AWS login has expired. Run `aws sso login` and try again. ({error})",
    ),
    (
        exceptions.NoRegionError,
        "No AWS region is chosen. Set AWS_REGION, for example AWS_REGION=eu-central-1.",
    ),
    (
        exceptions.ProfileNotFound,
        "{error}. `aws configure list-profiles` lists the existing ones.",
    ),
)
_UNREACHABLE = (exceptions.EndpointConnectionError, exceptions.ConnectionError)
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403", "Forbidden"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_WRONG_KEYS = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "AuthFailure",
}
_BUSY = {"ThrottlingException", "Throttling", "SlowDown", "TooManyRequestsException"}

INTERRUPTED = 130  # the exit status of shells for ctrl-C


class UserError(Exception):
    """A problem that the person at the terminal can fix. The message says how."""


def run(command: Callable[[], int], env: Mapping[str, str] = os.environ) -> int:
    """Run a command; return its exit status, with every expected failure reported as a sentence."""
    try:
        return command()
    except (UserError, BotoCoreError, ClientError, OSError) as error:
        terminal.say(sentence(error, env), sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED


def interrupt_on_signals() -> None:
    """Have what would end this process raise KeyboardInterrupt, so that it cleans up first."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def sentence(error: Exception, env: Mapping[str, str] = os.environ) -> str:
    """Return what is wrong and what to do about it."""
    if isinstance(error, ClientError):
        return _refused(error, env)
    if isinstance(error, _UNREACHABLE):
        return _silent(error, env)
    told = next((advice for kinds, advice in _ADVICE if isinstance(error, kinds)), "{error}")
    return told.format(error=error)


def _silent(error: Exception, env: Mapping[str, str]) -> str:
    endpoint = env.get("AWS_ENDPOINT_URL")
    if endpoint:
        return (
            f"Nothing answers at {endpoint} (AWS_ENDPOINT_URL). If this is the local AWS, "
            "start it with `make local-up` and paste what it prints; for AWS itself, unset "
            "the variable."
        )
    return (
        f"AWS could not be reached: {error}. Check that {_region(env)} is a region and that "
        "the network is up."
    )


def _refused(error: ClientError, env: Mapping[str, str]) -> str:
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    operation = error.operation_name
    if code in _DENIED:
        return (
            f"AWS denied {operation}: the credentials in use do not have the permission. {message}"
        ).strip()
    if code in _EXPIRED:
        return "The AWS credentials have expired. Log in again (`aws sso login`) and try again."
    if code in _WRONG_KEYS:
        return (
            f"AWS does not know the credentials in use ({code}). `aws sts get-caller-identity` "
            "shows who you are; for the local AWS, set AWS_ENDPOINT_URL as `make local-up` prints."
        )
    if code in _BUSY:
        return f"AWS is busy ({operation}: {code}). Try again in a moment."
    return f"AWS refused {operation} in {_region(env)}: {message or code}"


def _region(env: Mapping[str, str]) -> str:
    return env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "the profile's region"

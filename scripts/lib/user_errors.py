"""What goes wrong between a person and AWS, as sentences that say what to do."""

import itertools
import os
import signal
import sys
from collections.abc import Callable, Mapping
from enum import IntEnum

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from scripts.lib import terminal


class ExitStatus(IntEnum):
    """The exit statuses of all commands; `image-converter --help` lists them."""

    DONE = 0
    REFUSED = 1  # AWS refused something, or what was asked for is not there
    USAGE = 2
    NO_STACK = 3  # no credentials, no region, no answer, or no stack of that name
    IMAGES_FAILED = 4
    TIMED_OUT = 5
    INTERRUPTED = 130  # as shells have it for ctrl-C


_LOCAL = 'for the local AWS, run `eval "$(image-converter local up)"`'
_ADVICE: dict[tuple[type[Exception], ...], str] = {
    (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
    ): (
        "There are no AWS credentials. Use --profile, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID "
        f"and AWS_SECRET_ACCESS_KEY; {_LOCAL}."
    ),
    (exceptions.SSOError, exceptions.TokenRetrievalError): (
        "The AWS login has expired. Run `aws sso login` and try again. ({error})"
    ),
    (exceptions.NoRegionError,): (
        f"No AWS region is chosen. Use --region eu-central-1, or set AWS_REGION; {_LOCAL}."
    ),
    (exceptions.ProfileNotFound,): (
        "{error}. `aws configure list-profiles` lists the existing ones."
    ),
}
_UNREACHABLE = (exceptions.ConnectionError, exceptions.HTTPClientError)
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


class UserError(Exception):
    """A problem that the person at the terminal can fix. The message says how."""

    def __init__(self, message: str, status: ExitStatus = ExitStatus.REFUSED) -> None:
        """Say what is wrong, and with which status the command is to exit."""
        super().__init__(message)
        self.status = status


def run(
    command: Callable[[], int], env: Callable[[], Mapping[str, str]] = lambda: os.environ
) -> int:
    """Run a command; return its exit status, with every expected failure reported as a sentence.

    Parameters:
        command: returns an exit status.
        env: returns the environment that it worked with, for the sentence.
    """
    try:
        return command()
    except (UserError, BotoCoreError, ClientError, OSError) as error:
        terminal.say(sentence(error, env()), sys.stderr)
        return exit_status(error)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return ExitStatus.INTERRUPTED


def exit_status(error: Exception) -> ExitStatus:
    """Return the status with which a command that failed so exits."""
    if isinstance(error, UserError):
        return error.status
    before_any_answer = (*_UNREACHABLE, *itertools.chain(*_ADVICE))
    has_no_stack = isinstance(error, before_any_answer) or _code(error) in _EXPIRED | _WRONG_KEYS
    return ExitStatus.NO_STACK if has_no_stack else ExitStatus.REFUSED


def is_denied(error: ClientError) -> bool:
    """Return whether the credentials lack a permission."""
    return _code(error) in _DENIED


def _code(error: Exception) -> str:
    """Return the error code of AWS's answer; empty if there was none."""
    return error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""


def interrupt_on_signals() -> None:
    """Have what would end this process raise KeyboardInterrupt, so that it cleans up first."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def sentence(error: Exception, env: Mapping[str, str] = os.environ) -> str:
    """Return what is wrong and what to do about it."""
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "the profile's region"
    endpoint = env.get("AWS_ENDPOINT_URL")
    if isinstance(error, ClientError):
        return _refused(error, region)
    if isinstance(error, _UNREACHABLE) and endpoint:
        return (
            f"Nothing answers at {endpoint} (AWS_ENDPOINT_URL). If this is the local AWS, start "
            'it with `eval "$(image-converter local up)"`; for AWS itself, unset the variable.'
        )
    if isinstance(error, _UNREACHABLE):
        return (
            f"AWS could not be reached: {error}. Check that {region} is a region and that "
            "the network is up."
        )
    advice = next((text for kinds, text in _ADVICE.items() if isinstance(error, kinds)), "{error}")
    return advice.format(error=error)


def _refused(error: ClientError, region: str) -> str:
    code, operation = _code(error), error.operation_name
    message = error.response.get("Error", {}).get("Message", "")
    if is_denied(error):
        return (
            f"AWS denied {operation}: the credentials in use do not have the permission. {message}"
        ).strip()
    if code in _EXPIRED:
        return "The AWS credentials have expired. Log in again (`aws sso login`) and try again."
    if code in _WRONG_KEYS:
        return (
            f"AWS does not know the credentials in use ({code}). `aws sts get-caller-identity` "
            f"shows who you are; {_LOCAL}."
        )
    if code in _BUSY:
        return f"AWS is busy ({operation}: {code}). Try again in a moment."
    return f"AWS refused {operation} in {region}: {message or code}"

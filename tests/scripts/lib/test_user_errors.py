"""Each way in which AWS refuses becomes a sentence that says what to do."""

from pathlib import Path

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from scripts.lib import deployed, user_errors
from scripts.lib.user_errors import UserError

LOCAL = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-central-1"}


def refused(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            exceptions.NoCredentialsError(),
            ["no AWS credentials", "AWS_PROFILE", "image-converter local up"],
        ),
        (exceptions.NoRegionError(), ["AWS_REGION"]),
        (exceptions.ProfileNotFound(profile="mine"), ["mine", "list-profiles"]),
        (exceptions.UnauthorizedSSOTokenError(), ["aws sso login"]),
        (refused("AccessDenied", "not for you"), ["denied GetObject", "not for you"]),
        (refused("ExpiredToken"), ["expired"]),
        (refused("UnrecognizedClientException"), ["does not know", "get-caller-identity"]),
        (refused("ThrottlingException"), ["busy", "again"]),
        (
            refused("NoSuchBucket", "it is gone"),
            ["GetObject in eu-central-1", "it is gone"],
        ),
        (
            exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
            ["Nothing answers at http://127.0.0.1:9", "image-converter local up"],
        ),
    ],
)
def test_an_error_becomes_a_sentence(error: Exception, words: list[str]) -> None:
    sentence = user_errors.sentence(error, LOCAL)

    assert all(word in sentence for word in words), sentence
    assert "\n" not in sentence


def test_an_unreachable_aws_is_not_taken_for_the_local_one() -> None:
    error = exceptions.EndpointConnectionError(endpoint_url="https://s3.mars-1.amazonaws.com")

    assert "Check that mars-1 is a region" in user_errors.sentence(error, {"AWS_REGION": "mars-1"})


def test_the_exit_status_distinguishes_failure_and_interruption(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> int:
        raise UserError("There is no file nope.jpg.")

    def interrupt() -> int:
        raise KeyboardInterrupt

    assert user_errors.run(lambda: 0) == 0
    assert user_errors.run(fail) == 1
    assert user_errors.run(interrupt) == 130
    assert capsys.readouterr().err == "There is no file nope.jpg.\n\nInterrupted.\n"


def test_a_mistake_of_ours_is_not_hidden() -> None:
    def mistake() -> int:
        raise KeyError("oops")

    with pytest.raises(KeyError):
        user_errors.run(mistake)


def test_half_of_the_credentials_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="AWS_ACCESS_KEY_ID is not set"):
        deployed.connect({"AWS_SECRET_ACCESS_KEY": "x", "AWS_CONFIG_FILE": str(tmp_path)})


def test_the_stack_has_the_name_that_is_asked_for() -> None:
    assert deployed.stack_name({}) == "image-converter"
    assert deployed.stack_name({"TF_VAR_name": "mine"}) == "mine"
    assert deployed.stack_name({"TF_VAR_name": "mine", "IMAGE_CONVERTER_NAME": "yours"}) == "yours"

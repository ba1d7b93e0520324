"""Requests that the upload API refuses, and what a form for a large image allows."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from scripts.lib import wait
from scripts.lib.executions.model import SUCCEEDED
from scripts.local_aws import REGION
from tests.conftest import Deployment
from tests.support import door, images, pipeline, resources

pytestmark = pytest.mark.e2e

LONG_AGO = "20200101T000000Z"
FORM = "/upload-url"

# What reveals something about the account: its number, its resources, its roles, its key.
_OF_THE_ACCOUNT = ("000000000000", "image-converter-", "arn:", "assumed-role", "Traceback", "s3://")


class _Expired(SigV4Auth):
    """Signs as of a time that is long gone."""

    def add_auth(self, request: AWSRequest) -> None:
        request.context["timestamp"] = LONG_AGO
        self._modify_request_before_signing(request)  # type: ignore[attr-defined]
        text = self.string_to_sign(request, self.canonical_request(request))
        signature = self.signature(text, request)
        self._inject_signature_to_request(request, signature)  # type: ignore[attr-defined]


def _refused(answer: tuple[int, Any], *statuses: int) -> None:
    status, content = answer
    assert status in statuses, answer
    text = json.dumps(content)
    assert not [word for word in _OF_THE_ACCOUNT if word in text], text


@pytest.fixture(scope="module")
def caller(deployment: Deployment) -> Iterator[Credentials]:
    """A user who may call the API and nothing else: of root, the local AWS checks no signature."""
    iam = deployment.clients.iam
    keys = resources.user(iam, "door")
    _allow(deployment, "execute-api:Invoke")
    yield Credentials(*keys.values())
    iam.delete_user_policy(UserName="door", PolicyName="door")
    iam.delete_access_key(UserName="door", AccessKeyId=keys["AWS_ACCESS_KEY_ID"])
    iam.delete_user(UserName="door")


def _allow(deployment: Deployment, action: str) -> None:
    policy = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    deployment.clients.iam.put_user_policy(
        UserName="door", PolicyName="door", PolicyDocument=document
    )


def _signer(credentials: Credentials, service: str = "execute-api") -> SigV4Auth:
    return SigV4Auth(credentials, service, REGION)


SIGNERS: dict[str, Callable[[Credentials], SigV4Auth]] = {
    "wrong secret": lambda caller: _signer(Credentials(caller.access_key, "wrong")),
    "unknown key": lambda caller: _signer(Credentials("AKIAIOSFODNN7EXAMPLE", caller.secret_key)),
    "expired": lambda caller: _Expired(caller, "execute-api", REGION),
}


@pytest.mark.parametrize("path", ["/upload", FORM])
@pytest.mark.parametrize("signer", SIGNERS.values(), ids=SIGNERS.keys())
def test_wrongly_signed_is_refused(
    deployment: Deployment,
    caller: Credentials,
    signer: Callable[[Credentials], SigV4Auth],
    path: str,
) -> None:
    before = pipeline.source_keys(deployment)
    body, query = images.jpeg(), "name=door.jpg"
    headers = door.signed(deployment, body, query, path=path, signer=signer(caller))
    answer = door.send(deployment, "POST", body, query, path=path, headers=headers)
    _refused(answer, 401, 403)
    assert pipeline.source_keys(deployment) <= before


@pytest.mark.parametrize("path", ["/upload", FORM])
def test_unsigned_is_refused(deployment: Deployment, path: str) -> None:
    body = images.jpeg()
    answer = door.send(deployment, "POST", body, "name=door.jpg", path=path, headers={})
    _refused(answer, 401, 403)


@pytest.mark.parametrize(
    ("query", "path"),
    [("name=other.jpg", FORM), ("name=door.jpg", "/upload")],
    ids=["another name", "another route"],
)
def test_a_signature_does_for_one_request_only(
    deployment: Deployment, caller: Credentials, query: str, path: str
) -> None:
    """A replay of the same request is accepted, as by AWS, until the signature expires."""
    body, own = images.jpeg(), "name=door.jpg"
    headers = door.signed(deployment, body, own, path=FORM, signer=_signer(caller))
    for _ in range(2):
        answer = door.send(deployment, "POST", body, own, path=FORM, headers=headers)
        assert answer[0] == 200, answer
    _refused(door.send(deployment, "POST", body, query, path=path, headers=headers), 403)


def test_a_user_needs_the_permission(deployment: Deployment, caller: Credentials) -> None:
    headers = door.signed(deployment, b"", "name=a.jpg", path=FORM, signer=_signer(caller))
    _allow(deployment, "s3:*")
    try:
        answer = door.send(deployment, "POST", b"", "name=a.jpg", path=FORM, headers=headers)
    finally:
        _allow(deployment, "execute-api:Invoke")
    assert answer[0] == 403, answer


NAMES = [
    "../a.jpg",
    "a/../../b.jpg",
    "/etc/passwd",
    "a\nb.jpg",
    "a\x00.jpg",
    "n" * 1025,
    "",
    "a//b",
]


@pytest.mark.parametrize("name", [*NAMES, "${filename}", "a\\b.jpg", "a\u202egpj.exe"], ids=ascii)
@pytest.mark.parametrize("path", ["/upload", FORM])
def test_a_name_that_escapes_is_refused(deployment: Deployment, name: str, path: str) -> None:
    query = f"name={quote(name, safe='')}"
    _refused(door.send(deployment, "POST", images.jpeg(), query, path=path), 400)


def _form(deployment: Deployment, name: str) -> Mapping[str, Any]:
    status, form = door.send(deployment, "POST", b"", f"name={quote(name, safe='')}", path=FORM)
    assert status == 200, form
    assert isinstance(form, dict)
    return form


def test_a_form_takes_an_image_that_the_api_is_too_small_for(deployment: Deployment) -> None:
    name = "large ü.jpg"
    content = images.jpeg() + bytes(6_000_000)  # bytes after the image's end do no harm

    assert door.send(deployment, "POST", content[:4_600_000], "name=large.jpg")[0] == 413
    status, answer = door.post(_form(deployment, name), content)

    assert status == 204, answer
    bucket = deployment.outputs["source_bucket"]
    [version] = deployment.clients.s3.list_object_versions(Bucket=bucket, Prefix=name)["Versions"]
    execution = pipeline.execution_of(deployment, version["VersionId"])
    assert execution.status == SUCCEEDED, execution.sentence
    assert images.pixels(pipeline.destination(deployment, "large ü.png")) == images.pixels(content)


@contextmanager
def _forms(deployment: Deployment, **limits: str) -> Iterator[None]:
    """Have the deployed function give forms with other limits, by its environment."""
    functions = deployment.clients.functions
    name = deployment.outputs["function_names"]["upload"]
    own = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    changed = {**own, **limits}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": own})


def test_a_form_does_until_it_expires_and_no_longer(deployment: Deployment) -> None:
    with _forms(deployment, FORM_SECONDS="1"):
        form = _form(deployment, "expired.jpg")

    def refused() -> str | None:
        status, answer = door.post(form, images.jpeg())
        assert status in (204, 403), answer
        return answer if status == 403 else None

    assert "expired" in wait.until("the form to expire", refused)
    _refused((403, refused()), 403)


def test_a_form_takes_as_much_as_it_says_and_no_more(deployment: Deployment) -> None:
    content = images.jpeg()
    with _forms(deployment, MAX_FORM_BYTES=str(len(content))):
        form = _form(deployment, "sized.jpg")
    before = pipeline.source_keys(deployment)

    status, answer = door.post(form, content + b"!")

    assert status == 400, answer
    assert "EntityTooLarge" in answer
    assert pipeline.source_keys(deployment) <= before  # the pipeline may have cleaned up some
    status, answer = door.post(form, content)
    assert status == 204, answer


def _policy(form: Mapping[str, Any], change: Callable[[dict[str, Any]], None]) -> str:
    """Return the form's policy, changed, as a caller would who cannot sign it."""
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    change(policy)
    return base64.b64encode(json.dumps(policy).encode()).decode()


def _any_key(policy: dict[str, Any]) -> None:
    conditions = [
        condition for condition in policy["conditions"] if condition != {"key": "form.jpg"}
    ]
    assert len(conditions) == len(policy["conditions"]) - 1
    policy["conditions"] = [*conditions, ["starts-with", "$key", ""]]


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "a larger size": lambda policy: policy["conditions"].append(["content-length-range", 1, 10**9]),
    "any key": _any_key,
    "no conditions": lambda policy: policy.update(conditions=[]),
    "a later end": lambda policy: policy.update(expiration="2099-01-01T00:00:00Z"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_form_with_another_policy_is_refused(
    deployment: Deployment, change: Callable[[dict[str, Any]], None]
) -> None:
    form = _form(deployment, "form.jpg")
    policy = _policy(form, change)
    before = pipeline.source_keys(deployment)
    status, answer = door.post(form, images.jpeg(), policy=policy)
    assert status == 403, answer
    assert pipeline.source_keys(deployment) <= before


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "other.jpg"},
        {"key": "form.jpg/below.jpg"},
        {"key": "above/form.jpg"},
        {"key": "../form.jpg"},
        {"key": "form.jpg "},
        {"key": "form/${filename}"},
        {"Content-Type": "text/html"},
        {"bucket": "another-bucket"},
        {"x-amz-date": LONG_AGO},
        {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20200101/us-east-1/s3/aws4_request"},
        {"x-amz-signature": "0" * 64},
        {"acl": "public-read"},
        {"tagging": "<Tagging/>"},
        {"x-amz-meta-note": "hello"},
        {"x-amz-server-side-encryption": "AES256"},
        {"x-amz-storage-class": "GLACIER"},
        {"success_action_redirect": "https://example.com"},
    ],
    ids=lambda fields: " ".join(f"{name}={value}" for name, value in fields.items())[:40],
)
def test_a_form_is_bound_to_what_it_was_given_for(
    deployment: Deployment, fields: dict[str, str]
) -> None:
    before = pipeline.source_keys(deployment)
    status, answer = door.post(_form(deployment, "form.jpg"), images.jpeg(), **fields)
    assert status in (400, 403), answer
    assert pipeline.source_keys(deployment) <= before


@pytest.mark.parametrize("field", ["policy", "x-amz-signature", "x-amz-credential", "key"])
def test_a_form_without_a_field_is_refused(deployment: Deployment, field: str) -> None:
    form = _form(deployment, "form.jpg")
    fields = {name: value for name, value in form["fields"].items() if name != field}
    status, answer = door.post({**form, "fields": fields}, images.jpeg())
    assert status in (400, 403), answer


def test_a_form_takes_nothing_empty(deployment: Deployment) -> None:
    status, answer = door.post(_form(deployment, "form.jpg"), b"")
    assert status == 400, answer
    assert "EntityTooSmall" in answer

"""The upload API with `upload_jwt`: which tokens it takes, of an issuer that signs for real.

The API is this project's module, applied to a local AWS that fetches the issuer's keys. The
function behind it is a stand-in, because only access to it is tested.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.lib.aws import Clients
from scripts.lib.terraform_stack import Stack
from scripts.local_aws import REGION, LocalAws, Options
from tests.conftest import PACKAGE, Deployment
from tests.security import roots, tokens
from tests.security.tokens import Issuer
from tests.support import door, functions
from tests.support.provider import Provider

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

_FUNCTION = "behind-the-door"
_CODE = "def handler(event, context):\n    return {'statusCode': 200, 'body': '{}'}\n"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Issuer, Path]]:
    """An issuer, and the certificate to trust it by."""
    with tokens.serving(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def api(
    issuer: tuple[Issuer, Path], provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The upload API, which asks for the issuer's tokens."""
    trusted, certificate = issuer
    directory = tmp_path_factory.mktemp("jwt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificate))
        aws = LocalAws(directory / "local-aws", Options())
        aws.start()
    root = directory / "root"
    root.mkdir()
    clients = Clients(aws.env)
    try:
        with (
            provider.running(aws.env) as env,
            roots.applied("upload_api", _variables(clients, trusted), root, env) as outputs,
        ):
            unused = Stack(directory / "stack", aws.env, package=PACKAGE)
            yield Deployment(aws, unused, clients, {"upload_url": outputs["url"]}, set())
    finally:
        aws.stop()


def _variables(clients: Clients, issuer: Issuer) -> dict[str, object]:
    arn = _function(clients)
    path = f"path/2015-03-31/functions/{arn}/invocations"
    return {
        "name": "jwt",
        "function_name": _FUNCTION,
        "function_invoke_arn": f"arn:aws:apigateway:{REGION}:lambda:{path}",
        "jwt": {"issuer": issuer.url, "audience": ["uploads"], "scopes": ["images/write"]},
        "requests_per_second": 1000,
        "burst": 1000,
        "kms_key_arn": clients.kms.create_key()["KeyMetadata"]["Arn"],
        "log_group": "/aws/vendedlogs/apigateway/jwt",
        "log_retention_days": 365,
    }


def _function(clients: Clients) -> str:
    built = json.loads((PACKAGE / "manifest.json").read_text(encoding="utf-8"))
    return clients.functions.create_function(
        FunctionName=_FUNCTION,
        Runtime=built["runtime"],
        Architectures=[built["architecture"]],
        Handler="answer.handler",
        Role="arn:aws:iam::000000000000:role/none",
        Code={"ZipFile": functions.zipped({"answer.py": _CODE})},
    )["FunctionArn"]


def _asked(api: Deployment, path: str, token: str | None) -> tuple[int, object]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return door.send(api, "POST", b"", "name=a.jpg", path=path, headers=headers)


PATHS = ["/upload", "/upload-url"]


@pytest.mark.parametrize("path", PATHS)
def test_a_good_token_is_let_in(api: Deployment, issuer: tuple[Issuer, Path], path: str) -> None:
    trusted, _ = issuer
    for claims in (
        trusted.claims(),
        trusted.claims(aud=["others", "uploads"], scope="images/read images/write"),
    ):
        assert _asked(api, path, trusted.token(claims)) == (200, {})


# What is wrong with a token; the last is refused for what it may, not for what it is.
WRONG: dict[str, tuple[Callable[[Issuer], str | None], int]] = {
    "none": (lambda _: None, 401),
    "no token": (lambda _: "let me in", 401),
    "another issuer": (lambda i: i.token(i.claims(iss="https://login.example.com")), 401),
    "no issuer": (lambda i: i.token(i.claims(iss=None)), 401),
    "another audience": (lambda i: i.token(i.claims(aud="downloads")), 401),
    "no audience": (lambda i: i.token(i.claims(aud=None)), 401),
    "expired": (lambda i: i.token(i.claims(exp=1_600_000_000)), 401),
    "not yet valid": (lambda i: i.token(i.claims(nbf=4_000_000_000)), 401),
    "unsigned": (lambda i: i.unsigned(i.claims()), 401),
    "signed with the public key": (lambda i: i.confused(i.claims()), 401),
    "signed with another key": (lambda i: i.token(i.claims(), tokens.new_key()), 401),
    "of an unknown key": (lambda i: i.token(i.claims(), tokens.new_key(), kid="second"), 401),
    "changed": (lambda i: i.changed(i.claims(exp=1_600_000_000), i.claims()), 401),
    "without the scope": (lambda i: i.token(i.claims(scope="images/read")), 403),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("make_token", "status"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_token_is_refused(
    api: Deployment,
    issuer: tuple[Issuer, Path],
    make_token: Callable[[Issuer], str | None],
    status: int,
    path: str,
) -> None:
    actual, answer = _asked(api, path, make_token(issuer[0]))
    assert actual == status, answer
    assert answer == {"message": "Unauthorized" if status == 401 else "Forbidden"}


def test_a_signature_of_iam_does_not_do(api: Deployment) -> None:
    answer = door.send(api, "POST", b"", "name=a.jpg", headers=door.signed(api, b"", "name=a.jpg"))
    assert answer == (401, {"message": "Unauthorized"})

"""Sends requests to the upload API, and forms to where it says."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from urllib3.filepost import encode_multipart_formdata

from scripts.local_aws import REGION
from tests.conftest import Deployment

Headers = Mapping[str, str]


def signed(
    deployment: Deployment,
    body: bytes,
    query: str = "",
    *,
    method: str = "POST",
    path: str = "/upload",
    signer: SigV4Auth | None = None,
) -> Headers:
    """Return the headers of a request, signed as the upload API asks for.

    Parameters:
        deployment: whose API it is for.
        body: the request's body.
        query: the URL's query, encoded.
        method: the HTTP method.
        path: the URL's path.
        signer: signs it; None signs as the account's root.
    """
    host = urlsplit(deployment.outputs["upload_url"]).netloc
    url = f"http://{host}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method, url, {"Content-Type": "image/jpeg"}, body)
    (signer or SigV4Auth(_root(deployment), "execute-api", REGION)).add_auth(request)
    return {name: str(text) for name, text in request.headers.items()}


def _root(deployment: Deployment) -> Credentials:
    env = deployment.aws.env
    return Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])


def send(
    deployment: Deployment,
    method: str,
    body: bytes,
    query: str = "",
    *,
    path: str = "/upload",
    headers: Headers | None = None,
) -> tuple[int, Any]:
    """Send a request to the upload API and return its status and what its body says.

    The API's host name ends in .localhost, which not every resolver knows: the connection goes to
    the local AWS, and the name into the Host header.

    Parameters:
        headers: of the request; None signs it as the account's root.
    """
    host = urlsplit(deployment.outputs["upload_url"]).netloc
    local = urlsplit(deployment.aws.endpoint)
    if headers is None:
        headers = signed(deployment, body, query, method=method, path=path)
    target = path + (f"?{query}" if query else "")
    connection = http.client.HTTPConnection(local.hostname or "", local.port, timeout=30)
    connection.request(method, target, body, {**headers, "Host": host})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content else None


def post(form: Mapping[str, Any], content: bytes, **fields: str) -> tuple[int, str]:
    """Send a file by a form and return S3's status and answer.

    Parameters:
        form: what POST /upload-url answered.
        content: the file.
        fields: other values for fields of the form.
    """
    url = urlsplit(form["url"])
    body, content_type = encode_multipart_formdata(
        [*{**form["fields"], **fields}.items(), ("file", ("photo.jpg", content, "image/jpeg"))]
    )
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    connection.request("POST", url.path or "/", body, {"Content-Type": content_type})
    answer = connection.getresponse()
    message = answer.read().decode()
    connection.close()
    return answer.status, message

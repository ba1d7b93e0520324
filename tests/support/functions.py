"""Small functions, deployed to a local AWS without Terraform."""

import io
import json
import sys
import zipfile
from typing import Any

from scripts.lib.aws import Clients

HOST_RUNTIME: Any = f"python{sys.version_info.major}.{sys.version_info.minor}"


def deploy(
    clients: Clients, name: str, source: str, runtime: Any = HOST_RUNTIME, **settings: Any
) -> None:
    """Create a function from the source of its one module, whose `handler` is called."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    document = {"Version": "2012-10-17", "Statement": [trust | {"Action": "sts:AssumeRole"}]}
    role = clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    clients.functions.create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=role["Role"]["Arn"],
        Handler="module.handler",
        Code={"ZipFile": zipped({"module.py": source})},
        **settings,
    )


def zipped(files: dict[str, str]) -> bytes:
    """Return a zip of text files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return content.getvalue()


def invoke(clients: Clients, name: str, payload: object = None) -> Any:
    """Call a function and return its answer, or the error object of a failed one."""
    answer = clients.functions.invoke(FunctionName=name, Payload=json.dumps(payload))
    return json.loads(answer["Payload"].read())

"""X-Ray, in processes of their own: the SDK patches botocore for the whole process."""

import json
import os
import subprocess
import sys

import pytest

PROBE = """
import json, sys
from image_converter import clients, tracing
clients.s3()
tracing.annotate(outcome="succeeded", megapixels=1.5)
from botocore.client import BaseClient
print(json.dumps({
    "sdk": "aws_xray_sdk" in sys.modules,
    "patched": type(vars(BaseClient)["_make_api_call"]).__name__ == "FunctionWrapper",
}))
"""


def probe(tracing: str | None) -> dict[str, bool]:
    """Return what a process that makes a client and annotates has loaded."""
    environment = {
        **os.environ,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    environment.pop("TRACING", None)
    if tracing:
        environment["TRACING"] = tracing
    ran = subprocess.run(
        [sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True, check=True
    )
    traced: dict[str, bool] = json.loads(ran.stdout)
    return traced


@pytest.mark.parametrize("tracing", [None, "off"])
def test_without_tracing_its_library_is_not_even_loaded(tracing: str | None) -> None:
    assert probe(tracing) == {"sdk": False, "patched": False}


def test_with_tracing_aws_calls_are_recorded() -> None:
    assert probe("on") == {"sdk": True, "patched": True}

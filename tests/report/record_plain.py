"""Record the histories in `histories/ministack`: what the emulator says without our completion.

    python -m tests.report.record_plain

Its events are of another vocabulary: TaskScheduled instead of LambdaFunctionScheduled, no previous
event, and nothing but tasks inside the lanes of a Parallel.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from scripts.lib import wait
from scripts.lib.aws import Clients
from tests.fidelity import rendering
from tests.report import record

_ROLE = "arn:aws:iam::000000000000:role/any"
_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}

# What each function does instead of its work, by scenario; `answer` is what it returns.
_OK = "answer = {'bucket': 'b', 'key': 'k'}"
_ONCE = (
    "import os\nif not os.path.exists('/tmp/mark-MARK'):\n"
    "    open('/tmp/mark-MARK', 'w').close()\n    raise OSError('reset')\n" + _OK
)
SCENARIOS: dict[str, dict[str, str]] = {
    "succeeded": {},
    "retried": {"resize_image": _ONCE},
    "failed": {"resize_image": "raise OSError('reset')"},
    "no-record": {"write_to_dynamodb": "raise OSError('reset')"},
    "not-a-jpeg": {"get_file_type": "answer = 'txt'"},
}


def main() -> None:
    """Record every scenario."""
    with _emulator() as endpoint:
        for name, bodies in SCENARIOS.items():
            record.save("ministack", name, _run(endpoint, name, bodies))


def _run(endpoint: str, name: str, bodies: dict[str, str]) -> dict[str, object]:
    clients = Clients({"AWS_ENDPOINT_URL": endpoint, **_SETTINGS})
    functions, states = clients.functions, clients.stepfunctions
    text = rendering.rendered(name, retry_interval=1, any_error_interval=1, retry_backoff=1)
    for function in rendering.FUNCTIONS:
        usual = "answer = 'jpg'" if function == "get_file_type" else _OK
        body = bodies.get(function, usual).replace("MARK", str(os.getpid()))
        arn = functions.create_function(
            FunctionName=f"{name}-{function.replace('_', '-')}",
            Runtime="python3.11",
            Role=_ROLE,
            Handler="f.handler",
            Code={"ZipFile": _zip(body)},
            Timeout=10,
        )["FunctionArn"]
        text = text.replace(rendering.function_arn(function, name), arn)
    machine = states.create_state_machine(name=name, definition=text, roleArn=_ROLE)
    given = {"s3": {"bucket": {"name": "b"}, "object": {"key": f"{name}.jpg"}}}
    arn = states.start_execution(
        stateMachineArn=machine["stateMachineArn"], name="recorded", input=json.dumps(given)
    )["executionArn"]
    wait.until(
        f"{name} to end",
        lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING",
        120,
    )
    events = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return {"executionArn": arn, "definition": json.loads(text), "events": events}


def _zip(body: str) -> bytes:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("f.py", f"def handler(event, context):\n{lines}\n    return answer\n")
    return content.getvalue()


@contextlib.contextmanager
def _emulator() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "ministack.app"],
            env={
                "PATH": os.environ["PATH"],
                "BIND_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(port),
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "USE_SSL": "0",
                "TMPDIR": folder,
                "STATE_DIR": folder,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        endpoint = f"http://127.0.0.1:{port}"
        try:
            wait.until("the emulator", lambda: _answers(endpoint))
            yield endpoint
        finally:
            server.terminate()
            server.wait()


def _answers(endpoint: str) -> bool:
    try:
        Clients({"AWS_ENDPOINT_URL": endpoint, **_SETTINGS}).sts.get_caller_identity()
    except (BotoCoreError, ClientError):
        return False
    return True


if __name__ == "__main__":
    main()

"""A local AWS starts on the given port, and ends with whoever started it, however that ends."""

import contextlib
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from scripts.commands import local
from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.lib.paths import REPOSITORY
from scripts.lib.user_errors import UserError
from scripts.local_aws import (
    LocalAws,
    LocalAwsError,
    Options,
    Running,
    client_environment,
    instance,
)
from tests.support import functions, processes, workflow

pytestmark = pytest.mark.e2e


def _command(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "scripts.commands.cli", "local", "--directory", str(directory)),
            *arguments,
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def _with_a_worker(directory: Path) -> None:
    """Have a function's process started."""
    running = instance.find(directory)
    assert running is not None
    clients = Clients(client_environment(running))
    functions.deploy(clients, "worker", "def handler(event, context):\n    return 'here'\n")
    assert functions.invoke(clients, "worker") == "here"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_ends_with_its_owner(tmp_path: Path, how: signal.Signals) -> None:
    owner = processes.start_owner(tmp_path)
    _with_a_worker(tmp_path)
    assert len(processes.belonging_to(tmp_path)) == 4  # the owner, keeper, server, worker

    owner.send_signal(how)
    owner.wait()

    wait.until("every process to end", lambda: not processes.belonging_to(tmp_path))
    # A process that ends gives its memory back, and with that its name, before its locks.
    wait.until("its lock to be given back", lambda: instance.find(tmp_path) is None)


def test_workers_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    owner = processes.start_owner(tmp_path)
    _with_a_worker(tmp_path)

    os.kill(processes.server_of(tmp_path), signal.SIGKILL)

    wait.until("all but the owner to end", lambda: processes.belonging_to(tmp_path) == [owner.pid])
    owner.communicate()


def test_up_status_exports_down(tmp_path: Path) -> None:
    up = _command(tmp_path, "up")
    assert up.returncode == 0, up.stderr
    try:
        running = instance.find(tmp_path)
        assert running is not None
        assert f"export AWS_ENDPOINT_URL={running.endpoint}" in up.stdout
        exports = _command(tmp_path, "exports").stdout
        assert exports
        assert exports == up.stdout, "a shell can evaluate it"
        assert all(line.startswith(("export ", "unset ")) for line in exports.splitlines())
        assert "TF_VAR_force_destroy=true" in up.stderr
        assert running.endpoint in _command(tmp_path, "status").stdout
        again = _command(tmp_path, "up")
        assert again.returncode == 0
        assert "already running" in again.stderr
        assert exports == again.stdout
        elsewhere = _command(tmp_path, "up", "--port", "1")
        assert elsewhere.returncode == 1
        assert "already running" in elsewhere.stderr
    finally:
        down = _command(tmp_path, "down")
    assert running.endpoint in down.stdout
    assert processes.belonging_to(tmp_path) == []
    assert _command(tmp_path, "status").returncode == 3
    assert _command(tmp_path, "exports").returncode == 3


def test_run_gives_the_command_an_aws_and_its_exit_status(tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['AWS_ENDPOINT_URL']); sys.exit(7)"

    done = _command(tmp_path, "run", "--", sys.executable, "-c", code)

    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:")
    assert processes.belonging_to(tmp_path) == []


def test_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"Port {port} .*--port"):
            LocalAws(tmp_path, Options(port=port)).start()


def test_one_that_takes_the_port_meanwhile_is_not_taken_for_it(
    local_aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = urlsplit(local_aws.endpoint).port
    found = contextlib.nullcontext(SimpleNamespace(getsockname=lambda: ("127.0.0.1", port)))
    monkeypatch.setattr(instance, "listening", lambda *_: found)
    with pytest.raises(LocalAwsError, match=rf"exited immediately[\s\S]*{port} is already in use"):
        LocalAws(tmp_path).start()


def test_the_usual_port_is_taken_if_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(local, "_USUAL_PORT", taken.getsockname()[1])
        assert local._usual_port() is None
    assert local._usual_port() == local._USUAL_PORT


def test_every_start_has_credentials_of_its_own(tmp_path: Path) -> None:
    seen = set()
    for _start in range(2):
        with LocalAws(tmp_path, Options(auth=True)) as aws:
            seen |= {aws.env["AWS_ACCESS_KEY_ID"], aws.env["AWS_SECRET_ACCESS_KEY"]}
            assert Clients(aws.env).s3.list_buckets()["Buckets"] == []
            # What the emulator takes for the root user by itself.
            for known in (aws.env["AWS_ACCESS_KEY_ID"], "test", "000000000000"):
                keys = {"AWS_ACCESS_KEY_ID": known, "AWS_SECRET_ACCESS_KEY": "test"}
                guessing = Clients(aws.env | keys)
                with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
                    guessing.s3.list_buckets()
                with pytest.raises(ClientError, match="InvalidSignature"):
                    guessing.functions.list_functions()
            assert _with_authorization(aws, "Bearer anything") == HTTPStatus.FORBIDDEN
    assert len(seen) == 4
    mode = (tmp_path / "local-aws.json").stat().st_mode
    assert stat.S_IMODE(mode) == stat.S_IRUSR | stat.S_IWUSR


def _with_authorization(aws: LocalAws, authorization: str) -> int:
    """Create a queue without any AWS credentials; return the status."""
    address = urlsplit(aws.endpoint)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    headers = {"Authorization": authorization, "X-Amz-Target": "AmazonSQS.CreateQueue"}
    connection.request("POST", "/", b'{"QueueName":"q"}', headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_functions_do_not_know_the_root_users_credentials(tmp_path: Path) -> None:
    source = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
    with LocalAws(tmp_path, Options(auth=True)) as aws:
        clients = Clients(aws.env)
        functions.deploy(clients, "environment", source)
        known, aws_env = functions.invoke(clients, "environment"), aws.env

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert known[name]
        assert aws_env[name] not in known.values()


def test_listens_on_one_address_only(local_aws: LocalAws) -> None:
    port = urlsplit(local_aws.endpoint).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    with pytest.raises(ConnectionRefusedError):  # 127.0.0.2 is this machine, too
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_state_is_kept_where_asked(tmp_path: Path) -> None:
    kept = Options(persist=True)
    with LocalAws(tmp_path, kept) as aws:
        s3 = Clients(aws.env).s3
        s3.create_bucket(Bucket="kept")
        s3.put_object(Bucket="kept", Key="a", Body=b"content")

    with LocalAws(tmp_path, kept) as aws:
        assert Clients(aws.env).s3.get_object(Bucket="kept", Key="a")["Body"].read() == b"content"
    with LocalAws(tmp_path) as aws:
        assert Clients(aws.env).s3.list_buckets()["Buckets"] == []


def test_a_map_run_keeps_its_items(tmp_path: Path) -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    whole = {"Whole": {"Type": "Pass", "End": True}}
    each = {
        "Type": "Map",
        "ItemBatcher": {"MaxItemsPerBatch": 2},
        "ItemProcessor": {"ProcessorConfig": config, "StartAt": "Whole", "States": whole},
        "End": True,
    }
    with LocalAws(tmp_path, Options(persist=True)) as aws:
        clients = Clients(aws.env)
        definition = json.dumps({"StartAt": "Each", "States": {"Each": each}})
        machine = workflow.made(clients, "m", definition)
        arn = workflow.started(clients, machine, [1, 2, 3])
        assert workflow.ended(clients, arn)["status"] == "SUCCEEDED"
        [run] = clients.stepfunctions.list_map_runs(executionArn=arn)["mapRuns"]

    with LocalAws(tmp_path, Options(persist=True)) as aws:
        found = Clients(aws.env).stepfunctions.describe_map_run(mapRunArn=run["mapRunArn"])
        assert (found["itemCounts"]["succeeded"], found["executionCounts"]["succeeded"]) == (3, 2)


def test_own_credentials_and_proxies_stay_out() -> None:
    base = {"AWS_PROFILE": "work", "AWS_ENDPOINT_URL_S3": "https://s3.example", "HOME": "/home"}

    running = Running(1, 1, auth=True, access_key_id="key", secret_access_key="")
    env = client_environment(running, base)

    assert "AWS_PROFILE" not in env
    assert "AWS_ENDPOINT_URL_S3" not in env
    assert env["HOME"] == "/home"
    assert "127.0.0.1" in env["NO_PROXY"]

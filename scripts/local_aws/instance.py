"""Start, find and stop a local AWS."""

import contextlib
import fcntl
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO, Self

from scripts.lib import supervisor
from scripts.lib.paths import REPOSITORY
from scripts.lib.ports import HOST, listening
from scripts.lib.user_errors import UserError
from scripts.local_aws.kept import KeptState

RUNTIME_PYTHON = REPOSITORY / ".venv" / "runtime" / "bin" / "python"

REGION = "us-east-1"
READY_SECONDS = 60
_ANOTHER_PORT = "Choose another one with --port, or omit --port to use a free one."
_PRIVATE = 0o600  # the state file holds the root user's secret

# A user's settings that would send a client elsewhere, or give it other credentials.
FOREIGN_SETTINGS = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CA_BUNDLE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
)


class LocalAwsError(UserError):
    """The local AWS did not start or is not there. The message says what to do."""


@dataclass(frozen=True)
class Options:
    """How a local AWS behaves.

    Attributes:
        port: the TCP port on 127.0.0.1; None takes a free one.
        auth: enforce IAM policies.
        persist: keep all state in the directory, and start from what is kept there.
        wait_scale: factor on the seconds that state machines wait, 1.0 being real time.
    """

    port: int | None = None
    auth: bool = False
    persist: bool = False
    wait_scale: float = 1.0


@dataclass(frozen=True)
class Running:
    """A local AWS that runs.

    Attributes:
        pid: the process that keeps it.
        port: the TCP port that it listens on.
        auth: whether it enforces IAM policies.
        access_key_id: its root user's, another one with every start.
        secret_access_key: its root user's.
        persist: whether it keeps its state.
    """

    pid: int
    port: int
    auth: bool
    access_key_id: str
    secret_access_key: str = field(repr=False)
    persist: bool = False

    @property
    def endpoint(self) -> str:
        """The URL of every AWS service."""
        return f"http://{HOST}:{self.port}"


def client_settings(running: Running) -> dict[str, str]:
    """Return the variables with which Terraform, the AWS CLI and SDKs use a local AWS."""
    no_proxy = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    no_proxy = ",".join([*filter(None, no_proxy.split(",")), HOST])
    return {
        "AWS_ENDPOINT_URL": running.endpoint,
        "AWS_ACCESS_KEY_ID": running.access_key_id,
        "AWS_SECRET_ACCESS_KEY": running.secret_access_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # StartSyncExecution goes to sync-127.0.0.1 otherwise.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        # A user's own files could name other endpoints and retries.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def client_environment(running: Running, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return ``base`` with what :func:`client_settings` says and nothing that contradicts it."""
    env = {
        name: value
        for name, value in base.items()
        if name not in FOREIGN_SETTINGS and not name.startswith("AWS_ENDPOINT_URL_")
    }
    return env | client_settings(running)


class LocalAws:
    """A local AWS of this process's own, which ends with it.

    with LocalAws(Path("build/demo/local-aws")) as aws:
        subprocess.run(["terraform", "apply"], env=aws.env)
    """

    def __init__(self, directory: Path, options: Options = Options()) -> None:
        """Prepare, without starting anything.

        Parameters:
            directory: where its log, its temporary files and its kept state are.
            options: how it behaves.
        """
        self._directory = directory
        self._options = options
        self._kept = KeptState(directory)
        self._keeper: subprocess.Popen[bytes] | None = None
        self._running: Running | None = None

    @property
    def endpoint(self) -> str:
        """The URL of every AWS service."""
        return self._started.endpoint

    @property
    def process_id(self) -> int:
        """The process below which all that belongs to it runs."""
        return self._started.pid

    @property
    def _started(self) -> Running:
        if self._running is None:
            raise LocalAwsError("this local AWS has not been started")
        return self._running

    @property
    def env(self) -> dict[str, str]:
        """This process's environment, changed so that clients use the local AWS."""
        return client_environment(self._started)

    @property
    def log_file(self) -> Path:
        """Where the local AWS writes what it does."""
        return log_file(self._directory)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self, *, detached: bool = False) -> Running:
        """Start it and return once it answers.

        Parameters:
            detached: leave it running when this process ends.

        Raises:
            UserError: the port is taken.
            LocalAwsError: one runs in the directory already, a part is missing, or it ended or
                stayed silent, in which case the end of its log is in the message.
        """
        if not RUNTIME_PYTHON.exists():
            raise LocalAwsError(f"{RUNTIME_PYTHON} is missing. Run `make setup`.")
        self._directory.mkdir(parents=True, exist_ok=True)
        with _locked(self._directory) as state:
            with listening(self._options.port, _ANOTHER_PORT) as probe:
                port: int = probe.getsockname()[1]
            key_id, secret = f"LOCALAWS{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary.mkdir()
            if self._options.persist:
                self._kept.report_loss()
            with self.log_file.open("wb") as log:
                self._keeper = supervisor.start(
                    [sys.executable, "-m", "scripts.local_aws.server"],
                    env={
                        **self._server_environment(port),
                        "AWS_ACCESS_KEY_ID": key_id,
                        "AWS_SECRET_ACCESS_KEY": secret,
                    },
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    detached=detached,
                    grace=None if self._options.persist else supervisor.GRACE,
                    pass_fds=[state.fileno()],
                )
            how = self._options
            self._running = Running(
                self._keeper.pid, port, how.auth, key_id, secret, persist=how.persist
            )
            state.truncate(0)
            json.dump(asdict(self._running), state)
            state.flush()
        try:
            self._wait_until_ready(self._keeper, self._running)
        except BaseException:
            self._keeper.send_signal(signal.SIGQUIT)  # there is nothing to save
            self.stop()
            raise
        if self._options.persist:
            self._kept.begin()
        return self._running

    def stop(self) -> None:
        """End it and everything it started, and wait until the state that it keeps is saved.

        Does nothing where it does not run.
        """
        keeper, self._keeper, self._running = self._keeper, None, None
        if keeper is not None:
            stop(self._directory)
            supervisor.stop(keeper)
            if self._options.persist:
                self._kept.report_loss()

    @property
    def _temporary(self) -> Path:
        return self._directory / "tmp"

    def _server_environment(self, port: int) -> dict[str, str]:
        foreign = ("AWS_", "LAMBDA_", "SFN_", "MINISTACK_", "LOCALSTACK_", "PYTHON")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "BIND_HOST": HOST,  # the emulator does not know who may use it
            "GATEWAY_PORT": str(port),
            "AUTH": str(self._options.auth).lower(),
            "MINISTACK_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",  # or it listens on every interface, at 8883
            "SFTP_ENABLED": "0",
            "USE_SSL": "0",
            "DOCKER_HOST": f"unix://{os.devnull}/none",  # or it removes the user's containers
            "SFN_WAIT_SCALE": str(self._options.wait_scale),
            "LOG_LEVEL": "INFO",
            "PERSIST_STATE": str(int(self._options.persist)),
            "S3_PERSIST": str(int(self._options.persist)),
            **self._kept.environment,
            "TMPDIR": str(self._temporary),
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",  # for the functions
            "LOCAL_AWS_RUNTIME_PYTHON": str(RUNTIME_PYTHON),
            "PYTHONUNBUFFERED": "1",
        }

    def _wait_until_ready(self, keeper: subprocess.Popen[bytes], running: Running) -> None:
        deadline = time.monotonic() + READY_SECONDS
        # At its port another one, which was faster, may answer.
        while not ("Running on" in self._log() and _answers(running.port)):
            if keeper.poll() is not None:
                raise LocalAwsError(f"The local AWS exited immediately.{self._end_of_log()}")
            if time.monotonic() > deadline:
                sentence = f"The local AWS did not answer within {READY_SECONDS} seconds."
                raise LocalAwsError(sentence + self._end_of_log())
            time.sleep(0.1)

    def _log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def _end_of_log(self) -> str:
        lines = self._log().splitlines()[-15:]
        return "\n".join([f" The end of {self.log_file}:", *(f"    {line}" for line in lines)])


def log_file(directory: Path) -> Path:
    """Return where the local AWS of a directory writes what it does."""
    return directory / "local-aws.log"


def find(directory: Path) -> Running | None:
    """Return the local AWS that runs in a directory, or None.

    Its keeper holds a lock on the state file, so a file that a crash left behind, or a process id
    that another process has by now, misleads nobody.
    """
    try:
        with _state_file(directory).open(encoding="utf-8") as state:
            if _try_lock(state, fcntl.LOCK_SH):
                return None
            return Running(**json.load(state))
    except FileNotFoundError:
        return None


def stop(directory: Path) -> Running | None:
    """End the local AWS that runs in a directory, wait until it is gone, and return what ran."""
    running = find(directory)
    if running is None:
        return None
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    with _state_file(directory).open(encoding="utf-8") as state:
        if running.persist:
            KeptState(directory).wait_until_saved(
                running.pid, lambda: _try_lock(state, fcntl.LOCK_SH)
            )
        fcntl.flock(state, fcntl.LOCK_SH)  # can be had when the keeper is gone
    shutil.rmtree(directory / "tmp", ignore_errors=True)
    return running


def _state_file(directory: Path) -> Path:
    return directory / "local-aws.json"


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[IO[str]]:
    """Yield the state file, locked. Processes that inherit the open file keep it locked.

    Raises:
        LocalAwsError: a local AWS runs in the directory.
    """
    path = _state_file(directory)
    path.touch(mode=_PRIVATE)
    path.chmod(_PRIVATE)  # it may have been there
    with path.open("a+", encoding="utf-8") as state:
        if not _try_lock(state, fcntl.LOCK_EX):
            running = find(directory)
            where = f" at {running.endpoint}" if running else ""
            raise LocalAwsError(
                f"A local AWS is already running{where}. `image-converter local down` stops it, "
                "`image-converter local exports` prints its exports."
            )
        yield state


def _try_lock(state: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(state, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _answers(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=5)) as connection:
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == HTTPStatus.OK
        except (http.client.HTTPException, OSError):
            return False

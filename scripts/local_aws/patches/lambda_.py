"""Lambda: Python functions run under AWS's own runtime client, awslambdaric, as ``provided`` do.

ministack's own worker reports every exception as ``Runtime.HandlerError``, so that no Retry and no
Catch of a state machine would ever match a name.
Calls of a burst share a few processes. With the system log level WARN, Lambda itself logs nothing
of an invocation that succeeds.
"""

import contextlib
import os
import platform
import queue
import select
import shlex
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from scripts.local_aws.patches import logs
from scripts.local_aws.patches.answers import Call, Json
from scripts.local_aws.patches.around import around

# What the Runtime API client and the SDK read; anything else of the host stays out.
_RUNTIME_PREFIXES = ("AWS_", "LAMBDA_", "_HANDLER")

# How many calls of a function run at a time, each in a process of its own, unless they take long.
AT_A_TIME = 2 * (os.cpu_count() or 1)
PATIENCE_SECONDS = 5.0


class Turns:
    """Lets calls of one function wait for each other, though not for long.

    On AWS each call of a burst has a machine of its own. Here they share this one, on which
    starting a process takes longer than converting an image in one that has started.
    """

    def __init__(self, at_a_time: int = AT_A_TIME, patience: float = PATIENCE_SECONDS) -> None:
        """Prepare.

        Parameters:
            at_a_time: how many calls of a function run at a time.
            patience: seconds after which a call runs nevertheless: a function that hangs must not
                keep others from being called, and neither must one that calls itself.
        """
        self._patience = patience
        self._free = defaultdict[str, threading.Semaphore](lambda: threading.Semaphore(at_a_time))

    @contextlib.contextmanager
    def turn(self, function: str) -> Iterator[None]:
        """Wait until it is the caller's turn to call the function with that ARN."""
        free = self._free[function]
        acquired = free.acquire(timeout=self._patience)
        try:
            yield
        finally:
            if acquired:
                free.release()


_TURNS = Turns()


def _is_python(config: Mapping[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


class PythonWorker(lambda_runtime.ProvidedWorker):  # type: ignore[misc]
    """A function's process, of which each call logs all of its own lines.

    The emulator's own worker logs what its thread has read until it pauses for 5 ms. On a busy
    machine, the next call would log the rest, with its own time.
    """

    def __init__(self, *arguments: Any) -> None:
        """Prepare; the parameters are the emulator's."""
        super().__init__(*arguments)
        self._reading = threading.Lock()
        self._begun = b""  # a line whose end has not been read yet

    def _pump_output(self, stream: IO[Any], log_queue: queue.Queue[str]) -> None:
        """Read what the process writes for as long as it lives, so that it can go on writing."""
        ready = select.poll()
        ready.register(stream)
        while self._read(stream, log_queue):
            ready.poll()
        with self._reading:
            stream.close()

    def _drain_stderr_bounded(self, *_: Any, **__: Any) -> str:
        # What the function wrote before it answered is in the pipe by now, if not in the queue.
        if self._proc is not None:
            self._read(self._proc.stdout, self._stderr_queue)
        return str(self._drain_stderr())

    def _read(self, stream: IO[Any], log_queue: queue.Queue[str]) -> bool:
        """Queue the lines that are in the pipe; return False at its end."""
        with self._reading:
            if stream.closed:
                return False
            os.set_blocking(stream.fileno(), False)
            chunk = stream.read()
            if chunk is None:
                return True  # nothing for now
            *lines, self._begun = (self._begun + chunk).split(b"\n")
            if not chunk:
                lines, self._begun = [self._begun] if self._begun else [], b""
            for line in lines:
                if log_queue.full():
                    log_queue.get_nowait()  # the oldest
                log_queue.put_nowait(line.rstrip(b"\r").decode(errors="replace"))
            return bool(chunk)


@around(lambda_runtime._worker_class_for)
def worker_class_for(original: Call, config: Json) -> object:
    """Run Python functions as those that bring a runtime of their own."""
    return PythonWorker if _is_python(config) else original(config)


@around(lambda_svc._execute_function_warm)
def execute_function_warm(original: Call, func: Json, event: object, request_id: str) -> object:
    """Invoke Python functions, each in its turn, as those that bring a runtime of their own."""
    config = func.get("config") or func
    if not _is_python(config):
        return original(func, event, request_id)
    with _TURNS.turn(config["FunctionArn"]):
        return lambda_svc._execute_function_provided_warm(func, event, request_id)


@around(lambda_svc._provided_runtime_code_dir)
def runtime_code_dir(original: Call, code_zip: bytes) -> str:
    """Put the program that Lambda would start into a function's code, unless it is there."""
    folder: str = original(code_zip)
    bootstrap = Path(folder) / "bootstrap"
    with lambda_svc._provided_code_lock:  # no fork while the file is open for writing
        if not bootstrap.exists():
            python = shlex.quote(os.environ["LOCAL_AWS_RUNTIME_PYTHON"])
            program = f'#!/bin/sh\nexec {python} -m awslambdaric "$_HANDLER"\n'
            bootstrap.write_text(program, encoding="utf-8")
            bootstrap.chmod(0o755)
    return folder


@around(lambda_svc._provided_worker_env)
def worker_environment(original: Call, config: Json, folder: str, port: int) -> dict[str, str]:
    """Return the environment of a function's process, as Lambda's Python runtime has it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    env: dict[str, str] = original(config, folder, port)
    if not _is_python(config):
        return env
    _refuse_foreign_package(config)
    own, runtime = lambda_svc._runtime_env_vars(config), config["Runtime"]
    blobs = map(lambda_svc._resolve_layer_zip, config.get("Layers", []))
    layers = [lambda_svc._docker_extracted_dir(blob, "layer") for blob in blobs if blob]
    in_layers = [
        f"{layer}/{packages}"
        for packages in ("python", f"python/lib/{runtime}/site-packages")
        for layer in layers
    ]
    return {
        **{
            name: value
            for name, value in env.items()
            if name.startswith(_RUNTIME_PREFIXES) or name in own
        },
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": _log_group(config),
        "PYTHONPATH": os.pathsep.join([env["LAMBDA_TASK_ROOT"], *in_layers]),
    }


def _refuse_foreign_package(config: Mapping[str, Any]) -> None:
    """Fail with a sentence where a function is packaged for another Python or processor."""
    host = (
        f"python{sys.version_info.major}.{sys.version_info.minor}",
        {"aarch64": "arm64"}.get(platform.machine(), platform.machine()),
    )
    package = (config["Runtime"], *config.get("Architectures", ["x86_64"]))
    if package != host:
        raise lambda_runtime.ProvidedRuntimeError(
            f"{config['FunctionName']} is packaged for {' on '.join(package)}, but the local AWS "
            f"runs functions with {' on '.join(host)}. Run `make package-local` and apply with "
            "package_dir = build/package-local (those of `image-converter local exports` do).",
            "Runtime.InvalidEntrypoint",
        )


def _log_group(config: Mapping[str, Any]) -> str:
    logging = config.get("LoggingConfig") or {}
    return logging.get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"


@around(lambda_svc._emit_lambda_logs)
def emit_lambda_logs(
    emit: Call, func: Json, request_id: str, log_text: str, error: bool, ms: int, **more: object
) -> None:
    """Have functions of the level WARN log their own lines only, where they succeed."""
    config = func.get("config") or func
    logging = config.get("LoggingConfig") or {}
    quiet = (logging.get("LogFormat"), logging.get("SystemLogLevel")) == ("JSON", "WARN")
    if error or not quiet:
        emit(func, request_id, log_text, error, ms, **more)
    elif lines := log_text.splitlines():
        logs.append(_log_group(config), request_id, int(time.time() * 1000), lines)

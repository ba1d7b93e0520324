"""Lambda: Python functions run under AWS's own runtime client, awslambdaric.

With the system log level WARN, Lambda itself logs nothing of an invocation that succeeds.
"""

import contextlib
import os
import platform
import shlex
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import cloudwatch_logs, lambda_svc

from scripts.local_aws.worker import worker_environment

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


def _is_python(config: Mapping[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


def run_python_under_awslambdaric(runtime_python: Path) -> None:
    """Start functions with Lambda's own runtime client, so that errors keep their names.

    Parameters:
        runtime_python: the interpreter that runs the functions; awslambdaric must be installed for
            it, and Pillow must not, so that it comes from the layer.
    """
    class_for = lambda_runtime._worker_class_for
    execute_warm = lambda_svc._execute_function_warm
    code_dir = lambda_svc._provided_runtime_code_dir
    provided_env = lambda_svc._provided_worker_env
    turns = Turns()

    def worker_class_for(config: dict[str, Any]) -> type:
        worker: type = lambda_runtime.ProvidedWorker if _is_python(config) else class_for(config)
        return worker

    def execute_function_warm(func: dict[str, Any], event: object, request_id: str) -> object:
        config = func.get("config") or func
        if not _is_python(config):
            return execute_warm(func, event, request_id)
        with turns.turn(config["FunctionArn"]):
            return lambda_svc._execute_function_provided_warm(func, event, request_id)

    def runtime_code_dir(code_zip: bytes) -> str:
        folder: str = code_dir(code_zip)
        with lambda_svc._provided_code_lock:  # no fork while the file is open for writing
            _write_bootstrap(Path(folder), runtime_python)
        return folder

    def provided_worker_env(config: dict[str, Any], folder: str, port: int) -> dict[str, str]:
        env: dict[str, str] = provided_env(config, folder, port)
        if not _is_python(config):
            return env
        _refuse_foreign_package(config)
        blobs = map(lambda_svc._resolve_layer_zip, config.get("Layers", []))
        layers = [lambda_svc._docker_extracted_dir(blob, "layer") for blob in blobs if blob]
        return worker_environment(env, config, lambda_svc._runtime_env_vars(config), layers)

    lambda_runtime._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = execute_function_warm
    lambda_svc._provided_runtime_code_dir = runtime_code_dir
    lambda_svc._provided_worker_env = provided_worker_env


def honour_the_system_log_level() -> None:
    """Have functions of the level WARN log their own lines only, where they succeed."""
    emit = lambda_svc._emit_lambda_logs

    def emit_lambda_logs(
        func: dict[str, Any],
        request_id: str,
        log_text: str,
        error: bool,
        duration_ms: int,
        *,
        log_source: str | None = None,
    ) -> None:
        config = func.get("config") or func
        if error or not _is_quiet(config):
            emit(func, request_id, log_text, error, duration_ms, log_source=log_source)
        elif lines := log_text.splitlines():
            _log(config["LoggingConfig"]["LogGroup"], request_id, lines)

    lambda_svc._emit_lambda_logs = emit_lambda_logs


def _is_quiet(config: Mapping[str, Any]) -> bool:
    logging = config.get("LoggingConfig") or {}
    return (logging.get("LogFormat"), logging.get("SystemLogLevel")) == ("JSON", "WARN")


def _log(group: str, stream: str, lines: Sequence[str]) -> None:
    named = {"logGroupName": group, "logStreamName": stream}
    now = int(time.time() * 1000)
    cloudwatch_logs._create_log_stream(named)
    cloudwatch_logs._put_log_events(
        {**named, "logEvents": [{"timestamp": now, "message": line} for line in lines]}
    )


def _write_bootstrap(folder: Path, runtime_python: Path) -> None:
    """Put the program that Lambda would start into a function's code, unless it is there."""
    bootstrap = folder / "bootstrap"
    if bootstrap.exists():
        return
    command = f"exec {shlex.quote(str(runtime_python))} -m awslambdaric"
    bootstrap.write_text(f'#!/bin/sh\n{command} "$_HANDLER"\n', encoding="utf-8")
    bootstrap.chmod(0o755)


def _refuse_foreign_package(config: Mapping[str, Any]) -> None:
    """Fail with a sentence where a function is packaged for another Python or processor."""
    host = (
        f"python{sys.version_info.major}.{sys.version_info.minor}",
        {"aarch64": "arm64"}.get(platform.machine(), platform.machine()),
    )
    wanted = (config["Runtime"], *config.get("Architectures", ["x86_64"]))
    if wanted != host:
        raise lambda_runtime.ProvidedRuntimeError(
            f"{config['FunctionName']} is packaged for {' on '.join(wanted)}, but the local AWS "
            f"runs functions with {' on '.join(host)}. Run `make package-local` and apply with "
            "package_dir = build/package-local (those of `image-converter local exports` do).",
            "Runtime.InvalidEntrypoint",
        )

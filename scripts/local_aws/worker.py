"""The environment of a function's process, as Lambda's Python runtime has it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# What the Runtime API client and the SDK read; anything else of the host stays out.
_RUNTIME_PREFIXES = ("AWS_", "LAMBDA_", "_HANDLER")


def worker_environment(
    emulator: Mapping[str, str],
    config: Mapping[str, Any],
    own: Iterable[str],
    layers: Sequence[str],
) -> dict[str, str]:
    """Return the environment to start a function's process in.

    Parameters:
        emulator: what the emulator would start it in, the host's environment included.
        config: the function's configuration, as Lambda's API returns it.
        own: the names of the variables that the function's configuration sets.
        layers: folders with the unpacked layers, in order.
    """
    wanted = set(own)
    env = {
        name: value
        for name, value in emulator.items()
        if name.startswith(_RUNTIME_PREFIXES) or name in wanted
    }
    code = env["LAMBDA_TASK_ROOT"]
    runtime = config["Runtime"]
    in_layer = [
        f"{layer}/{folder}"
        for folder in ("python", f"python/lib/{runtime}/site-packages")
        for layer in layers
    ]
    return env | {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": _log_group(config),
        "PYTHONPATH": os.pathsep.join([code, *in_layer]),
    }


def _log_group(config: Mapping[str, Any]) -> str:
    named = (config.get("LoggingConfig") or {}).get("LogGroup")
    return named or f"/aws/lambda/{config['FunctionName']}"

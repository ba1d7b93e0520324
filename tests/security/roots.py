"""Applies one module of the configuration alone, in a root of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.lib import terraform_cli
from scripts.lib.paths import REPOSITORY

_TERRAFORM = REPOSITORY / "terraform"


@contextmanager
def applied(
    module: str, variables: Mapping[str, Any], directory: Path, env: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Apply a module, yield its outputs, and destroy it.

    Parameters:
        module: a folder of terraform/modules.
        variables: the module's.
        directory: an empty folder to work in.
        env: says which AWS to use.
    """
    for name in ("versions.tf", ".terraform.lock.hcl"):
        shutil.copy(_TERRAFORM / name, directory)
    source = str(_TERRAFORM / "modules" / module)
    root = {
        "provider": {"aws": {}},
        "module": {"this": {"source": source, **variables}},
        "output": {"this": {"value": "${module.this}"}},
    }
    (directory / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")
    env = terraform_cli.environment(env)
    terraform_cli.init(directory, env, "-lockfile=readonly")
    try:
        _run(directory, env, "apply", "-auto-approve")
        yield json.loads(_run(directory, env, "output", "-json", "this"))
    finally:
        _run(directory, env, "destroy", "-auto-approve", "-refresh=false")


def _run(directory: Path, env: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [str(terraform_cli.terraform_binary()), f"-chdir={directory}", *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

"""Start and stop a local AWS, in a clone of the repository."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from scripts.commands.options import Command
from scripts.lib import paths, ports, terminal, terraform_cli
from scripts.lib.user_errors import ExitStatus, UserError
from scripts.local_aws import instance
from scripts.local_aws.instance import LocalAws, Options, Running
from scripts.local_aws.kept import KeptState

_USUAL_PORT = 4566  # LocalStack's, where people and tools look for a local AWS
_NOT_RUNNING = 'No local AWS is running. `eval "$(image-converter local up)"` starts one.'


@click.group("local")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for its log and state.  [default: build/local-aws in the clone]",
)
@click.pass_context
def command(context: click.Context, directory: Path | None) -> None:
    """Start and stop a local AWS.

    It needs a clone of the repository. `eval "$(image-converter local up)"` has terraform, aws and
    every AWS SDK use it in a shell.
    """
    context.obj = directory or _directory(_clone())


def _behaviour(function: Command) -> Command:
    """Give a command the options that say how the local AWS behaves."""
    for option in (
        click.option("--persist", is_flag=True, help="Keep its state between starts."),
        click.option("--auth", is_flag=True, help="Enforce IAM policies, as `make local-up` does."),
        click.option(
            "--port",
            type=click.IntRange(1, 65535),
            help=f"Default: {_USUAL_PORT} if it is free, or else any free one.",
        ),
    ):
        function = option(function)
    return function


@command.command("up")
@_behaviour
@click.option("--no-set-up", is_flag=True, help="Do not build what it needs first.", hidden=True)
@click.pass_obj
def up(directory: Path, port: int | None, *, auth: bool, persist: bool, no_set_up: bool) -> int:
    """Start it, and print the exports that make clients use it.

    Standard output has nothing but exports, so that a shell can evaluate it.
    """
    clone = paths.clone()
    if clone and directory == _directory(clone) and not no_set_up:
        make = ["make", "--silent", "-C", str(clone), "local-up"]
        if port:
            make.append(f"PORT={port}")
        if persist:
            make.append("PERSIST=1")
        return subprocess.run(make, check=False).returncode
    running = instance.find(directory)
    if running and port in (None, running.port):
        _say("It is already running, with everything in it.")
    else:
        options = Options(port=port or _usual_port(), auth=auth, persist=persist)
        running = LocalAws(directory, options).start(detached=True)
    log = paths.short(instance.log_file(directory))
    _say(
        f"The local AWS is running at {running.endpoint}; it logs to {log}. "
        "`image-converter local down` stops it."
    )
    _say(
        "Terraform, aws and every AWS SDK use it in a shell that has evaluated its exports: "
        'eval "$(image-converter local exports)". TF_VAR_force_destroy=true is one of them, '
        "so `terraform destroy` deletes images without asking."
    )
    _print_exports(running)
    return ExitStatus.DONE


@command.command("down")
@click.pass_obj
def down(directory: Path) -> int:
    """Stop it; everything in it is gone, unless it was started with --persist."""
    running = instance.stop(directory)
    if running is None:
        print("No local AWS is running.")
        return ExitStatus.DONE
    state = KeptState(directory)
    if running.persist and (loss := state.loss):
        raise UserError(f"The local AWS at {running.endpoint} was stopped. {loss}")
    kept = (
        f"its state is in {paths.short(state.folder)}"
        if running.persist
        else "everything in it is gone"
    )
    print(f"The local AWS at {running.endpoint} was stopped, and {kept}.")
    print("A shell with its exports still points at it; open a new one to use AWS.")
    clone = paths.clone()
    described = clone / "terraform" / "terraform.tfstate" if clone else None
    if not running.persist and described and _describes_something(described):
        print(f"If {paths.short(described)} describes it, delete that file before you apply again.")
    return ExitStatus.DONE


@command.command("status")
@click.pass_obj
def status(directory: Path) -> int:
    """Show whether and where it is running."""
    running = _running(directory)
    enforced = "enforced" if running.auth else "not enforced"
    print(
        f"The local AWS is running at {running.endpoint} (process {running.pid}); IAM is "
        f"{enforced}. It logs to {paths.short(instance.log_file(directory))}."
    )
    return ExitStatus.DONE


@command.command("exports")
@click.pass_obj
def exports(directory: Path) -> int:
    """Print the exports of the running one."""
    _print_exports(_running(directory))
    return ExitStatus.DONE


@command.command("run")
@_behaviour
@click.argument("arguments", nargs=-1, required=True, metavar="COMMAND...")
@click.pass_obj
def run(
    directory: Path, port: int | None, arguments: Sequence[str], *, auth: bool, persist: bool
) -> int:
    """Start it, run a command against it, and stop it."""
    options = Options(port=port or _usual_port(), auth=auth, persist=persist)
    with LocalAws(directory, options) as aws:
        return subprocess.run(arguments, env=aws.env, check=False).returncode


def _directory(clone: Path) -> Path:
    return clone / "build" / "local-aws"


def _clone() -> Path:
    clone = paths.clone()
    if clone is None:
        raise UserError(
            "The local AWS is part of the repository: call this in a clone of it.",
            ExitStatus.NO_STACK,
        )
    return clone


def _running(directory: Path) -> Running:
    running = instance.find(directory)
    if running is None:
        raise UserError(_NOT_RUNNING, ExitStatus.NO_STACK)
    return running


def _usual_port() -> int | None:
    try:
        with ports.listening(_USUAL_PORT):
            return _USUAL_PORT
    except UserError:
        return None


def _print_exports(running: Running) -> None:
    """Print shell lines: what clients and Terraform need to know of a local AWS."""
    print(f"unset {' '.join(instance.FOREIGN_SETTINGS)}")
    build = _clone() / "build"
    settings = instance.client_settings(running)
    settings["TF_VAR_package_dir"] = str(build / "package-local")  # the zips for this machine
    settings["TF_VAR_force_destroy"] = "true"  # what is in a local AWS is there to be thrown away
    environment = terraform_cli.environment(os.environ, build / "terraform")
    for name in ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"):
        if environment.get(name, "") != os.environ.get(name, ""):
            settings[name] = environment[name]
    for name, value in settings.items():
        print(f"export {name}={shlex.quote(value)}")


def _describes_something(state: Path) -> bool:
    """Return whether a state file of Terraform's names resources; after a destroy it does not."""
    try:
        return bool(json.loads(state.read_text(encoding="utf-8"))["resources"])
    except FileNotFoundError:
        return False
    except (ValueError, KeyError):
        return True  # whatever it is, the person should look at it


def _say(text: str) -> None:
    terminal.say(text, sys.stderr)

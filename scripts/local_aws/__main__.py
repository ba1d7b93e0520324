"""The local AWS from the command line; ``python -m scripts.local_aws --help`` says how."""

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.lib import terminal, terraform_cli
from scripts.local_aws import instance
from scripts.local_aws.instance import LocalAws, LocalAwsError, Options, Running

PACKAGE = instance.REPOSITORY / "build" / "package-local"
STATE = instance.REPOSITORY / "terraform" / "terraform.tfstate"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 if it did what it says."""
    options = _parser().parse_args(arguments)
    commands = {"up": _up, "down": _down, "status": _status, "exports": _exports, "run": _run}
    try:
        return commands[options.command](options)
    except (LocalAwsError, terraform_cli.TerraformError) as error:
        terminal.say(str(error), sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.local_aws", description=__doc__)
    parser.add_argument(
        "--directory",
        type=Path,
        default=instance.DEFAULT_DIRECTORY,
        help="folder for its log and state (default: build/local-aws)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start it, and print the exports that point clients at it")
    run = commands.add_parser("run", help="start it, run a command against it, stop it")
    for command in (up, run):
        command.add_argument("--port", type=_port, help="default: a free one")
        command.add_argument("--auth", action="store_true", help="enforce IAM policies")
        command.add_argument("--persist", action="store_true", help="keep state between starts")
    run.add_argument("arguments", nargs="+", metavar="COMMAND")
    commands.add_parser("down", help="stop it")
    commands.add_parser("status", help="show whether and where it is running")
    commands.add_parser("exports", help="print the exports of the running one")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):  # noqa: PLR2004 - 16 bits
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text!r}")
    return int(text)


def _local_aws(options: argparse.Namespace) -> LocalAws:
    wanted = Options(port=options.port, auth=options.auth, persist=options.persist)
    return LocalAws(options.directory, wanted)


def _up(options: argparse.Namespace) -> int:
    running = instance.find(options.directory)
    if running and options.port in (None, running.port):
        print("# It is already running, since an earlier `make local-up`, with everything in it.")
    else:
        running = _local_aws(options).start(detached=True)
    print(f"# The local AWS is running at {running.endpoint}; it logs to", end=" ")
    print(f"{_short(instance.log_file(options.directory))}. `make local-down` stops it.")
    print("# Paste these lines to make terraform, aws and every AWS SDK use it in this shell")
    print("# (but version 1 of the aws command needs --endpoint-url $AWS_ENDPOINT_URL for sqs):")
    _print_exports(running)
    return 0


def _down(options: argparse.Namespace) -> int:
    running = instance.stop(options.directory)
    if running is None:
        print("No local AWS is running.")
        return 0
    print(f"The local AWS at {running.endpoint} was stopped, and everything in it is gone.")
    print("A shell with its exports still points at it; open a new one to use AWS.")
    if _describes_something(STATE):
        print(f"If {_short(STATE)} describes it, delete that file before you apply again.")
    return 0


def _status(options: argparse.Namespace) -> int:
    running = instance.find(options.directory)
    if running is None:
        print("No local AWS is running. `make local-up` starts one.")
        return 1
    enforced = "enforced" if running.auth else "not enforced"
    print(
        f"The local AWS is running at {running.endpoint} (process {running.pid}); IAM is "
        f"{enforced}."
    )
    print(f"It logs to {_short(instance.log_file(options.directory))}.")
    return 0


def _exports(options: argparse.Namespace) -> int:
    running = instance.find(options.directory)
    if running is None:
        raise LocalAwsError("No local AWS is running. `make local-up` starts one.")
    _print_exports(running)
    return 0


def _run(options: argparse.Namespace) -> int:
    with _local_aws(options) as aws:
        return subprocess.run(options.arguments, env=aws.env, check=False).returncode


def _print_exports(running: Running) -> None:
    """Print shell lines: what clients and Terraform need to know of a local AWS."""
    print(f"unset {' '.join(instance.FOREIGN_SETTINGS)}")
    settings = instance.client_settings(running)
    settings["TF_VAR_package_dir"] = str(PACKAGE)  # the zips that this machine can run
    settings["TF_VAR_force_destroy"] = "true"  # what is in a local AWS is there to be thrown away
    found = terraform_cli.environment(os.environ)
    for name in ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"):
        if found.get(name, "") != os.environ.get(name, ""):
            settings[name] = found[name]
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


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


if __name__ == "__main__":
    sys.exit(main())

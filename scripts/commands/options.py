"""Options that many commands have: which AWS and which stack, and the form of the output."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
import click
from click.shell_completion import CompletionItem

from scripts.lib import deployed
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.terminal import Console

Command = TypeVar("Command", bound=Callable[..., Any])

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass
class Target:
    """The stack that a command is about, as far as options say; the environment says the rest."""

    name: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    @property
    def env(self) -> dict[str, str]:
        """The environment, changed as the AWS CLI's options of these names would."""
        env = dict(os.environ)
        if self.profile:  # goes before keys that are set, as with the AWS CLI
            env = {name: value for name, value in env.items() if name not in _KEYS}
        overrides = {
            "IMAGE_CONVERTER_NAME": self.name,
            "AWS_REGION": self.region,
            "AWS_PROFILE": self.profile,
            "AWS_ENDPOINT_URL": self.endpoint_url,
        }
        return env | {name: value for name, value in overrides.items() if value}

    @property
    def stack_name(self) -> str:
        """The stack's name."""
        return deployed.stack_name(self.env)

    def clients(self) -> Clients:
        """Return clients for that AWS.

        Raises: as `deployed.connect`.
        """
        return deployed.connect(self.env)

    def find(self) -> tuple[Clients, Deployment]:
        """Return clients, and the stack.

        Raises: as `deployed.connect` and `deployed.find`.
        """
        clients = self.clients()
        return clients, deployed.find(clients, self.stack_name)


def _remember(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        setattr(context.ensure_object(Target), str(parameter.name), value)


def _profiles(_context: object, _parameter: object, start: str) -> list[CompletionItem]:
    return [
        CompletionItem(name)
        for name in boto3.Session().available_profiles
        if name.startswith(start)
    ]


def _option(flag: str, **more: Any) -> Callable[[Command], Command]:
    return click.option(flag, expose_value=False, callback=_remember, **more)


_OF_A_STACK = (
    _option("--name", help="The stack's name.  [default: image-converter]"),
    _option("--region", help="As for the AWS CLI."),
    _option("--profile", help="As for the AWS CLI.", shell_complete=_profiles),
    _option("--endpoint-url", metavar="URL", help="As for the AWS CLI, for a local AWS."),
)


def of_a_stack(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that select a stack, and the Target as its first argument."""
    for option in reversed(_OF_A_STACK):
        command = option(command)
    return click.make_pass_decorator(Target, ensure=True)(command)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
dry_run = click.option("--dry-run", is_flag=True, help="Only report what would be done.")
waits = click.option(
    "--wait", "waits", is_flag=True, help="Wait until all images have been handled."
)


def console(*, as_json: bool = False, **more: Any) -> Console:
    """Return where people read; with JSON on standard output, that is standard error."""
    return Console(stderr=as_json, highlight=False, **more)


@contextmanager
def progress(console: Console) -> Iterator[Callable[[str], None]]:
    """Yield what may be called with how far something has come; it shows on a terminal only."""
    with console.status("Asking AWS") as status:
        yield lambda sentence: status.update(f"Read {sentence}")


def print_json(answer: Mapping[str, Any]) -> None:
    """Print an object as JSON; other characters than ASCII's are escaped, so none is obeyed."""
    click.echo(json.dumps(answer, indent=2, default=str))

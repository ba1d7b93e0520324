"""Try this project on an AWS account, once: deploy, convert, verify, destroy.

It makes about ninety resources under a random name, costs less than a cent, takes ten minutes, and
does nothing before you agree: with CONFIRM=yes, or at the terminal with the account's number.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.demo.display import Display
from scripts.lib import user_errors
from scripts.lib.aws import Clients, is_local
from scripts.lib.paths import PACKAGE, PACKAGE_LOCAL
from scripts.lib.terminal import Console
from scripts.lib.terraform_cli import TerraformError
from scripts.smoke.run import DIRECTORY, random_name, run

REFUSED = 2


def main(arguments: Sequence[str] | None = None, env: Mapping[str, str] = os.environ) -> int:
    """Run it; the exit status is 0 if everything holds, 2 if nobody agreed."""
    parser = argparse.ArgumentParser(prog="python -m scripts.smoke", description=__doc__)
    parser.add_argument("--confirm", help="yes: deploy without asking")
    parser.add_argument("--name", default=random_name(), help="default: a random one")
    parser.add_argument("--package", type=Path, help="default: the one for this AWS")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="where its files go")
    options = parser.parse_args(arguments)
    display = Display(Console())
    user_errors.interrupt_on_signals()

    def command() -> int:
        if not _agreed(options.confirm, display, env, options.name):
            return REFUSED
        # The local AWS runs functions with this machine's Python.
        usual = PACKAGE_LOCAL if is_local(env.get("AWS_ENDPOINT_URL")) else PACKAGE
        package = options.package or usual
        try:
            return 0 if run(display, env, options.name, package, options.directory) else 1
        except (TerraformError, TimeoutError) as error:
            display.failed(str(error))
            return 1

    return user_errors.run(command, lambda: env)


def _agreed(confirm: str | None, display: Display, env: Mapping[str, str], name: str) -> bool:
    """Say where what would be made, and return whether somebody wants that."""
    if confirm not in (None, "", "yes"):
        display.failed(f"CONFIRM is '{confirm}', but only 'yes' confirms. Nothing was created.")
        return False
    caller = Clients(env).sts.get_caller_identity()
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "the profile's region"
    place = env.get("AWS_ENDPOINT_URL") or f"AWS, {region}"
    display.step(f"About to deploy {name} to account {caller['Account']} at {place}")
    display.say(f"As {caller['Arn']}. About ninety resources, ten minutes, less than a cent.")
    if confirm == "yes":
        return True
    if not sys.stdin.isatty():
        display.failed("This has not been confirmed. Run `make smoke CONFIRM=yes`.")
        return False
    if input("  Type the account number to continue: ").strip() == caller["Account"]:
        return True
    display.failed("That is not the account number. Nothing was created.")
    return False


if __name__ == "__main__":
    sys.exit(main())

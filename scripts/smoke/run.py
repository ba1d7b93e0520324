"""The check, step by step: whatever happens, what was made is destroyed at the end."""

import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from scripts.demo import run as demo
from scripts.demo.display import Display
from scripts.demo.run import Trial
from scripts.lib import deployed, photographs
from scripts.lib.aws import Clients
from scripts.lib.executions.model import Execution
from scripts.lib.inventory import inventory
from scripts.lib.paths import BUILD
from scripts.lib.terraform_cli import TerraformError
from scripts.lib.terraform_stack import Stack
from scripts.smoke import shapes

DIRECTORY = BUILD / "smoke"

# Small, awkward, turned: what is most likely to go wrong on the way through a real S3.
_SCENES = ("postcard.jpg", "Küste im Nebel.jpg", "portrait.jpg")


def random_name() -> str:
    """Return a name for a stack that nobody has; begins with smoke-."""
    return f"smoke-{secrets.token_hex(3)}"


def run(
    display: Display, env: Mapping[str, str], name: str, package: Path, directory: Path = DIRECTORY
) -> bool:
    """Deploy, convert, verify, compare, destroy; return whether everything holds.

    Parameters:
        display: where to show it.
        env: says which AWS, and as whom.
        name: of the stack.
        package: the folder with the zips.
        directory: where its files go.

    Raises:
        TerraformError, TimeoutError: it could not be run to its end.
    """
    started = time.monotonic()
    clients = Clients(env)
    variables = {"name": name, "force_destroy": True, "key_deletion_window_days": 7}
    # A folder for each run: a stack that could not be destroyed is described by its state there.
    made = Stack(directory / name, env, package=package, variables=variables)
    display.step(f"terraform init and apply of {name}")
    made.init()
    try:
        with display.terraform() as report:
            made.apply(report)
        holds = _convert(Trial(display, clients, deployed.find(clients, name)), directory)
    finally:
        _destroy(display, made, name)
    left = (f"{item} is still there" for item in sorted(inventory(clients)) if name in item)
    holds &= display.verdict(demo.NOTHING_LEFT, left)
    display.conclude(started, holds=holds)
    return holds


def _convert(trial: Trial, directory: Path) -> bool:
    images = trial.convert(_files(directory))
    holds = trial.check(images)
    first = next((image.execution for image in images if image.outputs), None)
    if first is None:
        return False
    _compare(trial, first, directory)
    return holds


def _files(directory: Path) -> dict[str, Path]:
    """Draw the photographs to upload, and add a file that is not an image."""
    folder = directory / "photographs"
    scenes = (scene for scene in photographs.SCENES if scene.name in _SCENES)
    photographs.write_all(folder, scenes)
    return {path.name: path for path in sorted(folder.iterdir())}


def _compare(trial: Trial, execution: Execution, directory: Path) -> None:
    """Print how this AWS differs from the local one. Differences are not failures."""
    trial.display.step("Comparing with the local AWS")
    facts = shapes.observe(trial.clients, trial.stack, execution)
    shapes.write(facts, directory / "observed.json")
    lines = shapes.differences(facts, shapes.local())
    for line in lines:
        trial.display.say(line)
    trial.display.say(
        f"{len(lines)} differences in {len(facts)} facts; see build/smoke/observed.json."
    )


def _destroy(display: Display, made: Stack, name: str) -> None:
    try:
        demo.destroy(display, made)
    except TerraformError:
        display.failed(
            f"The stack {name} is still there. Try again: terraform "
            f"-chdir={made.directory}/terraform destroy -var-file=../settings.tfvars.json"
        )
        raise

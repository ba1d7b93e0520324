"""The check, step by step: whatever happens, what was made is destroyed at the end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.demo import run as demo
from scripts.demo import verdict
from scripts.demo.display import Display
from scripts.demo.verdict import Image
from scripts.lib import deployed, photographs
from scripts.lib.aws import Clients
from scripts.lib.executions import collect
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
        holds = _convert(display, clients, name, made.outputs(), directory)
    finally:
        _destroy(display, made, name)
    holds &= _nothing_left(display, clients, name)
    display.step("All checks passed." if holds else "Some checks failed.")
    display.say(f"It took {time.monotonic() - started:.0f} seconds.")
    return holds


def _convert(
    display: Display, clients: Clients, name: str, outputs: Mapping[str, Any], directory: Path
) -> bool:
    images = demo.upload(display, clients, outputs["source_bucket"], _files(directory))
    demo.follow(display, collect.source(clients, deployed.find(clients, name)), images)
    fetched = verdict.fetch(clients, outputs["destination_bucket"], images.values())
    display.outcomes(images.values())
    display.times(images.values())
    holds = demo.check(display, clients, outputs["source_bucket"], images.values(), fetched)
    first = fetched[0].image if fetched else None
    if first is not None:
        _compare(display, clients, outputs, first, directory)
    return holds and first is not None


def _files(directory: Path) -> dict[str, Path]:
    """Draw the photographs to upload, and add a file that is not an image."""
    folder = directory / "photographs"
    folder.mkdir(parents=True, exist_ok=True)
    for scene in photographs.SCENES:
        if scene.name in _SCENES:
            (folder / scene.name).write_bytes(photographs.jpeg(scene))
    name, content = photographs.NOTES
    (folder / name).write_bytes(content)
    return {path.name: path for path in sorted(folder.iterdir())}


def _compare(
    display: Display, clients: Clients, outputs: Mapping[str, Any], image: Image, directory: Path
) -> None:
    """Print how this AWS differs from the local one. Differences are not failures."""
    if image.execution is None:
        return
    display.step("Comparing with the local AWS")
    facts = shapes.observe(clients, outputs, image.execution)
    shapes.write(facts, directory / "observed.json")
    lines = shapes.differences(facts, shapes.local())
    for line in lines:
        display.say(line)
    display.say(f"{len(lines)} differences in {len(facts)} facts; see build/smoke/observed.json.")


def _destroy(display: Display, made: Stack, name: str) -> None:
    try:
        demo.destroy(display, made)
    except TerraformError:
        display.failed(
            f"The stack {name} is still there. Try again: terraform "
            f"-chdir={made.directory}/terraform destroy -var-file=../settings.tfvars.json"
        )
        raise


def _nothing_left(display: Display, clients: Clients, name: str) -> bool:
    left = sorted(item for item in inventory(clients) if name in item)
    for item in left:
        display.failed(f"{item} is still there")
    if not left:
        display.held("`terraform destroy` left nothing behind")
    return not left

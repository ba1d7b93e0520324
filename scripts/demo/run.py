"""The demonstration, step by step, and its steps for other stacks than its own."""

import itertools
import shutil
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scripts import console
from scripts.demo import verdict
from scripts.demo.display import Display
from scripts.demo.verdict import Image
from scripts.lib import photographs, wait
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, uploads
from scripts.lib.executions.model import RUNNING, Execution
from scripts.lib.inventory import inventory
from scripts.lib.paths import BUILD, short
from scripts.lib.terraform_stack import Stack
from scripts.lib.user_errors import UserError
from scripts.local_aws import LocalAws, Options, terraform
from scripts.report import pages

DIRECTORY = BUILD / "demo"
NOTHING_LEFT = "`terraform destroy` left nothing behind"

_CONSOLE_DIRECTORY = BUILD / "console"
_MAX_SECONDS = 180  # for all images together


def run(
    display: Display,
    images_path: Path | None,
    directory: Path = DIRECTORY,
    workflow_type: str = "STANDARD",
) -> bool:
    """Run the demonstration and return whether everything holds.

    Parameters:
        display: where to show it.
        images_path: a file or a folder of images; None for the ones made by code.
        directory: where its files go; emptied first.
        workflow_type: STANDARD or EXPRESS.

    Raises:
        UserError, TimeoutError: it could not be run to its end.
    """
    started = time.monotonic()
    shutil.rmtree(directory, ignore_errors=True)
    files = _choose_files(display, images_path, directory / "photographs")
    display.step("Starting the local AWS")
    with LocalAws(directory / "local-aws", Options(auth=True)) as aws:
        display.say(f"It listens at {aws.endpoint}, enforces IAM, logs to {short(aws.log_file)}.")
        before = inventory(Clients(aws.env))
        made, clients, stack = _apply(
            display,
            aws,
            directory / "stack",
            renditions=verdict.RENDITIONS,
            workflow_type=workflow_type,
        )
        trial = Trial(display, clients, stack)
        images = trial.convert(files)
        _keep(images, directory / "images")
        display.places(
            {
                "Originals, PNGs and thumbnails, kept for you": short(directory / "images"),
                "Log of the local AWS": short(aws.log_file),
                "What Terraform said": short(made.log_file),
            }
        )
        holds = trial.check(images)
        trial.report(images, directory.parent / "report")
        destroy(display, made)
        holds &= display.verdict(NOTHING_LEFT, sorted(inventory(clients) - before))
    display.conclude(started, holds=holds)
    return holds


def serve_page(display: Display, port: int | None) -> None:
    """Serve the live page of a stack on a local AWS of its own, until a signal.

    Parameters:
        display: where to show the steps before.
        port: the TCP port on 127.0.0.1; None takes a free one.

    Raises:
        UserError: it could not be served.
    """
    display.step("Starting the local AWS")
    with LocalAws(_CONSOLE_DIRECTORY / "local-aws", Options(auth=True)) as aws:
        _, clients, stack = _apply(display, aws, _CONSOLE_DIRECTORY / "stack")
        display.step("Serving the page until ctrl-C")
        console.serve(clients, stack, port)


def _apply(
    display: Display, aws: LocalAws, directory: Path, **variables: object
) -> tuple[Stack, Clients, Deployment]:
    """Apply the stack to a local AWS, and show how far that is."""
    display.step("terraform init and apply (mostly waits of the provider)")
    with display.terraform() as report:
        return terraform.apply(aws, directory, report, **variables)


def _choose_files(display: Display, images_path: Path | None, drawn: Path) -> dict[str, Path]:
    """Return the files to upload by their keys; draw some if there is no path to them."""
    if images_path is None:
        display.step("Making photographs")
        images_path = drawn
        photographs.write_all(images_path)
    if not images_path.exists():
        raise UserError(f"There is no {images_path}. Name a file or a folder: make demo IMAGES=...")
    files = {name: path for path, name in uploads.files_in(images_path)}
    if not files:
        raise UserError(f"There is no file in {images_path}.")
    return files


def destroy(display: Display, stack: Stack) -> None:
    """Destroy the stack, and show how far that is."""
    display.step("terraform destroy")
    with display.terraform() as report:
        stack.destroy(report)


@dataclass(frozen=True)
class Trial:
    """Sends images through a stack, and shows and checks what becomes of them."""

    display: Display
    clients: Clients
    stack: Deployment

    @cached_property
    def source(self) -> collect.Source:
        """Where its executions are read."""
        return collect.source(self.clients, self.stack)

    def convert(self, files: dict[str, Path]) -> list[Image]:
        """Upload files by their keys, wait for their executions, and show what became of each."""
        self.display.step(f"Uploading {len(files)} files to s3://{self.stack.source_bucket}")
        images: dict[str, Image] = {}  # by version id
        for key, path in files.items():
            version_id = uploads.send_file(self.clients, self.stack, key, path)
            images[version_id] = Image(key, path.read_bytes(), version_id)
        self._follow(images)
        uploaded = list(images.values())
        verdict.fetch(self.clients, self.stack.destination_bucket, uploaded)
        self.display.outcomes(uploaded)
        self.display.times(uploaded)
        return uploaded

    def _follow(self, images: dict[str, Image]) -> None:
        """Wait until the executions of all images have ended, and show where each is."""
        executions: dict[str, Execution] = {}

        def all_have_ended() -> bool:
            for listed in self.source.listed():
                arn = listed["executionArn"]
                if arn not in executions or executions[arn].status == RUNNING:
                    executions[arn] = self.source.execution(arn)
                if image := images.get(executions[arn].source.get("versionId", "")):
                    image.execution = executions[arn]
            places = {image.key: _place(image) for image in images.values()}
            show(places)
            return not any(places.values())

        self.display.step("Waiting for their executions")
        with self.display.images() as show:
            wait.until("the executions of all images to end", all_have_ended, _MAX_SECONDS)

    def check(self, images: Collection[Image]) -> bool:
        """Check every promise, say of each whether it holds, and return whether all do."""
        self.display.step("Checking")
        converted = [image for image in images if image.outputs]
        count = len(converted)
        faults = {
            f"all {len(images)} files were handled correctly": itertools.chain(
                verdict.outcome_faults(images), verdict.thumbnail_faults(converted)
            ),
            f"{count} originals are complete (byte for byte)": verdict.original_faults(converted),
            f"{count} PNGs have exactly the pixels of their JPEGs": verdict.pixel_faults(converted),
            "the source bucket is empty": verdict.source_faults(
                self.clients, self.stack.source_bucket
            ),
        }
        verdicts = [self.display.verdict(promise, listed) for promise, listed in faults.items()]
        return all(verdicts)

    def report(self, images: Iterable[Image], directory: Path) -> None:
        """Write the pages on the images' executions, and say where they are."""
        arns = [image.execution.arn for image in images if image.execution]
        runs = collect.runs(self.clients, arns, self.source)
        target = pages.write(runs, directory, "the demonstration")
        self.display.say(f"What happened, state by state, with pictures: {short(target)}")


def _place(image: Image) -> str:
    """Return the state that an image is in, or an empty text if its execution has ended."""
    if image.execution is None:
        return "on its way"
    if image.execution.status != RUNNING:
        return ""
    return (image.execution.running_states or ["starting"])[-1]


def _keep(images: Iterable[Image], folder: Path) -> None:
    """Write the originals and what was made of them where a person can look at them."""
    for key, content in (output for image in images for output in image.outputs):
        path = folder / key.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

"""Draw the pictures of the README again, from real runs: ``python -m scripts.dev.docs.pictures``.

A local AWS is started, the stack applied, and images sent: one that converts, one that is cut off.
Their reports are photographed by Chromium, and the live page while an image is converted; the state
machine is drawn from the definition that ran.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, expect

from scripts.console.server import served
from scripts.lib import browser, photographs, user_errors
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, uploads
from scripts.lib.executions.run import Run
from scripts.lib.paths import DOCS
from scripts.lib.user_errors import UserError
from scripts.local_aws import LocalAws, terraform
from scripts.report import graph, pages

PICTURES = DOCS / "pictures"

MAX_BYTES = 200_000  # of one picture in the repository
_COLOURS = 256
_WIDTH, _HEIGHT = 1180, 900
_MARGIN = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0 if the pictures are drawn."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.dev.docs.pictures", description=__doc__
    )
    parser.add_argument("--out", type=Path, default=PICTURES, help="default: docs/pictures")
    options = parser.parse_args(arguments)
    return user_errors.run(lambda: _draw(options))


def _draw(options: argparse.Namespace) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, LocalAws(Path(name) / "local-aws") as aws:
        print("Applying the stack on a local AWS; this takes two minutes.", flush=True)
        _, clients, stack = terraform.apply(aws, Path(name) / "stack")
        images = Path(name) / "photographs"
        good, bad = _runs(clients, stack, images)
        with served(clients, stack) as console, _page() as page:
            _convert_on_the_page(page, console.address, images)
            _photograph(page, page.locator("#items"), options.out / "console.png")
    drawn = pages.picture(graph.of_machine(good.execution.machine))
    (options.out / "state-machine.svg").write_text(drawn, encoding="utf-8")
    with _page() as page:
        for name, run in {"report-succeeded": good, "report-failed": bad}.items():
            page.set_content(pages.execution_page(run), wait_until="load")
            _photograph(page, page.locator(".pictures"), options.out / f"{name}.png")
    for picture in sorted(options.out.iterdir()):
        print(f"{picture.relative_to(options.out.parent)}  {picture.stat().st_size:,} bytes")
    return 0


def _runs(clients: Clients, stack: Deployment, folder: Path) -> tuple[Run, Run]:
    """Send the images and return their runs: the one that converts, the one that is cut off."""
    photographs.write_all(folder)
    whole = (folder / "harbour.jpg").read_bytes()
    # Cold starts are not what the pictures are about.
    uploads.convert(clients, stack, "holiday/first.jpg", whole)
    arns = [
        uploads.convert(clients, stack, "holiday/harbour.jpg", whole),
        uploads.convert(clients, stack, "holiday/broken-off.jpg", whole[: len(whole) // 2]),
    ]
    good, bad = collect.runs(clients, arns)
    return good, bad


@contextmanager
def _page() -> Iterator[Page]:
    with browser.launched() as launched:
        yield launched.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})


def _convert_on_the_page(page: Page, address: str, images: Path) -> None:
    """Upload an image, and a large one when that is converted; return while it is converted."""
    page.goto(address)
    ended = page.locator("#items .pill", has_text="converted")
    expect(ended).to_have_count(2)  # those of the reports
    page.set_input_files("#files", images / "portrait.jpg")
    expect(ended).to_have_count(3)
    expect(page.locator("#items figure img")).to_have_count(2)
    page.set_input_files("#files", images / "valley.jpg")
    expect(page.locator("#items .node.state.live[data-state=ResizeImage]")).to_have_count(1)


def _photograph(page: Page, last: Locator, target: Path) -> None:
    """Write the page, down to its last part, as a PNG that is small enough for a repository.

    Raises:
        UserError: it is not.
    """
    bottom = last.evaluate("last => last.getBoundingClientRect().bottom")
    clip: FloatRect = {"x": 0, "y": 0, "width": _WIDTH, "height": bottom + _MARGIN}
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))
    # Other ways to choose colours spend all of them on the photographs, and none on the page.
    flat = shot.convert("RGB").quantize(
        _COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    flat.save(target, "PNG", optimize=True)
    if target.stat().st_size > MAX_BYTES:
        raise UserError(f"{target} has {target.stat().st_size:,} bytes, more than {MAX_BYTES:,}.")


if __name__ == "__main__":
    sys.exit(main())

"""What a million images cost on AWS: `python -m scripts.cost`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from rich.markdown import Markdown

from scripts.cost import article, observation
from scripts.cost.article import ImageMagick
from scripts.cost.comparison import GOALS, Comparison, compare
from scripts.cost.observation import Observation
from scripts.cost.record import FOLDER, RECORDED
from scripts.lib import deployed, terminal, user_errors
from scripts.lib.paths import BUILD
from scripts.lib.terminal import Console
from scripts.lib.user_errors import UserError

BENCHMARK: Final = BUILD / "bench" / "results.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the bills and write them to build/cost; return the status."""
    options = _parser().parse_args(arguments)
    console = Console()
    try:
        seen = _observe(options.execution)
    except (UserError, BotoCoreError, ClientError) as error:
        terminal.say(f"make cost: {user_errors.sentence(error)}", sys.stderr)
        return 1
    told = compare(seen, measured_engine())
    page = told.page()
    console.print(Markdown(page))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "costs.md").write_text(page, encoding="utf-8")
    (FOLDER / "costs.json").write_text(json.dumps(summary(told), indent=2) + "\n", encoding="utf-8")
    for bill in (told.standard, told.express):
        met = "✓" if told.part(bill) < GOALS[bill.name] else "✗"
        console.print(
            f"  {met} {bill.name}: {told.part(bill):.0%} of the article's bill "
            f"(goal: under {GOALS[bill.name]:.0%})"
        )
    console.print("Written: build/cost/costs.md and build/cost/costs.json")
    return 0


def summary(told: Comparison) -> dict[str, object]:
    """Return the bills as JSON: dollars for a million images, line by line."""
    return {
        bill.name: {
            "total": round(bill.per_million, 2),
            "part_of_the_article": round(told.part(bill), 3),
            "lines": {line.what: round(line.per_million, 2) for line in bill.converting},
            "upload": {line.what: round(line.per_million, 2) for line in bill.upload},
            "storage": {line.what: round(line.per_million, 2) for line in bill.storage},
        }
        for bill in told.bills
    }


def measured_engine(benchmark: Path = BENCHMARK) -> ImageMagick:
    """Return what `make bench` measured on this machine, or else what it once did."""
    try:
        engines = json.loads(benchmark.read_text(encoding="utf-8"))["engines"]
        theirs, ours = engines["imagemagick"], engines["image-converter"]
        return ImageMagick(theirs["cpu_ms_per_mp"], theirs["size_ratio"] / ours["size_ratio"])
    except (OSError, KeyError):
        return article.MEASURED


def _observe(execution: str | None) -> Observation:
    if not execution:
        return observation.read(RECORDED)
    clients = deployed.connect()
    local = "127.0.0.1" in clients.stepfunctions.meta.endpoint_url
    return observation.observe(clients, execution, local=local)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.cost", description=__doc__)
    parser.add_argument(
        "--execution",
        metavar="ARN",
        help="an execution that converted a JPEG; default: a recorded one",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

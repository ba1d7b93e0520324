"""Calculate what a million images cost on AWS."""

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from scripts.commands import options
from scripts.commands.options import Target
from scripts.cost import comparison, model, observation, prices
from scripts.cost.comparison import Bills
from scripts.cost.observation import RECORDED, Observation
from scripts.lib.aws import is_local
from scripts.lib.terminal import Console
from scripts.lib.user_errors import ExitStatus


@click.command("cost")
@click.option("--execution", metavar="ARN", help="One that converted a JPEG.")
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file for all details, in Markdown: other settings, prices, assumptions.",
)
@options.as_json
@options.of_a_stack
def command(target: Target, execution: str | None, page: Path | None, *, as_json: bool) -> int:
    """Calculate what a million images cost on AWS.

    It is based on what one execution used, by default a recorded one.
    """
    seen = _observe(target, execution)
    bills = comparison.bills(seen)
    if page:
        page.write_text(comparison.page(seen), encoding="utf-8")
    if as_json:
        options.print_json(summary(seen, bills))
    else:
        _print(seen, bills, options.console())
    return ExitStatus.DONE


def summary(seen: Observation, bills: Bills) -> dict[str, Any]:
    """Return the bills as JSON: dollars for a million images, line by line."""
    return {
        "region": prices.REGION,
        "pricesOf": prices.AS_OF,
        "megapixels": seen.megapixels,
        "bills": {
            bill.name: {
                "total": round(bill.per_million, 2),
                "lines": {line.what: round(line.per_million, 2) for line in bill.converting},
                "upload": {line.what: round(line.per_million, 2) for line in bill.upload},
                "storage": {line.what: round(line.per_million, 2) for line in bill.storage},
            }
            for bill in bills.ours
        },
    }


def _observe(target: Target, execution: str | None) -> Observation:
    if not execution:
        return observation.read(RECORDED)
    clients = target.clients()
    local = is_local(clients.stepfunctions.meta.endpoint_url)
    return observation.observe(clients, execution, local=local)


def _print(seen: Observation, bills: Bills, console: Console) -> None:
    console.print(
        f"Dollars for a million JPEGs of {seen.megapixels:.1f} megapixels in {prices.REGION}, at "
        f"prices of {prices.AS_OF}, without the free tier; from an execution of {seen.date} on "
        f"{seen.where}."
    )
    table = Table("", *(bill.name for bill in bills.ours), "setting", box=None)
    for what, _article, *ours, setting in comparison.rows(*(bill.converting for bill in bills)):
        if any(ours):
            table.add_row(what, *ours, setting)
    table.add_row("Total", *(f"{bill.per_million:.2f}" for bill in bills.ours), style="bold")
    for title, extra in (
        ("more, if uploaded by POST /upload", [bill.upload for bill in bills.ours]),
        ("more, for storage, each month", [bill.storage for bill in bills.ours]),
    ):
        table.add_row(title, *(f"{model.per_million(lines):.2f}" for lines in extra))
    for column in table.columns[1:3]:
        column.justify = "right"
    console.print(table)
    console.print("--page FILE writes all details: other settings, prices and assumptions.")

"""The promise, of one upload and its executions on moto."""

from scripts import nothing_lost
from scripts.aws_clients import Clients
from scripts.nothing_lost import observe
from tests.asl.interpreter import Result
from tests.fake_cloud import DESTINATION, REGION, SOURCE, TABLE, Record
from tests.images import jpeg

IMAGE = jpeg()


def check(record: Record, *results: Result) -> None:
    """Raise if the promise is broken."""
    aws = Clients({"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": REGION})
    item = record["s3"]["object"]
    runs = [
        nothing_lost.Run(str(n), item["key"], item["versionId"], one.status, one.output or {})
        for n, one in enumerate(results)
    ]
    nothing_lost.check(
        nothing_lost.World(
            uploads=[nothing_lost.Upload(item["key"], item["versionId"], IMAGE)],
            source=observe.history(aws, SOURCE),
            destination=observe.history(aws, DESTINATION),
            records=observe.records(aws, TABLE),
            runs=runs,
        )
    )

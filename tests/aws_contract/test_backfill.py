"""The backfill's definition on both interpreters: which objects become which messages.

moto's interpreter does not know EXPRESS children, WriterConfig, and files other than CSV and JSON;
`_as_moto_reads_it` says what it is given instead.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.aws_contract import interpreters
from tests.support.asl import interpreter, rendering
from tests.support.emulator import Emulator
from tests.support.moto_aws import mock_aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

SOURCE, DESTINATION = "backfill-source", "backfill-destination"
REGION = "us-east-1"
AWKWARD = "2020/ä +=&?.jpg"
OBJECTS = ("2019/a.jpg", "2019/b c.jpg", "2019/folder/", "2020/1.JPG", AWKWARD, "notes.txt")
REPROCESS = {"imageName": "2019/a.jpg", "settings": "8e2f"}

Detail = dict[str, Any]


def _object(key: str, version: str | None = None, bucket: str = SOURCE, **more: Any) -> Detail:
    named = {"key": key, **({"version-id": version} if version else {})}
    return {"bucket": {"name": bucket}, "object": named, **more}


@dataclass(frozen=True)
class Case:
    """A run of the backfill.

    Attributes:
        given: its input; of a manifest, the format.
        rows: of the manifest.
        sent: the details of the messages that are expected.
        accepted: what differs from a source_filter that accepts everything.
    """

    given: Mapping[str, str] | str
    sent: Sequence[Detail]
    rows: Sequence[Mapping[str, Any]] = ()
    accepted: Mapping[str, Any] = field(default_factory=dict)


def _row(key: str, version: str = "", bucket: str = SOURCE) -> dict[str, Any]:
    return {"Bucket": bucket, "Key": key, "VersionId": version}


def _listed(key: str, size: int = 1, *, latest: bool = True, gone: bool = False) -> dict[str, str]:
    """Return a row of an inventory of all versions."""
    return {
        "Bucket": SOURCE,
        "Key": key,
        "VersionId": "of-the-day-of-the-inventory",
        "IsLatest": str(latest).lower(),
        "IsDeleteMarker": str(gone).lower(),
        "Size": str(size),
    }


CASES = {
    "a listing of everything, without folders": Case(
        {"bucket": SOURCE, "prefix": ""},
        [_object(key) for key in OBJECTS if key != "2019/folder/"],
    ),
    "a prefix": Case(
        {"bucket": SOURCE, "prefix": "2019/"}, [_object("2019/a.jpg"), _object("2019/b c.jpg")]
    ),
    "a prefix that nothing has": Case({"bucket": SOURCE, "prefix": "1999/"}, []),
    "source_filter, URL-encoded as S3 wants it": Case(
        {"bucket": SOURCE, "prefix": ""},
        [_object("2019/b c.jpg"), _object(AWKWARD)],
        accepted={"prefixes": ["2019/b+", "2020/%C3%A4"], "suffixes": [".jpg", ".png"]},
    ),
    "source_filter of an existing bucket, as it is": Case(
        {"bucket": SOURCE, "prefix": ""},
        [_object(AWKWARD)],
        accepted={"prefixes": ["2020/ä +"], "encoded": False},
    ),
    "suffixes, longer than a key, too, with regard to case": Case(
        {"bucket": SOURCE, "prefix": ""},
        [_object("2020/1.JPG")],
        accepted={"suffixes": [".JPG", "/a-suffix-that-is-longer-than-any-key-that-is-here"]},
    ),
    "CSV": Case(
        "CSV",
        [_object("2019/a.jpg", "v1"), _object("2019/b c.jpg"), _object('2020/,".jpg')],
        rows=[_row("2019/a.jpg", "v1"), _row("2019/b c.jpg", "null"), _row('2020/,".jpg')],
    ),
    "CSV with what source_filter excludes": Case(
        "CSV",
        [_object("2019/a.jpg")],
        rows=[_row("2019/a.jpg"), _row("2019/a.txt")],
        accepted={"suffixes": [".jpg"]},
    ),
    "lines, of which a reprocess's are sent in any case": Case(
        "JSONL",
        [
            _object("2019/a.jpg"),
            _object("2019/a.jpg", "copy", bucket=DESTINATION, reprocess=REPROCESS),
        ],
        rows=[
            {"Bucket": SOURCE, "Key": "2019/a.jpg"},
            {"Bucket": SOURCE, "Key": "elsewhere.jpg", "VersionId": "v1"},
            {**_row("2019/a.jpg", "copy", bucket=DESTINATION), "Reprocess": REPROCESS},
        ],
        accepted={"prefixes": ["2019/"]},
    ),
    "an inventory: keys decoded, current versions, by whatever id they have now": Case(
        "INVENTORY",
        [_object("2019/b c.jpg"), _object(AWKWARD)],
        rows=[
            _listed("2019/b+c.jpg"),
            _listed("2019/b%20c.jpg", latest=False),
            _listed("2019/gone.jpg", gone=True),
            _listed("2019/folder/", size=0),
            _listed("2020/%C3%A4+%2B%3D%26%3F.jpg"),
        ],
    ),
}


def _files(case: Case) -> dict[str, bytes]:
    """Return the manifest's files by key, the manifest first."""
    columns = list(case.rows[0]) if case.rows else []
    if case.given == "JSONL":
        return {"rows.jsonl": "\n".join(map(json.dumps, case.rows)).encode()}
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    if case.given == "CSV":
        writer.writeheader()
        writer.writerows(case.rows)
        return {"rows.csv": text.getvalue().encode()}
    writer.writerows(case.rows)
    manifest = {
        "sourceBucket": SOURCE,
        "version": "2016-11-30",
        "fileFormat": "CSV",
        "fileSchema": ", ".join(columns),
        "files": [{"key": "data/1.csv.gz"}],
    }
    return {
        "manifest.json": json.dumps(manifest).encode(),
        "data/1.csv.gz": gzip.compress(text.getvalue().encode()),
    }


def _input(s3: "S3Client", case: Case, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Put a case's manifest into its bucket; return the run's input."""
    if not isinstance(case.given, str):
        return dict(case.given)
    for key, content in files.items():
        s3.put_object(Bucket=DESTINATION, Key=key, Body=content)
    place = {"bucket": DESTINATION, "key": next(iter(files)), "format": case.given}
    return {"manifest": place}


def _fill(s3: "S3Client") -> None:
    for bucket in (SOURCE, DESTINATION):
        s3.create_bucket(Bucket=bucket)
    for key in OBJECTS:
        s3.put_object(Bucket=SOURCE, Key=key, Body=b"" if key.endswith("/") else b"image")


def _received(sqs: "SQSClient", queue_url: str) -> list[Detail]:
    """Take all messages off the queue; return their details in the order of keys and versions."""
    details = []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in messages:
            body = json.loads(message["Body"])
            assert body.keys() == {"source", "detail-type", "detail"}
            assert body["source"] == "image-converter.backfill"
            assert body["detail-type"] == "Object Created"
            details.append(body["detail"])
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return _sorted(details)


def _sorted(details: Sequence[Detail]) -> list[Detail]:
    return sorted(details, key=lambda detail: json.dumps(detail, sort_keys=True))


def _definition(case: Case, queue_url: str, **changed: Any) -> str:
    return rendering.backfill(
        source_bucket=SOURCE,
        destination_bucket=DESTINATION,
        queue_url=queue_url,
        source_filter={**rendering.EVERYTHING, **case.accepted},
        **changed,
    )


@pytest.fixture(scope="module")
def queue_url(emulator: Emulator) -> Iterator[str]:
    """The queue of the emulator, whose buckets are filled."""
    _fill(emulator.clients.s3)
    url = emulator.clients.sqs.create_queue(QueueName="backfill")["QueueUrl"]
    yield url
    emulator.clients.sqs.delete_queue(QueueUrl=url)


def _run(emulator: Emulator, name: str, text: str, given: Mapping[str, Any]) -> dict[str, Any]:
    machine = interpreters.make_machine(emulator, name, text)
    return interpreters.ended(emulator, interpreters.start(emulator, machine, dict(given)))


@pytest.mark.parametrize("name", CASES)
def test_on_the_local_aws(name: str, emulator: Emulator, queue_url: str) -> None:
    case = CASES[name]
    given = _input(emulator.clients.s3, case, _files(case) if case.rows else {})
    machine = f"backfill-{list(CASES).index(name)}"
    ended = _run(emulator, machine, _definition(case, queue_url), given)
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    assert _received(emulator.clients.sqs, queue_url) == _sorted(case.sent)


def _as_moto_reads_it(text: str) -> str:
    """Return the definition without what moto's interpreter does not know."""
    machine = json.loads(text)
    for state in machine["States"].values():
        if state["Type"] == "Map":
            state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "STANDARD"
            state["ToleratedFailurePercentage"] = float(state["ToleratedFailurePercentage"]) + 0.5
            del state["ResultWriter"]["WriterConfig"]
            reader = state["ItemReader"].get("ReaderConfig", {})
            if reader.get("InputType") in ("JSONL", "MANIFEST"):
                reader["InputType"] = "JSON"
    return json.dumps(machine)


@pytest.mark.exercised("moto")
@pytest.mark.parametrize("name", CASES)
def test_on_moto(name: str) -> None:
    case = CASES[name]
    if case.given == {"bucket": SOURCE, "prefix": "1999/"}:
        pytest.skip("moto fails by a listing of nothing")
    with mock_aws():
        s3: S3Client = boto3.client("s3", region_name=REGION)
        sqs: SQSClient = boto3.client("sqs", region_name=REGION)
        _fill(s3)
        url = sqs.create_queue(QueueName="backfill")["QueueUrl"]
        files = _files(case) if case.rows else {}
        if case.given in ("JSONL", "INVENTORY"):
            files = {next(iter(files)): json.dumps(case.rows).encode()}
        given = _input(s3, case, files)
        result = interpreter.run(_as_moto_reads_it(_definition(case, url)), given, {})
        assert result.status == "SUCCEEDED", (result.error, result.cause)
        assert _received(sqs, url) == _sorted(case.sent)


@pytest.mark.parametrize(
    "given",
    [{}, {"bucket": SOURCE}, {"manifest": {"bucket": SOURCE, "key": "1.xml", "format": "XML"}}],
    ids=str,
)
def test_other_input_is_refused(
    given: Mapping[str, Any], emulator: Emulator, queue_url: str
) -> None:
    machine = f"backfill-refused-{len(str(given))}"
    text = _definition(CASES["CSV"], queue_url)
    ended = _run(emulator, machine, text, given)
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidInput")
    result = interpreter.run(_as_moto_reads_it(text), given, {})
    assert (result.status, result.error) == ("FAILED", "InvalidInput")


WRONG = Case("CSV", [], rows=[_row("2019/a.jpg"), _row("1.jpg", bucket="another-bucket")])


def test_rows_of_another_bucket_fail_and_are_written_with_their_error(
    emulator: Emulator, queue_url: str
) -> None:
    clients = emulator.clients
    given = _input(clients.s3, WRONG, _files(WRONG))
    ended = _run(emulator, "backfill-wrong", _definition(WRONG, queue_url), given)
    assert ended["error"] == "States.ExceedToleratedFailureThreshold"
    _received(clients.sqs, queue_url)

    [run] = clients.stepfunctions.list_map_runs(executionArn=ended["executionArn"])["mapRuns"]
    described = clients.stepfunctions.describe_map_run(mapRunArn=run["mapRunArn"])
    assert (described["itemCounts"]["failed"], described["itemCounts"]["resultsWritten"]) == (1, 2)
    folder = f"backfill/results/{run['mapRunArn'].rpartition(':')[2]}"
    manifest = _json(clients.s3, f"{folder}/manifest.json")
    assert [file["Key"] for file in manifest["ResultFiles"]["FAILED"]] == [
        f"{folder}/FAILED_0.jsonl"
    ]
    failed = _json(clients.s3, f"{folder}/FAILED_0.jsonl")
    assert failed["Error"] == "WrongBucket"
    assert json.loads(failed["Input"])["Key"] == "1.jpg"
    assert _json(clients.s3, f"{folder}/SUCCEEDED_0.jsonl") == "sent"


NAMELESS: Mapping[str, Mapping[str, Any]] = {
    "a row": {"Key": "2019/a.jpg"},
    "a row of a reprocess": {"Key": "2019/a.jpg", "Reprocess": REPROCESS},
}


@pytest.mark.parametrize("row", NAMELESS)
def test_rows_without_a_bucket_fail_on_the_local_aws(
    row: str, emulator: Emulator, queue_url: str
) -> None:
    case = Case("JSONL", [], rows=[NAMELESS[row]])
    given = _input(emulator.clients.s3, case, _files(case))
    machine = f"backfill-nameless-{list(NAMELESS).index(row)}"
    ended = _run(emulator, machine, _definition(case, queue_url), given)
    assert ended.get("error") == "States.ExceedToleratedFailureThreshold"
    assert _received(emulator.clients.sqs, queue_url) == []


@pytest.mark.exercised("moto")
@pytest.mark.parametrize("row", NAMELESS)
def test_rows_without_a_bucket_are_not_sent_on_moto(row: str) -> None:
    case = Case("JSONL", [], rows=[NAMELESS[row]])
    with mock_aws():
        s3: S3Client = boto3.client("s3", region_name=REGION)
        sqs: SQSClient = boto3.client("sqs", region_name=REGION)
        _fill(s3)
        url = sqs.create_queue(QueueName="backfill")["QueueUrl"]
        given = _input(s3, case, {"rows.json": json.dumps(case.rows).encode()})
        interpreter.run(_as_moto_reads_it(_definition(case, url)), given, {})
        assert _received(sqs, url) == []  # moto tolerates all failures


def test_failures_are_tolerated_up_to_a_percentage(emulator: Emulator, queue_url: str) -> None:
    given = _input(emulator.clients.s3, WRONG, _files(WRONG))
    text = _definition(WRONG, queue_url, tolerated_failure_percentage=50)
    ended = _run(emulator, "backfill-tolerant", text, given)
    assert ended["status"] == "SUCCEEDED"
    assert _received(emulator.clients.sqs, queue_url) == [_object("2019/a.jpg")]


def _json(s3: "S3Client", key: str) -> Any:
    return json.loads(s3.get_object(Bucket=DESTINATION, Key=key)["Body"].read())

"""The backfill's definition on both interpreters: which objects become which messages.

moto's interpreter does not know EXPRESS children, batches, WriterConfig, and files other than CSV
and JSON; `_as_moto_reads_it` replaces these. There, a child is run alone to get a whole batch.
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
from moto.sqs.exceptions import InvalidParameterValue
from moto.sqs.models import SQSBackend

from tests.support import workflow
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
    item = {"key": key, **({"version-id": version} if version else {})}
    return {"bucket": {"name": bucket}, "object": item, **more}


@dataclass(frozen=True)
class Case:
    """A run of the backfill.

    Attributes:
        source: the input; for a manifest, its format.
        rows: of the manifest.
        sent: the details of the messages that are expected.
        accepted: what differs from a source_filter that accepts everything.
    """

    source: Mapping[str, str] | str
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
    if case.source == "JSONL":
        return {"rows.jsonl": "\n".join(map(json.dumps, case.rows)).encode()}
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    if case.source == "CSV":
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
    if not isinstance(case.source, str):
        return dict(case.source)
    for key, content in files.items():
        s3.put_object(Bucket=DESTINATION, Key=key, Body=content)
    place = {"bucket": DESTINATION, "key": next(iter(files)), "format": case.source}
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


def _values(case: Case, queue_url: str) -> dict[str, Any]:
    return {
        "source_bucket": SOURCE,
        "destination_bucket": DESTINATION,
        "queue_url": queue_url,
        "source_filter": {**rendering.EVERYTHING, **case.accepted},
    }


def _definition(case: Case, queue_url: str, **changed: Any) -> str:
    return rendering.backfill(**_values(case, queue_url), **changed)


@pytest.fixture(scope="module")
def queue_url(emulator: Emulator) -> Iterator[str]:
    """The queue of the emulator, whose buckets are filled."""
    _fill(emulator.clients.s3)
    url = emulator.clients.sqs.create_queue(QueueName="backfill")["QueueUrl"]
    yield url
    emulator.clients.sqs.delete_queue(QueueUrl=url)


def _run(
    emulator: Emulator, name: str, text: str, execution_input: Mapping[str, Any]
) -> dict[str, Any]:
    machine = workflow.made(emulator.clients, name, text)
    return workflow.ended(
        emulator.clients, workflow.started(emulator.clients, machine, execution_input)
    )


@pytest.mark.parametrize("name", CASES)
def test_on_the_local_aws(name: str, emulator: Emulator, queue_url: str) -> None:
    case = CASES[name]
    execution_input = _input(emulator.clients.s3, case, _files(case) if case.rows else {})
    machine = f"backfill-{list(CASES).index(name)}"
    ended = _run(emulator, machine, _definition(case, queue_url), execution_input)
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    assert _received(emulator.clients.sqs, queue_url) == _sorted(case.sent)


def _as_moto_reads_it(text: str) -> str:
    """Return the definition without what moto's interpreter does not know."""
    machine = json.loads(text)
    for state in machine["States"].values():
        if state["Type"] == "Map":
            state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "STANDARD"
            state["ToleratedFailurePercentage"] = float(state["ToleratedFailurePercentage"]) + 0.5
            del state["ResultWriter"]["WriterConfig"], state["ItemBatcher"]
            state["ItemSelector"] = {"Items": [state.get("ItemSelector")]}
            if state["ItemSelector"] == {"Items": [None]}:
                state["ItemSelector"] = {"Items.$": "States.Array($$.Map.Item.Value)"}
            reader = state["ItemReader"].get("ReaderConfig", {})
            if reader.get("InputType") in ("JSONL", "MANIFEST"):
                reader["InputType"] = "JSON"
    return json.dumps(machine)


@pytest.fixture
def moto_queue_url() -> Iterator[str]:
    """A queue of moto, whose buckets are filled."""
    with mock_aws():
        _fill(boto3.client("s3", region_name=REGION))
        yield boto3.client("sqs", region_name=REGION).create_queue(QueueName="backfill")["QueueUrl"]


def _received_from_moto(queue_url: str) -> list[Detail]:
    return _received(boto3.client("sqs", region_name=REGION), queue_url)


@pytest.mark.exercised("moto")
@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case.source != "INVENTORY"]
)
def test_on_moto(name: str, moto_queue_url: str) -> None:
    case = CASES[name]
    if case.source == {"bucket": SOURCE, "prefix": "1999/"}:
        pytest.skip("moto fails by a listing of nothing")
    files = _files(case) if case.rows else {}
    if case.source == "JSONL":
        files = {next(iter(files)): json.dumps(case.rows).encode()}
    execution_input = _input(boto3.client("s3", region_name=REGION), case, files)
    result = interpreter.run(
        _as_moto_reads_it(_definition(case, moto_queue_url)), execution_input, {}
    )
    assert result.status == "SUCCEEDED", (result.error, result.cause)
    assert _received_from_moto(moto_queue_url) == _sorted(case.sent)


def _child(case: Case, queue_url: str) -> str:
    return rendering.backfill_child(**_values(case, queue_url))


@pytest.mark.exercised("moto")
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.rows])
def test_a_batch_on_moto(name: str, moto_queue_url: str) -> None:
    case = CASES[name]
    items = [{"Inventory": row} if case.source == "INVENTORY" else row for row in case.rows]
    result = interpreter.run(_child(case, moto_queue_url), {"Items": items}, {})
    sent = len(case.sent)
    assert result.output == {"sent": sent, "dropped": len(items) - sent}, result.cause
    assert _received_from_moto(moto_queue_url) == _sorted(case.sent)


@pytest.mark.parametrize(
    "execution_input",
    [{}, {"bucket": SOURCE}, {"manifest": {"bucket": SOURCE, "key": "1.xml", "format": "XML"}}],
    ids=str,
)
def test_other_input_is_refused(
    execution_input: Mapping[str, Any], emulator: Emulator, queue_url: str
) -> None:
    machine = f"backfill-refused-{len(str(execution_input))}"
    text = _definition(CASES["CSV"], queue_url)
    ended = _run(emulator, machine, text, execution_input)
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidInput")
    result = interpreter.run(_as_moto_reads_it(text), execution_input, {})
    assert (result.status, result.error) == ("FAILED", "InvalidInput")


MANY = Case(
    "CSV",
    [_object(f"{number}.jpg") for number in range(23)],
    rows=[_row(f"{number}.{end}") for number, end in enumerate(["jpg"] * 23 + ["txt"] * 12)],
    accepted={"suffixes": [".jpg"]},
)


def test_a_child_takes_ten_objects(emulator: Emulator, queue_url: str) -> None:
    execution_input = _input(emulator.clients.s3, MANY, _files(MANY))
    ended = _run(emulator, "backfill-many", _definition(MANY, queue_url), execution_input)
    assert _received(emulator.clients.sqs, queue_url) == _sorted(MANY.sent)
    counted, folder = _run_and_results(emulator, ended)
    assert [counted[of]["succeeded"] for of in ("itemCounts", "executionCounts")] == [35, 4]
    results = _lines(emulator.clients.s3, f"{folder}/SUCCEEDED_0.jsonl")
    assert sorted((result["sent"], result["dropped"]) for result in results) == [
        (0, 5),
        (3, 7),
        (10, 0),
        (10, 0),
    ]


# SQS refuses messages with some characters, which S3 takes in keys:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
REFUSED = "refused \uffff.jpg"
# A batch of everything that can become of an object.
MIXED = Case(
    "JSONL",
    [_object("2019/a.jpg"), _object("2019/b.jpg")],
    rows=[
        _row("2019/a.jpg"),
        _row("1.jpg", bucket="another-bucket"),
        _row("dropped.txt"),
        _row(REFUSED),
        {"Bucket": SOURCE},
        {"Key": "nameless.jpg"},
        {"Key": "nameless.jpg", "Reprocess": REPROCESS},
        {"Bucket": SOURCE, "Key": 7},
        _row("2019/b.jpg"),
    ],
    accepted={"suffixes": [".jpg"]},
)
QUICK = json.dumps([{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}])
WHY = {
    1: "WrongBucket",
    3: "SQS.InvalidMessageContents",
    4: "NoKey",
    5: "WrongBucket",
    6: "WrongBucket",
    7: "NoKey",
}


def _reasons(cause: str) -> dict[int, str]:
    return {
        failure["item"]: failure["why"].partition(":")[0] for failure in json.loads(cause)["failed"]
    }


def test_what_cannot_be_sent_fails_by_name_and_the_others_of_its_batch_are_sent(
    emulator: Emulator, queue_url: str
) -> None:
    execution_input = _input(emulator.clients.s3, MIXED, _files(MIXED))
    text = _definition(MIXED, queue_url, task_retry=QUICK)
    ended = _run(emulator, "backfill-mixed", text, execution_input)
    assert ended["error"] == "States.ExceedToleratedFailureThreshold"
    assert _received(emulator.clients.sqs, queue_url) == _sorted(MIXED.sent)

    counted, folder = _run_and_results(emulator, ended)
    assert [counted[of]["failed"] for of in ("itemCounts", "executionCounts")] == [9, 1]
    assert counted["itemCounts"]["resultsWritten"] == 9
    manifest = json.loads(_text(emulator.clients.s3, f"{folder}/manifest.json"))
    failed = f"{folder}/FAILED_0.jsonl"
    assert [file["Key"] for file in manifest["ResultFiles"]["FAILED"]] == [failed]
    [child] = _lines(emulator.clients.s3, failed)
    assert (child["Error"], _reasons(child["Cause"])) == ("NotSent", WHY)
    assert json.loads(child["Cause"]).items() >= {"sent": 2, "dropped": 1}.items()
    assert json.loads(child["Input"]) == {"Items": MIXED.rows}


@pytest.mark.exercised("moto")
def test_it_fails_by_name_on_moto(moto_queue_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    send = SQSBackend.send_message

    def send_good(backend: SQSBackend, queue: str, body: str, **more: Any) -> Any:
        if "\uffff" in body:
            raise InvalidParameterValue("characters")
        return send(backend, queue, body, **more)

    monkeypatch.setattr(SQSBackend, "send_message", send_good)
    _leave_out(
        monkeypatch, "3", [{"Id": "3", "SenderFault": True, "Code": "InvalidParameterValue"}]
    )
    result = interpreter.run(_child(MIXED, moto_queue_url), {"Items": MIXED.rows}, {})
    assert (result.status, result.error) == ("FAILED", "NotSent")
    assert result.cause is not None
    reasons = _reasons(result.cause)
    assert reasons.pop(3).startswith("SQS.")
    assert reasons == {item: why for item, why in WHY.items() if item != 3}
    assert result.waits, "it was tried again"
    assert _received_from_moto(moto_queue_url) == _sorted(MIXED.sent)


def _leave_out(monkeypatch: pytest.MonkeyPatch, id_: str, failed: list[dict[str, Any]]) -> None:
    """Have moto's SQS send batches without the entry of that Id, and answer that this failed."""
    send = SQSBackend.send_message_batch

    def send_remaining(
        backend: SQSBackend, queue: str, entries: dict[str, Any]
    ) -> tuple[list[Any], list[dict[str, Any]]]:
        remaining = {key: entry for key, entry in entries.items() if entry["Id"] != id_}
        return send(backend, queue, remaining)[0], failed

    monkeypatch.setattr(SQSBackend, "send_message_batch", send_remaining)


FAILED = {"Id": "1", "SenderFault": False, "Code": "InternalError", "Message": "again"}


@pytest.mark.exercised("moto")
@pytest.mark.parametrize("failed", [[FAILED], []], ids=["failed", "not mentioned"])
def test_what_a_batch_leaves_is_sent_again_on_moto(
    failed: list[dict[str, Any]], moto_queue_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether SQS says that it failed, or does not mention it at all."""
    _leave_out(monkeypatch, "1", failed)
    names = [f"{number}.jpg" for number in range(3)]
    case = Case("JSONL", [_object(name) for name in names], [_row(name) for name in names])
    result = interpreter.run(_child(case, moto_queue_url), {"Items": case.rows}, {})
    assert result.output == {"sent": 3, "dropped": 0}, result.cause
    assert _received_from_moto(moto_queue_url) == _sorted(case.sent)


def test_failures_are_tolerated_up_to_a_percentage(emulator: Emulator, queue_url: str) -> None:
    rows = [_row(f"{number}.jpg") for number in range(10)] + [_row("10.jpg", bucket="another")]
    case = Case("CSV", [_object(f"{number}.jpg") for number in range(10)], rows)
    execution_input = _input(emulator.clients.s3, case, _files(case))
    text = _definition(case, queue_url, tolerated_failure_percentage=50)
    ended = _run(emulator, "backfill-tolerant", text, execution_input)
    assert ended["status"] == "SUCCEEDED"
    assert _received(emulator.clients.sqs, queue_url) == _sorted(case.sent)


def _run_and_results(emulator: Emulator, ended: Mapping[str, Any]) -> tuple[Any, str]:
    """Return what is known of an execution's Map run, and the folder of its results."""
    states = emulator.clients.stepfunctions
    [run] = states.list_map_runs(executionArn=ended["executionArn"])["mapRuns"]
    folder = f"backfill/results/{run['mapRunArn'].rpartition(':')[2]}"
    return states.describe_map_run(mapRunArn=run["mapRunArn"]), folder


def _lines(s3: "S3Client", key: str) -> list[Any]:
    return [json.loads(line) for line in _text(s3, key).splitlines()]


def _text(s3: "S3Client", key: str) -> str:
    return s3.get_object(Bucket=DESTINATION, Key=key)["Body"].read().decode()

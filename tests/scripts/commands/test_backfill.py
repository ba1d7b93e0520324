"""Counting, starting and following a backfill, with a stack of one state on the local AWS."""

import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from image_converter import keys
from scripts.commands import backfill_output
from scripts.lib import storage, wait
from scripts.lib.backfill import candidates, manifests, runs
from scripts.lib.backfill.candidates import FOLDERS, OTHER_BUCKETS, OTHER_KEYS, Count
from scripts.lib.backfill.runs import Progress, Run
from scripts.lib.executions import arrival, logged
from scripts.lib.executions.model import name_of
from scripts.lib.executions.redrive import Redrive, Result
from scripts.lib.terminal import Console
from scripts.lib.user_errors import UserError
from tests.scripts.commands.conftest import Stack, definition
from tests.support import json_output, workflow
from tests.support.asl import rendering

pytestmark = pytest.mark.e2e

Capture = pytest.CaptureFixture[str]


def _definition(stack: Stack, queue: str) -> str:
    """Return the backfill's state machine, which gives up at once."""
    never = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 0}]
    return rendering.backfill(
        source_bucket=stack.deployment.source_bucket,
        destination_bucket=stack.deployment.destination_bucket,
        queue_url=queue,
        task_retry=json.dumps(never),
    )


@pytest.fixture
def stack(stack: Stack) -> Stack:
    """The stack, with settings of the function that makes renditions."""
    destination = f"{stack.deployment.name}-destination"
    stack.clients.s3.create_bucket(Bucket=destination)
    stack.deployment = replace(stack.deployment, destination_bucket=destination)
    variables = {"DESTINATION_BUCKET": destination}
    variables |= dict.fromkeys(("MAX_IMAGE_BYTES", "MAX_IMAGE_PIXELS"), "1")
    stack.clients.functions.update_function_configuration(
        FunctionName=f"{stack.deployment.name}-resize-image", Environment={"Variables": variables}
    )
    return stack


@pytest.fixture
def filled(stack: Stack) -> Stack:
    """The stack with a backfill, whose queue nobody reads but the test."""
    name = f"{stack.deployment.name}-backfill"
    workflow.made(stack.clients, name, _definition(stack, stack.queue))
    stack.become(Type="Succeed")
    return stack


def _started(stack: Stack, prefix: str = "", bucket: str | None = None) -> Run:
    name = runs.new_name()
    execution_input = {"bucket": bucket or stack.deployment.source_bucket, "prefix": prefix}
    runs.start(stack.clients, stack.deployment, execution_input, name)
    return Run(stack.clients, stack.deployment, name)


def _until(run: Run, **expected: object) -> Progress:
    """Wait until a run's progress has these values; return the progress."""

    def reached() -> Progress | None:
        progress = run.progress()
        values = {name: getattr(progress, name) for name in expected}
        return progress if values == expected else None

    return wait.until(f"the run to have {expected}", reached)


def _follow(stack: Stack, run: Run, capsys: Capture, expected: int = 0) -> str:
    """Follow a run to its end, which has that exit status; return what that prints."""
    assert (
        backfill_output.follow(stack.clients, stack.deployment, run.name, as_json=False) == expected
    )
    return capsys.readouterr().out


def _result(stack: Stack, run: Run, capsys: Capture, expected: int = 0) -> Any:
    """Follow a run to its end, which has that exit status; return its result for scripts."""
    assert (
        backfill_output.follow(stack.clients, stack.deployment, run.name, as_json=True) == expected
    )
    return json_output.validated("backfill", capsys.readouterr().out)["result"]


def _failures(run: Run) -> list[tuple[str, str]]:
    """Return the key and the reason of each failure, once the run has ended."""
    failures = run.ending(_until(run, status="SUCCEEDED")).failures
    return [(failure.key, failure.why) for failure in failures]


def _handle(stack: Stack) -> None:
    """Start an execution for each message, as the trigger does."""
    while received := stack.clients.sqs.receive_message(
        QueueUrl=stack.queue, MaxNumberOfMessages=10
    ).get("Messages", []):
        for message in received:
            key = json.loads(message["Body"])["detail"]["object"]["key"]
            stack.start("v1", key)
            stack.clients.sqs.delete_message(
                QueueUrl=stack.queue, ReceiptHandle=message["ReceiptHandle"]
            )
    stack.until_all_have_ended()


def _write_record(
    stack: Stack, key: str, written_at: datetime | None = None, **resized: Any
) -> None:
    """Write the record of the newest version of an object, as if it had been converted."""
    head = stack.clients.s3.head_object(Bucket=stack.deployment.source_bucket, Key=key)
    made = {name: {"S": value} for name, value in resized.items()}
    item: Any = {
        "imageName": {"S": key},
        "sourceVersionId": {"S": head["VersionId"]},
        "sourceETag": {"S": head["ETag"].strip('"')},
        "sourceLastModified": {"S": head["LastModified"].isoformat()},
        "writtenAt": {"S": (written_at or head["LastModified"]).isoformat()},
        "images": {"L": [{"M": {}}, {"M": {"resized": {"M": made}}}]},
    }
    stack.clients.dynamodb.put_item(TableName=stack.deployment.table_name, Item=item)


class TestCounting:
    """What a dry run finds."""

    def _count(self, stack: Stack, prefix: str = "", **execution_input: Any) -> Count:
        listing = {"bucket": stack.deployment.source_bucket, "prefix": prefix}
        objects = candidates.objects(stack.clients, execution_input or listing)
        return candidates.count(stack.clients, stack.deployment, objects)

    def _count_manifest(self, stack: Stack, key: str, body: bytes) -> Count:
        stack.put(key, body)
        uri = f"s3://{stack.deployment.source_bucket}/{key}"
        return self._count(stack, manifest=manifests.parse_uri(uri))

    def test_what_is_sent_and_what_is_not_is_counted_apart(self, stack: Stack) -> None:
        stack.filter(("2019/", ""), ("2020/", ".jpg"))
        for key in ("2019/a.jpg", "2019/b.JPEG", "2019/notes.txt", "2020/c.png", "other/d.jpg"):
            stack.put(key, b"12345")
        stack.put("2019/", b"")
        counted = self._count(stack)
        assert (counted.images, counted.bytes, counted.named_otherwise) == (3, 15, 1)
        assert counted.dropped == {FOLDERS: 1, OTHER_KEYS: 2}
        assert self._count(stack, "2020/").images == 0

    def test_what_a_record_describes_is_converted(self, stack: Stack) -> None:
        for number in range(120):
            stack.put(f"{number}.jpg")
        for number in range(110):
            _write_record(stack, f"{number}.jpg")
        stack.put("0.jpg", b"replaced since")
        counted = self._count(stack)
        assert (counted.converted, counted.images) == (109, 11)

    @pytest.mark.parametrize("kind", ["csv", "jsonl"])
    def test_manifests_name_versions_and_no_sizes(self, stack: Stack, kind: str) -> None:
        bucket = stack.deployment.source_bucket
        stack.put("a, b.jpg")
        _write_record(stack, "a, b.jpg")
        versions = {"a, b.jpg": stack.put("other.jpg"), "c.jpg": ""}
        record = storage.record(stack.clients, stack.deployment.table_name, "a, b.jpg")
        assert record is not None
        versions["a, b.jpg"] = record["sourceVersionId"]
        lines = {
            "csv": ["Bucket,Key,VersionId"]
            + [f'{bucket},"{key}",{version}' for key, version in versions.items()],
            "jsonl": [
                json.dumps({"Bucket": bucket, "Key": key, "VersionId": version})
                for key, version in versions.items()
            ],
        }
        counted = self._count_manifest(stack, f"lists/it.{kind}", "\n".join(lines[kind]).encode())
        assert (counted.converted, counted.images, counted.bytes) == (1, 1, None)

    def test_other_columns_of_a_manifest_do_no_harm(self, stack: Stack) -> None:
        stack.put("a.jpg")
        _write_record(stack, "a.jpg")
        bucket = stack.deployment.source_bucket
        rows = f"Bucket,Key,Size,ETag\n{bucket},a.jpg,12,abc\n{bucket},b.jpg,30,def\n"
        counted = self._count_manifest(stack, "it.csv", rows.encode())
        assert (counted.images, counted.bytes) == (2, 42)
        counted = self._count_manifest(stack, "it.csv", f"{rows}{bucket},c.jpg,,\n".encode())
        assert (counted.images, counted.bytes) == (3, None)

    @pytest.mark.parametrize(
        ("key", "body", "refusal"),
        [
            ("it.csv", b"Bucket,Name\nb,a.jpg\n", "line 1: the header has no column Key"),
            ("it.csv", b"Bucket,Key\nb,a.jpg\nb\n", "line 3: it does not name a Key"),
            ("it.csv", b"Bucket,Key,Size\nb,a.jpg,big\n", "line 2: its Size is 'big', which is"),
            ("it.csv", b"Bucket,Key\nb,\xff.jpg\n", "line 2: it is not UTF-8"),
            ("it.csv", b"", "line 1: the header has no column Key"),
            ("it.jsonl", b'{"Key": "a.jpg"}\n\n{"Key": \n', "line 3: it does not name a Key"),
            ("it.jsonl", b'{"Key": "a", "Reprocess": {}}\n', "line 1: its Reprocess has no image"),
        ],
    )
    def test_a_damaged_manifest_is_refused_with_the_line(
        self, stack: Stack, key: str, body: bytes, refusal: str
    ) -> None:
        place = f"s3://{stack.deployment.source_bucket}/{key}, "
        with pytest.raises(UserError, match=f"^{place}{refusal}"):
            self._count_manifest(stack, key, body)

    def test_originals_of_a_manifest_are_images_while_they_are_outdated(self, stack: Stack) -> None:
        stack.filter(("2019/", ".JPG"))
        for name, settings in (("2019/a.JPG", "other"), ("2019/b.JPG", "default")):
            stack.put(name)
            _write_record(stack, name, settings=settings)
        deployment = stack.deployment
        lines = [
            {"Bucket": bucket, "Key": f"original/{name}", "Reprocess": {"imageName": name}}
            for bucket, name in (
                (deployment.destination_bucket, "2019/a.JPG"),
                (deployment.destination_bucket, "2019/b.JPG"),
                (deployment.source_bucket, "2019/c.JPG"),
            )
        ]
        counted = self._count_manifest(
            stack, "it.jsonl", "\n".join(map(json.dumps, lines)).encode()
        )
        assert (counted.images, counted.converted) == (1, 1)
        assert counted.dropped == {OTHER_BUCKETS: 1}


class TestPreview:
    """What a dry run prints."""

    def _preview(self, stack: Stack, capsys: Capture, count: Count) -> str:
        assert backfill_output.preview(stack.clients, stack.deployment, count, as_json=False) == 0
        return capsys.readouterr().out

    def test_it_counts_in_whole_sentences(self, stack: Stack, capsys: Capture) -> None:
        dropped = Counter({FOLDERS: 2, OTHER_KEYS: 1})
        output = self._preview(stack, capsys, Count(3, 3072, 2, 5, dropped))
        assert "3 images, 3.0 KB, would be handled\n" in output
        assert "2 of them are not named like JPEGs" in output
        assert "5 more are converted already; each costs a look\n" in output
        assert "2 more are not sent: folders\n" in output
        assert "1 more is not sent: outside source_filter\n" in output
        assert "$0.000" in output, "a few images cost something, too"

    def test_it_counts_one(self, stack: Stack, capsys: Capture) -> None:
        output = self._preview(stack, capsys, Count(1, 1, 1, 1, Counter({FOLDERS: 1})))
        assert "1 image, 1 B, would be handled\n" in output
        assert "1 of them is not named like a JPEG" in output
        assert "1 more is converted already; that costs a look\n" in output
        assert "1 more is not sent: folders\n" in output

    def test_nothing_costs_nothing(self, stack: Stack, capsys: Capture) -> None:
        assert self._preview(stack, capsys, Count()) == "No image would be handled.\n"


@pytest.mark.parametrize(
    "uri", ["it.csv", "https://b/it.csv", "s3://b", "s3://b/it.txt", "s3:///it.csv"]
)
def test_what_is_not_a_manifest_is_refused(uri: str) -> None:
    with pytest.raises(UserError, match="is not a manifest"):
        manifests.parse_uri(uri)


def test_a_manifest_s_format_follows_from_its_name() -> None:
    assert manifests.parse_uri("s3://b/a b/it?#.csv") == {
        "bucket": "b",
        "key": "a b/it?#.csv",
        "format": "CSV",
    }
    assert manifests.parse_uri("s3://b/i/2026-11-27/manifest.json")["format"] == "INVENTORY"


def test_a_dry_run_reads_how_many_children_run_at_a_time(filled: Stack) -> None:
    clients, stack = filled.clients, filled.deployment
    assert runs.max_concurrency(clients, stack) == 100
    clients.stepfunctions.delete_state_machine(stateMachineArn=stack.backfill.state_machine_arn)
    assert runs.max_concurrency(clients, stack) == 10_000, "of a stack without a backfill"


class TestRuns:
    """Runs of a small backfill."""

    def test_a_stack_without_a_backfill_says_what_to_do(self, stack: Stack) -> None:
        with pytest.raises(UserError, match=r"set backfill = \{ enabled = true \} and apply"):
            runs.check(stack.clients, stack.deployment)

    def test_an_unknown_run_is_named(self, filled: Stack) -> None:
        with pytest.raises(UserError, match="has no run nope"):
            Run(filled.clients, filled.deployment, "nope")

    def test_it_is_followed_until_the_queue_is_empty(self, filled: Stack, capsys: Capture) -> None:
        for key in ("2019/a.jpg", "2019/b.jpg", "2020/c.jpg"):
            filled.put(key)
        run = _started(filled, "2019/")
        progress = _until(run, sent=2)
        assert (progress.listed, progress.waiting, progress.done) == (2, 2, 0)
        assert not progress.settled
        _handle(filled)

        progress = Run(filled.clients, filled.deployment, run.arn).progress()
        assert progress.settled
        figures = (progress.waiting, progress.running, progress.done, progress.failed)
        assert figures == (0, 0, 2, 0)
        ending = run.ending(progress)
        assert (ending.started, ending.failures, ending.good) == (2, [], True)
        output = _follow(filled, run, capsys)
        assert "2 listed, 2 sent, 0 waiting, 0 running, 2 done, 0 failed" in output
        assert "2 executions started since it began" in output

    def test_what_runs_is_waited_for(self, filled: Stack) -> None:
        filled.put()
        run = _started(filled)
        _until(run, sent=1)
        filled.clients.sqs.purge_queue(QueueUrl=filled.queue)
        filled.become(Type="Wait", Seconds=600, End=True)
        filled.clients.stepfunctions.start_execution(
            stateMachineArn=filled.deployment.state_machine_arn
        )
        progress = run.progress()
        assert (progress.running, progress.settled) == (1, False)

    def test_what_failed_is_reported_with_its_reason(self, filled: Stack, capsys: Capture) -> None:
        filled.start("v0", "2019/before.jpg")
        filled.put("2019/a.jpg")
        filled.become(Type="Fail", Error="DamagedImage", Cause="it is cut off")
        run = _started(filled, "2019/")
        _until(run, sent=1)
        _handle(filled)
        filled.start("v1", "2020/upload.jpg")
        filled.add_dead_letter(key="2019/lost.jpg")
        assert _failures(run) == [
            ("2019/a.jpg", "DamagedImage: it is cut off"),
            ("2019/lost.jpg", "its message is a dead letter"),
        ]
        output = _follow(filled, run, capsys, 4)
        assert "2 images failed: 1 DamagedImage, 1 its message is a dead letter" in output

    def test_old_dead_letters_are_of_something_else(self, filled: Stack) -> None:
        filled.add_dead_letter(key="old.jpg")
        run = _started(filled)
        assert run.ending(_until(run, status="SUCCEEDED")).good

    def test_objects_that_had_an_execution_are_counted(
        self, filled: Stack, capsys: Capture
    ) -> None:
        _log(filled, "lambda", "trigger", message="duplicate delivery", key="2019/before.jpg")
        run = _started(filled, "2019/")
        for key in ("2019/a.jpg", "2019/b.jpg", "2019/a.jpg", "2020/upload.jpg"):
            _log(filled, "lambda", "trigger", message="duplicate delivery", key=key)
        _until(run, status="SUCCEEDED")
        output = _follow(filled, run, capsys)
        assert "Nothing had to be done" not in output
        assert (
            "2 objects had an execution already and got no other; `image-converter redrive` "
            "retries what failed."
        ) in output
        assert _result(filled, run, capsys)["hadExecutions"] == 2

    def test_what_could_not_be_sent_is_reported(self, filled: Stack, capsys: Capture) -> None:
        filled.put("2019/a.jpg")
        filled.put("2019/b.jpg")
        filled.clients.stepfunctions.update_state_machine(
            stateMachineArn=filled.deployment.backfill.state_machine_arn,
            definition=_definition(filled, f"{filled.queue}-nowhere"),
        )
        run = _started(filled)
        answer = _result(filled, run, capsys, 4)
        assert (answer["status"], answer["objects"]) == ("FAILED", 2)
        assert [failure["key"] for failure in answer["failures"]] == ["2019/a.jpg", "2019/b.jpg"]
        assert "QueueDoesNotExist" in answer["failures"][0]["why"]

    @pytest.mark.parametrize(
        ("state", "end"),
        [
            (
                {"Type": "Fail", "Error": "InvalidInput", "Cause": "no prefix"},
                "FAILED: InvalidInput: no prefix",
            ),
            ({"Type": "Wait", "Seconds": 600, "End": True}, "ABORTED."),
        ],
        ids=["failed", "stopped"],
    )
    def test_a_run_that_did_not_succeed_says_so(
        self, filled: Stack, capsys: Capture, state: dict[str, Any], end: str
    ) -> None:
        clients, stack = filled.clients, filled.deployment
        clients.stepfunctions.update_state_machine(
            stateMachineArn=stack.backfill.state_machine_arn, definition=definition(**state)
        )
        run = _started(filled)
        if state["Type"] == "Wait":
            clients.stepfunctions.stop_execution(executionArn=run.arn)
        output = _follow(filled, run, capsys, 4)
        assert "Nothing had to be done" not in output
        assert f"The run ended as {end}\n" in output

    @pytest.mark.parametrize(("bucket", "status"), [(None, 5), ("no-such-bucket", 4)])
    def test_a_paused_stack_has_something_to_do_even_if_the_run_failed(
        self,
        filled: Stack,
        capsys: Capture,
        monkeypatch: pytest.MonkeyPatch,
        bucket: str | None,
        status: int,
    ) -> None:
        filled.clients.sqs.send_message(QueueUrl=filled.queue, MessageBody="an upload")
        run = _started(filled, bucket=bucket)
        monkeypatch.setattr(arrival, "is_paused", lambda *_: True)
        with pytest.raises(
            UserError, match=r"The stack is paused: about 1 message waits in"
        ) as error:
            backfill_output.follow(filled.clients, filled.deployment, run.name, as_json=False)
        assert error.value.status == status
        assert "Nothing had to be done" not in capsys.readouterr().out

    def test_what_one_object_fails_by_says_nothing_of_its_batch(
        self, filled: Stack, capsys: Capture
    ) -> None:
        clients, stack = filled.clients, filled.deployment
        rows = [
            {"Bucket": stack.source_bucket, "Key": "a.jpg"},
            {"Bucket": "another-bucket", "Key": "b.jpg"},
            {"Bucket": stack.source_bucket, "Key": "refused \uffff.jpg"},  # by SQS
            {"Bucket": stack.source_bucket, "Key": "folder/", "Size": 0},
            {"Bucket": stack.source_bucket},
            "not an object",
            *({"Bucket": stack.source_bucket, "Key": f"{n}.jpg"} for n in range(9)),
        ]
        filled.put("it.jsonl", "\n".join(map(json.dumps, rows)).encode())
        name = runs.new_name()
        execution_input = {"manifest": manifests.parse_uri(f"s3://{stack.source_bucket}/it.jsonl")}
        runs.start(clients, stack, execution_input, name)
        run = Run(clients, stack, name)
        progress = _until(run, status="FAILED")
        assert (progress.listed, progress.sent, progress.not_sent) == (15, 11, 4)
        assert progress.waiting == 10
        _handle(filled)

        answer = _result(filled, run, capsys, 4)
        assert (answer["objects"], answer["dropped"], answer["executionsStarted"]) == (15, 1, 10)
        assert [(f["key"], f["why"].partition(":")[0]) for f in answer["failures"]] == [
            ("b.jpg", "WrongBucket"),
            (json.dumps({"Bucket": stack.source_bucket}), "NoKey"),
            ('"not an object"', "WrongBucket"),
            ("refused \uffff.jpg", "SQS.InvalidMessageContents"),
        ]
        output = _follow(filled, run, capsys, 4)
        assert "15 listed, 11 sent, 4 not sent, 0 waiting, 0 running, 11 done, 0 failed" in output
        assert "15 objects, 1 of them not to be converted" in output
        assert "4 objects could not be sent" in output

    def test_a_second_run_says_that_nothing_was_done(self, filled: Stack, capsys: Capture) -> None:
        filled.put()
        filled.start("v1", "a.jpg")
        run = _started(filled)
        _until(run, sent=1)
        filled.clients.sqs.purge_queue(QueueUrl=filled.queue)
        assert "Nothing had to be done" in _follow(filled, run, capsys)


class TestRedrive:
    """Runs that failed, where AWS's RedriveExecution is missing."""

    def test_a_failed_run_starts_from_the_beginning(self, filled: Stack) -> None:
        failed = _started(filled, bucket="no-such-bucket")
        _until(failed, status="FAILED")
        assert [result.did for result in filled.redrive(dry_run=True)][:1] == ["would start"]
        result = filled.redrive()[0]
        assert (result.subject, result.did) == (f"backfill {failed.name}", "started")
        assert "; now " in result.why
        assert result.why.endswith("-redo1, from the beginning; what is done costs a look")
        again = Run(filled.clients, filled.deployment, f"{failed.name}-redo1")
        _until(again, status="FAILED")
        filled.clients.s3.create_bucket(Bucket="no-such-bucket")
        assert len(filled.redrive()) == 1, "the newest run of an input stands for all"
        _until(Run(filled.clients, filled.deployment, f"{failed.name}-redo2"), status="SUCCEEDED")
        assert filled.redrive() == []

    def test_what_cannot_be_read_is_left_unless_asked_for(self, filled: Stack) -> None:
        quits = {"Type": "Fail", "Error": "InvalidInput", "Cause": "no prefix"}
        filled.clients.stepfunctions.update_state_machine(
            stateMachineArn=filled.deployment.backfill.state_machine_arn,
            definition=definition(**quits),
        )
        _until(_started(filled), status="FAILED")
        assert [result.did for result in filled.redrive()] == ["left"]
        assert [result.did for result in filled.redrive(everything=True)] == ["started"]

    @pytest.mark.parametrize(
        ("key", "pending", "did"),
        [
            ("b.jpg", 0, "left"),
            ("b.jpg", 1, "started"),
            ("refused by SQS \uffff.jpg", 0, "started"),
        ],
        ids=["wrong rows", "wrong rows and pending items", "wrong rows and others"],
    )
    def test_a_run_with_wrong_rows_is_left_unless_something_else_is_left_to_do(
        self, filled: Stack, key: str, pending: int, did: str
    ) -> None:
        bucket = filled.deployment.source_bucket
        rows = [
            {"Bucket": bucket, "Key": key},
            {"Bucket": "another-bucket", "Key": "c.jpg"},
            {"Bucket": bucket},
        ]
        filled.put("it.jsonl", "\n".join(map(json.dumps, rows)).encode())
        manifest = {"bucket": bucket, "key": "it.jsonl", "format": "JSONL"}
        states = filled.clients.stepfunctions
        arn = states.start_execution(
            stateMachineArn=filled.deployment.backfill.state_machine_arn,
            input=json.dumps({"manifest": manifest}),
        )["executionArn"]
        wait.until(
            "the run's end",
            lambda: states.describe_execution(executionArn=arn)["status"] == "FAILED",
        )

        with _pending_items(filled, pending):
            [result] = self._redriven(filled)
        assert (result.subject, result.did) == (f"backfill {name_of(arn)}", did)
        if did == "left":
            assert result.why.startswith("it would fail again: 2 rows of its manifest are wrong (")
            for reason in ("NoKey: rows must name a key", "WrongBucket: rows must name the source"):
                assert reason in result.why
            [result] = self._redriven(filled, everything=True)
            assert result.did == "started"

    def _redriven(self, stack: Stack, *, everything: bool = False) -> list[Result]:
        return list(Redrive(stack.clients, stack.deployment, everything=everything).backfills())

    @pytest.mark.parametrize(("settings", "did"), [("other", ["started"]), ("default", [])])
    def test_a_failed_reprocess_is_retried_while_the_image_is_outdated(
        self, filled: Stack, settings: str, did: list[str]
    ) -> None:
        filled.put()
        _write_record(filled, "a.jpg", settings=settings)
        filled.become(Type="Fail", Error="SlowDown", Cause="S3 is busy")
        record = storage.record(filled.clients, filled.deployment.table_name, "a.jpg")
        assert record is not None
        item = {"key": "a.jpg", "versionId": record["sourceVersionId"]}
        execution_input = {
            "s3": {"bucket": {"name": "b"}, "object": item},
            "reprocess": {"key": "a.jpg"},
        }
        filled.clients.stepfunctions.start_execution(
            stateMachineArn=filled.deployment.state_machine_arn, input=json.dumps(execution_input)
        )
        filled.until_all_have_ended()
        assert [result.did for result in filled.redrive()] == did

    @pytest.mark.parametrize(
        ("settings", "version", "did"),
        [
            ("other", "v1 with other settings", ["started"]),
            ("default", "v1 with other settings", []),
            ("other", "", []),
        ],
        ids=["outdated", "up to date", "of the upload itself"],
    )
    def test_a_failed_conversion_with_other_settings_is_retried_while_the_image_is_outdated(
        self, filled: Stack, settings: str, version: str, did: list[str]
    ) -> None:
        filled.deployment = replace(filled.deployment, keeps_converted=True)
        filled.put()
        _write_record(filled, "a.jpg", settings=settings)
        filled.become(Type="Fail", Error="SlowDown", Cause="S3 is busy")
        record = storage.record(filled.clients, filled.deployment.table_name, "a.jpg")
        assert record is not None
        bucket, id_ = filled.deployment.source_bucket, record["sourceVersionId"]
        item = {"key": "a.jpg", "versionId": id_}
        filled.clients.stepfunctions.start_execution(
            stateMachineArn=filled.deployment.state_machine_arn,
            name=keys.execution_name(bucket, "a.jpg", version or id_),
            input=json.dumps({"s3": {"bucket": {"name": bucket}, "object": item}}),
        )
        filled.until_all_have_ended()
        assert [result.did for result in filled.redrive()] == did


@pytest.mark.parametrize("workflow_type", ["EXPRESS"])
class TestExpress:
    """Runs of a stack whose executions are nowhere but in logs."""

    @pytest.fixture
    def terse(self, filled: Stack) -> Stack:
        """The stack, which logs no inputs and outputs."""
        log = replace(filled.deployment.log, data=False)
        filled.deployment = replace(filled.deployment, log=log)
        return filled

    def _failed(self, stack: Stack, *keys: str) -> None:
        for key in keys:
            line = {"message": "failed", "key": key, "error": "SlowDown", "cause": "busy"}
            _log(stack, "lambda", "copy-file", **line)

    def test_the_end_is_read_from_logs(self, terse: Stack) -> None:
        terse.put("2019/a.jpg")
        terse.put("2019/b.jpg")
        run = _started(terse, "2019/")
        progress = _until(run, sent=2)
        assert (progress.waiting, progress.running, progress.failed) == (2, None, None)
        terse.clients.sqs.purge_queue(QueueUrl=terse.queue)
        for key in ("2019/a.jpg", "2019/b.jpg"):
            _log(terse, "lambda", "trigger", message="execution started", key=key)
        self._failed(terse, "2019/a.jpg", "2019/b.jpg")
        _log(terse, "states", type="ExecutionStarted", execution_arn="arn")
        progress = run.progress()
        assert (progress.running, progress.settled) == (1, False)
        _log(terse, "states", type="ExecutionFailed", execution_arn="arn")
        _write_record(terse, "2019/b.jpg", written_at=_later())
        progress = run.progress()
        assert (progress.settled, progress.done) == (True, 2)
        assert run.ending(progress).started == 2
        assert _failures(run) == [("2019/a.jpg", "SlowDown: busy")]

    def test_without_all_lines_it_lasts_as_long_as_an_execution_may(
        self, filled: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled.log_at("ERROR")
        filled.put()
        run = _started(filled)
        _until(run, sent=1)
        filled.clients.sqs.purge_queue(QueueUrl=filled.queue)
        _until(run, status="SUCCEEDED")
        assert not run.progress().settled
        monkeypatch.setattr(logged, "LONGEST", timedelta(0))
        assert run.progress().settled
        filled.clients.sqs.send_message(QueueUrl=filled.queue, MessageBody="an upload")
        assert not run.progress().settled

    def test_only_executions_that_failed_are_failures(self, filled: Stack) -> None:
        filled.become(Type="Fail", Error="DamagedImage", Cause="it is cut off")
        run = _started(filled)
        for key in ("a.jpg", "b.jpg"):
            filled.start(filled.put(key), key)
        _write_record(filled, "b.jpg", written_at=_later())
        of_unknown_version = {"s3": {"bucket": {"name": "b"}, "object": {"key": "by hand.jpg"}}}
        filled.clients.stepfunctions.start_execution(
            stateMachineArn=filled.deployment.state_machine_arn,
            name="z",
            input=json.dumps(of_unknown_version),
        )
        filled.until_all_have_ended()
        filled.become(Type="Succeed")
        filled.put("retried.txt")
        filled.start("v1", "retried.txt")
        self._failed(filled, "a.jpg", "b.jpg", "retried.txt")
        assert _failures(run) == [
            ("a.jpg", "DamagedImage: it is cut off"),
            ("by hand.jpg", "DamagedImage: it is cut off"),
        ]

    def test_what_was_started_again_and_succeeded_is_not_a_failure(self, filled: Stack) -> None:
        filled.become(Type="Fail", Error="SlowDown", Cause="S3 is busy")
        run = _started(filled)
        name = filled.start("v1").split(":")[-2]
        filled.become(Type="Succeed")
        filled.start("v1", name=f"{name}-redo1")
        assert run.ending(_until(run, status="SUCCEEDED")).good

    def test_what_failed_is_a_failure_where_the_log_is_too_large_to_find_more_of_it(
        self, filled: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled.become(Type="Fail", Error="SlowDown", Cause="S3 is busy")
        run = _started(filled)
        arn = filled.start("v1")
        monkeypatch.setattr(logged.Log, "named", lambda *_: [])
        assert _failures(run) == [(name_of(arn), "SlowDown: S3 is busy")]

    def test_where_the_log_does_not_say_it_what_is_gone_was_handled(self, terse: Stack) -> None:
        run = _started(terse)
        for key, settings in (("old.jpg", "other"), ("new.jpg", "default")):
            terse.put(key)
            before = datetime.now(UTC) - timedelta(hours=1)
            _write_record(terse, key, written_at=before, settings=settings)
            terse.delete(key)
        terse.put("here.txt")
        self._failed(terse, "gone.txt", "here.txt", "old.jpg", "new.jpg")
        assert sorted(key for key, _ in _failures(run)) == ["here.txt", "old.jpg"]


@contextmanager
def _pending_items(stack: Stack, count: int) -> Iterator[None]:
    """Have Maps report items that none of their children has begun, as AWS leaves some of a run.

    The local AWS runs all children, whatever failed before.
    """

    def add(parsed: Any, **_: object) -> None:
        for name in ("pending", "total"):
            parsed["itemCounts"][name] += count

    hooks, event = stack.clients.stepfunctions.meta.events, "after-call.sfn.DescribeMapRun"
    hooks.register(event, add)
    try:
        yield
    finally:
        hooks.unregister(event, add)


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=5)


def _log(stack: Stack, service: str, function: str = "", **line: str) -> None:
    """Write a line as a function does, or as the state machine does."""
    group = stack.deployment.log.group
    if service == "lambda":
        group = f"/aws/lambda/{stack.deployment.name}-{function}"
    logs = stack.clients.logs
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName="all")
    logs.put_log_events(
        logGroupName=group,
        logStreamName="all",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": json.dumps(line)}],
    )


def test_a_terminal_shows_a_bar_and_the_time_that_is_left() -> None:
    began = datetime(2026, 11, 27, tzinfo=UTC)
    progress = Progress(
        status="RUNNING",
        began=began,
        at=began + timedelta(seconds=10),
        listed=100,
        sent=80,
        not_sent=0,
        waiting=20,
        running=8,
        failed=2,
        settled=False,
    )
    assert (progress.done, progress.rate, progress.seconds_left) == (50, 5.2, 48 / 5.2)
    shown = io.StringIO()
    with backfill_output._shown(Console(file=shown, force_terminal=True, width=80)) as show:
        show(progress)
    for words in ("━━━━", "5.2 a second, 9.2 s left", "8 running, 50 done, 2 failed"):
        assert words in shown.getvalue()

"""Starting again what failed, and what no execution has handled.

It can be repeated at any time: every step of the state machine is idempotent, what has succeeded or
runs is left alone, and an execution that is started for a second time by accident stores nothing
twice.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from image_converter import events, file_types, keys, notifications, reprocessing
from image_converter.conversion import Limits
from image_converter.conversion.limits import bytes_for_pixels
from image_converter.errors import InvalidRecord
from scripts.lib import deployed, functions, storage, text, user_errors
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival, collect, endings, logged, map_runs, restarts
from scripts.lib.executions.model import FAILED, RUNNING, STOPPED, SUCCEEDED, Summary, name_of

_TOO_LARGE = "ImageTooLarge"
# Errors that a retry cannot fix, whatever settings the functions have by now: the image has to be
# uploaded again or restored, or the input is wrong.
HOPELESS = endings.PERMANENT - {_TOO_LARGE, "InvalidSettings"}
_INVALID_INPUT = "InvalidInput"  # of the backfill's state machine
_REDRIVEN = "; redriven from where it stopped"
# What an ImageTooLarge says that an image has or would take, where the function's memory decides;
# tested with the functions' own sentences.
_BYTES = re.compile(r"(?:has|is) ([\d,]+) bytes")
_PIXELS = re.compile(r"has ([\d,]+) x ([\d,]+) pixels; the limit")
_MEMORY = re.compile(r"would take ([\d,]+) bytes of memory")

# The history's last events among which an execution that came to a Fail state has it.
_LAST_EVENTS = 20
_NO_REDRIVE = {
    "ExecutionNotRedrivable",
    # How emulators name an operation that they do not have.
    "InvalidAction",
    "NotImplemented",
    "UnknownOperationException",
}
# S3 "typically" notifies within seconds, and sometimes after a minute or more; an EXPRESS execution
# is over five minutes later.
_SETTLED_AFTER = timedelta(minutes=10)
_LONGEST_IN_THE_QUEUE = timedelta(days=14)  # of the notification of an upload


@dataclass(frozen=True)
class Result:
    """What became of one thing that had failed, or that no execution has handled.

    Attributes:
        subject: the image and its version, or the message.
        did: "started", "sent", "would start", "would send", "left" or "failed".
        why: a sentence.
        key, version: of the image, where they are known.
    """

    subject: str
    did: str
    why: str
    key: str | None = None
    version: str | None = None


class Redrive:
    """Starts again what failed in a stack, and what no execution has handled."""

    def __init__(
        self,
        clients: Clients,
        stack: Deployment,
        *,
        dry_run: bool = False,
        everything: bool = False,
        settled_after: timedelta = _SETTLED_AFTER,
        progress: logged.Progress | None = None,
    ) -> None:
        """Prepare, without asking AWS.

        Parameters:
            dry_run: only report what would be done.
            everything: start again what cannot succeed as it is, and what was stopped, too.
            settled_after: for how long an upload may be on the way to its execution.
            progress: called with a sentence for each page of a log that was read.
        """
        self._clients = clients
        self._states = clients.stepfunctions
        self._stack = stack
        self._dry_run = dry_run
        self._started = "would start" if dry_run else "started"
        self._everything = everything
        self._settled_after = settled_after
        self._statuses = (*FAILED, STOPPED) if everything else FAILED
        self._source = collect.source(clients, stack, progress=progress)
        self.notes: list[str] = []  # what was not searched, in sentences
        self._seen: set[tuple[str | None, str | None]] = set()

    def parts(self) -> dict[str, Iterator[Result]]:
        """Return everything below by its title, to be done in this order."""
        return {
            "Failed backfills": self.backfills(),
            "Failed executions": self.executions(),
            "Dead letters": self.dead_letters(),
            "Source objects without an execution": self.unhandled(),
        }

    def backfills(self) -> Iterator[Result]:
        """Have failed runs of the backfill go on, and yield what became of each.

        Where a run with the same input has succeeded since, or goes on, nothing is left to do.
        """
        backfill = self._stack.backfill
        try:
            listed = collect.source(self._clients, backfill).listed()
            arns = [run["executionArn"] for run in listed]
            runs = [self._states.describe_execution(executionArn=arn) for arn in arns]
        except self._states.exceptions.StateMachineDoesNotExist:
            return
        except ClientError as error:
            if not user_errors.is_denied(error):
                raise
            # Operators of images do not need it.
            self.notes.append(f"Backfills were not looked at. {user_errors.sentence(error)}")
            return
        handled: set[str] = set()  # inputs
        for run in sorted(runs, key=lambda run: run["startDate"], reverse=True):
            if run["input"] not in handled and run["status"] in self._statuses:
                try:
                    yield self._backfill(backfill, run)
                except ClientError as error:
                    why = user_errors.sentence(error)
                    yield Result(f"backfill {run['name']}", "failed", why)
            handled.add(run["input"])

    def _backfill(self, backfill: Deployment, run: Mapping[str, Any]) -> Result:
        subject = f"backfill {run['name']}"
        if not self._everything and (why := self._why_backfill_left(run)):
            return Result(subject, "left", f"it would fail again{why}; --all retries it anyway")
        error = text.sentence(run.get("error"), run.get("cause")) or run["status"]
        how = ""
        if not self._dry_run:
            how = self._start(backfill, run, restarts.first_name(run["name"]))
            how += "" if how == _REDRIVEN else ", from the beginning; what is done costs a look"
        return Result(subject, self._started, f"{error}{how}")

    def _why_backfill_left(self, run: Mapping[str, Any]) -> str:
        """Return what a run would fail by again, or nothing if it may succeed."""
        if run.get("error") == _INVALID_INPUT:
            return f" ({text.sentence(_INVALID_INPUT, run.get('cause'))})"
        if run.get("error") != map_runs.TOO_MANY_FAILURES:
            return ""
        wrong = map_runs.wrong_rows(self._clients, self._stack, run["executionArn"])
        rows = text.counted(
            len(wrong), "row of its manifest is wrong", "rows of its manifest are wrong"
        )
        return f": {rows} ({'; '.join(sorted(set(wrong)))})" if wrong else ""

    def executions(self) -> Iterator[Result]:
        """Start failed executions again and yield what became of each.

        What has been handled since is not mentioned, and neither is what cannot be handled and was
        replaced or deleted.
        """
        failed, not_searched = self._source.failed(self._statuses)
        self.notes += filter(None, [not_searched])
        for name in sorted({restarts.first_name(run["name"]) for run in failed}):
            try:
                yield from self.execution(name)
            except ClientError as error:
                yield Result(name, "failed", user_errors.sentence(error))

    def dead_letters(self) -> Iterator[Result]:
        """Send the dead letters to the queue again and yield what became of each."""
        sqs, name = self._clients.sqs, self._stack.name
        dead = storage.queue_url(self._clients, f"{name}-dead-letters")
        queue = storage.queue_url(self._clients, name)
        for message in storage.dead_letters(self._clients, name):
            subject, body = f"message {message['MessageId']}", message["Body"]
            try:
                records = notifications.records(body)
            except InvalidRecord as error:
                yield Result(subject, "left", f"{error}; look at it, and delete it by hand")
                continue
            self._seen |= arrival.named(body)
            if not self._dry_run:
                # In this order: what is sent and not deleted comes twice, and starts nothing twice.
                sqs.send_message(QueueUrl=queue, MessageBody=body)
                sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
            images = ", ".join(record["s3"]["object"]["key"] for record in records)
            yield Result(
                subject, "would send" if self._dry_run else "sent", images or "no new object"
            )

    def unhandled(self) -> Iterator[Result]:
        """Start executions for source objects that have none; yield what became of each.

        To be called last: it skips what the others have started again. In an existing bucket, it
        skips what was there before the stack.
        """
        clients, stack = self._clients, self._stack
        waits = arrival.is_paused(clients, stack) or arrival.messages_waiting(clients, stack)
        before = datetime.now(UTC) - (_LONGEST_IN_THE_QUEUE if waits else self._settled_after)
        since = stack.created if stack.pairs is not None else None
        for item in self._accepted_objects():
            if (
                item["LastModified"] <= before
                and (since is None or item["LastModified"] >= since)
                and not keys.is_folder(item["Key"], item["Size"])
            ):
                try:
                    yield from self._object(item["Key"])
                except ClientError as error:
                    if not storage.is_gone(error):  # handled meanwhile
                        yield Result(item["Key"], "failed", user_errors.sentence(error))

    def _accepted_objects(self) -> Iterator[Any]:
        """Yield the objects of the source bucket that start executions, as S3 lists them."""
        accepted = arrival.source_filter(self._clients, self._stack)
        if accepted is None:
            return
        for prefix in sorted({prefix for prefix, _ in accepted.pairs} or {""}):
            pages = self._clients.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._stack.source_bucket, Prefix=prefix
            )
            items = filter(None, pages.search("Contents[]"))
            yield from (item for item in items if accepted.accepts(item["Key"]))

    def execution(self, name: str) -> Iterator[Result]:
        """Start what was started first under a name again, if it failed; yield what became of it.

        Raises:
            UserError: it was started too often.
        """
        executions = self._source.named(name)
        if not executions:
            return  # forgotten since it was listed
        newest = executions[-1]
        key, version = restarts.source(newest)
        if self._stack.express and not (key and version):
            return  # the log does not say; if it is still in the source bucket, it is found there
        self._seen.add((key, version))
        if not self.has_failed(newest):
            return
        subject = _subject(key or newest["name"], version)
        error = text.sentence(newest.get("error"), newest.get("cause"))
        why = self._why_left(newest.get("error"), newest.get("cause") or "")
        if why and not self._everything:
            yield Result(subject, "left", f"{why} ({error}); --all retries it anyway", key, version)
            return
        how = "" if self._dry_run else self._start(self._stack, newest, name, len(executions))
        yield Result(subject, self._started, f"{error or newest['status']}{how}", key, version)

    def has_failed(self, newest: Summary) -> bool:
        """Return whether the newest execution of a version failed, and something is left to do."""
        return newest["status"] in self._statuses and not self._is_settled(newest)

    def _is_settled(self, newest: Summary) -> bool:
        """Return whether nothing is left to do for a version, though its execution failed."""
        key, version = restarts.source(newest)
        if not key or not version:
            return False
        record = self._record(key, version)
        if restarts.is_reprocess(newest):
            return record is None or not self._is_outdated(record)
        if record is not None:
            return not self._has_more_to_do(newest, key, version, record)
        if _may_succeed(newest) or self._everything:
            return False
        if current := self._current(key):
            return current != version  # replaced
        return newest.get("error") != "SourceNotFound"  # else: deleted, with what was wrong with it

    def _has_more_to_do(
        self, newest: Mapping[str, Any], key: str, version: str, record: Mapping[str, Any]
    ) -> bool:
        """Return whether something is left to do for a version that a record describes."""
        uploaded = keys.execution_name(self._stack.source_bucket, key, version)
        name = restarts.first_name(newest["name"])
        if restarts.is_of_an_upload(name) and name != uploaded and self._is_outdated(record):
            return True  # a backfill was to convert it again, with other settings
        # It may have ended between its record and the delete.
        is_left = not self._stack.keeps_converted and self._current(key) == version
        return is_left and _may_succeed(newest)

    def _current(self, key: str) -> str | None:
        """Return the version that the source bucket shows of a key, if it does."""
        listed = storage.versions(self._clients, self._stack.source_bucket, key).get(key, [])
        return str(listed[0]["VersionId"]) if listed and storage.is_object(listed[0]) else None

    def _record(self, key: str, version: str) -> Mapping[str, Any] | None:
        """Return the record of an image, if it is of that version."""
        record = storage.record(self._clients, self._stack.table_name, key)
        return record if record and record["sourceVersionId"] == version else None

    def _is_outdated(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record's renditions were made with other settings."""
        return reprocessing.is_outdated(record, self._settings_hash)

    @cached_property
    def _settings_hash(self) -> str:
        """What a record says of renditions that are made now; AWS is asked once."""
        return deployed.settings_hash(deployed.resize_settings(self._clients, self._stack))

    def _why_left(self, error: str | None, cause: str) -> str:
        """Return why an image would fail again, or nothing if it may succeed."""
        if error in HOPELESS:
            return "it would fail again"
        if error != _TOO_LARGE:
            return ""
        name = f"{self._stack.name}-{functions.on_aws('resize_image')}"
        settings = deployed.function(self._clients, name).settings
        limits = Limits(int(settings["MAX_IMAGE_BYTES"]), int(settings["MAX_IMAGE_PIXELS"]))
        for pattern, limit in (
            (_BYTES, limits.max_bytes),
            (_PIXELS, limits.max_pixels),
            (_MEMORY, bytes_for_pixels(limits)),
        ):
            if size := pattern.search(cause):
                needed = math.prod(int(number.replace(",", "")) for number in size.groups())
                return "" if needed <= limit else "it is still too large"
        return "it is still too large"

    def _start(
        self, stack: Deployment, execution: Mapping[str, Any], first: str, count: int = 1
    ) -> str:
        """Start it again where it stopped, or else from the start; return how, for the result.

        Step Functions redrives from the state that did not end. Where that is a Fail state, in
        which this state machine's errors end, it would enter the Fail state once more:
        https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
        """
        arn = execution["executionArn"]
        if execution.get("redriveStatus") == "REDRIVABLE" and not self._ended_in_fail_state(arn):
            try:
                self._states.redrive_execution(executionArn=arn)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _NO_REDRIVE:
                    raise
            else:
                return _REDRIVEN
        # At other log levels than ALL, what is known is a later state: what that added is ignored.
        started = restarts.start(self._clients, stack, first, execution["input"], count)
        return f"; now {name_of(started)}"

    def _ended_in_fail_state(self, arn: str) -> bool:
        history = self._states.get_execution_history(
            executionArn=arn, reverseOrder=True, maxResults=_LAST_EVENTS
        )
        return any(event["type"] == "FailStateEntered" for event in history["events"])

    def _object(self, key: str) -> Iterator[Result]:
        head = self._clients.s3.head_object(Bucket=self._stack.source_bucket, Key=key)
        version = head.get("VersionId", "null")
        # Inputs and records do not name the version null of a bucket that keeps none.
        real_id = events.real_version_id(version)
        if {(key, version), (key, real_id)} & self._seen:
            return
        if self._record(key, real_id or head["ETag"].strip('"')):
            return
        if self._stack.express:
            yield from self._object_of_express(key, version, head["LastModified"])
            return
        name = keys.execution_name(self._stack.source_bucket, key, version)
        executions = self._source.named(name)
        if not executions:
            yield from self._start_upload(key, version)
        elif executions[-1]["status"] == STOPPED:
            why = "its execution was stopped, by somebody or with the state machine"
            yield from self._start_upload(key, version, why)

    def _object_of_express(self, key: str, version: str, uploaded: datetime) -> Iterator[Result]:
        """Start an upload to an EXPRESS stack, unless the logs have an execution of it."""
        ending = endings.find(self._clients, self._stack, key, version)
        if ending is None:
            failure = endings.last_failure(self._clients, self._stack, key, uploaded)
            if failure and not failure.is_final:
                return
            name = keys.execution_name(self._stack.source_bucket, key, version)
            executions = self._source.named(name, uploaded)
            if not any(run["status"] in (RUNNING, SUCCEEDED) for run in executions):
                yield from self._start_upload(key, version)
        elif not ending.good:
            error, _, cause = ending.sentence.partition(": ")
            why = self._why_left(error, cause)
            yield from self._start_upload(key, version, why and f"{why} ({ending.sentence})")

    def _start_upload(self, key: str, version: str, why_left: str = "") -> Iterator[Result]:
        """Start an execution of an upload, or leave it if there is a reason; nothing if kept."""
        if self._is_kept(key):
            return
        subject = _subject(key, version)
        if why_left and not self._everything:
            yield Result(subject, "left", f"{why_left}; --all retries it", key, version)
            return
        how = "No execution of it is known"
        if not self._dry_run:
            arn = restarts.start_upload(self._clients, self._stack, key, version)
            how = f"{how}; now {name_of(arn)}"
        yield Result(subject, self._started, how, key, version)

    def _is_kept(self, key: str) -> bool:
        """Return whether an object is of a type that stays in the source bucket."""
        if not self._stack.keeps_others:
            return False
        answer = self._clients.s3.get_object(
            Bucket=self._stack.source_bucket,
            Key=key,
            Range=f"bytes=0-{file_types.BYTES_NEEDED - 1}",
        )
        with answer["Body"] as body:
            file_type = file_types.identify(body.read())
        return file_type != "jpg" if file_type else not keys.is_named_like_a_jpeg(key)


def _subject(key: str, version: str | None) -> str:
    return f"{key} (version {version})" if version else key


def _may_succeed(execution: Mapping[str, Any]) -> bool:
    """Return whether its error is one that a retry may fix with the same settings."""
    return execution.get("error") not in {*HOPELESS, _TOO_LARGE}

"""Start again what failed: ``python -m scripts.commands.redrive``.

Failed executions are started again, each at most once at a time, and messages in the dead-letter
queue go back to the queue. It may be run at any time and as often as one likes: every step of the
state machine is idempotent, what has succeeded or runs is left alone, and an execution that is
started for a second time by accident converts nothing twice.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError
from rich.progress import track

from image_converter import notifications
from image_converter.errors import InvalidRecord
from scripts.lib import deployed, storage, text, user_errors
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect
from scripts.lib.terminal import Console, visible
from scripts.lib.user_errors import UserError

Status = Literal["FAILED", "TIMED_OUT", "ABORTED"]
FAILED: tuple[Status, ...] = ("FAILED", "TIMED_OUT")
STOPPED: Status = "ABORTED"  # by a person, who will have had a reason

# Errors that a retry cannot fix: the image has to be uploaded again, or the input is wrong.
# ImageTooLarge is not one of them: the function may have more memory by now.
HOPELESS = {
    "DamagedImage",
    "UnsupportedImage",
    "UnknownType",
    "SourceChanged",
    "SourceNotFound",
    "InvalidRecord",
    "KeyTooLong",
}

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
_MAX_NAME = 80
_SUFFIX = "-redo"
_AGAIN = re.compile(rf"{_SUFFIX}[1-9][0-9]?$")
_MOST_TIMES = 99
# The history's last events among which an execution that came to a Fail state has it.
_LAST_EVENTS = 20
_NO_REDRIVE = {
    "ExecutionNotRedrivable",
    # How emulators name an operation that they do not have.
    "InvalidAction",
    "NotImplemented",
    "UnknownOperationException",
}


@dataclass(frozen=True)
class Result:
    """What became of one thing that had failed.

    Attributes:
        subject: the image, or the message.
        did: "started again", "left", "sent again" or "failed".
        why: a sentence.
    """

    subject: str
    did: str
    why: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 1 if something could not be started again."""
    parser = argparse.ArgumentParser(prog="python -m scripts.commands.redrive", description=__doc__)
    parser.add_argument("--name", default=deployed.name(), help="the stack's name")
    parser.add_argument(
        "--dry-run", action="store_true", help="only report what would be done; also: DRY_RUN=1"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="include permanent failures and executions that were stopped; also: ALL=1",
    )
    options = parser.parse_args(arguments)
    options.dry_run |= os.environ.get("DRY_RUN", "") not in ("", "0")
    options.all |= os.environ.get("ALL", "") not in ("", "0")
    return user_errors.run(lambda: _redrive(options, Console(highlight=False)))


def _redrive(options: argparse.Namespace, console: Console) -> int:
    clients = deployed.connect()
    stack = deployed.find(clients, options.name)
    if stack.express:
        raise UserError(
            f"{stack.name} is an EXPRESS state machine, and Step Functions keeps no list of "
            "EXPRESS executions. Whatever is still in the source bucket has failed or was kept: "
            "`make status IMAGE=...` says which. Upload again what failed, for example with "
            f"`aws s3api copy-object --bucket {stack.source_bucket} --key KEY "
            f"--copy-source {stack.source_bucket}/KEY --storage-class STANDARD`."
        )
    redrive = Redrive(clients, stack, dry_run=options.dry_run, everything=options.all)
    counts: Counter[str] = Counter()
    for title, results in (
        ("Failed executions", redrive.executions(console)),
        ("Dead letters", redrive.dead_letters()),
    ):
        console.print(title, style="bold")
        for result in results:
            counts[result.did] += 1
            line = f"  {result.subject}: {result.did} - {result.why}"
            console.print(visible(line), markup=False, soft_wrap=True)
    told = ", ".join(f"{count} {did}" for did, count in sorted(counts.items())) or "nothing failed"
    console.print(f"{told}{' (dry run: nothing was done)' if options.dry_run else ''}")
    return int(bool(counts["failed"]))


class Redrive:
    """Starts again what failed in a stack."""

    def __init__(
        self,
        clients: Clients,
        stack: Deployment,
        *,
        dry_run: bool = False,
        everything: bool = False,
    ) -> None:
        """Prepare, without asking AWS.

        Parameters:
            dry_run: only report what would be done.
            everything: start again what cannot succeed as it is, and what a person stopped, too.
        """
        self._clients = clients
        self._states = clients.stepfunctions
        self._stack = stack
        self._dry_run = dry_run
        self._everything = everything
        self._statuses = (*FAILED, STOPPED) if everything else FAILED

    def executions(self, console: Console | None = None) -> Iterator[Result]:
        """Start failed executions again and yield what became of each.

        Parameters:
            console: where to show how far it is; None for nowhere.
        """
        names = sorted(self._failed_names())
        for name in track(names, "Looking", console=console, transient=True) if console else names:
            try:
                yield self._execution(name)
            except ClientError as error:
                yield Result(name, "failed", user_errors.sentence(error))

    def dead_letters(self) -> Iterator[Result]:
        """Send the dead letters to the queue again and yield what became of each."""
        dead = storage.queue_url(self._clients, f"{self._stack.name}-dead-letters")
        queue = storage.queue_url(self._clients, self._stack.name)
        for message in storage.dead_letters(self._clients, self._stack.name):
            yield self._dead_letter(dead, queue, message)

    def _failed_names(self) -> set[str]:
        """Return the names under which what failed was started first."""
        machine = self._stack.state_machine_arn
        return {
            _AGAIN.sub("", one["name"])
            for status in self._statuses
            for one in collect.listed(self._clients, machine, status)
        }

    def _execution(self, name: str) -> Result:
        newest, following = self._newest(name)
        if newest is None:
            return Result(name, "left", "Step Functions has forgotten it")
        subject = _subject(newest)
        if newest["status"] not in self._statuses:
            return Result(subject, "left", f"already retried: {newest['status'].lower()}")
        error = text.sentence(newest.get("error"), newest.get("cause"))
        if newest.get("error") in HOPELESS and not self._everything:
            return Result(
                subject, "left", f"it would fail again ({error}); use ALL=1 to retry it anyway"
            )
        if following is None:
            return Result(subject, "failed", f"it has been started {_MOST_TIMES} times: {error}")
        how = "" if self._dry_run else self._start(newest, following)
        return Result(subject, "started again", f"{error or newest['status']}{how}")

    def _newest(self, name: str) -> tuple[dict[str, Any] | None, str | None]:
        """Return the newest execution of what the name was started for, and the next name."""
        newest = self._described(name)
        for number in range(1, _MOST_TIMES + 1):
            following = _again(name, number)
            described = self._described(following)
            if described is None:
                return newest, following
            newest = described
        return newest, None

    def _described(self, name: str) -> dict[str, Any] | None:
        try:
            arn = self._stack.execution_arn(name)
            return dict(self._states.describe_execution(executionArn=arn))
        except self._states.exceptions.ExecutionDoesNotExist:
            return None

    def _start(self, execution: dict[str, Any], following: str) -> str:
        """Start it again where it stopped, or else from the start; return how, for people.

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
                return "; redriven from where it stopped"
        self._states.start_execution(
            stateMachineArn=self._stack.state_machine_arn, name=following, input=execution["input"]
        )
        return f"; now {following}"

    def _ended_in_fail_state(self, arn: str) -> bool:
        history = self._states.get_execution_history(
            executionArn=arn, reverseOrder=True, maxResults=_LAST_EVENTS
        )
        return any(event["type"] == "FailStateEntered" for event in history["events"])

    def _dead_letter(self, dead: str, queue: str, message: Any) -> Result:
        subject = f"message {message['MessageId']}"
        try:
            records = notifications.records(message["Body"])
        except InvalidRecord as error:
            return Result(subject, "left", f"{error}; look at it, and delete it by hand")
        images = ", ".join(record["s3"]["object"]["key"] for record in records) or "no new object"
        if not self._dry_run:
            # In this order: what is sent and not deleted comes twice, which starts nothing twice.
            self._clients.sqs.send_message(QueueUrl=queue, MessageBody=message["Body"])
            self._clients.sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        return Result(subject, "sent again", images)


def _again(name: str, number: int) -> str:
    """Return the name under which an execution is started for the `number`th time again."""
    suffix = f"{_SUFFIX}{number}"
    return name[: _MAX_NAME - len(suffix)] + suffix


def _subject(described: dict[str, Any]) -> str:
    try:
        item = json.loads(described["input"])["s3"]["object"]
        version = f" (version {item['versionId']})" if item.get("versionId") else ""
        return f"{item['key']}{version}"
    except (ValueError, LookupError, TypeError, AttributeError):
        return str(described["name"])


if __name__ == "__main__":
    sys.exit(main())

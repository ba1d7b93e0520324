"""Load and crashes on a local AWS: ``python -m scripts.load``.

Bursts of uploads, a tenth of them notified twice and a twentieth damaged, each followed by the
judgement that nothing is lost: by counting objects and comparing bytes and pixels. Then a burst
during which the functions' processes are killed at random, and one during which the whole emulator
is, and starts again from what it had kept.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import signal
import statistics
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote_plus

from PIL import Image
from rich.console import Console

from image_converter import keys
from scripts import aws_errors, deployed, nothing_lost, waiting
from scripts.aws_clients import Clients
from scripts.deployed import Deployment
from scripts.local_aws import LocalAws, Options
from scripts.nothing_lost import Upload, World, observe
from scripts.redrive import Redrive
from scripts.stack import Stack

REPOSITORY = Path(__file__).resolve().parents[1]
DIRECTORY = REPOSITORY / "build" / "load"
PACKAGE = REPOSITORY / "build" / "package-local"

COUNTS = (50, 100, 250, 500)
TWICE = 0.10  # of the uploads are notified twice
BAD = 0.05  # of the uploads are damaged
_UPLOADERS = 8
_ENDED_BEFORE_CRASH = 3  # executions, before the local AWS is ended in the middle of a burst
_SECONDS_PER_IMAGE = 10  # to wait at most, on a slow machine
_REDELIVERY_SECONDS = 400  # twice the queue's visibility timeout: what a killed trigger had
_CRASH_SECONDS = (0.3, 1.5)  # between two kills


@dataclass
class Burst:
    """What was sent, and when each upload was there, by version id."""

    uploads: list[Upload] = field(default_factory=list)
    at: dict[str, datetime] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Figures:
    """What a burst took, in seconds from upload to the end of the execution."""

    count: int
    total: float
    median: float
    p95: float

    def __str__(self) -> str:
        """Return a line for people."""
        return (
            f"{self.count:>4} uploads: p50 {self.median:5.1f} s, p95 {self.p95:5.1f} s, "
            f"all in {self.total:5.1f} s, {self.count / self.total:.1f} a second"
        )


class Load:
    """Sends bursts to a stack and judges what became of them."""

    def __init__(self, clients: Clients, stack: Deployment, seed: int) -> None:
        """Prepare.

        Parameters:
            seed: the images, and which of them are bad or notified twice, follow from it.
        """
        self._clients = clients
        self._stack = stack
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._queue = clients.sqs.get_queue_url(QueueName=stack.name)["QueueUrl"]
        self.sent = Burst()

    def send(self, prefix: str, count: int) -> Burst:
        """Upload images as fast as it goes and return them; keys start with the prefix."""
        bad = set(self._random.sample(range(count), round(count * BAD)))
        twice = self._random.sample(range(count), round(count * TWICE))
        bodies = [_image(self._random, damaged=number in bad) for number in range(count)]
        paths = [f"{prefix}/{number:04}.jpg" for number in range(count)]
        burst = Burst()
        with ThreadPoolExecutor(_UPLOADERS) as pool:
            for upload, at in pool.map(self._upload, paths, bodies):
                burst.uploads.append(upload)
                burst.at[upload.version] = at
            burst.bad = {burst.uploads[number].version for number in bad}
            list(pool.map(self._notify_again, [burst.uploads[number] for number in twice]))
        self.sent.uploads += burst.uploads
        self.sent.at |= burst.at
        self.sent.bad |= burst.bad
        return burst

    def wait(self, burst: Burst) -> None:
        """Wait until every upload of the burst has an execution, all have ended, and none waits.

        Raises:
            TimeoutError: that did not come.
        """
        names = self._names(burst)

        def all_ended() -> bool:
            if self._waiting_messages():
                return False
            statuses = self._statuses()
            return "RUNNING" not in statuses.values() and names <= statuses.keys()

        waiting.until(f"{len(names)} executions to end", all_ended, _seconds(len(names)))

    def figures(self, burst: Burst) -> Figures:
        """Return what the burst took."""
        ended = self._ended(set(burst.at))
        took = sorted((ended[version] - burst.at[version]).total_seconds() for version in ended)
        total = max(ended.values()) - min(burst.at.values())
        p95 = statistics.quantiles(took, n=20)[-1]
        return Figures(len(took), total.total_seconds(), statistics.median(took), p95)

    def broken_promises(self) -> list[str]:
        """Return each way in which the promise is broken, of all that was sent so far."""
        return nothing_lost.violations(self._observed())

    def wrong(self) -> list[str]:
        """Return that, and each image that has not what it should have: one PNG, or none."""
        world = self._observed()
        return [*nothing_lost.violations(world), *self._miscounted(world)]

    def _observed(self) -> World:
        return observe.observed(self._clients, self._stack, self.sent.uploads)

    def wait_for(self, burst: Burst, count: int) -> None:
        """Wait until that many of the burst's executions have ended."""
        names = self._names(burst)

        def enough() -> bool:
            statuses = self._statuses()
            return sum(statuses.get(name, "RUNNING") != "RUNNING" for name in names) >= count

        waiting.until(f"{count} executions to end", enough, _seconds(count))

    def _names(self, burst: Burst) -> set[str]:
        bucket = self._stack.source_bucket
        return {keys.execution_name(bucket, one.key, one.version) for one in burst.uploads}

    def stop_what_hangs(self) -> int:
        """Stop executions that an emulator has kept and does not go on with; return their number.

        (Step Functions itself goes on with them: they do not live in a process.)
        """
        running = [name for name, status in self._statuses().items() if status == "RUNNING"]
        for name in running:
            arn = self._stack.execution_arn(name)
            self._clients.stepfunctions.stop_execution(executionArn=arn)
        return len(running)

    def redrive(self, *, everything: bool = False) -> Counter[str]:
        """Start again what failed, and return what was done how often."""
        redrive = Redrive(self._clients, self._stack, everything=everything)
        did = [result.did for result in (*redrive.executions(), *redrive.dead_letters())]
        return Counter(did)

    def _miscounted(self, world: World) -> Iterator[str]:
        """Yield a sentence for each good image without exactly one PNG, and each bad one with."""
        succeeded = {(run.key, run.version) for run in world.runs if run.succeeded}
        for upload in world.uploads:
            history = world.destination.get(f"{upload.key[:-4]}.png", ())
            expected = 0 if upload.version in self.sent.bad else 1
            if len(history) != expected:
                yield f"'{upload.key}' has {len(history)} PNGs instead of {expected}"
            if ((upload.key, upload.version) in succeeded) != bool(expected):
                yield f"'{upload.key}': bad or not, its execution says otherwise"

    def _upload(self, key: str, body: bytes) -> tuple[Upload, datetime]:
        answer = self._clients.s3.put_object(Bucket=self._stack.source_bucket, Key=key, Body=body)
        return Upload(key, answer["VersionId"], body), datetime.now(UTC)

    def _notify_again(self, upload: Upload) -> None:
        """Send a notification of the upload beside S3's own: the same but for its sequencer."""
        item = {"key": quote_plus(upload.key), "versionId": upload.version}
        record = {
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": self._stack.source_bucket}, "object": item},
        }
        self._clients.sqs.send_message(
            QueueUrl=self._queue, MessageBody=json.dumps({"Records": [record]})
        )

    def _waiting_messages(self) -> int:
        answer = self._clients.sqs.get_queue_attributes(
            QueueUrl=self._queue,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )
        return sum(int(value) for value in answer["Attributes"].values())

    def _statuses(self) -> dict[str, str]:
        pages = self._clients.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self._stack.state_machine_arn
        )
        return {one["name"]: one["status"] for page in pages for one in page["executions"]}

    def _ended(self, versions: set[str]) -> dict[str, datetime]:
        """Return when the executions of the versions ended, of those that succeeded."""
        pages = self._clients.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self._stack.state_machine_arn, statusFilter="SUCCEEDED"
        )
        ended = {}
        for page in pages:
            for one in page["executions"]:
                told = self._clients.stepfunctions.describe_execution(
                    executionArn=one["executionArn"]
                )
                version = json.loads(told["input"])["s3"]["object"].get("versionId")
                if version in versions:
                    ended[version] = told["stopDate"]
        return ended


def _seconds(count: int) -> int:
    """Return how long to wait at most for that many executions."""
    return _REDELIVERY_SECONDS + _SECONDS_PER_IMAGE * count


def _image(chance: random.Random, *, damaged: bool) -> bytes:
    """Return a small JPEG of one colour, or its first half."""
    colour = tuple(chance.randrange(256) for _ in range(3))
    encoded = io.BytesIO()
    Image.new("RGB", (chance.randrange(16, 200), chance.randrange(16, 200)), colour).save(
        encoded, "JPEG", comment=chance.randbytes(8)
    )
    body = encoded.getvalue()
    return body[: len(body) // 2] if damaged else body


def workers(ancestor: int, spared: str = "") -> list[int]:
    """Return the processes below an ancestor in which functions run, one of them left out."""
    parents: dict[int, int] = {}
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            command = (entry / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        pid = int(entry.name)
        parents[pid] = int(stat.rpartition(")")[2].split()[1])
        is_spared = spared and f".{spared}.".encode() in command
        if b"awslambdaric" in command and not is_spared:
            found.append(pid)
    return [pid for pid in found if ancestor in _ancestors(pid, parents)]


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid := parents.get(pid, 0):
        yield pid


@contextmanager
def killing(ancestor: int, seed: int, spared: str = "") -> Iterator[list[int]]:
    """Kill one of the functions' processes now and then; yields the list of those killed.

    Parameters:
        ancestor: the process below which they run.
        seed: when and which, follows from it.
        spared: a function that is left alone.
    """
    over = threading.Event()
    killed: list[int] = []
    chance = random.Random(seed)  # noqa: S311 - no secret

    def kill_now_and_then() -> None:
        while not over.wait(chance.uniform(*_CRASH_SECONDS)):
            if running := workers(ancestor, spared):
                victim = chance.choice(running)
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed.append(victim)

    thread = threading.Thread(target=kill_now_and_then)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0 if nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m scripts.load", description=__doc__)
    parser.add_argument(
        "--counts",
        type=lambda text: [int(one) for one in text.split(",")],
        default=COUNTS,
        help="uploads of each burst, for example 50,100,500",
    )
    parser.add_argument("--crash", type=int, default=60, help="uploads of the bursts with crashes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    return aws_errors.run(lambda: _run(options, Console(highlight=False)))


def _run(options: argparse.Namespace, console: Console) -> int:
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    say = partial(console.print, soft_wrap=True)
    wrong: list[str] = []
    with _local_aws() as aws:
        say(f"SEED={options.seed}; the local AWS logs to {aws.log_file}")
        stack = Stack(
            DIRECTORY / "stack", aws.env, package=PACKAGE, variables={"force_destroy": True}
        )
        stack.init()
        stack.apply()
        load = _load(aws, options.seed)
        for count in options.counts:
            wrong += _burst(say, load, count)
        wrong += _with_killed_functions(say, load, aws, options)
        burst = load.send("killed-aws", options.crash)
        load.wait_for(burst, _ENDED_BEFORE_CRASH)
        port = int(aws.endpoint.rpartition(":")[2])
    with _local_aws(port) as aws:
        stopped = load.stop_what_hangs()
        say(f"{options.crash} uploads; the local AWS ended and started: {stopped} executions hung")
        did = load.redrive(everything=True)
        load.wait(burst)
        say(f"redrive: {dict(did)}")
        wrong += load.wrong()
    for sentence in wrong:
        say(f"  {sentence}", style="red", markup=False)
    say("Nothing was lost." if not wrong else f"{len(wrong)} things are wrong.")
    return int(bool(wrong))


def _local_aws(port: int | None = None) -> LocalAws:
    options = Options(port=port, persist=True, wait_scale=0.1)
    return LocalAws(DIRECTORY / "local-aws", options)


def _load(aws: LocalAws, seed: int) -> Load:
    clients = Clients(aws.env)
    return Load(clients, deployed.find(clients, deployed.DEFAULT_NAME), seed)


def _burst(say: Callable[[str], None], load: Load, count: int) -> list[str]:
    burst = load.send(f"burst-{count}", count)
    load.wait(burst)
    wrong = load.wrong()
    say(f"{load.figures(burst)}; {len(burst.bad)} bad ones reported")
    return wrong


def _with_killed_functions(
    say: Callable[[str], None], load: Load, aws: LocalAws, options: argparse.Namespace
) -> list[str]:
    """Kill functions at random during a burst; start again what that made fail."""
    with killing(aws.process_id, options.seed) as killed:
        burst = load.send("killed-functions", options.crash)
        load.wait_for(burst, options.crash // 2)
    load.wait(burst)
    say(f"{options.crash} uploads while {len(killed)} functions' processes were killed")
    wrong = load.broken_promises()
    did = load.redrive()
    load.wait(burst)
    say(f"redrive: {dict(did)}")
    return [*wrong, *load.wrong()]


if __name__ == "__main__":
    sys.exit(main())

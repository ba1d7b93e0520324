"""Bursts of uploads to a stack, backfills of as many objects, and what became of them."""

import json
import math
import random
import statistics
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote_plus

from PIL import Image

from image_converter import keys
from image_converter.errors import DamagedImage
from scripts.lib import storage, wait
from scripts.lib.aws import Clients
from scripts.lib.backfill import runs
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect
from scripts.lib.executions.model import FAILED, RUNNING, SUCCEEDED
from scripts.lib.executions.redrive import Redrive
from tests.durability import invariants
from tests.durability.invariants import ExecutionSummary, Snapshot, Upload, take_snapshot
from tests.support import images, notifications

TWICE = 0.10  # of the uploads are notified twice
BAD = 0.05  # of the uploads are damaged
_UPLOADERS = 8
_SECONDS_PER_IMAGE = 10  # to wait at most, on a slow machine
_RESTARTED = "States.ServiceRestart"  # how the local AWS ends what runs when it starts again
_REDELIVERY_SECONDS = 400  # twice the queue's visibility timeout: what a killed trigger had


@dataclass
class Burst:
    """What was sent, and when each upload was there, by version id.

    Of a backfill, `run` is the name of its run, and each upload counts from when that was started.
    """

    uploads: list[Upload] = field(default_factory=list)
    at: dict[str, datetime] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    run: str = ""


@dataclass(frozen=True)
class Figures:
    """What a burst took, in seconds from upload to the end of the execution.

    Attributes:
        count: the uploads, the damaged ones among them.
        converted: those of which there is one PNG and a successful execution.
        reported: those of which an execution says that they are damaged.
    """

    count: int
    converted: int
    reported: int
    total: float
    median: float
    p95: float


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
        self._source = collect.source(clients, stack)
        self._queue = storage.queue_url(clients, stack.name)
        self.sent = Burst()

    def send(self, prefix: str, count: int) -> Burst:
        """Upload images as fast as it goes and return them; keys start with the prefix."""
        burst = self._put(prefix, count)
        repeated = self._random.sample(burst.uploads, round(count * TWICE))
        with ThreadPoolExecutor(_UPLOADERS) as pool:
            list(pool.map(self._notify_again, repeated))
        return burst

    def backfill(self, prefix: str, count: int) -> Burst:
        """Have a backfill find images of which nobody was notified; return them."""
        with notifications.off(self._clients, self._stack.source_bucket):
            burst = self._put(prefix, count)
        self._run(burst)
        burst.at = dict.fromkeys(burst.at, datetime.now(UTC))
        self.sent.at |= burst.at
        return burst

    def _put(self, prefix: str, count: int) -> Burst:
        bad = set(self._random.sample(range(count), round(count * BAD)))
        bodies = [_image(self._random, damaged=number in bad) for number in range(count)]
        paths = [f"{prefix}/{number:04}.jpg" for number in range(count)]
        burst = Burst()
        with ThreadPoolExecutor(_UPLOADERS) as pool:
            for upload, at in pool.map(self._upload, paths, bodies):
                burst.uploads.append(upload)
                burst.at[upload.version] = at
        burst.bad = {burst.uploads[number].version for number in bad}
        self.sent.uploads += burst.uploads
        self.sent.at |= burst.at
        self.sent.bad |= burst.bad
        return burst

    def _run(self, burst: Burst) -> None:
        prefix = burst.uploads[0].key.rpartition("/")[0]
        source = {"bucket": self._stack.source_bucket, "prefix": f"{prefix}/"}
        burst.run = runs.new_name()
        runs.start(self._clients, self._stack, source, burst.run)

    def misreported(self, burst: Burst) -> Iterator[str]:
        """Yield a sentence for whatever a backfill's run reports wrongly."""
        run = runs.Run(self._clients, self._stack, burst.run)

        def settled() -> runs.Progress | None:
            progress = run.progress()
            return progress if progress.settled else None

        ending = run.ending(wait.until("the run's end", settled, _REDELIVERY_SECONDS))
        progress, failed = ending.progress, sorted(upload.key for upload in ending.failures)
        bad = sorted(upload.key for upload in burst.uploads if upload.version in burst.bad)
        if (progress.status, progress.sent, failed) != (SUCCEEDED, len(burst.uploads), bad):
            yield f"run {run.name}: {progress}, failed: {failed} instead of {bad}"

    def wait(self, burst: Burst) -> None:
        """Wait until every upload of the burst has an execution, all have ended, and none waits.

        Raises:
            TimeoutError: that did not come.
        """
        names = self._names(burst)

        def all_ended() -> bool:
            if storage.message_count(self._clients, self._queue):
                return False
            statuses = self._statuses()
            return "RUNNING" not in statuses.values() and names <= statuses.keys()

        wait.until(f"{len(names)} executions to end", all_ended, _seconds(len(names)))

    def figures(self, burst: Burst) -> Figures:
        """Return what the burst took, and what became of it; no numbers where nothing succeeded."""
        ended = self._ended(set(burst.at))
        took = [(ended[version] - burst.at[version]).total_seconds() for version in ended]
        took = took or [math.nan] * 2
        first = min(burst.at.values())
        snapshot = self._observed()
        good = [upload for upload in burst.uploads if upload.version not in burst.bad]
        bad = [upload for upload in burst.uploads if upload.version in burst.bad]
        return Figures(
            count=len(burst.uploads),
            converted=sum(_is_converted_once(snapshot, upload) for upload in good),
            reported=sum(_is_reported(snapshot, upload) for upload in bad),
            total=max(((at - first).total_seconds() for at in ended.values()), default=math.nan),
            median=statistics.median(took),
            p95=statistics.quantiles(sorted(took), n=20)[-1],
        )

    def broken_promises(self) -> list[str]:
        """Return each way in which the promise is broken, of all that was sent so far."""
        return invariants.violations(self._observed())

    def lost_bytes(self) -> list[str]:
        """Return a sentence for each upload whose bytes are nowhere."""
        return invariants.lost_bytes(self._observed())

    def violations(self) -> list[str]:
        """Return the broken promises, and each image that does not have the PNGs that it should."""
        snapshot = self._observed()
        return [*invariants.violations(snapshot), *self._miscounted(snapshot)]

    def _observed(self) -> Snapshot:
        return corrected(take_snapshot.observed(self._clients, self._stack, self.sent.uploads))

    def wait_for(self, burst: Burst, count: int) -> None:
        """Wait until that many of the burst's executions have ended."""
        names = self._names(burst)

        def enough() -> bool:
            statuses = self._statuses()
            return sum(statuses.get(name, "RUNNING") != "RUNNING" for name in names) >= count

        wait.until(f"{count} executions to end", enough, _seconds(count))

    def _names(self, burst: Burst) -> set[str]:
        bucket = self._stack.source_bucket
        return {keys.execution_name(bucket, upload.key, upload.version) for upload in burst.uploads}

    def interrupted(self) -> int:
        """Return how many executions ended because the local AWS did.

        (Step Functions itself goes on with them: they do not live in a process.)
        """
        return sum(run.error == _RESTARTED for run in self._observed().runs)

    def resume(self, burst: Burst) -> None:
        """Send again what the emulator has forgotten: notifications, or the backfill's run.

        A backfill does not list images that are done, whose records only an emulator forgets.
        """
        left = self.unfinished(burst) if burst.run else []
        for upload in burst.uploads:
            if upload not in left:
                self._notify_again(upload)
        if left:
            self._run(burst)

    def unfinished(self, burst: Burst) -> list[Upload]:
        """Return the uploads of a burst that still are in the source bucket."""
        source = self._observed().source
        return [
            upload for upload in burst.uploads if source[upload.key][-1].version == upload.version
        ]

    def redrive(self, *, everything: bool = False) -> Counter[str]:
        """Restart what failed, and return how often what was done."""
        redrive = Redrive(self._clients, self._stack, everything=everything)
        parts = redrive.backfills(), redrive.executions(), redrive.dead_letters()
        return Counter(result.did for part in parts for result in part)

    def _miscounted(self, snapshot: Snapshot) -> Iterator[str]:
        """Yield a sentence for each upload that has not become what it should."""
        for upload in snapshot.uploads:
            if upload.version in self.sent.bad:
                if not _is_reported(snapshot, upload):
                    yield f"'{upload.key}' is damaged, and no execution says so"
            elif not _is_converted_once(snapshot, upload):
                yield f"'{upload.key}' has not been converted just once"

    def _upload(self, key: str, body: bytes) -> tuple[Upload, datetime]:
        answer = self._clients.s3.put_object(Bucket=self._stack.source_bucket, Key=key, Body=body)
        return Upload(key, answer["VersionId"], body), datetime.now(UTC)

    def _notify_again(self, upload: Upload) -> None:
        """Send a notification of the upload in addition to S3's own, with another sequencer."""
        item = {"key": quote_plus(upload.key), "versionId": upload.version}
        record = {
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": self._stack.source_bucket}, "object": item},
        }
        self._clients.sqs.send_message(
            QueueUrl=self._queue, MessageBody=json.dumps({"Records": [record]})
        )

    def _statuses(self) -> dict[str, str]:
        """Return the statuses by name; of two EXPRESS executions of a name, one may still run."""
        statuses: dict[str, str] = {}
        for run in self._source.listed():
            if statuses.get(run["name"]) != RUNNING:
                statuses[run["name"]] = run["status"]
        return statuses

    def _ended(self, versions: set[str]) -> dict[str, datetime]:
        """Return when the executions of the versions ended, of those that succeeded."""
        ended = {}
        for run in self._source.listed("SUCCEEDED"):
            execution_input = run.get("input") or self._input(run["executionArn"])
            _, version = take_snapshot.key_and_version(execution_input)
            if version in versions:
                ended[version] = run["stopDate"]
        return ended

    def _input(self, arn: str) -> str:
        return self._clients.stepfunctions.describe_execution(executionArn=arn)["input"]


def _seconds(count: int) -> int:
    """Return how long to wait at most for that many executions."""
    return _REDELIVERY_SECONDS + _SECONDS_PER_IMAGE * count


def corrected(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot in which an execution that did everything except end has succeeded.

    The local AWS, unlike Step Functions, ends executions when it starts again. And what kills
    delete_file between the delete and the answer, in every attempt, leaves nothing undone.
    """

    def corrected_run(run: ExecutionSummary) -> ExecutionSummary:
        record = snapshot.records.get(run.key, {})
        source = snapshot.source.get(run.key, ())
        if (
            run.status not in FAILED
            or record.get("sourceVersionId") != run.version
            or (source and source[-1].version == run.version)
        ):
            return run
        output = {"fileType": "jpg", "images": record["images"]}
        return replace(run, status=SUCCEEDED, output=output, error="")

    return replace(snapshot, runs=[corrected_run(run) for run in snapshot.runs])


def _is_converted_once(snapshot: Snapshot, upload: Upload) -> bool:
    """Return whether an upload has one PNG and an execution that succeeded, and is cleaned up."""
    versions = snapshot.destination.get(f"{upload.key[:-4]}.png", ())
    return len(versions) == 1 and any(
        run.converted and (run.key, run.version) == (upload.key, upload.version)
        for run in snapshot.runs
    )


def _is_reported(snapshot: Snapshot, upload: Upload) -> bool:
    """Return whether an upload has no PNG and an execution that says why."""
    return f"{upload.key[:-4]}.png" not in snapshot.destination and any(
        run.error == DamagedImage.__name__
        and (run.key, run.version) == (upload.key, upload.version)
        for run in snapshot.runs
    )


def _image(chance: random.Random, *, damaged: bool) -> bytes:
    """Return a small JPEG of one colour, or its first half."""
    colour = tuple(chance.randrange(256) for _ in range(3))
    image = Image.new("RGB", (chance.randrange(16, 200), chance.randrange(16, 200)), colour)
    body = images.saved(image, "JPEG", comment=chance.randbytes(8))
    return body[: len(body) // 2] if damaged else body

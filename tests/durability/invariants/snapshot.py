"""What can be seen of a stack once it is at rest: buckets, table, executions, dead letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Upload(NamedTuple):
    """An object version that somebody put into the source bucket.

    Attributes:
        version: its version id, or its ETag if it has none of its own.
        body: the bytes that were put.
        withdrawn: whether the person who put it deleted it again.
        overwritten: whether another object replaced it in a bucket that keeps no versions.
    """

    key: str
    version: str
    body: bytes
    withdrawn: bool = False
    overwritten: bool = False


@dataclass(frozen=True)
class Stored:
    """A version in a bucket.

    Attributes:
        body: its bytes; None for a delete marker.
    """

    version: str
    body: bytes | None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExecutionSummary:
    """An execution.

    Attributes:
        key: the source key that it was started for.
        version: the source version that its input names; None where it names none.
        status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
        output: of an execution that succeeded.
        error: the name of its error, of one that failed.
        reprocess: whether it read the original in the destination bucket, and so does not delete
            what is in the source bucket.
    """

    name: str
    key: str
    version: str | None
    status: str
    output: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    reprocess: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether it says that it did its work."""
        return self.status == "SUCCEEDED"

    @property
    def converted(self) -> bool:
        """Whether it says that it converted a JPEG."""
        return self.succeeded and self.output.get("fileType") == "jpg"

    @property
    def worked_on(self) -> str | None:
        """The source version that it handled, as far as that is known."""
        if self.version is None and self.converted:
            return str(self.output["images"][0]["original"]["sourceVersionId"])
        return self.version


History = Sequence[Stored]  # the versions of one key, the oldest first, delete markers among them


@dataclass(frozen=True)
class Snapshot:
    """A whole stack at rest.

    Attributes:
        uploads: everything that was ever put into the source bucket, the uploads of one key in
            their order.
        source: the source bucket's versions by key.
        destination: the destination bucket's versions by key.
        records: the table's items by imageName.
        runs: every execution.
        dead_letters: versions (key, version id) whose notification is in the dead-letter queue.
        kept: whether the stack keeps everything in the source bucket.
    """

    uploads: Sequence[Upload]
    source: Mapping[str, History]
    destination: Mapping[str, History]
    records: Mapping[str, Mapping[str, Any]]
    runs: Sequence[ExecutionSummary]
    dead_letters: frozenset[tuple[str, str]] = frozenset()
    kept: bool = False

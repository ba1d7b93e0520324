"""What an image has left behind, by which its executions are found."""

from dataclasses import dataclass
from typing import Any

from image_converter import keys, locations

_UNVERSIONED = "null"  # what S3 calls a version without an id of its own


@dataclass(frozen=True)
class Traces:
    """What an image has left behind.

    Attributes:
        key: the image's, in the source bucket.
        bucket: the source bucket.
        uploads: versions there as S3 lists them, the newest first.
        record: what the table has of it.
    """

    key: str
    bucket: str
    uploads: list[Any]
    record: dict[str, Any] | None

    @property
    def recorded_version(self) -> str | None:
        """The version of which the table has a record."""
        return self.record["sourceVersionId"] if self.record else None

    @property
    def names(self) -> list[str]:
        """The names under which executions of its versions were started first."""
        versions = dict.fromkeys(upload["VersionId"] for upload in self.uploads)
        if self.recorded_version:
            versions[self.recorded_version] = None
        return [keys.execution_name(self.bucket, self.key, version) for version in versions]

    @property
    def is_unversioned(self) -> bool:
        """Whether names follow from the sequencer of an upload, which S3 reports only once."""
        return any(upload["VersionId"] == _UNVERSIONED for upload in self.uploads)

    @property
    def beginnings(self) -> tuple[str, ...]:
        """How the names of the key's executions begin, and of its record's reprocesses."""
        image_keys = [self.key]
        if self.record:
            image_keys.append(locations.original_of(self.record).get("key", self.key))
        names = [keys.execution_name("", key, "") for key in image_keys]
        return tuple(f"{name.rpartition('-')[0]}-" for name in names)

"""The promise itself, as one pure function over what can be seen of a stack.

For every version that was ever uploaded: its bytes still exist; an execution that says SUCCEEDED
has done its work; what failed is still in its place and can be found; and nothing older ever hides,
replaces or describes what is newer.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from PIL import Image

from scripts.lib import pixels
from tests.durability.invariants.snapshot import (
    ExecutionSummary,
    History,
    Snapshot,
    Stored,
    Upload,
)

JPEG_MAGIC = b"\xff\xd8\xff"


class BrokenPromiseError(AssertionError):
    """The promise does not hold; the message lists every way in which it does not."""


def violations(snapshot: Snapshot) -> list[str]:
    """Return each way in which the promise is broken, a sentence each; none if it holds."""
    check = _Check(snapshot)
    return [
        *check.bytes_are_kept(),
        *check.every_upload_is_accounted_for(),
        *check.successes_are_true(),
        *check.sources_are_right(),
        *check.records_are_right(),
        *check.nothing_older_replaces_newer(),
    ]


def lost_bytes(snapshot: Snapshot) -> list[str]:
    """Return a sentence for each upload whose bytes are nowhere: the part that needs no records."""
    return list(_Check(snapshot).bytes_are_kept())


class _Check:
    """The snapshot, indexed for the rules."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.order = {(upload.key, upload.version): n for n, upload in enumerate(snapshot.uploads)}
        self.uploads = {(upload.key, upload.version): upload for upload in snapshot.uploads}
        self.newest = {upload.key: upload for upload in snapshot.uploads}
        self.done = {
            (run.key, run.worked_on) for run in snapshot.runs if run.succeeded and not run.reprocess
        }
        self.converted = [
            run for run in snapshot.runs if run.converted and self._upload_of(run) is not None
        ]

    def _upload_of(self, run: ExecutionSummary) -> Upload | None:
        return self.uploads.get((run.key, run.worked_on or ""))

    def bytes_are_kept(self) -> Iterator[str]:
        """Yield a sentence for each upload whose bytes are nowhere."""
        buckets = (self.snapshot.source, self.snapshot.destination)
        kept = {
            version.body for bucket in buckets for history in bucket.values() for version in history
        }
        for upload in self.snapshot.uploads:
            if upload.body not in kept and not upload.overwritten:
                yield f"{_name(upload)}: its bytes are in neither bucket"

    def every_upload_is_accounted_for(self) -> Iterator[str]:
        """Yield a sentence for each upload that no execution and no dead letter names."""
        accounted_for = {
            (run.key, run.worked_on) for run in self.snapshot.runs
        } | self.snapshot.dead_letters
        for upload in self.snapshot.uploads:
            if (upload.key, upload.version) not in accounted_for:
                yield f"{_name(upload)}: there is neither an execution nor a dead letter"
        for run in self.snapshot.runs:
            if run.status == "RUNNING":
                yield f"{run.name}: it still runs"

    def successes_are_true(self) -> Iterator[str]:
        """Yield a sentence for each execution that says SUCCEEDED although something is untrue."""
        for run in self.snapshot.runs:
            upload = self._upload_of(run)
            if not run.succeeded or upload is None:
                continue
            is_jpeg = upload.body.startswith(JPEG_MAGIC)
            if is_jpeg != run.converted:
                file_type = run.output.get("fileType")
                yield f"{run.name}: says {file_type!r} of {_name(upload)}, JPEG or not: {is_jpeg}"
            elif run.converted:
                for flaw in self._wrong_images(run.output["images"], upload):
                    yield f"{run.name}: {flaw}"

    def sources_are_right(self) -> Iterator[str]:
        """Yield a sentence for each key whose newest upload is hidden undone, or left though done.

        An older upload says nothing about the source: a newer one makes it noncurrent at once.
        """
        for key, upload in self.newest.items():
            current = _current(self.snapshot.source.get(key, ()))
            shown = current is not None and current.version == upload.version
            # An execution that was started by hand does not say which version it deleted of a file
            # that is not a JPEG.
            done = (key, upload.version) in self.done or (
                (key, None) in self.done and not upload.body.startswith(JPEG_MAGIC)
            )
            if self.snapshot.kept:
                if not (shown or upload.withdrawn):
                    yield f"{_name(upload)}: to be kept, and hidden in the source bucket"
                continue
            if shown and (key, upload.version) in self.done:
                yield f"{_name(upload)}: done, and still in the source bucket"
            if not (done or shown or upload.withdrawn):
                yield f"{_name(upload)}: hidden in the source bucket though no execution is done"

    def records_are_right(self) -> Iterator[str]:
        """Yield a sentence for each record that is missing, untrue, or of a version too old."""
        for run in self.converted:
            record = self.snapshot.records.get(run.key)
            if record is None:
                yield f"{run.name}: succeeded, and there is no record"
                continue
            described = self.order.get((run.key, record["sourceVersionId"]), -1)
            if described < self.order[run.key, run.worked_on or ""]:
                yield f"{run.name}: succeeded, and the record is of an older upload"
        for key, record in self.snapshot.records.items():
            described_upload = self.uploads.get((key, record["sourceVersionId"]))
            if described_upload is None:
                yield f"the record of '{key}' is of an upload that nobody made"
            else:
                version = record["sourceVersionId"]  # of both images
                for flaw in self._wrong_images(record["images"], described_upload, version):
                    yield f"the record of '{key}': {flaw}"

    def nothing_older_replaces_newer(self) -> Iterator[str]:
        """Yield a sentence for each destination key where an older image hides a newer one."""
        for run in self.converted:
            order = self.order[run.key, run.worked_on or ""]
            images = run.output["images"]
            for location in (*_locations(images), *_renditions(images)):
                for key in {location["key"], _without_aside(location["key"])}:
                    current = _current(self.snapshot.destination.get(key, ()))
                    made_from = current.metadata.get("source-version", "") if current else ""
                    current_order = self.order.get((run.key, made_from))
                    if current_order is None or current_order >= order:
                        continue
                    if key == location["key"]:
                        yield f"{run.name}: an older image hides what it wrote at '{key}'"
                    else:
                        yield f"{run.name}: put aside, though '{key}' is of an older upload"

    def _wrong_images(self, images: Any, upload: Upload, version: str = "") -> Iterator[str]:
        """Yield what is untrue in `results.images` about an upload, or in a record's images."""
        for kind, location in zip(("original", "resized"), _locations(images), strict=True):
            stored = self._stored(location)
            # An image that does not name a version is of the version that the input names.
            made_from = version or location.get("sourceVersionId", upload.version)
            if made_from != upload.version:
                yield f"{kind} is of version {made_from}, not of {_name(upload)}"
            elif stored is None or stored.body is None:
                yield f"{kind} {location['key']} version {location['versionId']} does not exist"
            elif kind == "original" and stored.body != upload.body:
                yield f"{kind} {location['key']} does not have the bytes of {_name(upload)}"
            elif kind == "resized" and pixels.difference(upload.body, stored.body):
                yield f"{kind} {location['key']} does not have the pixels of {_name(upload)}"
        for rendition in _renditions(images):
            if flaw := self._wrong_rendition(rendition, upload):
                yield f"rendition {rendition['key']} version {rendition['versionId']} {flaw}"

    def _wrong_rendition(self, rendition: Mapping[str, Any], upload: Upload) -> str:
        """Return what is untrue of a further rendition; empty if nothing is."""
        stored = self._stored(rendition)
        if stored is None or stored.body is None:
            return "does not exist"
        # The key of an object that is aside without provenance says what it is.
        if stored.metadata.get("source-version", upload.version) != upload.version:
            return f"is not of {_name(upload)}"
        return _wrong_file(stored.body, rendition)

    def _stored(self, location: Mapping[str, Any]) -> Stored | None:
        history = self.snapshot.destination.get(location["key"], ())
        return next(
            (version for version in history if version.version == location["versionId"]), None
        )


def check(snapshot: Snapshot) -> None:
    """Do nothing if the promise holds.

    Raises:
        BrokenPromiseError: it does not.
    """
    if faults := violations(snapshot):
        raise BrokenPromiseError("\n".join(faults))


@lru_cache(maxsize=2048)
def is_whole(jpeg: bytes) -> bool:
    """Return whether a JPEG can be decoded to its end."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as source:
            source.load()
    except OSError:
        return False
    return True


@lru_cache(maxsize=2048)
def _described(body: bytes) -> tuple[str, tuple[int, int]]:
    with Image.open(io.BytesIO(body)) as image:
        image.load()
        return (image.format or "").lower(), image.size


def _wrong_file(body: bytes, rendition: Mapping[str, Any]) -> str:
    described = _described(body)
    expected = rendition["format"], (rendition["width"], rendition["height"])
    if (*described, len(body)) == (*expected, rendition["size"]):
        return ""
    return f"is {described} of {len(body)} bytes, not {expected} of {rendition['size']}"


def _renditions(images: Any) -> Iterable[Mapping[str, Any]]:
    further: Iterable[Mapping[str, Any]] = images[1]["resized"].get("renditions", ())
    return further


def _locations(images: Any) -> Iterable[Mapping[str, Any]]:
    return images[0]["original"], images[1]["resized"]


def _without_aside(key: str) -> str:
    return key.split("/", 2)[2] if key.startswith("aside/") else key


def _current(history: History) -> Stored | None:
    """Return the current version, or None where there is none or a delete marker hides it."""
    return history[-1] if history and history[-1].body is not None else None


def _name(upload: Upload) -> str:
    return f"'{upload.key}' version {upload.version}"

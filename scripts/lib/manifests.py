"""Manifests of a backfill, read as its state machine reads them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scripts.lib import storage, text
from scripts.lib.aws import Clients
from scripts.lib.user_errors import UserError

_S3_URI = re.compile(r"s3://([^/]+)/(.+)")
_FORMATS = {".csv": "CSV", ".jsonl": "JSONL", "/manifest.json": "INVENTORY"}


def named(uri: str) -> dict[str, str]:
    """Return what a manifest's address says, as the state machine reads it.

    Raises:
        UserError: it is not the address of a manifest.
    """
    parts = _S3_URI.fullmatch(uri)  # not urlsplit: keys may have ? and #
    kind = next((kind for end, kind in _FORMATS.items() if uri.endswith(end)), None)
    if parts is None or kind is None:
        raise UserError(
            f"{uri} is not a manifest. It must be s3://BUCKET/KEY with a key that ends with .csv, "
            ".jsonl or, for S3 Inventory, /manifest.json."
        )
    return {"bucket": parts[1], "key": parts[2], "format": kind}


def objects(clients: Clients, manifest: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a manifest, as S3 names fields.

    Raises:
        UserError: it is an inventory, which is not read here, or a line does not name an object.
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    if manifest["format"] == "INVENTORY":
        raise UserError("A dry run does not read inventories. Try it with a prefix.")
    lines = _Lines(storage.lines(clients, manifest["bucket"], manifest["key"]))
    rows = _csv(lines) if manifest["format"] == "CSV" else _jsonl(lines)
    try:
        yield from map(_object, rows)
    except UnicodeDecodeError as error:
        raise _refusal(manifest, lines, "it is not UTF-8") from error
    except (ValueError, csv.Error) as error:
        raise _refusal(manifest, lines, str(error)) from error


class _Lines:
    """Lines, and the number of the line that is being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number += 1  # first, because reading it may fail
        return next(self._lines)


def _refusal(manifest: Mapping[str, str], lines: _Lines, why: str) -> UserError:
    return UserError(f"s3://{manifest['bucket']}/{manifest['key']}, line {lines.number}: {why}.")


def _csv(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    reader = csv.DictReader(lines)
    if "Key" not in (reader.fieldnames or []):
        raise ValueError("the header has no column Key")
    yield from reader


def _jsonl(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        if line.strip():
            yield text.json_object(line)


def _object(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts of a row, whatever else it has.

    Raises:
        ValueError: it does not name an object.
    """
    key, size, reprocess = row.get("Key"), row.get("Size"), row.get("Reprocess")
    if not isinstance(key, str) or not key:
        raise ValueError("it does not name a Key")
    item = {"Bucket": row.get("Bucket"), "Key": key, "VersionId": row.get("VersionId")}
    if size not in (None, ""):
        if not str(size).isdecimal():
            raise ValueError(f"its Size is {size!r}, which is not a number of bytes")
        item["Size"] = int(size)
    if reprocess is not None:
        if not isinstance(reprocess, dict) or not isinstance(reprocess.get("imageName"), str):
            raise ValueError("its Reprocess has no imageName")
        item["Reprocess"] = reprocess
    return item

"""Manifests of a backfill, read as its state machine reads them."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scripts.lib import storage, text
from scripts.lib.aws import Clients
from scripts.lib.user_errors import UserError

_S3_URI = re.compile(r"s3://([^/]+)/(.+)")
_FORMATS = {".csv": "CSV", ".jsonl": "JSONL", "/manifest.json": "INVENTORY"}


def parse_uri(uri: str) -> dict[str, str]:
    """Return a manifest's address as the state machine's input has it.

    Raises:
        UserError: it is not the address of a manifest.
    """
    parts = _S3_URI.fullmatch(uri)  # not urlsplit: keys may have ? and #
    file_format = next((name for end, name in _FORMATS.items() if uri.endswith(end)), None)
    if parts is None or file_format is None:
        raise UserError(
            f"{uri} is not a manifest. It must be s3://BUCKET/KEY with a key that ends with .csv, "
            ".jsonl or, for S3 Inventory, /manifest.json."
        )
    return {"bucket": parts[1], "key": parts[2], "format": file_format}


def objects(clients: Clients, manifest: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a manifest, as S3 names fields.

    Raises:
        UserError: it is an inventory, which is not read here, or a line does not name an object.
    """
    if manifest["format"] == "INVENTORY":
        raise UserError("A dry run does not read inventories. Try it with a prefix.")
    number = 0  # of the line that is read

    def lines() -> Iterator[str]:
        nonlocal number
        for number, line in enumerate(  # noqa: B007 - the error below names it
            storage.lines(clients, manifest["bucket"], manifest["key"]), start=1
        ):
            yield line.decode()

    is_csv = manifest["format"] == "CSV"
    rows = _csv(lines()) if is_csv else map(text.json_object, filter(str.strip, lines()))
    try:
        yield from map(_object, rows)
    except (ValueError, csv.Error) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
        place = f"s3://{manifest['bucket']}/{manifest['key']}, line {max(number, 1)}"
        raise UserError(f"{place}: {why}.") from error


def _csv(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    reader = csv.DictReader(lines)
    if "Key" not in (reader.fieldnames or []):
        raise ValueError("the header has no column Key")
    yield from reader


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

"""The table's records: one per image, about its newest upload."""

import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from image_converter import clients, events, locations
from image_converter.errors import SourceChanged
from image_converter.events import Event
from image_converter.s3_errors import error_code

# Only a record of the same or a newer upload replaces a record. Sequencers order the uploads of a
# key; if one of the two records has none (an execution started by hand), the times at which the
# source versions were created do.
_NEWER_THAN_EARLIER = (
    "attribute_not_exists(imageName)"
    " OR sequencer <= :sequencer"
    " OR (attribute_not_exists(sequencer) AND sourceLastModified <= :modified)"
)
_NEWER_BY_TIME = "attribute_not_exists(imageName) OR sourceLastModified <= :modified"


class Saved(NamedTuple):
    """What became of an attempt to save a record.

    Attributes:
        replaced: False if the table already has the record of a newer upload, which stays.
        answer: the metadata of DynamoDB's answer.
    """

    replaced: bool
    answer: dict[str, Any]


def item(event: Event) -> dict[str, Any]:
    """Return the item for an execution's state: the article's attributes, and further ones.

    It says only once which version all images were made from, so that with short keys an item fits
    into 1 KB, the unit by which DynamoDB charges.

    Raises:
        InvalidRecord: the state has no `results.images`.
        SourceChanged: the original and the PNG were not made from the same version.
    """
    record = events.parse_record(event)
    original, resized = locations.required_images(event)
    if locations.source_fields(original) != locations.source_fields(resized):
        raise SourceChanged(
            f"{record.key!r} was overwritten while it was handled: version "
            f"{original['sourceVersionId']!r} was copied, {resized['sourceVersionId']!r} "
            "converted. Start the execution again, with s3.object.versionId in its input"
        )
    first, second = event["results"]["images"][:2]
    attributes = {
        "imageName": record.key,
        "images": [
            {**first, "original": _without_source(original)},
            {**second, "resized": _without_source(resized)},
        ],
        "fileType": event["results"].get("fileType"),
        "sourceBucket": record.bucket,
        "sourceVersionId": original["sourceVersionId"],
        "sourceETag": original["sourceETag"],
        "sourceLastModified": original["sourceLastModified"],
        "sequencer": record.sequencer,
        "uploadedAt": record.event_time,
        "writtenAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _without_source(image: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in image.items() if name not in locations.SOURCE_FIELDS}
    if "renditions" in kept:
        kept["renditions"] = [_without_source(rendition) for rendition in kept["renditions"]]
    return kept


def save(table: str, new: dict[str, Any]) -> Saved:
    """Put the item into the table, unless the table has one of a newer upload.

    Raises:
        ClientError: DynamoDB refused for another reason.
    """
    values = {":modified": to_attribute_value(new["sourceLastModified"])}
    if "sequencer" in new:
        values[":sequencer"] = to_attribute_value(new["sequencer"])
    try:
        answer = clients.dynamodb().put_item(
            TableName=table,
            Item={name: to_attribute_value(value) for name, value in new.items()},
            ConditionExpression=_NEWER_THAN_EARLIER if "sequencer" in new else _NEWER_BY_TIME,
            ExpressionAttributeValues=values,
        )
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        return Saved(replaced=False, answer=dict(error.response["ResponseMetadata"]))
    return Saved(replaced=True, answer=dict(answer["ResponseMetadata"]))


def find(table: str, name: str) -> dict[str, Any] | None:
    """Return the record of an image as plain values, or None if there is none.

    Raises:
        ClientError: DynamoDB refused.
    """
    answer = clients.dynamodb().get_item(
        TableName=table, Key={"imageName": {"S": name}}, ConsistentRead=True
    )
    if "Item" not in answer:
        return None
    return {name: from_attribute_value(value) for name, value in answer["Item"].items()}


def to_attribute_value(value: Any) -> dict[str, Any]:
    """Return a JSON value as DynamoDB's API takes it.

    boto3's TypeSerializer does the same, but importing boto3 costs each cold start more than the
    rest of this function: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html

    Raises:
        TypeError: it is not a JSON value.
    """
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float():
            return {"N": str(value)}
        case list():
            return {"L": [to_attribute_value(element) for element in value]}
        case dict():
            return {"M": {name: to_attribute_value(element) for name, element in value.items()}}
    raise TypeError(f"{value!r} is not a JSON value")


def from_attribute_value(attribute_value: Mapping[str, Any]) -> Any:
    """Return the JSON value of which `to_attribute_value` returns this.

    Raises:
        TypeError: it is of a type that no JSON value has.
    """
    [(kind, value)] = attribute_value.items()
    match kind:
        case "NULL":
            return None
        case "BOOL" | "S":
            return value
        case "N":
            return json.loads(value)
        case "L":
            return [from_attribute_value(element) for element in value]
        case "M":
            return {name: from_attribute_value(element) for name, element in value.items()}
    raise TypeError(f"{kind!r} is not a type of JSON values")

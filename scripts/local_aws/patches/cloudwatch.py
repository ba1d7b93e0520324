"""CloudWatch: DescribeAlarms describes the whole alarm in the Query protocol.

Shape: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.services import cloudwatch

from scripts.local_aws.patches.answers import Response


def install() -> None:
    """Answer from the JSON form of the emulator, which leaves nothing out."""
    describe = cloudwatch._describe_alarms

    def describe_alarms(
        params: dict[str, Any],
        cbor_data: dict[str, Any] | None,
        is_cbor: bool,
        is_json: bool = False,
    ) -> Response:
        if is_cbor or is_json:
            answer: Response = describe(params, cbor_data, is_cbor, is_json)
            return answer
        # The JSON form selects in the same way and leaves nothing out.
        status, headers, body = describe(params, _alarm_query(params), is_cbor=False, is_json=True)
        if status != HTTPStatus.OK:
            return status, headers, body
        described = json.loads(body)
        listed = {kind: described.get(kind, []) for kind in ("MetricAlarms", "CompositeAlarms")}
        text = describe_alarms_result(listed, described.get("NextToken"))
        whole: Response = cloudwatch._xml(200, "DescribeAlarmsResponse", text)
        return whole

    cloudwatch._describe_alarms = describe_alarms


def _alarm_query(params: dict[str, Any]) -> dict[str, Any]:
    """Return DescribeAlarms' parameters, given in the Query protocol, as the JSON one has them."""
    query: dict[str, Any] = {}
    for name in ("AlarmNamePrefix", "StateValue", "NextToken", "MaxRecords"):
        if value := cloudwatch._p(params, name):
            query[name] = value
    for name in ("AlarmNames", "AlarmTypes"):
        members = [key for key in params if key.startswith(f"{name}.member.")]
        if members:
            query[name] = [cloudwatch._p(params, key) for key in members]
    return query


def describe_alarms_result(
    alarms: Mapping[str, Iterable[Mapping[str, object]]], next_token: str | None
) -> str:
    """Return the ``DescribeAlarmsResult`` element as text.

    Parameters:
        alarms: lists of alarms under ``MetricAlarms`` and ``CompositeAlarms``.
        next_token: where the next page starts, if there is one.
    """
    root = Element("DescribeAlarmsResult")
    for kind, listed in alarms.items():
        _append(root, kind, [_described(alarm) for alarm in listed])
    if next_token:
        _append(root, "NextToken", next_token)
    return tostring(root, encoding="unicode")


def _described(alarm: Mapping[str, object]) -> dict[str, object]:
    """Return what AWS says of an alarm: times as ISO 8601, nothing that was never set."""
    fields = {name: value for name, value in alarm.items() if value not in (None, "")}
    for name, value in fields.items():
        if name.endswith("Timestamp") and isinstance(value, (int, float)):
            fields[name] = datetime.fromtimestamp(value, UTC).isoformat()
    if "ExtendedStatistic" in fields:
        fields.pop("Statistic", None)  # an alarm has one of the two
    return fields


def _append(parent: Element, name: str, value: object) -> None:
    element = SubElement(parent, name)
    if isinstance(value, Mapping):
        for key, item in value.items():
            _append(element, key, item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _append(element, "member", item)
    elif isinstance(value, bool):
        element.text = str(value).lower()
    else:
        element.text = str(value)

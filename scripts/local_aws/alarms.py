"""The answer of CloudWatch's DescribeAlarms in the Query protocol, from alarms as plain data.

Shape: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring


def result(alarms: Mapping[str, Iterable[Mapping[str, object]]], next_token: str | None) -> str:
    """Return the ``DescribeAlarmsResult`` element as text.

    Parameters:
        alarms: lists of alarms under ``MetricAlarms`` and ``CompositeAlarms``.
        next_token: where the next page starts, if there is one.
    """
    root = Element("DescribeAlarmsResult")
    for kind, listed in alarms.items():
        _append(root, kind, [_told(alarm) for alarm in listed])
    if next_token:
        _append(root, "NextToken", next_token)
    return tostring(root, encoding="unicode")


def _told(alarm: Mapping[str, object]) -> dict[str, object]:
    """Return what AWS tells of an alarm: times as ISO 8601, nothing that was never set."""
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

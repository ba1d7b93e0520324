"""CloudWatch: DescribeAlarms describes the whole alarm in the Query protocol, Terraform's.

Shape: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.services import cloudwatch

from scripts.local_aws.patches.answers import Handler, Json, Response
from scripts.local_aws.patches.around import around

_MEMBER = re.compile(r"<member><AlarmName>(.*?)</AlarmName>.*?</member>", re.DOTALL)


@around(cloudwatch._describe_alarms)
def describe_alarms(
    describe: Handler, params: Json, cbor_data: Json | None, is_cbor: bool, is_json: bool = False
) -> Response:
    """Complete the alarms in an answer in XML; the emulator leaves nothing out of the others."""
    status, headers, body = describe(params, cbor_data, is_cbor, is_json)
    if not (is_cbor or is_json):
        body = _MEMBER.sub(lambda member: _whole(member[1]), body.decode()).encode()
    return status, headers, body


def _whole(alarm_name: str) -> str:
    """Return an alarm as an element: times as ISO 8601, nothing that was never set."""
    alarm = cloudwatch._alarms.get(alarm_name) or cloudwatch._composite_alarms[alarm_name]
    fields = {name: value for name, value in alarm.items() if value not in (None, "")}
    for name, value in fields.items():
        if name.endswith("Timestamp") and isinstance(value, (int, float)):
            fields[name] = datetime.fromtimestamp(value, UTC).isoformat()
    if "ExtendedStatistic" in fields:
        fields.pop("Statistic", None)  # an alarm has one of the two
    element = Element("member")
    _fill(element, fields)
    return tostring(element, encoding="unicode")


def _fill(element: Element, value: object) -> None:
    if isinstance(value, Mapping):
        for name, field in value.items():
            _fill(SubElement(element, name), field)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _fill(SubElement(element, "member"), item)
    else:
        element.text = str(value).lower() if isinstance(value, bool) else str(value)

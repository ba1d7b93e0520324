"""AWS's prices, in dollars, of us-east-1, without the free tier and volume discounts.

Each names the page that it is on. Where a script fills in that page's figures, so that it cannot be
quoted, `read_in` names another document that has them: of AWS's own where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

REGION: Final = "us-east-1"
AS_OF: Final = "2026-11-24"


@dataclass(frozen=True)
class Price:
    """A price.

    Attributes:
        dollars: for one unit.
        unit: what one is.
        listed: the price as AWS writes it.
        source: the page.
        read_in: where the figure was read.
    """

    dollars: float
    unit: str
    listed: str
    source: str
    read_in: str


_STATES: Final = "https://aws.amazon.com/step-functions/pricing/"
_LAMBDA: Final = "https://aws.amazon.com/lambda/pricing/"
_S3: Final = "https://aws.amazon.com/s3/pricing/"
_DYNAMODB: Final = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_SQS: Final = "https://aws.amazon.com/sqs/pricing/"
_CLOUDWATCH: Final = "https://aws.amazon.com/cloudwatch/pricing/"
_XRAY: Final = "https://aws.amazon.com/xray/pricing/"
_EVENTS: Final = "https://aws.amazon.com/eventbridge/pricing/"
_API: Final = "https://aws.amazon.com/api-gateway/pricing/"

_EXAMPLE: Final = "the page's worked example"
_GUIDE: Final = (
    "<https://docs.aws.amazon.com/solutions/latest/automated-security-response-on-aws/cost.html>"
)
_ARM: Final = "secondary lists (four fifths of x86_64); not confirmed by AWS itself"
_TABLES: Final = (
    "<https://airbyte.com/data-engineering-resources/dynamodb-pricing>; not confirmed by AWS itself"
)

_CLASSES: Final = (
    "<https://c3x.dev/blog/cloudwatch-logs-cost-optimization>; not confirmed by AWS itself"
)

TRANSITION: Final = Price(
    0.025 / 1000, "state transition", "$0.025 per 1,000", _STATES, "the page's table"
)
EXPRESS_REQUEST: Final = Price(
    1.00 / 1e6, "EXPRESS execution", "$1.00 per million", _STATES, _EXAMPLE
)
# The first thousand GB-hours of a month; a million images of a second each use 17.
EXPRESS_GB_SECOND: Final = Price(
    0.06 / 3600, "GB-second of EXPRESS", "$0.0600 per GB-hour", _STATES, _EXAMPLE
)
LAMBDA_GB_SECOND: Final = {
    "x86_64": Price(
        0.0000166667, "GB-second on x86_64", "$0.0000166667", _LAMBDA, f"{_EXAMPLE}, rounded there"
    ),
    "arm64": Price(0.0000133334, "GB-second on arm64", "$0.0000133334", _LAMBDA, _ARM),
}
LAMBDA_REQUEST: Final = Price(
    0.20 / 1e6, "call of a function", "$0.20 per million", _LAMBDA, _EXAMPLE
)
_SNAP: Final = (
    "<https://awsnegotiations.com/blog/lambda-snapstart-cost-impact/>; not confirmed by AWS itself"
)
SNAPSHOT_GB_SECOND: Final = Price(
    0.0000015046, "GB-second of a SnapStart snapshot", "$0.0000015046", _LAMBDA, _SNAP
)
SNAPSHOT_GB_RESTORED: Final = Price(
    0.0001397998, "GB restored from a snapshot", "$0.0001397998", _LAMBDA, _SNAP
)
S3_WRITE: Final = Price(0.005 / 1000, "PUT or COPY", "$0.005 per 1,000", _S3, _GUIDE)
S3_READ: Final = Price(0.0004 / 1000, "GET or HEAD", "$0.0004 per 1,000", _S3, _GUIDE)
S3_LIST: Final = Price(0.005 / 1000, "LIST", "$0.005 per 1,000", _S3, _GUIDE)
S3_GB_MONTH: Final = Price(0.023, "GB for a month", "$0.023", _S3, _GUIDE)
TABLE_WRITE: Final = Price(
    0.625 / 1e6, "KB written to the table", "$0.625 per million", _DYNAMODB, _TABLES
)
# Of 4 KB at most, read consistently.
TABLE_READ: Final = Price(
    0.125 / 1e6, "record read from the table", "$0.125 per million", _DYNAMODB, _TABLES
)
QUEUE_REQUEST: Final = Price(0.40 / 1e6, "request to the queue", "$0.40 per million", _SQS, _GUIDE)
LOG_GB: Final = Price(0.50, "GB of logs", "$0.50", _CLOUDWATCH, _GUIDE)
LOG_GB_INFREQUENT: Final = Price(
    0.25, "GB of logs of the class INFREQUENT_ACCESS", "$0.25", _CLOUDWATCH, _CLASSES
)
TRACE: Final = Price(5.00 / 1e6, "trace", "$5.00 per million", _XRAY, "the page's text")
# Metered by 64 KB. S3's events on a bus cost the same, also those that no rule matches.
EVENT: Final = Price(
    1.00 / 1e6, "event on an EventBridge bus", "$1.00 per million", _EVENTS, "the page's table"
)
# Metered by 512 KB.
HTTP_API: Final = Price(
    1.00 / 1e6, "512 KB through the HTTP API", "$1.00 per million", _API, _EXAMPLE
)
REST_API: Final = Price(3.50 / 1e6, "request to the REST API", "$3.50 per million", _API, _GUIDE)

ALL: Final = (
    *(TRANSITION, EXPRESS_REQUEST, EXPRESS_GB_SECOND),
    *(*LAMBDA_GB_SECOND.values(), LAMBDA_REQUEST),
    *(SNAPSHOT_GB_SECOND, SNAPSHOT_GB_RESTORED),
    *(S3_WRITE, S3_READ, S3_LIST, S3_GB_MONTH, TABLE_WRITE, TABLE_READ, QUEUE_REQUEST),
    *(LOG_GB, LOG_GB_INFREQUENT, TRACE, EVENT, HTTP_API, REST_API),
)

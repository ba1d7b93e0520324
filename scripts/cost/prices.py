"""AWS's prices, in dollars, of us-east-1, without the free tier and volume discounts.

Each names the page that it is on. Where a script fills in that page's figures, so that it cannot be
quoted, `read_in` names another document that has them: of AWS's own where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

REGION: Final = "us-east-1"
AS_OF: Final = "2026-11-24"

_UNITS: Final = {"": 1, "1,000": 1000, "million": 1e6, "GB-hour": 3600}


@dataclass(frozen=True)
class Price:
    """A price.

    Attributes:
        listed: the price as AWS writes it.
        unit: what is paid for.
        source: the page.
        read_in: where the figure was read.
    """

    listed: str
    unit: str
    source: str
    read_in: str

    @property
    def dollars(self) -> float:
        """The price of one unit."""
        amount, _, units = self.listed.removeprefix("$").partition(" per ")
        return float(amount) / _UNITS[units]


_STATES: Final = "https://aws.amazon.com/step-functions/pricing/"
_LAMBDA: Final = "https://aws.amazon.com/lambda/pricing/"
_S3: Final = "https://aws.amazon.com/s3/pricing/"
_DYNAMODB: Final = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_SQS: Final = "https://aws.amazon.com/sqs/pricing/"
_CLOUDWATCH: Final = "https://aws.amazon.com/cloudwatch/pricing/"
_XRAY: Final = "https://aws.amazon.com/xray/pricing/"
_EVENTS: Final = "https://aws.amazon.com/eventbridge/pricing/"
_API: Final = "https://aws.amazon.com/api-gateway/pricing/"

_TABLE: Final = "the page's table"
_EXAMPLE: Final = "the page's worked example"
_ROUNDED: Final = f"{_EXAMPLE}, rounded there"
_GUIDE: Final = (
    "<https://docs.aws.amazon.com/solutions/latest/automated-security-response-on-aws/cost.html>"
)
_UNCONFIRMED: Final = "not confirmed by AWS itself"
_ARM: Final = f"secondary lists (four fifths of x86_64); {_UNCONFIRMED}"
_AIRBYTE: Final = (
    f"<https://airbyte.com/data-engineering-resources/dynamodb-pricing>; {_UNCONFIRMED}"
)
_C3X: Final = f"<https://c3x.dev/blog/cloudwatch-logs-cost-optimization>; {_UNCONFIRMED}"
_SNAP: Final = f"<https://awsnegotiations.com/blog/lambda-snapstart-cost-impact/>; {_UNCONFIRMED}"

TRANSITION: Final = Price("$0.025 per 1,000", "state transition", _STATES, _TABLE)
EXPRESS_REQUEST: Final = Price("$1.00 per million", "EXPRESS execution", _STATES, _EXAMPLE)
# The first thousand GB-hours of a month; a million images of a second each use 17.
EXPRESS_GB_SECOND: Final = Price("$0.0600 per GB-hour", "GB-second of EXPRESS", _STATES, _EXAMPLE)
LAMBDA_GB_SECOND: Final = {
    "x86_64": Price("$0.0000166667", "GB-second on x86_64", _LAMBDA, _ROUNDED),
    "arm64": Price("$0.0000133334", "GB-second on arm64", _LAMBDA, _ARM),
}
LAMBDA_REQUEST: Final = Price("$0.20 per million", "call of a function", _LAMBDA, _EXAMPLE)
SNAPSHOT_GB_SECOND: Final = Price(
    "$0.0000015046", "GB-second of a SnapStart snapshot", _LAMBDA, _SNAP
)
SNAPSHOT_GB_RESTORED: Final = Price("$0.0001397998", "GB restored from a snapshot", _LAMBDA, _SNAP)
S3_WRITE: Final = Price("$0.005 per 1,000", "PUT or COPY", _S3, _GUIDE)
S3_READ: Final = Price("$0.0004 per 1,000", "GET or HEAD", _S3, _GUIDE)
S3_LIST: Final = Price("$0.005 per 1,000", "LIST", _S3, _GUIDE)
S3_GB_MONTH: Final = Price("$0.023", "GB for a month", _S3, _GUIDE)
TABLE_WRITE: Final = Price("$0.625 per million", "KB written to the table", _DYNAMODB, _AIRBYTE)
# Of 4 KB at most, read consistently.
TABLE_READ: Final = Price("$0.125 per million", "record read from the table", _DYNAMODB, _AIRBYTE)
QUEUE_REQUEST: Final = Price("$0.40 per million", "request to the queue", _SQS, _GUIDE)
LOG_GB: Final = Price("$0.50", "GB of logs", _CLOUDWATCH, _GUIDE)
LOG_GB_INFREQUENT: Final = Price(
    "$0.25", "GB of logs of the class INFREQUENT_ACCESS", _CLOUDWATCH, _C3X
)
LOG_GB_BY_CLASS: Final = {"STANDARD": LOG_GB, "INFREQUENT_ACCESS": LOG_GB_INFREQUENT}
TRACE: Final = Price("$5.00 per million", "trace", _XRAY, "the page's text")
# Metered by 64 KB. S3's events on a bus cost the same, also those that no rule matches.
EVENT: Final = Price("$1.00 per million", "event on an EventBridge bus", _EVENTS, _TABLE)
# Metered by 512 KB.
HTTP_API: Final = Price("$1.00 per million", "512 KB through the HTTP API", _API, _EXAMPLE)
REST_API: Final = Price("$3.50 per million", "request to the REST API", _API, _GUIDE)

ALL: Final = (
    *(TRANSITION, EXPRESS_REQUEST, EXPRESS_GB_SECOND),
    *(*LAMBDA_GB_SECOND.values(), LAMBDA_REQUEST),
    *(SNAPSHOT_GB_SECOND, SNAPSHOT_GB_RESTORED),
    *(S3_WRITE, S3_READ, S3_LIST, S3_GB_MONTH, TABLE_WRITE, TABLE_READ, QUEUE_REQUEST),
    *(LOG_GB, LOG_GB_INFREQUENT, TRACE, EVENT, HTTP_API, REST_API),
)

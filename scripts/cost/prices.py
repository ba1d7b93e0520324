"""AWS's prices, in dollars, of us-east-1, without the free tier and volume discounts.

Each names the page that it is on. Where a script fills in that page's figures, so that it cannot be
quoted, `read_in` names another document that has them: of AWS's own where there is one.
"""

from enum import Enum
from typing import Final

REGION: Final = "us-east-1"
AS_OF: Final = "2026-11-24"

_UNITS: Final = {"": 1, "1,000": 1000, "million": 1e6, "GB-hour": 3600}

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


class Price(Enum):
    """A price.

    Attributes:
        listed: the price as AWS writes it.
        unit: what is paid for.
        source: the page.
        read_in: where the figure was read.
    """

    TRANSITION = "$0.025 per 1,000", "state transition", _STATES, _TABLE
    EXPRESS_REQUEST = "$1.00 per million", "EXPRESS execution", _STATES, _EXAMPLE
    # The first thousand GB-hours of a month; a million images of a second each use 17.
    EXPRESS_GB_SECOND = "$0.0600 per GB-hour", "GB-second of EXPRESS", _STATES, _EXAMPLE
    LAMBDA_GB_SECOND_X86_64 = "$0.0000166667", "GB-second on x86_64", _LAMBDA, _ROUNDED
    LAMBDA_GB_SECOND_ARM64 = "$0.0000133334", "GB-second on arm64", _LAMBDA, _ARM
    LAMBDA_REQUEST = "$0.20 per million", "call of a function", _LAMBDA, _EXAMPLE
    SNAPSHOT_GB_SECOND = "$0.0000015046", "GB-second of a SnapStart snapshot", _LAMBDA, _SNAP
    SNAPSHOT_GB_RESTORED = "$0.0001397998", "GB restored from a snapshot", _LAMBDA, _SNAP
    S3_WRITE = "$0.005 per 1,000", "PUT or COPY", _S3, _GUIDE
    S3_READ = "$0.0004 per 1,000", "GET or HEAD", _S3, _GUIDE
    S3_LIST = "$0.005 per 1,000", "LIST", _S3, _GUIDE
    S3_GB_MONTH = "$0.023", "GB for a month", _S3, _GUIDE
    TABLE_WRITE = "$0.625 per million", "KB written to the table", _DYNAMODB, _AIRBYTE
    # Of 4 KB at most, read consistently.
    TABLE_READ = "$0.125 per million", "record read from the table", _DYNAMODB, _AIRBYTE
    QUEUE_REQUEST = "$0.40 per million", "request to the queue", _SQS, _GUIDE
    LOG_GB = "$0.50", "GB of logs", _CLOUDWATCH, _GUIDE
    LOG_GB_INFREQUENT = "$0.25", "GB of logs of the class INFREQUENT_ACCESS", _CLOUDWATCH, _C3X
    TRACE = "$5.00 per million", "trace", _XRAY, "the page's text"
    # Metered by 64 KB. S3's events on a bus cost the same, also those that no rule matches.
    EVENT = "$1.00 per million", "event on an EventBridge bus", _EVENTS, _TABLE
    # Metered by 512 KB.
    HTTP_API = "$1.00 per million", "512 KB through the HTTP API", _API, _EXAMPLE
    REST_API = "$3.50 per million", "request to the REST API", _API, _GUIDE

    def __init__(self, listed: str, unit: str, source: str, read_in: str) -> None:
        self.listed, self.unit, self.source, self.read_in = listed, unit, source, read_in

    @property
    def dollars(self) -> float:
        """The price of one unit."""
        amount, _, units = self.listed.removeprefix("$").partition(" per ")
        return float(amount) / _UNITS[units]


LAMBDA_GB_SECOND: Final = {
    "x86_64": Price.LAMBDA_GB_SECOND_X86_64,
    "arm64": Price.LAMBDA_GB_SECOND_ARM64,
}
LOG_GB_BY_CLASS: Final = {"STANDARD": Price.LOG_GB, "INFREQUENT_ACCESS": Price.LOG_GB_INFREQUENT}

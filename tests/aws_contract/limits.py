"""AWS's limits, and the maximum that this project reaches.

`largest` is a claim, which docs/fidelity.md prints. test_limits.py calculates or measures the value
and fails if the claim is not true or the limit is exceeded.
"""

from dataclasses import dataclass

_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
_STATES = "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"
_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
_BUCKETS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
_QUEUES = (
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html"
)
_MESSAGES = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"
_HTTP = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"
_TABLES = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"


@dataclass(frozen=True)
class Limit:
    """A limit of AWS's.

    Attributes:
        allowed: what AWS allows.
        largest: the maximum of this project, with its default variables.
        unit: of both.
        source: where AWS states it.
    """

    allowed: int
    largest: int
    unit: str
    source: str


LIMITS = {
    "name of a bucket": Limit(63, 63, "characters", _BUCKETS),
    "name of a function": Limit(
        64,
        41,
        "characters",
        "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html",
    ),
    "name of a role": Limit(64, 56, "characters", _IAM),
    "name of a state machine": Limit(80, 32, "characters", _STATES),
    "name of an execution": Limit(80, 73, "characters", _STATES),
    "name of a queue": Limit(80, 36, "characters", _QUEUES),
    "policy of a role": Limit(10_240, 2_200, "characters", _IAM),
    "trust policy of a role": Limit(2_048, 450, "characters", _IAM),
    "environment of a function": Limit(4_096, 350, "bytes", _LAMBDA),
    "duration of a function": Limit(900, 360, "seconds", _LAMBDA),
    "duration of the upload's integration": Limit(30, 29, "seconds", _HTTP),
    "request to the upload function": Limit(6_291_456, 6_014_000, "bytes", _LAMBDA),
    "functions and layer, unzipped": Limit(262_144_000, 30_000_000, "bytes", _LAMBDA),
    "functions or layer, zipped": Limit(52_428_800, 12_000_000, "bytes", _LAMBDA),
    "definition of a state machine": Limit(1_048_576, 40_000, "bytes", _STATES),
    "state of an execution": Limit(262_144, 200_000, "bytes", _STATES),
    "state of a backfill's child": Limit(262_144, 160_000, "bytes", _STATES),
    "messages in one request": Limit(1_048_576, 140_000, "bytes", _MESSAGES),
    "history of an execution": Limit(25_000, 1_000, "events", _STATES),
    "record in the table": Limit(409_600, 26_000, "bytes", _TABLES),
    "key of a record": Limit(2_048, 1_024, "bytes", _TABLES),
}

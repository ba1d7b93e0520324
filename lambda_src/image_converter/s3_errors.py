"""The codes by which S3 and the other services name their errors.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. The answer to a HEAD request
has no body, so its errors are bare status codes.
"""

from botocore.exceptions import ClientError

NOT_FOUND = {"404", "NoSuchKey"}
NO_BUCKET = {"NoSuchBucket"}
# A delete marker's version answers 405.
GONE = NOT_FOUND | NO_BUCKET | {"NoSuchVersion", "405", "MethodNotAllowed"}
PRECONDITION_FAILED = {"412", "PreconditionFailed"}
# Not a version id, a bucket name or a key anywhere in S3.
MALFORMED = {"InvalidArgument", "InvalidBucketName", "KeyTooLongError"}
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html
ARCHIVED = {"InvalidObjectState"}
EMPTY_RANGE = {"416", "InvalidRange"}
# Another writer was faster; 404 means that the object of the condition is gone.
LOST_RACE = PRECONDITION_FAILED | NOT_FOUND | {"409", "ConditionalRequestConflict"}


def error_code(error: ClientError) -> str:
    """Return AWS's name for the error."""
    return str(error.response.get("Error", {}).get("Code", ""))

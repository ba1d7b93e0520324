"""All that touches ministack's private names: what it lacks for this project, put in from outside.

ministack moves fast and promises nothing about these names. So its version is pinned, importing
this package fails with a sentence when another one is installed, and a test lists every name that
is used, with its parameters. Nothing else may reach into ministack. What is put in, and why, by
service:

* ``lambda_``: Python functions run under AWS's own runtime client (awslambdaric), as ``provided``
  ones do: ministack's own worker reports every exception as ``Runtime.HandlerError``, so that no
  Retry and no Catch of a state machine would ever match a name. The system log level is honoured.
  Calls of a burst share a few processes.
* ``stepfunctions``: ``StartExecution`` is idempotent while the execution runs, and refuses input
  that is not JSON. State machines are checked by a real validator and remember their tracing
  configuration. EXPRESS executions cannot be asked about, and their names may be used again.
  Executions end when their time is up, EXPRESS ones after five minutes.
* ``stepfunctions_history``: histories hold the states in branches, too, and functions' events.
* ``stepfunctions_logs``: executions are logged at the state machine's level.
* ``stepfunctions_maps``: Distributed Maps run batches of items, read inventories, write results and
  end, as on AWS, if results that they do not write are too large.
* ``stepfunctions_sqs``: the SDK integration of ``SendMessageBatch`` takes what AWS takes.
* ``s3``: ``CopyObject`` honours If-Match and If-None-Match on the destination.
  ``GetBucketRequestPayment`` is known by its name on the wire, or it answers with a listing.
  ``ListObjectVersions`` encodes keys where asked to, as Terraform does before it empties a bucket.
  Versions without an id of their own are called "null", as on AWS.
* ``s3_events``: events on the bus name the object's version.
* ``apigateway``: JWT authorisers have no payload format version, or each plan would remove it.
* ``cors``: what CORS configurations of APIs and buckets say, for the gate.
* ``cloudwatch``: ``DescribeAlarms`` describes the whole alarm in the Query protocol, which the
  provider speaks.
* ``logs``: CloudWatch Logs keeps saved queries, refuses those of times before the log group, reads
  filter patterns for JSON and answers ``FilterLogEvents`` page by page.
* ``iam``: with IAM enforced, root users' signatures are checked, with the secret of this start, and
  conditions see TLS, roles, callers, an upload's encryption and events' source as on AWS. A
  policy's ``*`` stands for newlines, too.
"""

from importlib.metadata import version

from scripts.local_aws.patches import (
    apigateway,
    around,
    cloudwatch,
    iam,
    lambda_,
    logs,
    s3,
    s3_events,
    stepfunctions,
    stepfunctions_history,
    stepfunctions_logs,
    stepfunctions_maps,
    stepfunctions_sqs,
)

MINISTACK_VERSION = "1.5.33"


def check_version() -> None:
    """Fail with a sentence where ministack is not the one that the patches were written for."""
    installed = version("ministack")
    if installed != MINISTACK_VERSION:
        raise ImportError(
            f"ministack is {installed}, but the patches in scripts/local_aws/patches were "
            f"written against {MINISTACK_VERSION}. Run `make setup`; to use another version, "
            "first run tests/scripts/local_aws and the end-to-end tests with it."
        )


check_version()


def install() -> None:
    """Put everything in. Call once, before ministack serves."""
    for service in (
        lambda_,
        stepfunctions,
        stepfunctions_history,
        stepfunctions_logs,  # after the histories, whose events are logged
        stepfunctions_maps,
        s3,
        s3_events,
        apigateway,
        cloudwatch,
        logs,
        iam,
    ):
        around.install(service)
    stepfunctions_sqs.install()

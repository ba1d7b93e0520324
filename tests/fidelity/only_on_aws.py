"""What only AWS can show: why no test here does, and how to see it there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Something that is left to AWS.

    Attributes:
        why: what keeps it from being tested here.
        how: what to do there.
    """

    what: str
    why: str
    how: str


ROWS = (
    Row(
        "permissions of the state machine's role, of KMS, of the event source",
        "the local AWS enforces the functions' roles for S3, DynamoDB and Step Functions only",
        "`make smoke`: an execution that succeeds has used all of them",
    ),
    Row(
        "a Fail state whose ErrorPath finds a name that begins with `States.`",
        "moto refuses it, the local AWS takes it, AWS documents neither; a task that times out for "
        "good comes to it",
        "set a function's timeout to 1 second and upload a large image: the execution should fail "
        "with States.Timeout, not States.Runtime",
    ),
    Row(
        "names of errors of a function that runs out of memory or time",
        "Lambda.Unknown, Sandbox.Timedout and Runtime.ExitError come from Lambda itself; all are "
        "States.TaskFailed to Retry and Catch",
        "give resize_image 512 MB and raise its pixel limit by hand; look at the execution's error",
    ),
    Row(
        "the runtime: botocore of the layer before Lambda's own, Pillow on arm64",
        "functions run here under AWS's runtime client, but with this machine's Python; the arm64 "
        "package runs under qemu with Debian's, without that client",
        "`make smoke` prints the functions' settings; conversion succeeds or fails by itself",
    ),
    Row(
        "conditions of S3 while two writers race for a key (409)",
        "stand-ins handle one request after the other",
        "upload one key twenty times at once; the newest must be current in the destination",
    ),
    Row(
        "throttling: StartExecution at 150 a second, KMS, Lambda's concurrency",
        "no stand-in throttles; the arithmetic is in `fidelity/test_limits.py`",
        "upload some thousand small images; the dead-letter queue must stay empty",
    ),
    Row(
        "order and repetition of notifications",
        "the local AWS delivers each once, in order; the simulation in `tests/simulation` does not",
        "the same flood: as many executions as versions, no image lost",
    ),
    Row(
        "RedriveExecution, StopExecution in the middle of a task",
        "the local AWS has no redrive",
        "stop an execution in ResizeImage, `make redrive ALL=1`: it goes on from there",
    ),
    Row(
        "logs under /aws/vendedlogs, X-Ray traces, alarms that are raised and mailed",
        "the local AWS keeps no delivered logs and no traces, and evaluates no alarm",
        "upload a damaged image; the alarm's mail comes within two minutes",
    ),
    Row(
        "EXPRESS: its five minutes, executions that run twice, the lines of its log group",
        "the local AWS interprets an EXPRESS definition as a STANDARD one and writes no such log; "
        "it refuses, as AWS does, to list or describe its executions",
        'apply with workflow_type = "EXPRESS" and upload a damaged image: the log group and '
        "`make status` tell DamagedImage, and the alarm of failed executions is raised",
    ),
    Row(
        "the partitions aws-cn and aws-us-gov as deployed",
        "their ARNs and names are checked, no service of theirs is",
        "`make smoke` in a region of the partition",
    ),
    Row(
        "expiry of old versions, deletion of the key after its window",
        "lifecycle rules act in days",
        "look at the source bucket's versions after the days that you have set",
    ),
    Row(
        "provider 6.x while it works",
        "its schema is checked, its code is not at hand",
        "see [upgrade-to-provider-6.md](upgrade-to-provider-6.md)",
    ),
    Row(
        "the state machine's role trusts states.amazonaws.com on behalf of exactly its ARN",
        "AWS documents the pattern with `ArnLike` and `stateMachine:*`, and does not say that the "
        "ARN is known while CreateStateMachine tries the role's log delivery",
        "`make smoke`: the apply fails in CreateStateMachine. Loosen in "
        "`modules/state_machine/main.tf`: "
        '`ArnLike = { "aws:SourceArn" = "${var.arn}*" }` instead of ArnEquals, or delete it',
    ),
    Row(
        "the key lets S3 in by aws:SourceArn and aws:SourceAccount, to notify the encrypted queue",
        "AWS's page on encrypted queues shows the statement without conditions; that S3 sends both "
        "keys to KMS is said of SQS and SNS, not of KMS",
        "`make smoke`: no execution starts, and no message arrives. Loosen in "
        "`modules/key/main.tf`: delete `Condition` of NotificationsOfTheSourceBucket",
    ),
    Row(
        "DynamoDB writes with kms:Decrypt alone, by way of DynamoDB",
        "AWS documents which permissions who makes a table needs, and of who writes items only "
        "Decrypt for the table's key",
        "`make smoke`: WriteToDynamoDb fails with AccessDeniedException, which names the action. "
        'Loosen in `permissions.tf`: `actions = ["kms:Decrypt", "kms:DescribeKey", '
        '"kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]`',
    ),
    Row(
        "an upload that names the stack's key by its id or alias",
        "AWS does not say whether conditions see what was sent or the key's ARN: it is refused",
        "`aws s3 cp --sse aws:kms --sse-kms-key-id alias/image-converter`. To let it in: name the "
        "ARN, or leave both options out, which has the same effect",
    ),
    Row(
        "the deployer's policy within five minutes after the key was made",
        "KMS may take so long until a key's tags count, and the local AWS knows no tags of keys",
        "apply by it in an empty account. A denied action is named; loosen in "
        "`deployer-policy.json.tftpl`: move it from `Key` to `NewKey`",
    ),
)
